"""The shim is installed into an environment and removed again, with pip and uv."""

from __future__ import annotations

import csv
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass

import pytest
import uv

import systems
import toy
from forkkit.base import programs
from forkkit.base import venv
from forkkit.base.venv import Environment

# Each case makes an environment, with pip and with uv.
pytestmark = pytest.mark.sampled(8)


@dataclass(frozen=True)
class Shimmed:
    """An environment that has the fork, and an installer.

    :param path: the environment variable PATH.
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
        """Run the installer, for what the shim does not do."""
        python = self.environment.python
        if self.installer == "pip":
            self.environment.run("-m", "pip", *args)
        else:
            venv.uv("pip", *args, "--python", python)

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
        """The files in the folder of the package flask, except bytecode."""
        files = {p.relative_to(self.packages) for p in self.packages.glob("flask/**/*")}
        return {
            str(file)
            for file in files
            if "__pycache__" not in file.parts and (self.packages / file).is_file()
        }

    def recorded_files(self) -> set[str]:
        """The files that the distribution Flask claims to have in that folder."""
        [record] = self.packages.glob("[fF]lask-*.dist-info/RECORD")
        with record.open(newline="") as file:
            paths = {pathlib.PurePath(row[0]) for row in csv.reader(file)}
        return {
            str(path)
            for path in paths
            if path.parts[0] == "flask" and "__pycache__" not in path.parts
        }

    def is_fork(self) -> bool:
        """Whether a program that does not know the fork gets it."""
        code = "import flask, flaskfork; print(flask is flaskfork, flask.Flask('x'))"
        return self.environment.evaluate(code) == "True <Flask 'x'>"


@pytest.fixture(params=["pip", "uv"])
def shimmed(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, fork_wheel: pathlib.Path
) -> Shimmed:
    """An environment with the fork and nothing named Flask."""
    environment = venv.create(tmp_path / "env", fork_wheel, seed=request.param == "pip")
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


def test_uninstalling_the_fork_before_the_shim(
    shimmed: Shimmed, fork_wheel: pathlib.Path
) -> None:
    """What remains of Flask says what is missing, and how to fix it."""
    shimmed.shim("install")
    level = shimmed.level
    revision = shimmed.environment.evaluate(
        "from flaskfork import provenance; print(provenance.load().revision)"
    )
    version = f"{level}.{revision}"
    shimmed.install("uninstall", *["-y"] * (shimmed.installer == "pip"), "flaskfork")
    for module in ("flask", "flask.views"):
        done = shimmed.environment.run("-c", f"import {module}", check=False)
        assert done.stderr.splitlines()[-1] == (
            "ModuleNotFoundError: No module named 'flaskfork'. The Flask here is the"
            f" shim of flaskfork {version}, which is gone: install its wheel again or,"
            " to go back to upstream's Flask, run"
            f" 'pip install --force-reinstall Flask==={level}' or"
            f" 'uv pip install --reinstall Flask==={level}'"
        )
    code = "try: import flask\nexcept ModuleNotFoundError as e: print(e.name)"
    assert shimmed.environment.evaluate(code) == "flaskfork"

    shimmed.environment.install("--no-deps", fork_wheel)
    assert shimmed.is_fork()
    shimmed.install("uninstall", *["-y"] * (shimmed.installer == "pip"), "flaskfork")
    shimmed.install("install", "--force-reinstall", f"Flask==={level}")
    code = "import flask; print(flask.Flask.__module__)"
    assert shimmed.environment.evaluate(code) == "flask.app"


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
        "shadowed_by": None,
        "stranger": None,
    }

    beside_flask.shim("install")
    after = json.loads(beside_flask.shim("status", "--json").stdout)
    assert after["shim_of"] == version
    assert after["in_use"] is True
    assert after["file"] == str(beside_flask.packages / "flaskfork" / "__init__.py")


def test_status_looks_at_the_environment_and_names_a_shadow(
    shimmed: Shimmed, tmp_path: pathlib.Path
) -> None:
    shimmed.shim("install")
    shadow = tmp_path / "flask.py"
    shadow.write_text("raise RuntimeError")
    run = functools.partial(shimmed.environment.run, cwd=tmp_path)
    done = run("-m", "flaskfork.shim", "status")
    assert done.stdout.endswith(f"but in this folder it gets {shadow}\n")
    found = json.loads(run("-m", "flaskfork.shim", "status", "--json").stdout)
    assert (found["in_use"], found["shadowed_by"]) == (True, str(shadow))


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
    found = shimmed.shim("status", check=False, PYTHONPATH=str(first))
    assert found.returncode == 1
    assert found.stdout.endswith(f"import flask gets {file}\n")


def test_no_installer(fork_wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Installing the shim needs no installer; restoring upstream's Flask does."""
    environment = venv.create(tmp_path / "env", fork_wheel)
    run = functools.partial(environment.run, check=False, env={"PATH": str(tmp_path)})
    assert run("-m", "flaskfork.shim", "install").returncode == 0
    before = files_below(environment.path)
    done = run("-m", "flaskfork.shim", "remove")
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "there is neither pip in this environment nor uv on" in done.stderr
    assert done.stderr.endswith(f"{environment.python} -m ensurepip\n")
    assert files_below(environment.path) == before

    run("-m", "ensurepip")
    assert run("-m", "flaskfork.shim", "remove").returncode == 0
    assert run("-m", "flaskfork.shim", "status").returncode == 1


