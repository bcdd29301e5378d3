"""The command that tries extensions, with tiny extensions in real environments.

Each extension is an sdist that is built and installed with the real wheels, and with
upstream's Flask.
"""

from __future__ import annotations

import dataclasses
import fcntl
import importlib.metadata
import io
import os
import pathlib
import sys
import tarfile
import textwrap
import time
import typing as t

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from forkkit.base import venv
from forkkit.base.errors import ForkError
from forkkit.base.paths import here
from forkkit.base.paths import Project
from forkkit.ecosystem import judge
from forkkit.ecosystem import listed
from forkkit.ecosystem import trial
from forkkit.ecosystem.judge import Row
from forkkit.ecosystem.listed import Counts
from forkkit.ecosystem.listed import Extension
from forkkit.ecosystem.listed import Suite
from forkkit.ecosystem.trial import Observation
from forkkit.pack.dist import Built
from forkkit.upstream.pin import Pin

HERE = here()
PIN = Pin.load(HERE)
ON_FORK = "import flask; ON_FORK = flask.__name__ == 'flaskfork'"
ENTRY = "[[extension]]\nname = 'a'\nrequirements = ['a==1']\nimports = [1, 1]\n"
SETTINGS = """\
[build-system]
requires = ["hatchling==1.27.0"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"
dependencies = ["{flask}"]

[tool.hatch.build.targets.wheel]
only-include = ["{module}"]
"""


@pytest.fixture
def offer(tmp_path: pathlib.Path) -> t.Callable[..., Extension]:
    """A function that makes the sdist of an extension to try."""

    def offer(
        name: str, *, flask: str = "flask", suite: Suite | None = None, **texts: str
    ) -> Extension:
        module = name.replace("-", "_")
        files = {
            "pyproject.toml": SETTINGS.format(name=name, flask=flask, module=module),
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        }
        for stem, text in texts.items():
            place = "tests" if stem.startswith("test_") else module
            files[f"{place}/{stem}.py"] = textwrap.dedent(text)
        path = tmp_path / f"{module}-1.0.tar.gz"
        write_sdist(path, f"{module}-1.0", files)
        # By its URL, so that no index is asked for the name.
        return Extension(name, (f"{name} @ {path.as_uri()}",), suite=suite)

    return offer


