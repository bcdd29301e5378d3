"""Every verb of the shim's command says what is wrong, no matter what is broken."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import typing as t

import pytest

from forkkit.base import venv
from forkkit.base.venv import Environment

# Each case copies an environment, and starts Python several times.
pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    folder = tmp_path_factory.mktemp("whole") / "venv"
    return venv.create(folder, fork_wheel, shim_wheel)


@pytest.fixture
def site(whole: Environment) -> t.Iterator[pathlib.Path]:
    """The folder of the distributions, which is restored afterwards."""
    [site] = whole.path.glob("lib/python*/site-packages")
    # Its files may be links to those in uv's cache.
    kept = site.rename(site.with_name("kept"))
    shutil.copytree(kept, site, symlinks=True)
    yield site
    shutil.rmtree(site)
    kept.rename(site)


def info_of(site: pathlib.Path, name: str) -> pathlib.Path:
    [info] = site.glob(f"{name}-*.dist-info")
    return info


def run(environment: Environment, verb: str, *args: str) -> tuple[int, str]:
    """Run a verb; return the exit code and the output."""
    done = environment.run("-m", "flaskfork.shim", verb, *args, check=False)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode in (0, 1), said
    return done.returncode, said


def spoil(file: pathlib.Path) -> None:
    file.write_bytes(b"\xff\n" + file.read_bytes())


def troubles(environment: Environment) -> list[dict[str, str]]:
    code, said = run(environment, "doctor", "--json")
    found: list[dict[str, str]] = json.loads(said)
    assert bool(found) is bool(code)
    return found


def test_nothing_is_wrong(whole: Environment, site: pathlib.Path) -> None:
    assert troubles(whole) == []


@pytest.mark.parametrize("name", ["flask", "flaskfork"])
@pytest.mark.parametrize("file", ["RECORD", "METADATA"])
@pytest.mark.parametrize("missing", [False, True])
def test_metadata(
    whole: Environment, site: pathlib.Path, name: str, file: str, missing: bool
) -> None:
    path = info_of(site, name) / file
    path.unlink() if missing else spoil(path)
    # A line of RECORD that does not name a file is skipped.
    assert bool(troubles(whole)) is (missing or file == "METADATA")
    _, said = run(whole, "status")
    assert "upstream's" not in said
    run(whole, "install")


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"url": 1}'])
def test_direct_url(whole: Environment, site: pathlib.Path, text: str) -> None:
    info_of(site, "flaskfork").joinpath("direct_url.json").write_text(text)
    site.joinpath("flaskfork", "views.py").unlink()
    [trouble] = troubles(whole)
    # The file is recorded itself, so it is the first of two.
    assert trouble["what"].endswith("; the same is true of 1 more file")
    assert "flaskfork" in trouble["mend"]


@pytest.mark.parametrize("text", [None, "", "{", "{}", "[]", "1"])
def test_provenance(whole: Environment, site: pathlib.Path, text: str | None) -> None:
    path = site / "flaskfork" / "provenance.json"
    path.unlink() if text is None else path.write_text(text)
    [trouble] = troubles(whole)
    assert trouble["where"] == str(path)
    assert "cannot be read" in trouble["what"]
    for verb in ("status", "install", "remove"):
        code, said = run(whole, verb)
        assert code == 1
        assert str(path) in said


@pytest.mark.parametrize("text", [b"\0\n", b"a\0b\nimport os\n"])
def test_path_file(whole: Environment, site: pathlib.Path, text: bytes) -> None:
    site.joinpath("odd.pth").write_bytes(text)
    other = site / "other"
    other.mkdir()
    other.joinpath("flask.py").touch()
    site.joinpath("other.pth").write_text(f"{other}\n")
    [trouble] = troubles(whole)
    assert "other.pth" in trouble["mend"]


@pytest.mark.parametrize("name", ["co[1]", "a.b", "a|b", "a^$*", "a\\b"])
def test_mend_of_one_line_of_a_path_file(
    whole: Environment, site: pathlib.Path, tmp_path: pathlib.Path, name: str
) -> None:
    folder = tmp_path / name
    alike = tmp_path / "axb"
    for each in (folder, alike):
        each.mkdir(exist_ok=True)
    folder.joinpath("flask.py").touch()
    path = site / "odd.pth"
    path.write_text(f"{folder}\n{alike}\n")
    [trouble] = troubles(whole)
    assert os.system(trouble["mend"]) == 0
    assert path.read_text() == f"{alike}\n"
    assert troubles(whole) == []


@pytest.mark.parametrize("plan", ["", "{", "[]"])
def test_plan_that_did_not_reach_the_disk(
    whole: Environment, site: pathlib.Path, plan: str
) -> None:
    work = site / ".flaskfork-swap"
    for folder in (work, work / "new", work / "old"):
        folder.mkdir()
    work.joinpath("plan.json").write_text(plan)
    assert troubles(whole)
    code, said = run(whole, "install")
    assert code == 0, said
    assert not work.exists()
    assert troubles(whole) == []


def test_folder_that_is_gone(whole: Environment, tmp_path: pathlib.Path) -> None:
    gone = tmp_path / "gone"
    program = tmp_path / "program.py"
    program.write_text(
        "import os, runpy\nos.rmdir(os.getcwd())\n"
        "runpy.run_module('flaskfork.shim', run_name='__main__')\n"
    )
    for verb in ("status", "doctor", "constraints poetry --wheels /nowhere"):
        gone.mkdir()
        done = whole.run(program, *verb.split(), cwd=gone, check=False)
        assert "Traceback" not in done.stderr
        assert done.returncode == (1 if "nowhere" in verb else 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_disk_that_is_full(whole: Environment) -> None:
    shell = f"{whole.python} -m flaskfork.shim status > /dev/full"
    code = f"import subprocess; print(subprocess.run({shell!r}, shell=True).returncode)"
    done = whole.run("-c", code)
    assert done.stdout.strip() == "1"
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_file_that_only_mentions_the_shim(
    whole: Environment, tmp_path: pathlib.Path
) -> None:
    tmp_path.joinpath("flask.py").write_text("# not flaskfork.shim\n")
    done = whole.run(
        *("-m", "flaskfork.shim", "status"),
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert str(tmp_path / "flask.py") in done.stdout


@pytest.mark.parametrize("mark", ["?a=b", "#a"])
def test_address_that_is_none_of_a_folder(whole: Environment, mark: str) -> None:
    code, said = run(whole, "constraints", "--wheels", f"https://x.example/{mark}")
    assert code == 1
    assert "leave out everything after" in said


def test_variable_that_means_nothing(whole: Environment) -> None:
    code = """
for _ in range(2):
    try:
        import flask
    except Exception as e:
        print(type(e).__name__)
"""
    said = whole.evaluate(code, env={"FLASKFORK_LEGACY": "true"})
    assert said.split() == ["ShimError"] * 2