def hostile(folder: pathlib.Path) -> list[dict[str, str]]:
    """Settings of pip and uv that make an install go astray, or fail."""
    other = folder / "other"
    constraint = folder / "constraint.txt"
    constraint.write_text("Flask==1.0\n")
    requirement = folder / "requirement.txt"
    requirement.write_text("Flask==2.0\n")
    home = {name: folder / f"{name}.conf" for name in ("user", "target", "prefix")}
    for name, file in home.items():
        file.write_text(f"[install]\n{name} = {'true' if name == 'user' else other}\n")
    toml = {
        "target": f'[pip]\ntarget = "{other}"\n',
        "prefix": f'[pip]\nprefix = "{other}"\n',
        "hashes": "[pip]\nrequire-hashes = true\n",
        "override": 'override-dependencies = ["flask==2.0"]\n',
        "constraint": 'constraint-dependencies = ["flask==2.0"]\n',
    }
    for name, text in toml.items():
        folder.joinpath(f"{name}.toml").write_text(text)
    return [
        {"PIP_TARGET": str(other)},
        {"PIP_USER": "1", "PYTHONUSERBASE": str(other)},
        {"PIP_PREFIX": str(other)},
        {"PIP_ROOT": str(other)},
        {"PIP_DRY_RUN": "1"},
        {"PIP_REQUIRE_HASHES": "1", "UV_REQUIRE_HASHES": "1"},
        {"PIP_CONSTRAINT": str(constraint), "UV_CONSTRAINT": str(constraint)},
        {"PIP_REQUIREMENT": str(requirement), "UV_OVERRIDE": str(requirement)},
        {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "UV_SYSTEM_PYTHON": "1"},
        {"UV_PYTHON": "3.99", "UV_PROJECT_ENVIRONMENT": str(other)},
        *({"PIP_CONFIG_FILE": str(file)} for file in home.values()),
        *({"UV_CONFIG_FILE": str(folder / f"{name}.toml")} for name in toml),
    ]


def test_hostile_settings(beside_flask: Shimmed, tmp_path: pathlib.Path) -> None:
    """Either it works here as always, or it is refused and nothing is changed."""
    outcomes = set()
    prefix = f"{beside_flask.installer.upper()}_"
    settings = hostile(tmp_path)
    for env in [s for s in settings if any(k.startswith(prefix) for k in s)]:
        beside_flask.shim("install", **env)
        assert beside_flask.is_fork()
        before = files_below(beside_flask.environment.path)
        done = beside_flask.shim("remove", check=False, **env)
        if done.returncode:
            level = beside_flask.level
            error = f"error: Flask {level} could not be downloaded; the shim is"
            assert error in done.stderr
            assert files_below(beside_flask.environment.path) == before
            beside_flask.shim("remove")
        assert not beside_flask.is_fork()
        assert beside_flask.flask_files() == beside_flask.recorded_files()
        assert not tmp_path.joinpath("other").exists(), env
        beside_flask.install("check")
        outcomes.add(done.returncode)
    assert outcomes == {0, 1}


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
    before = files_below(shimmed.environment.path)
    done = shimmed.shim("remove", check=False, **offline)
    assert done.returncode == 1
    error = f"error: Flask {shimmed.level} could not be downloaded; "
    assert f"{error}the shim is still in place" in done.stderr
    assert "hint: " in done.stderr
    assert files_below(shimmed.environment.path) == before
    assert shimmed.is_fork()
    # Installing it in the first place needs no network.
    shimmed.shim("install", **offline)


