"""The shim goes into an environment and out of it again, by pip and by uv."""

from __future__ import annotations

import csv
import functools
import json
import os
import pathlib
import subprocess
import zipfile
from dataclasses import dataclass

import pytest
import uv

from forkkit import environments
from forkkit.environments import Environment

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Shimmed:
    """An environment that has the fork, and one installer.

    :param path: what the environment variable PATH is.
    """

    environment: Environment
    installer: str
    path: str

    def shim(
        self, *args: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m flaskfork.shim``."""
        return self.environment.run(
            *("-m", "flaskfork.shim", *args),
            check=check,
            env={"PATH": self.path, **env},
        )

    def install(self, *args: str) -> None:
        """Run the installer for what is not the shim's work."""
        python = self.environment.python
        if self.installer == "pip":
            self.environment.run("-m", "pip", *args)
        else:
            environments.uv("pip", *args, "--python", python)

    @property
    def level(self) -> str:
        return self.environment.evaluate(
            "from flaskfork import provenance; print(provenance.load().api_level)"
        )

    @property
    def packages(self) -> pathlib.Path:
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return pathlib.Path(self.environment.evaluate(code))

    def flask_files(self) -> set[str]:
        """What is in the folder of the package flask, byte code aside."""
        files = {p.relative_to(self.packages) for p in self.packages.glob("flask/**/*")}
        return {
            str(file)
            for file in files
            if "__pycache__" not in file.parts and (self.packages / file).is_file()
        }

    def recorded_files(self) -> set[str]:
        """What the distribution Flask says that it has in there."""
        [record] = self.packages.glob("[fF]lask-*.dist-info/RECORD")
        with record.open(newline="") as file:
            paths = {pathlib.PurePath(row[0]) for row in csv.reader(file)}
        return {
            str(path)
            for path in paths
            if path.parts[0] == "flask" and "__pycache__" not in path.parts
        }

    def is_fork(self) -> bool:
        """Whether a program that knows nothing of the fork gets it."""
        code = "import flask, flaskfork; print(flask is flaskfork, flask.Flask('x'))"
        return self.environment.evaluate(code) == "True <Flask 'x'>"


@pytest.fixture(params=["pip", "uv"])
def shimmed(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, fork_wheel: pathlib.Path
) -> Shimmed:
    """An environment with the fork and nothing named Flask."""
    environment = environments.create(
        tmp_path / "env", fork_wheel, seed=request.param == "pip"
    )
    tools = os.path.dirname(uv.find_uv_bin()) if request.param == "uv" else ""
    return Shimmed(environment, request.param, tools)


@pytest.fixture
def beside_flask(shimmed: Shimmed) -> Shimmed:
    """The same, with upstream's Flask."""
    shimmed.environment.install(f"Flask==={shimmed.level}")
    assert not shimmed.is_fork()
    return shimmed


def test_install_where_no_flask_is(shimmed: Shimmed, shim_wheel: pathlib.Path) -> None:
    before = shimmed.shim("status", check=False)
    assert before.returncode == 1
    assert "the distribution Flask is not installed" in before.stdout
    assert "No module named 'flask'" in before.stdout

    done = shimmed.shim("install")
    assert done.stdout.startswith("import flask is flaskfork ")
    assert shimmed.is_fork()
    assert shimmed.flask_files() == shimmed.recorded_files() == files_in(shim_wheel)
    shimmed.install("check")

    after = shimmed.shim("status")
    assert "the shim of flaskfork" in after.stdout
    version = shimmed.environment.run("-m", "flask", "--version").stdout
    program = shimmed.environment.program("flask")
    command = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    )
    assert command.stdout == version


def test_installing_again_changes_nothing(shimmed: Shimmed) -> None:
    first = shimmed.shim("install").stdout
    files = shimmed.flask_files()
    assert shimmed.shim("install").stdout == first
    assert shimmed.flask_files() == files
    assert len([*shimmed.packages.glob("[fF]lask-*.dist-info")]) == 1


def test_install_over_upstream_and_back(
    beside_flask: Shimmed, shim_wheel: pathlib.Path
) -> None:
    before = beside_flask.shim("status", check=False)
    assert before.returncode == 1
    assert f"Flask {beside_flask.level}, which is upstream's" in before.stdout
    upstream = beside_flask.flask_files()

    beside_flask.shim("install")
    assert beside_flask.is_fork()
    assert beside_flask.flask_files() == files_in(shim_wheel)
    beside_flask.install("check")

    done = beside_flask.shim("remove")
    assert f"Flask {beside_flask.level} here is upstream's" in done.stdout
    assert not beside_flask.is_fork()
    assert beside_flask.flask_files() == beside_flask.recorded_files() == upstream
    beside_flask.install("check")

    again = beside_flask.shim("remove")
    assert again.stdout == done.stdout
    assert beside_flask.flask_files() == upstream


