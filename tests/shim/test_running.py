"""What runs or reads a module by its name does so by the name ``flask``, too."""

from __future__ import annotations

import sys
import typing as t

import pytest

RunPython = t.Callable[..., str]

# Plain Flask warns that `flask.cli` has been imported before it is run.
IMPORTED_BEFORE = "ignore::RuntimeWarning"
RUNNERS = {
    "-m": [],
    "cProfile": ["-m", "cProfile", "-o", "out"],
    "pdb": ["-m", "pdb", "-c", "continue", "-c", "quit"],
    "trace": ["-m", "trace", "--count", "--coverdir", "out"],
    "listfuncs": ["-m", "trace", "--listfuncs"],
    "runpy": ["-m", "runpy"],
}
RUN = """
import runpy, sys
for name in ["flask", "flask.cli", "flask.__main__", "flaskfork.cli"]:
    for alter in [False, True]:
        sys.argv = ["flask", "--version"]
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=alter)
        except SystemExit as e:
            assert e.code == 0, e
        print(name, alter)
"""


@pytest.mark.parametrize("name", ["flask", "flask.cli"])
@pytest.mark.parametrize("runner", RUNNERS)
def test_programs_that_run_a_module(
    run_python: RunPython, runner: str, name: str
) -> None:
    if runner == "pdb" and sys.version_info[:3] == (3, 13, 0):
        pytest.skip("this pdb takes no arguments for the module")
    options = [*RUNNERS[runner]]
    if runner in {"trace", "listfuncs"}:
        options.append("--module")
    elif runner != "runpy":
        options.append("-m")
    said = run_python("-W", IMPORTED_BEFORE, *options, name, "--version")
    assert "\nWerkzeug " in said
    assert "\nflaskfork " in said


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import flask",
        "import flaskfork.cli, flaskfork.shim",
        "import flask, sys; del sys.modules['flask.cli']",
        "import flask.cli, importlib; importlib.reload(flask.cli)",
    ],
)
def test_run_module(run_python: RunPython, before: str) -> None:
    said = run_python("-W", IMPORTED_BEFORE, "-c", f"{before}\n{RUN}")
    assert said.count("\nflaskfork ") == said.count("Python ") == 8


def test_any_module_can_be_run(run_python: RunPython) -> None:
    code = """
        import importlib, pkgutil, runpy
        import flask
        for info in pkgutil.walk_packages(flask.__path__, "flask."):
            own = ("flask._", "flask.legacy", "flask.provenance", "flask.shim")
            if info.ispkg or info.name.startswith(own):
                continue
            real = importlib.import_module(info.name.replace("flask", "flaskfork", 1))
            found = runpy.run_module(info.name, run_name="x")
            assert found["__file__"] == real.__file__
    """
    run_python("-W", IMPORTED_BEFORE, "-c", code)


@pytest.mark.parametrize("first", ["os", "flaskfork.app", "flask.app"])
def test_loaders_that_are_asked_by_either_name(
    run_python: RunPython, first: str
) -> None:
    code = f"""
        import {first}
        import importlib.util, inspect, pkgutil, pyclbr
        import flask.app, flaskfork.app
        for name in ["flask.app", "flaskfork.app"]:
            loader = importlib.util.find_spec(name).loader
            assert loader is flask.app.__loader__
            assert loader.get_filename(name) == flask.app.__file__
            assert loader.get_source(name) == inspect.getsource(flask.app)
            assert loader.get_code(name).co_filename == flask.app.__file__
            assert not loader.is_package(name)
            assert "Flask" in pyclbr.readmodule(name)
        for name in ["flask.views", "flask", "app", "flask.app.x", "x.flask.app"]:
            try:
                loader.get_code(name)
            except ImportError as e:
                assert e.name in (name, "flaskfork" + name[5:]), e.name
            else:
                raise AssertionError(name)
    """
    run_python("-c", code)