@pytest.mark.parametrize("what", ["all", "packages", "flask", "bin"])
@pytest.mark.parametrize("verb", ["install", "remove"])
def test_what_cannot_be_written_to(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path, what: str, verb: str
) -> None:
    environment = venv.create(tmp_path / "env", fork_wheel)
    shimmed = Shimmed(environment, "uv", os.path.dirname(uv.find_uv_bin()))
    environment.install(f"Flask==={shimmed.level}")
    if verb == "remove":
        shimmed.shim("install")
    places = {
        "all": environment.path,
        "packages": shimmed.packages,
        "flask": shimmed.packages / "flask",
        "bin": environment.path / "bin",
    }
    if what == "all":
        toy.make_read_only(environment.path)
    else:
        places[what].chmod(0o555)
    before = files_below(environment.path)
    done = subprocess.run(
        [
            *toy.held_to_permissions(),
            *(environment.python, "-m", "flaskfork.shim", verb),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=programs.clean_environ(PATH=f"{shimmed.path}:{os.environ['PATH']}"),
        check=False,
    )
    assert files_below(environment.path) == before
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"error: {environment.path}")
    assert "cannot be changed (Permission denied), so Flask is" in done.stderr
    assert "\n  hint: run this as a user who may write there" in done.stderr


def test_a_python_that_another_program_manages(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    system = systems.make(tmp_path / "system")
    venv.uv("pip", "install", "--python", system.python, "pip", fork_wheel)
    [stdlib] = system.path.glob("lib/python*/")
    managed = stdlib / "EXTERNALLY-MANAGED"
    managed.write_text("[externally-managed]\nError=No.\n")
    before = files_below(system.path)
    for verb in ("install", "remove", "doctor"):
        done = system.run("-m", "flaskfork.shim", verb, check=False)
        said = done.stderr.removeprefix("error: ") or done.stdout
        assert done.returncode == 1
        assert said.startswith(f"{managed}: this Python is managed by the operating")
        assert "hint: install flaskfork into a virtual environment" in said
    assert files_below(system.path) == before

    managed.unlink()
    system.run("-m", "flaskfork.shim", "install")
    system.run("-m", "flaskfork.shim", "doctor")


def test_the_fork_is_in_the_system_only(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    system = systems.make(tmp_path / "system")
    venv.uv("pip", "install", "--python", system.python, fork_wheel)
    environment = Environment(tmp_path / "env")
    system.run(
        *("-m", "venv", "--system-site-packages", "--without-pip", environment.path)
    )
    done = environment.run("-m", "flaskfork.shim", "install", check=False)
    assert done.returncode == 1
    [info] = system.path.glob("lib/*/site-packages/flaskfork-*")
    assert done.stderr.startswith(f"error: {info.parent}: flaskfork is here, outside")
    assert f"outside the environment of {environment.python}" in done.stderr
    assert not [*system.path.glob("lib/*/site-packages/flask")]


def test_the_fork_is_on_pythonpath_only(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "target"
    venv.uv("pip", "install", "--target", target, fork_wheel)
    environment = venv.create(tmp_path / "env")
    for gone in (None, "flaskfork-*.dist-info"):
        for info in target.glob(gone) if gone else []:
            shutil.rmtree(info)
        done = environment.run(
            *("-m", "flaskfork.shim", "install"),
            env={"PYTHONPATH": str(target)},
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {target}")
        assert "hint: install " in done.stderr
        assert not target.joinpath("flask").exists()


def test_a_layer_of_an_image_below(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A container cannot rename folders that an earlier step has written."""
    lower, mounted = tmp_path / "lower", tmp_path / "mounted"
    environment = venv.create(lower / "env", fork_wheel, "Flask", "pip")
    for folder in (mounted, tmp_path / "upper", tmp_path / "work"):
        folder.mkdir()
    python = mounted / "env" / "bin" / "python"
    [flask] = lower.glob("env/lib/*/site-packages/flask")
    there = mounted / flask.relative_to(lower)
    layers = f"lowerdir={lower},upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    # So that any user may mount it.
    layers += ",userxattr"
    script = f"""
        set -e
        mount -t overlay overlay -o {layers} {mounted}
        if {python} -c 'import os; os.rename("{there}", "{there}.x")'; then exit 9; fi
        {python} -m flaskfork.shim install
        {python} -m flaskfork.shim doctor
        {python} -m pip check
        {python} -m pip uninstall -qy Flask
        if [ -e {there} ]; then exit 9; fi
    """
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        env=programs.clean_environ(),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Invalid cross-device link" in done.stderr
    assert "no trouble found" in done.stdout
    assert environment.run("-c", "import flask; flask.Flask('x')").returncode == 0


@pytest.mark.parametrize("backend", ["pip", "uv"])
def test_pipx(
    backend: str,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    """An application that pipx installed gets the fork, and its command still works."""
    tools = os.path.dirname(uv.find_uv_bin())
    env = programs.clean_environ(
        PIPX_DEFAULT_BACKEND=backend,
        PIPX_HOME=str(tmp_path / "pipx"),
        PIPX_BIN_DIR=str(tmp_path / "bin"),
        PIPX_MAN_DIR=str(tmp_path / "man"),
        PIPX_COMPLETION_DIR=str(tmp_path / "completion"),
        PATH=f"{tools}:/usr/bin:/bin",
    )

    def pipx(*args: str | os.PathLike[str]) -> str:
        command = [sys.executable, "-m", "pipx", *args]
        done = subprocess.run(
            command, capture_output=True, text=True, env=env, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pipx("install", "--python", sys.executable, "Flask==3.1.3")
    pipx("inject", "flask", fork_wheel)
    environment = Environment(tmp_path / "pipx" / "venvs" / "flask")
    shimmed = Shimmed(environment, backend, env["PATH"])
    shimmed.shim("install")
    assert shimmed.shim("doctor").stdout == "no trouble found\n"
    assert shimmed.is_fork()
    assert shimmed.flask_files() == shimmed.recorded_files() == files_in(shim_wheel)
    version = [tmp_path / "bin" / "flask", "--version"]
    done = subprocess.run(version, capture_output=True, text=True, check=True)
    assert "flaskfork" in done.stdout
    pipx("runpip", "flask", "check")

    shimmed.shim("remove")
    assert not shimmed.is_fork()
    done = subprocess.run(version, capture_output=True, text=True, check=True)
    assert "flaskfork" not in done.stdout
    pipx("runpip", "flask", "check")


@pytest.mark.parametrize(
    "command",
    [
        ("poetry", "env", "use", os.path.realpath(sys.executable)),
        ("pdm", "use", "--quiet", "--first", os.path.realpath(sys.executable)),
    ],
    ids=["poetry", "pdm"],
)
def test_environments_of_project_tools(
    command: tuple[str, ...], fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """One has pip, the other has no installer."""
    folder = tmp_path / "project"
    folder.mkdir()
    folder.joinpath("pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\n'
    )
    # Each in its own environment, since they cannot be installed together.
    subprocess.run(
        [uv.find_uv_bin(), "tool", "run", "--quiet", *command],
        check=True,
        cwd=folder,
        env=programs.clean_environ(
            POETRY_VIRTUALENVS_IN_PROJECT="true", PDM_CHECK_UPDATE="false"
        ),
    )
    environment = Environment(folder / ".venv")
    environment.install(fork_wheel, "Flask")
    shimmed = Shimmed(environment, command[0], "/usr/bin:/bin")
    assert not shimmed.is_fork()
    shimmed.shim("install")
    assert shimmed.shim("doctor").stdout == "no trouble found\n"
    assert shimmed.is_fork()
    done = shimmed.shim("remove", check=False)
    assert shimmed.is_fork() is (done.returncode == 1)
    assert (done.returncode, "neither pip" in done.stderr) == {
        "poetry": (0, False),
        "pdm": (1, True),
    }[command[0]]


def files_below(folder: pathlib.Path) -> dict[str, bytes]:
    """All files below a folder and their content, except bytecode."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def files_in(wheel: pathlib.Path) -> set[str]:
    """The files that a wheel has for the folder of the package flask."""
    with zipfile.ZipFile(wheel) as archive:
        return {path for path in archive.namelist() if path.startswith("flask/")}
