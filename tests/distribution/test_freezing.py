"""An application on the fork runs from an archive, a folder or a single file."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import typing as t
import zipapp

import pytest

from forkkit.base import venv
from forkkit.base.venv import Environment

# Each of them makes a program, and most of them compile one.
pytestmark = pytest.mark.sampled

PROGRAMS = pathlib.Path(__file__).with_name("programs")
# The modules that only the fork has.
OWN = {"_pyinstaller", "legacy", "provenance", "shim"}


@pytest.fixture
def bare(tmp_path: pathlib.Path) -> Environment:
    """An empty environment."""
    return venv.create(tmp_path / "bare")


def make_archive(folder: pathlib.Path, *requirements: str | pathlib.Path) -> str:
    """Put the program and what it requires into one archive."""
    contents = folder / "contents"
    target = ["--python", sys.executable, "--target", contents]
    venv.uv("pip", "install", *target, *requirements)
    # Compiled modules cannot be imported from an archive; MarkupSafe works without its.
    for path in contents.rglob("*.so"):
        path.unlink()
    for name in ["frozen.py", "shop.py", "templates"]:
        source = PROGRAMS / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, contents / name)
    shutil.copy(PROGRAMS / "frozen.py", contents / "__main__.py")
    zipapp.create_archive(contents, folder / "shop.pyz")
    shutil.rmtree(contents)
    return str(folder / "shop.pyz")


def check(said: str) -> None:
    """Assert that the program found what it would have found in files."""
    found = json.loads(said)
    assert found["visits"] == [
        ["/", 200, "Welcome, True"],
        ["/terms", 200, "Terms of /terms"],
        ["/basket/order", 409, "no more of it"],
    ]
    assert found["names"][0] == "flaskfork"
    assert found["names"][-1] == "flaskfork.views"
    assert found["missing"] == [None, True]
    assert {"app", "cli", "json", "views"} <= {*found["modules"]}
    assert found["pickled"] == "MethodView"
    assert found["reloaded"] == "flaskfork.signals"
    assert found["spawned"] == found["visits"][1]


def test_archive(
    bare: Environment,
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    level: str,
) -> None:
    run = ["-I", "-W", "error"]
    on_fork = make_archive(tmp_path, fork_wheel, shim_wheel)
    said = bare.run(*run, on_fork).stdout
    check(said)
    version = bare.run(*run, on_fork, "--version").stdout
    assert f"Flask {level}+flaskfork." in version
    assert f"(Flask {level} with " in version

    plain = json.loads(bare.run(*run, make_archive(tmp_path, f"Flask=={level}")).stdout)
    found = json.loads(said.replace("flaskfork", "flask"))
    assert {*found.pop("modules")} - OWN == {*plain.pop("modules")}
    assert found == plain


def freeze(freezer: Environment, folder: pathlib.Path, *args: str) -> None:
    """Run PyInstaller without any option that would name a part of Flask."""
    options = ["--log-level=WARN", "--distpath", folder, "--workpath", folder / "work"]
    freezer.run("-m", "PyInstaller", *options, *args, cwd=folder)


def run(*args: str | pathlib.Path, **env: str) -> str:
    """Run a frozen program, where there is no Python."""
    done: subprocess.CompletedProcess[t.Any] = subprocess.run(
        args, capture_output=True, text=True, env={"LC_ALL": "C", **env}, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return str(done.stdout)


def test_folder_of_pyinstaller(
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    level: str,
) -> None:
    freezer = venv.create(tmp_path / "venv", fork_wheel, shim_wheel, "pyinstaller")
    freeze(freezer, tmp_path, str(PROGRAMS / "frozen.py"))
    program = tmp_path / "frozen" / "frozen"
    check(run(program))
    check(run(program, FLASKFORK_LEGACY="werkzeug"))
    version = run(program, "--version")
    assert f"Flask {level}+flaskfork." in version
    assert f"(Flask {level} with " in version


def test_file_of_pyinstaller_without_the_shims_wheel(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path
) -> None:
    freezer = venv.create(tmp_path / "venv", fork_wheel, "pyinstaller")
    freeze(freezer, tmp_path, "--onefile", str(PROGRAMS / "explicit.py"))
    assert run(tmp_path / "explicit") == "flaskfork.views flaskfork.json.tag\n"