def write_sdist(path: pathlib.Path, top: str, files: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def run(tmp_path: pathlib.Path, built: Built) -> t.Callable[..., list[Row]]:
    """A function that tries extensions, with their own tests, and returns the rows."""

    def run(*chosen: Extension, begun: list[str] | None = None) -> list[Row]:
        return list(
            judge.run(
                built,
                PIN,
                chosen,
                tmp_path / "kept",
                python=sys.executable,
                suites=True,
                jobs=2,
                say=[].append if begun is None else begun.append,
            )
        )

    return run


def test_what_holds_is_not_done_again(
    tmp_path: pathlib.Path,
    offer: t.Callable[..., Extension],
    run: t.Callable[..., list[Row]],
) -> None:
    tiny = offer(
        "flask-tiny",
        suite=Suite(requirements=("blinker",)),
        __init__="from flask import Flask",
        views="from flask.views import View",
        broken="import flask_tiny.not_there",
        test_tiny="""\
            import pytest
            from flask_tiny import Flask

            def test_app():
                assert Flask("tiny").test_client().get("/").status_code == 404

            def test_fails():
                raise AssertionError

            def test_skips():
                pytest.skip("not today")
            """,
    )
    begun: list[str] = []
    counts = Counts(passed=1, failed=1, errors=0, skipped=1)
    expected = Row(
        name="flask-tiny",
        version="1.0",
        imported=(2, 3),
        imported_plain=(2, 3),
        suite=counts,
        suite_plain=counts,
        compared=True,
    )
    assert run(tiny, begun=begun) == [expected]
    assert begun == ["flask-tiny"]
    assert not [*(tmp_path / "kept" / "environments").iterdir()]
    assert run(tiny, begun=begun) == [expected]
    assert begun == ["flask-tiny"]

    # Known figures are not enough, since different tests may fail.
    suite = Suite(requirements=("blinker",), counts=counts)
    known = Extension(tiny.name, tiny.requirements, imports=(2, 3), suite=suite)
    [row] = run(known, begun=begun)
    assert begun == ["flask-tiny"] * 2
    assert (row.compared, row.problems) == (True, ())


def test_what_is_lost_is_a_problem(
    tmp_path: pathlib.Path,
    offer: t.Callable[..., Extension],
    run: t.Callable[..., list[Row]],
) -> None:
    hostile = offer(
        "flask-hostile",
        suite=Suite(known={"tests.test_hostile::test_known": "a reason"}),
        __init__=ON_FORK,
        a_refuses="from . import ON_FORK\nassert not ON_FORK",
        b_ends="import os; from . import ON_FORK\nON_FORK and os._exit(3)",
        c_adds="import sys, types; sys.modules['flask.c'] = types.ModuleType('c')",
        d_doubles="""\
            import importlib.util
            import sys
            import flask.views
            spec = importlib.util.spec_from_file_location("d", flask.views.__file__)
            sys.modules["d"] = importlib.util.module_from_spec(spec)
            """,
        e_writes="""\
            import pathlib
            import sysconfig
            folder = pathlib.Path(sysconfig.get_path("purelib"))
            (folder / "flask" / "left.py").touch()
            (folder / "flask" / "views.py").unlink()
            """,
        test_hostile="""\
            from flask_hostile import ON_FORK

            def test_known():
                assert not ON_FORK

            def test_lost():
                assert not ON_FORK
            """,
    )
    [row] = run(hostile)
    views = f"{os.sep}flaskfork{os.sep}views.py is loaded more than once"
    said = [text for text in row.problems if views not in text]
    assert len(row.problems) == len(said) + 1
    assert said == [
        "flask.c is None, not the fork's module",
        "flask/views.py differs from the wheel's file",
        "flask/left.py is in neither wheel",
        "flask_hostile.a_refuses does not import: AssertionError: ",
        "flask_hostile.b_ends does not import: the interpreter exited with code 3",
        "tests.test_hostile::test_lost: failed, on Flask passed",
    ]
    assert row.remarks == (
        "tests.test_hostile::test_known: failed, on Flask passed (a reason)",
    )
    assert (row.imported, row.imported_plain) == ((4, 6), (6, 6))
    # It is kept for an investigation, and tried again.
    assert (tmp_path / "kept" / "environments" / "flask-hostile" / "fork").is_dir()
    begun: list[str] = []
    run(hostile, begun=begun)
    assert begun == ["flask-hostile"]


def test_what_is_lost_once_only_is_a_remark(
    tmp_path: pathlib.Path,
    offer: t.Callable[..., Extension],
    run: t.Callable[..., list[Row]],
) -> None:
    seen = tmp_path / "seen"
    racy = offer(
        "flask-racy",
        __init__=f"""\
            {ON_FORK}
            import pathlib
            seen = pathlib.Path({str(seen)!r})
            if ON_FORK and not seen.exists():
                seen.touch()
                raise RuntimeError
            """,
    )
    [row] = run(racy)
    assert (row.imported, row.problems) == ((1, 1), ())
    assert row.remarks == (
        "flask_racy does not import: RuntimeError:  (in one of two runs)",
    )


def test_a_pin_counts_if_plain_flask_meets_it(
    tmp_path: pathlib.Path,
    offer: t.Callable[..., Extension],
    run: t.Callable[..., list[Row]],
) -> None:
    old = offer("flask-old", flask="flask<3", __init__="import flask")
    exact = offer(
        "flask-exact", flask=f"flask==={PIN.version}", __init__="import flask"
    )
    absent = Extension("flask-absent", (f"flask-absent @ {tmp_path.as_uri()}/no.whl",))
    rows = {row.name: row for row in run(old, exact, absent)}
    forced = "installed in spite of its requirements: flask"
    assert rows["flask-old"].problems == ()
    assert rows["flask-old"].remarks[0] == f"{forced}<3"
    assert rows["flask-exact"].problems[0] == f"{forced}==={PIN.version}"
    assert rows["flask-exact"].imported == rows["flask-old"].imported == (1, 1)
    assert rows["flask-absent"].problems == ()
    assert "does not install" in rows["flask-absent"].remarks[0]


def test_what_hangs_is_ended_with_all_it_started(tmp_path: pathlib.Path) -> None:
    environment = venv.create(tmp_path / "venv")
    hangs = """if True:
        import pathlib
        import subprocess
        import sys
        code = "import time; time.sleep(600)"
        started = subprocess.Popen([sys.executable, "-c", code])
        pathlib.Path("written").write_text(str(started.pid))
        pathlib.Path("written").rename("pid")
        started.wait()
        """
    runner = trial.Runner()
    # On a busy machine, it takes a while until it hangs.
    for timeout in (2, 8, 32, 128, 512):
        ended = runner.run(environment, "-c", hangs, cwd=tmp_path, timeout=timeout)
        assert ended == f"did not finish in {timeout} s"
        if (tmp_path / "pid").exists():
            break
    wait_for_end_of(int((tmp_path / "pid").read_text()))


def test_nothing_begins_after_a_stop(tmp_path: pathlib.Path) -> None:
    environment = venv.create(tmp_path / "venv")
    runner = trial.Runner()
    runner.stop()
    with pytest.raises(ForkError, match="was interrupted"):
        runner.run(environment, "-c", "", cwd=tmp_path, timeout=2)


def wait_for_end_of(pid: int) -> None:
    """Wait until a process has ended, even if nobody has reaped it."""
    deadline = time.monotonic() + 600
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        state = pathlib.Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        assert time.monotonic() < deadline, f"process {pid} is still running"
        time.sleep(0.05)


def test_only_one_run_at_a_time(
    tmp_path: pathlib.Path, run: t.Callable[..., list[Row]]
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ForkError, match="another run is in progress"):
            run()


FINE = Observation(version="1", imports={"a": None}, suite={"x": "passed"})


@pytest.mark.parametrize(
    ("here", "there", "lost"),
    [
        pytest.param({}, {}, 0, id="nothing"),
        pytest.param({"error": "no"}, {}, 1, id="installs no more"),
        pytest.param({"error": "no"}, {"error": "no"}, 0, id="never installed"),
        pytest.param({"forced": "flask<3"}, {}, 1, id="forced"),
        pytest.param({"forced": "flask<3"}, {"forced": "flask<3"}, 0, id="pinned"),
        pytest.param({"complaints": ("no",)}, {}, 1, id="complaint"),
        pytest.param({"complaints": ("no",)}, {"complaints": ("no",)}, 0, id="as odd"),
        pytest.param({"strangers": ("flask.x",)}, {}, 1, id="stranger"),
        pytest.param({"imports": {"a": "no"}}, {}, 1, id="import"),
        pytest.param({"imports": {"a": "no"}}, {"imports": {"a": "no"}}, 0, id="never"),
        pytest.param({"suite": {}}, {}, 1, id="test not run"),
        pytest.param({"suite": {"x": "skipped"}}, {}, 1, id="test skipped"),
        pytest.param({"suite": {"x": "failed"}}, {}, 1, id="test failed"),
        pytest.param(
            {"suite": {"x": "errors"}}, {"suite": {"x": "failed"}}, 0, id="fails anyway"
        ),
        pytest.param(
            {"suite": {"x": "failed"}}, {"suite": {"x": "skipped"}}, 1, id="was skipped"
        ),
        pytest.param(
            {"suite": {"x": "passed", "y": "failed"}}, {}, 1, id="another test"
        ),
        pytest.param({"suite": None, "no_suite": "it hung"}, {}, 1, id="suite"),
        pytest.param(
            {"suite": None, "no_suite": "it hung"},
            {"suite": None, "no_suite": "it hung"},
            0,
            id="hangs anyway",
        ),
    ],
)
def test_what_counts_as_lost(
    here: dict[str, t.Any], there: dict[str, t.Any], lost: int
) -> None:
    problems, _ = judge.judge(
        Extension("x", ("x",)),
        dataclasses.replace(FINE, **here),
        dataclasses.replace(FINE, **there),
    )
    assert len(problems) == lost


def test_the_table_is_one_line_a_row() -> None:
    rows = [
        Row("b", "2", (1, 1), (1, 1), remarks=("a | b\nc",)),
        Row("a", problems=("lost",), suite=Counts(1, 2, 0, 3)),
    ]
    assert judge.table(rows).splitlines()[2:] == [
        "| a | - | 0/0 | 0/0 | 1 passed, 2 failed, 3 skipped | - | **lost** |",
        "| b | 2 | 1/1 | 1/1 | - | - | a \\| b c |",
    ]


def test_modules_are_what_there_is_to_import(tmp_path: pathlib.Path) -> None:
    files = [
        "ext/__init__.py",
        "ext/views.py",
        "ext/data/script.py",
        "ext/templates/new/__init__.py",
        "ext/tests/__init__.py",
        "ext/tests/test_ext.py",
        "ext/testing.py",
        "ext/not-a-name.py",
        "space/ext/__init__.py",
        "space/single.py",
        "single.py",
        "test_single.py",
    ]
    info = tmp_path / "ext-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ext\nVersion: 1\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    distribution = importlib.metadata.Distribution.at(info)
    assert trial.modules_of(distribution) == [
        "ext",
        "ext.testing",
        "ext.views",
        "single",
        "space.ext",
        "space.single",
    ]


def test_the_list_of_extensions_is_well_formed() -> None:
    found = listed.load(HERE)
    names = [extension.name for extension in found]
    assert names == [*map(canonicalize_name, dict.fromkeys(names))]
    for extension in found:
        own = Requirement(extension.requirements[0])
        assert canonicalize_name(own.name) == extension.name
        # Another release would have other figures.
        assert [s.operator for s in own.specifier] == ["=="]
        assert extension.imports
        assert extension.imports[0] <= extension.imports[1]


def test_extensions_are_chosen_by_name_or_are_any_requirement() -> None:
    found = listed.load(HERE)
    assert listed.choose(HERE, []) == found
    [cors] = listed.choose(HERE, ["Flask_CORS"])
    assert cors in found
    [old] = listed.choose(HERE, ["Flask_CORS<5"])
    assert (old.name, old.requirements) == ("flask-cors", ("Flask_CORS<5",))
    with pytest.raises(ForkError, match="is not a valid requirement"):
        listed.choose(HERE, ["flask cors"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "something other than"),
        ("extension = 1", "something other than"),
        ("extension = [1]", "is not a table"),
        ("[[extension]]\nname = 'a'", "name, requirements and imports are required"),
        (f"{ENTRY}", "exactly one of suite and no-suite"),
        (
            f"{ENTRY}no-suite = 'why'\n[extension.suite]",
            "exactly one of suite and no-suite",
        ),
        (f"{ENTRY}no-suite = 1", "no_suite is not of type str"),
        (f"{ENTRY}odd = 1", "unknown keys: odd"),
        (f"{ENTRY}[extension.suite]\nodd = 1", "unknown keys: odd"),
        (f"{ENTRY}[extension.suite]\nconftest = 'x'", "cannot be read"),
    ],
)
def test_a_malformed_list_is_refused(
    tmp_path: pathlib.Path, text: str, message: str
) -> None:
    folder = tmp_path / "tests" / "ecosystem"
    folder.mkdir(parents=True)
    (folder / "extensions.toml").write_text(text)
    with pytest.raises(ForkError, match=message):
        listed.load(Project(tmp_path))
