"""What programs that do not know the fork rely on: commands and variables."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t
import urllib.request

import pytest
from packaging.version import Version

from forkkit.base import programs
from forkkit.base import venv
from forkkit.base.venv import Environment

PLUGIN = """\
import click
from flask import current_app
from flask.cli import with_appcontext

@click.command()
@with_appcontext
def hello():
    click.echo(f"hello from {current_app.name}")
"""
APP = """\
import click
import flask

app = flask.Flask(__name__)
app.config.from_prefixed_env()

@app.cli.command()
def count():
    click.echo(f"{app.debug} {app.config['NUMBERS']['A']}")

@app.get("/")
def index():
    return flask.jsonify(app.config["NUMBERS"])
"""


@pytest.fixture(scope="module")
def env(
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """Both wheels, python-dotenv, and a distribution with a command."""
    folder = tmp_path_factory.mktemp("surface")
    env = venv.create(folder / "env", fork_wheel, f"{shim_wheel}[dotenv]")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = pathlib.Path(env.evaluate(code))
    packages.joinpath("plugin.py").write_text(PLUGIN)
    info = packages / "plugin-1.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Name: plugin\nVersion: 1\n")
    info.joinpath("entry_points.txt").write_text(
        "[flask.commands]\nhello = plugin:hello\n"
    )
    return env


@pytest.fixture
def app(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with an application, and with its variables in files."""
    tmp_path.joinpath("board.py").write_text(APP)
    tmp_path.joinpath(".flaskenv").write_text("FLASK_APP=board\nFLASK_NUMBERS__A=3\n")
    return tmp_path


def command(env: Environment, name: str, *args: str) -> list[str]:
    """The command line of the program, or of the module, of this name."""
    if name.startswith("-m "):
        return [str(env.python), *name.split(), *args]
    return [str(env.program(name)), *args]


COMMANDS = pytest.mark.parametrize(
    "name", ["flask", "flaskfork", "-m flask", "-m flaskfork"]
)


@COMMANDS
def test_commands(env: Environment, app: pathlib.Path, name: str) -> None:
    def run(*args: str, **extra: str) -> str:
        done = subprocess.run(
            command(env, name, *args),
            cwd=app,
            env=programs.clean_environ(PYTHONWARNINGS="error", **extra),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert {"hello", "count", "run", "routes", "shell"} <= {
        line.split()[0] for line in run("--help").splitlines() if line.strip()
    }
    assert run("hello") == "hello from board\n"
    assert run("count") == "False 3\n"
    assert run("--debug", "count") == "True 3\n"
    assert run("count", FLASK_DEBUG="1", FLASK_NUMBERS__A="4") == "True 4\n"
    assert "static" in run("routes")


@COMMANDS
def test_serving(env: Environment, app: pathlib.Path, name: str) -> None:
    server = subprocess.Popen(
        command(env, name, "run"),
        cwd=app,
        env=programs.clean_environ(FLASK_RUN_PORT="0"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            said = ""
            while "Running on" not in said:
                line = t.cast(t.IO[str], server.stderr).readline()
                assert line, said
                said += line
            address = said.rpartition("Running on ")[2].split()[0]
            with urllib.request.urlopen(address, timeout=600) as response:
                assert response.read() == b'{"A":3}\n'
        finally:
            server.terminate()


def test_versions(env: Environment, level: str) -> None:
    code = "from importlib.metadata import version; print(version('{}'))"
    fork = env.evaluate(code.format("flaskfork"))
    installed = Version(env.evaluate(code.format("flask")))
    assert str(installed) == f"{level}+flaskfork.{fork.rpartition('.')[2]}"
    assert env.evaluate(f"import flask; {code.format('flask')}") == level
    said = env.run("-m", "flask", "--version").stdout.splitlines()
    assert f"Flask {level}" in said
    assert said[-1].startswith(f"flaskfork {fork} (Flask {level} with ")


def test_extras_are_upstreams(env: Environment) -> None:
    code = (
        "from importlib.metadata import metadata;"
        "print(*sorted(metadata('{name}').get_all('Provides-Extra')))"
    )
    here = {env.evaluate(code.format(name=name)) for name in ["flask", "flaskfork"]}
    assert here == {"async dotenv"}
    assert env.evaluate("import dotenv; print('there')") == "there"


def test_pip_licenses(env: Environment, tmp_path: pathlib.Path) -> None:
    tool = venv.create(tmp_path / "tool", "pip-licenses")
    said = programs.run(
        *(tool.program("pip-licenses"), f"--python={env.python}", "--format=json"),
        *("--with-license-file", "--packages", "Flask", "flaskfork"),
    )
    found = {package["Name"]: package for package in json.loads(said.stdout)}
    assert found.keys() == {"Flask", "flaskfork"}
    for package in found.values():
        assert package["License"] == "BSD-3-Clause"
        assert pathlib.Path(package["LicenseFile"]).name == "LICENSE"
        assert "Redistribution and use" in package["LicenseText"]
