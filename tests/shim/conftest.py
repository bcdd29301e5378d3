"""Shared by the tests of the shim.

They run in an environment that has the fork's wheel and the shim's. The effects of an
import only show in a fresh interpreter, so each test starts its own.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import textwrap
import typing as t

import pytest


@pytest.fixture
def run_python(tmp_path: pathlib.Path) -> t.Callable[..., str]:
    """A function that runs Python with some arguments and returns what it printed.

    Warnings are errors, and so is anything on standard error.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def run(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", *map(textwrap.dedent, args)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=kept,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that has an argument ``module`` for each of upstream's modules."""
    if "module" in metafunc.fixturenames:
        # The fork's own modules are many, and nobody knows them under the other name.
        own = (".shim.", ".legacy.")
        theirs = [name for name in modules() if not name.startswith(own)]
        metafunc.parametrize("module", theirs)


@pytest.fixture(scope="session")
def all_modules() -> list[str]:
    """The names of the fork's modules, without the package's name."""
    return modules()


def modules() -> list[str]:
    """The fork's modules by their name in the package; the package itself is ''.

    Read from the disk, since pkgutil does not look into namespace packages. To import a
    ``__main__`` is to run it, so these are left out.
    """
    spec = importlib.util.find_spec("flaskfork")
    assert spec is not None
    assert spec.origin is not None
    root = pathlib.Path(spec.origin).parent
    names = []
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        name = "".join(f".{part}" for part in parts).replace(".__init__", "")
        if not name.endswith(".__main__"):
            names.append(name)
    return sorted(names)