def test_uninstalling_the_shim_leaves_the_fork(shimmed: Shimmed) -> None:
    shimmed.shim("install")
    shimmed.install("uninstall", *["-y"] * (shimmed.installer == "pip"), "Flask")
    assert shimmed.flask_files() == set()
    shimmed.install("check")
    code = "import flaskfork.cli; print(flaskfork.Flask('x'))"
    assert shimmed.environment.evaluate(code) == "<Flask 'x'>"
    assert shimmed.shim("status", check=False).returncode == 1
    assert "there is no shim to remove" in shimmed.shim("remove").stdout


def test_status_as_json(beside_flask: Shimmed) -> None:
    before = beside_flask.shim("status", "--json", check=False)
    assert before.returncode == 1
    file = beside_flask.packages / "flask" / "__init__.py"
    version = beside_flask.environment.evaluate(
        "import importlib.metadata as m; print(m.version('flaskfork'))"
    )
    assert json.loads(before.stdout) == {
        "flaskfork": version,
        "flask": beside_flask.level,
        "shim_of": None,
        "in_use": False,
        "file": str(file),
        "error": None,
    }

    beside_flask.shim("install")
    after = json.loads(beside_flask.shim("status", "--json").stdout)
    assert after["shim_of"] == version
    assert after["in_use"] is True
    assert after["file"] == str(beside_flask.packages / "flaskfork" / "__init__.py")


def test_status_looks_at_the_environment_only(
    shimmed: Shimmed, tmp_path: pathlib.Path
) -> None:
    shimmed.shim("install")
    tmp_path.joinpath("flask.py").write_text("raise RuntimeError")
    shimmed.environment.run("-m", "flaskfork.shim", "status", cwd=tmp_path)


def test_activation_beside_upstream(beside_flask: Shimmed) -> None:
    evaluate = beside_flask.environment.evaluate
    in_time = "import flaskfork.shim, flask, flaskfork; print(flask is flaskfork)"
    assert evaluate(in_time) == "True"
    commands = beside_flask.environment.run("-m", "flaskfork", "--version").stdout
    assert beside_flask.level in commands

    late = beside_flask.environment.run(
        "-c", "import flask, flaskfork.shim", check=False
    )
    error = late.stderr.splitlines()[-1]
    assert error.startswith("ImportError: flaskfork.shim comes too late")
    assert str(beside_flask.packages / "flask" / "__init__.py") in error
    assert "python -m flaskfork.shim install" in error


def test_another_flask_that_comes_first(
    shimmed: Shimmed, tmp_path: pathlib.Path
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    file = first / "flask.py"
    file.write_text("")
    done = shimmed.shim("install", check=False, PYTHONPATH=str(first))
    assert done.returncode == 1
    assert f"the shim is installed, but 'import flask' gets {file}" in done.stderr
    assert "PYTHONPATH" in done.stderr

    file.write_text("raise ValueError('broken')")
    failing = shimmed.shim("status", check=False, PYTHONPATH=str(first))
    assert failing.returncode == 1
    assert "import flask fails: ValueError: broken" in failing.stdout


def test_no_installer(fork_wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    environment = environments.create(tmp_path / "env", fork_wheel)
    run = functools.partial(environment.run, check=False, env={"PATH": str(tmp_path)})
    done = run("-m", "flaskfork.shim", "install")
    assert done.returncode == 1
    assert "error: there is neither pip in this environment nor uv on" in done.stderr
    assert "python -m ensurepip" in done.stderr
    assert "python -m flaskfork.shim wheel DIR" in done.stderr


def test_an_installer_that_refuses(
    beside_flask: Shimmed, tmp_path: pathlib.Path
) -> None:
    files = beside_flask.flask_files()
    constraint = tmp_path / "constraints.txt"
    constraint.write_text("Flask==1.0\n")
    done = beside_flask.shim(
        "install",
        check=False,
        PIP_CONSTRAINT=str(constraint),
        UV_CONSTRAINT=str(constraint),
    )
    assert done.returncode == 1
    said, _, mend = done.stderr.partition("error: the shim could not be installed")
    assert "flask" in said.lower()
    assert mend.count("mend: ") == 1
    assert beside_flask.flask_files() == files


def test_remove_without_an_index(shimmed: Shimmed, tmp_path: pathlib.Path) -> None:
    shimmed.shim("install")
    empty = str(tmp_path / "empty")
    os.mkdir(empty)
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": empty,
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": empty,
        "UV_FIND_LINKS": "",
    }
    done = shimmed.shim("remove", check=False, **offline)
    assert done.returncode == 1
    error = f"error: Flask {shimmed.level} could not be installed; the shim is still"
    assert error in done.stderr
    assert "mend: " in done.stderr
    assert shimmed.is_fork()
    # To put it there in the first place needs none.
    shimmed.shim("install", **offline)


def files_in(wheel: pathlib.Path) -> set[str]:
    """What a wheel has for the folder of the package flask."""
    with zipfile.ZipFile(wheel) as archive:
        return {path for path in archive.namelist() if path.startswith("flask/")}
