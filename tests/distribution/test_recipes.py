"""The recipes of docs/moving.md, run verbatim with the real tools.

A recipe is a block of that page that has a name. What it prints into a project's files
is what the tool then reads, and each recipe is tried against the commands that, as the
page says, bring upstream's Flask back without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from dataclasses import replace

import pytest
import uv
from packaging.utils import parse_wheel_filename

from distribution import index as indexes
from forkkit.base import toml
from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment

if t.TYPE_CHECKING:
    from distribution.index import Index

# Package managers lock and install a project many times.
pytestmark = pytest.mark.sampled(8)

ROOT = here().root
PAGE = ROOT.joinpath("docs", "moving.md").read_text("utf-8")
RECIPES: dict[str, str] = dict(re.findall(r"(?ms)^```\w+ (\S+)\n(.*?)^```$", PAGE))
TAKEN: set[str] = set()

#: The Python that environments are made from.
PYTHON = os.path.realpath(sys.executable)


def recipe(name: str) -> str:
    """Take a recipe from the page, to run it."""
    TAKEN.add(name)
    return RECIPES[name]


WHEELS = recipe("wheels")
COMMAND = recipe("command-uv")
COMMAND_BY_PIPX = recipe("command-pipx")
STATUS = recipe("status")
PIP_KEPT = recipe("pip-kept")
PIP_REQUIREMENTS = recipe("pip-requirements-in")
UV_TOOL = recipe("uv-tool-in")
DOCKER = recipe("docker")
WORKSPACE = recipe("workspace-in")
SHARED = recipe("shared-in")
PROGRAM = recipe("program")
PYTEST = recipe("pytest")
CACHE_KEY = recipe("cache-key")
DOCTOR_OF = recipe("doctor-of")
PIP_OLD = recipe("pip-old-in")
LOCK_START = recipe("lock-start")
LOCK_WITH = recipe("lock-with").splitlines()
LOCK_RELATIVE = recipe("lock-relative")
LOCK_INSTALL = recipe("lock-install")
LOCK_PYLOCK = recipe("lock-pylock")
LOCK_VARIABLE = recipe("lock-variable")
LOCK_OUT = recipe("lock-out")
TARGET = recipe("target-in")
# test_freezing.py runs it.
recipe("nuitka")
#: What is read by programs that these tests do not run.
SETTINGS = {name: recipe(name) for name in ("renovate", "dependabot", "pre-commit")}

REQUIREMENTS = {"requirements.txt": "Flask-Login\nflask[async]=={level}\n"}
PYPROJECT = """\
[project]
name = "application"
version = "1"
requires-python = ">={python},<4"
dependencies = ["Flask-Login", "flask[async]=={level}"]
"""
POETRY = """
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "public"
url = "{index}"
"""
PDM = """
[tool.pdm]
distribution = false
"""
PIPFILE = """\
[[source]]
name = "public"
url = "{index}"
verify_ssl = false

[packages]
Flask-Login = "*"
asgiref = "*"
"""


@dataclass(frozen=True)
class Tool:
    """A tool, a project of the kind that it installs, and its recipes.

    :param files: the files of the project, by name.
    :param install: the command that installs the project, or its changes.
    :param lost: the commands that bring upstream's Flask back.
    """

    name: str
    files: dict[str, str]
    install: str
    move_in: str
    lost: list[str]
    move_out: str


def tool(name: str, files: dict[str, str], install: str) -> Tool:
    """A tool with the recipes that have its name."""
    lost = recipe(f"{name}-lost").splitlines()
    return Tool(name, files, install, recipe(f"{name}-in"), lost, recipe(f"{name}-out"))


TOOLS = {
    made.name: made
    for made in (
        tool("pip", REQUIREMENTS, "python -m pip install -r requirements.txt"),
        tool("uv-pip", REQUIREMENTS, "uv pip install -r requirements.txt"),
        tool("uv", {"pyproject.toml": PYPROJECT}, "uv sync"),
        tool(
            "poetry", {"pyproject.toml": PYPROJECT + POETRY}, "poetry lock; poetry sync"
        ),
        tool(
            "pdm",
            {"pyproject.toml": PYPROJECT + PDM},
            "pdm lock --update-reuse; pdm sync",
        ),
        tool("pipenv", {"Pipfile": PIPFILE}, "pipenv install"),
    )
}


@dataclass(frozen=True)
class Desk:
    """A person's workplace: the index, the programs on the PATH, the wheels.

    :param folder: a folder that contains ``wheels`` and ``home``.
    :param shim: the version of the wheel named Flask.
    """

    folder: pathlib.Path
    index: Index
    shim: str

    @property
    def fork(self) -> str:
        """The version of the fork's own wheel."""
        return self.shim.replace("+flaskfork", "")

    @property
    def programs(self) -> pathlib.Path:
        return self.folder / "programs"

    @property
    def wheels(self) -> pathlib.Path:
        return self.folder / "wheels"

    def variables(self, *path: pathlib.Path) -> dict[str, str]:
        """Environment variables without any setting of this machine's tools.

        :param path: folders that are searched for programs before the others.
        """
        ours = ("PIP_", "UV_", "POETRY_", "PDM_", "PIPENV_", "PIPX_", "XDG_")
        kept = {k: v for k, v in clean_environ().items() if not k.startswith(ours)}
        home = self.folder / "home"
        return {
            **kept,
            "PATH": os.pathsep.join([*map(str, path), str(self.programs), os.defpath]),
            "HOME": str(home),
            # Of the system's settings, only the index matters, and it is set here.
            "XDG_CONFIG_DIRS": str(home),
            "PIP_INDEX_URL": self.index.public,
            "PIP_EXTRA_INDEX_URL": self.index.public,
            "PIP_FIND_LINKS": str(home),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_DEFAULT_INDEX": self.index.public,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_TOOL_BIN_DIR": str(self.programs),
            "PIPX_DEFAULT_PYTHON": PYTHON,
            "PDM_PYPI_URL": self.index.public,
            "PDM_CHECK_UPDATE": "false",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "POETRY_KEYRING_ENABLED": "false",
            "PIPENV_VENV_IN_PROJECT": "1",
            "PIPENV_YES": "1",
            "PIPENV_NOSPIN": "1",
        }

    def run(
        self,
        script: str,
        folder: pathlib.Path,
        *path: pathlib.Path,
        check: bool = True,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a recipe in a shell; each of its commands must succeed."""
        done = subprocess.run(
            ["sh", "-euc", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**self.variables(*path), **variables},
            # Only for a command that hangs; on a busy machine, a lock takes minutes.
            timeout=1800,
            check=False,
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}"
        return done


@dataclass(frozen=True)
class Project:
    """An application's folder, with the wheels and an environment in it."""

    desk: Desk
    folder: pathlib.Path

    @property
    def environment(self) -> Environment:
        return Environment(self.folder / ".venv")

    def run(self, script: str, check: bool = True, **variables: str) -> str:
        """Run a recipe here, with the environment active; return what it printed."""
        variables["VIRTUAL_ENV"] = str(self.environment.path)
        programs = self.environment.path / "bin"
        return self.desk.run(
            script, self.folder, programs, check=check, **variables
        ).stdout

    def install_by_hand(self) -> None:
        """Install both wheels, without recording this for any tool."""
        self.run("uv pip install --quiet wheels/*.whl")
        assert self.flask() == self.desk.shim

    def flask(self) -> str:
        """The version of the installed Flask, after a check that it is what it says."""
        version, is_fork, *_ = self.environment.evaluate(
            "import importlib.metadata as m\n"
            "version = m.version('flask')\n"
            "import flask\n"
            "print(version, 'flaskfork' in flask.__file__)"
        ).split()
        assert (is_fork == "True") == (version == self.desk.shim)
        return version

    def is_strange(self) -> bool:
        """Whether a wheel of somebody else's is installed."""
        code = (
            "import flask, flaskfork, pathlib, importlib.util as u\n"
            "files = [u.find_spec('flaskfork').origin]\n"
            "site = pathlib.Path(files[0]).parents[1]\n"
            "files.append(site / 'flask' / '__init__.py')\n"
            "print(any('STRANGER' in pathlib.Path(f).read_text() for f in files))"
        )
        return self.environment.evaluate(code) == "True"

    def has(self, module: str) -> bool:
        """Whether a module is installed."""
        code = f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"
        return self.environment.evaluate(code) == "True"


@pytest.fixture(scope="session")
def index(
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> t.Iterator[Index]:
    """An index, in all its kinds."""
    folder = tmp_path_factory.mktemp("index")
    with indexes.serve(folder, [fork_wheel, shim_wheel]) as served:
        yield served


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The newest release of each tool that runs on this Python."""
    group = f"{here().pyproject}:recipes"
    path = tmp_path_factory.mktemp("tools") / "env"
    return venv.create(path, "--group", group)


@pytest.fixture(scope="session")
def desk(
    index: Index,
    tools: Environment,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Desk:
    """The wheels, as the page builds them, and the tools and the fork's command."""
    version = str(parse_wheel_filename(shim_wheel.name)[1])
    desk = Desk(tmp_path_factory.mktemp("desk"), index, version)
    desk.programs.mkdir()
    desk.folder.joinpath("home").mkdir()
    for program in ("poetry", "pdm", "pipenv", "pipx", "pip-compile", "pip-sync"):
        desk.programs.joinpath(program).symlink_to(tools.program(program))
    desk.programs.joinpath("uv").symlink_to(uv.find_uv_bin())

    # The build needs upstream's Flask, so it uses this machine's index, if any.
    built = {**clean_environ(), "APPLICATION": str(desk.folder)}
    subprocess.run(["sh", "-euc", WHEELS], cwd=ROOT, env=built, check=True)
    desk.run(COMMAND, desk.folder, UV_PYTHON=PYTHON)
    return desk


@pytest.fixture
def start(desk: Desk, tmp_path: pathlib.Path) -> t.Callable[..., Project]:
    """A function that makes a project that its tool has not installed yet."""

    def start(tool: Tool, kind: str = "newer") -> Project:
        here = replace(desk, index=replace(desk.index, kind=kind))
        folder = tmp_path / "project"
        folder.mkdir()
        folder.joinpath("wheels").symlink_to(desk.wheels)
        for name, text in tool.files.items():
            text = text.replace("{index}", here.index.public)
            text = text.replace("{level}", desk.index.level)
            text = text.replace("{python}", "{}.{}".format(*sys.version_info))
            folder.joinpath(name).write_text(text)
        venv.create(folder / ".venv", seed=tool.name == "pip")
        return Project(here, folder)

    return start


@pytest.fixture
def upstream(start: t.Callable[..., Project]) -> t.Callable[..., Project]:
    """A function that makes a project with upstream's Flask, in any version."""

    def upstream(tool: Tool, kind: str = "newer") -> Project:
        project = start(tool, kind)
        project.run(tool.install)
        relax(project, tool)
        project.run(tool.install)
        assert project.flask() in (project.desk.index.level, project.desk.index.newer)
        return project

    return upstream


def relax(project: Project, tool: Tool) -> None:
    """Let the project take any version of Flask."""
    for name in tool.files:
        file = project.folder / name
        file.write_text(file.read_text().replace(f"=={project.desk.index.level}", ""))


def tried(commands: t.Iterable[str]) -> str:
    """A script that runs commands, and checks after each which Flask is there."""
    return "\n".join(f"{command}\n{STATUS}" for command in commands)


def test_every_recipe_is_run() -> None:
    assert set(RECIPES) == TAKEN
    # A block without a name would not be run.
    assert PAGE.count("```") == 2 * len(RECIPES)


def test_the_wheels_are_those_of_the_build(
    desk: Desk, fork_wheel: pathlib.Path, shim_wheel: pathlib.Path
) -> None:
    built = {path.name: path.read_bytes() for path in desk.wheels.glob("*.whl")}
    expected = (fork_wheel, shim_wheel)
    assert built == {path.name: path.read_bytes() for path in expected}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_without_a_recipe_upstream_comes_back(
    tool: Tool, upstream: t.Callable[..., Project]
) -> None:
    project = upstream(tool)
    for command in tool.lost:
        project.install_by_hand()
        project.run(command)
        assert project.flask() != project.desk.shim, command


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("kind", ["newer", "same"])
def test_in_and_out(tool: Tool, kind: str, upstream: t.Callable[..., Project]) -> None:
    project = upstream(tool, kind)
    before = {name: project.folder.joinpath(name).read_text() for name in tool.files}
    project.run(tool.move_in + tried(["true", *tool.lost]))
    assert project.flask() == project.desk.shim
    assert project.has("asgiref"), "an extra was lost"
    project.run("uv pip check")

    for name, text in before.items():
        file = project.folder / name
        assert file.read_text().startswith(text)
        file.write_text(text)
    project.run(tool.move_out)
    assert project.flask() in (project.desk.index.level, project.desk.index.newer)
    assert not project.has("flaskfork")
    project.run("uv pip check")


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("where", ["beside", "absolute", "url", "index"])
def test_wheels_that_are_elsewhere(
    tool: Tool, where: str, start: t.Callable[..., Project]
) -> None:
    project = start(tool)
    relax(project, tool)
    project.folder.joinpath("wheels").unlink()
    elsewhere = project.folder.with_name("our wheels")
    elsewhere.symlink_to(project.desk.wheels)
    folder = {
        "beside": "../our wheels",
        "absolute": str(elsewhere),
        "url": project.desk.index.wheels,
        "index": project.desk.index.team,
    }[where]
    assert tool.move_in.count("--wheels wheels") == 1
    move_in = tool.move_in.replace("--wheels wheels", f"--wheels '{folder}'")
    project.run(move_in + tried(tool.lost[-1:]))
    assert project.flask() == project.desk.shim


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("where", ["wheels", "url"])
def test_no_stranger_comes_in(
    tool: Tool, where: str, start: t.Callable[..., Project]
) -> None:
    project = start(tool, "strangers")
    relax(project, tool)
    move_in = tool.move_in
    if where == "url":
        url = project.desk.index.wheels
        move_in = move_in.replace("--wheels wheels", f"--wheels {url}")
    project.run(move_in + tried(["true", *tool.lost]))
    assert not project.is_strange()
    assert project.run("python -m flaskfork.shim doctor") == "no trouble found\n"


@pytest.mark.parametrize("wheel", ["flask", "flaskfork"])
def test_a_stranger_that_came_in_is_named(
    wheel: str, start: t.Callable[..., Project]
) -> None:
    project = start(TOOLS["uv-pip"], "strangers")
    version = {"flask": project.desk.shim, "flaskfork": project.desk.fork}[wheel]
    project.run("uv pip install --quiet wheels/*.whl")
    project.run(f"uv pip install --quiet --no-deps --reinstall {wheel}==={version}")
    assert project.is_strange()
    code = f"import importlib.util as u; print(u.find_spec({wheel!r}).origin)"
    file = project.environment.evaluate(code)
    for command in ("python -m flaskfork.shim doctor", DOCTOR_OF, STATUS):
        said = project.run(command, check=False)
        found = re.sub("(?m)^.venv", str(project.environment.path), said)
        assert re.search(f"(?m)^(but )?{re.escape(file)}:? is not the file", found), (
            said
        )
        assert "from an index" in said or wheel == "flask"
    with pytest.raises(AssertionError):
        project.run(STATUS)


def test_constraints_take_no_stranger_for_a_wheel(
    start: t.Callable[..., Project], index: Index
) -> None:
    project = start(TOOLS["uv-pip"])
    run = "flaskfork-shim constraints pip --wheels"
    strange = project.folder / "strange"
    for name in (f"flaskfork-{project.desk.fork}", f"flask-{project.desk.shim}"):
        shutil.rmtree(strange, ignore_errors=True)
        shutil.copytree(project.desk.wheels, strange)
        file = strange / f"{name}-py3-none-any.whl"
        [other] = index.made.glob(f"{name}-1-*.whl")
        shutil.copyfile(other, file)
        said = project.run(f"{run} strange", check=False)
        assert said.startswith(f"error: {file.relative_to(project.folder)}: is not the")
    said = project.run(f"{run} {replace(index, kind='strangers').public}", check=False)
    assert "cannot be read" in said
    assert "Missing option '--wheels'" in project.run(run[:-8], check=False)


def test_what_pip_keeps(upstream: t.Callable[..., Project]) -> None:
    project = upstream(TOOLS["pip"])
    assert f'"Flask=={project.desk.index.level}"' in PIP_KEPT
    project.install_by_hand()
    project.run(tried(PIP_KEPT.splitlines()))


def test_a_line_in_the_requirements(upstream: t.Callable[..., Project]) -> None:
    project = upstream(TOOLS["pip"])
    before = project.folder.joinpath("requirements.txt").read_text()
    project.run(PIP_REQUIREMENTS)
    assert project.flask() == project.desk.shim

    project.folder.joinpath("requirements.txt").write_text(before)
    script = PIP_REQUIREMENTS.replace("constraints pip", "constraints uv-pip")
    upgrade = "uv pip install --upgrade --reinstall -r requirements.txt"
    project.run(re.sub("(?m)^python.*", upgrade, script))
    assert project.flask() == project.desk.shim


def test_a_tool_that_uv_installs(start: t.Callable[..., Project]) -> None:
    project = start(TOOLS["uv-pip"])
    programs = {
        "UV_TOOL_BIN_DIR": str(project.folder),
        "UV_TOOL_DIR": "tools",
        "UV_PYTHON": PYTHON,
    }
    version = "./flask --version"
    without = "uv tool install --with Flask-Login Flask\n" + version
    assert f"Flask {project.desk.index.newer}\n" in project.run(without, **programs)
    project.run("uv tool uninstall Flask", **programs)
    with_it = project.run(UV_TOOL + version, **programs)
    assert f"\nflaskfork {project.desk.fork} " in with_it


def test_the_command_by_pipx(start: t.Callable[..., Project]) -> None:
    project = start(TOOLS["uv-pip"])
    programs = {"PIPX_BIN_DIR": str(project.folder), "PIPX_HOME": "pipx"}
    project.run(COMMAND_BY_PIPX, **programs)
    constraints = "flaskfork-shim constraints --wheels wheels"
    assert project.run(f"./{constraints}") == project.run(constraints)


def test_workspace(desk: Desk, tmp_path: pathlib.Path) -> None:
    tmp_path.joinpath("pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["shop", "admin"]\n\n'
    )
    python = "{}.{}".format(*sys.version_info)
    member = PYPROJECT.replace("=={level}", "").replace("{python}", python)
    for name in ("shop", "admin"):
        tmp_path.joinpath(name).mkdir()
        text = member.replace("application", name)
        tmp_path.joinpath(name, "pyproject.toml").write_text(text)
    tmp_path.joinpath("wheels").symlink_to(desk.wheels)
    venv.create(tmp_path / ".venv")
    project = Project(desk, tmp_path)
    project.run("uv sync --all-packages")
    assert project.flask() == desk.index.newer

    project.run(WORKSPACE + tried(TOOLS["uv"].lost))
    project.run("uv lock --upgrade; uv sync --package admin")
    assert project.flask() == desk.shim
    assert project.has("asgiref")


def test_shared_constraints(desk: Desk, tmp_path: pathlib.Path) -> None:
    tmp_path.joinpath("wheels").symlink_to(desk.wheels)
    shop, admin, other = (
        Project(desk, tmp_path / name) for name in ("shop", "admin", "other")
    )
    for made in (shop, admin, other):
        made.folder.mkdir()
        made.folder.joinpath("requirements.txt").write_text("Flask-Login\n")
        venv.create(made.folder / ".venv", seed=True)
    upgrade = "-m pip install --upgrade Flask"
    desk.run(f"{SHARED}\nshop/.venv/bin/python {upgrade}", tmp_path)
    other.run("python -m pip install -r requirements.txt")
    assert [p.flask() for p in (shop, admin)] == [desk.shim, desk.shim]
    assert other.flask() == desk.index.newer

    admin.run(
        "export REPOSITORY=$(cd .. && pwd) UV_CONSTRAINT=constraints.txt\n"
        "flaskfork-shim constraints uv-pip --wheels 'file://${REPOSITORY}/wheels'"
        " > constraints.txt\n"
        "uv pip install --upgrade --reinstall Flask"
    )
    assert admin.flask() == desk.shim


@pytest.mark.parametrize("kept", [True, False], ids=["as it is", "no constraint"])
def test_docker(desk: Desk, tmp_path: pathlib.Path, kept: bool) -> None:
    context = tmp_path / "context"
    context.mkdir()
    shutil.copytree(desk.wheels, context / "wheels")
    context.joinpath("requirements.txt").write_text("Flask-Login\n")
    context.joinpath("app.py").write_text(
        "import flask\nimport flaskfork\n\n"
        "assert flask is flaskfork\napp = flask.Flask(__name__)\n"
    )
    lines = DOCKER.replace("\\\n", "").splitlines()
    constrained = [line for line in lines if "PIP_CONSTRAINT" not in line]
    assert len(lines) == len(constrained) + 1
    if kept:
        image = Image(desk, tmp_path / "image", context)
        image.build(lines)
        assert sorted(p.name for p in image.folder.iterdir()) == [".venv", "app.py"]
        assert "/static/<path:filename>" in image.run("flask routes")
    else:
        with pytest.raises(AssertionError, match="which is upstream's"):
            Image(desk, tmp_path / "image", context).build(constrained)


class Image:
    """A folder in place of an image's ``/app``, with this Python as the image's.

    :param context: the folder that the build copies from.
    """

    def __init__(self, desk: Desk, folder: pathlib.Path, context: pathlib.Path) -> None:
        self.desk = desk
        self.folder = folder
        self.context = context
        self.variables: dict[str, str] = {}

    def build(self, lines: t.Iterable[str]) -> None:
        """Carry out the instructions of a Dockerfile."""
        for line in filter(None, lines):
            word, _, rest = line.replace("/app", str(self.folder)).partition(" ")
            if word == "CMD":
                continue
            getattr(self, f"_{word.lower()}")(rest)

    def run(self, script: str) -> str:
        python = pathlib.Path(sys.executable).parent
        return self.desk.run(script, self.folder, python, **self.variables).stdout

    def _from(self, rest: str) -> None:
        # Later stages find the result of a stage in this place.
        if self.folder.exists():
            self.folder.rename(self.folder.with_name("build"))
        self.folder.mkdir()
        self.variables = {}

    def _workdir(self, rest: str) -> None:
        assert rest == str(self.folder)

    def _env(self, rest: str) -> None:
        name, _, value = rest.partition("=")
        path = self.desk.variables(pathlib.Path(sys.executable).parent)["PATH"]
        self.variables[name] = value.strip('"').replace("$PATH", path)

    def _copy(self, rest: str) -> None:
        *options, source, target = rest.split()
        folder = self.context
        if options == ["--from=build"]:
            folder = self.folder.with_name("build")
            source = os.path.relpath(source, self.folder)
        path = folder / source
        if path.is_dir():
            shutil.copytree(path, self.folder / target, symlinks=True)
        else:
            shutil.copy(path, self.folder / target)

    def _run(self, rest: str) -> None:
        self.run(rest)


@pytest.fixture(scope="module")
def beside(
    desk: Desk, fork_wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project whose environment has the fork beside upstream's Flask."""
    folder = tmp_path_factory.mktemp("beside")
    level = f"Flask==={desk.index.level}"
    venv.create(folder / ".venv", fork_wheel, level, "pytest")
    return Project(desk, folder)


def test_one_program(beside: Project) -> None:
    assert beside.flask() == beside.desk.index.level
    ask = "\nimport flaskfork\nprint(flask is flaskfork)"
    assert beside.environment.evaluate("import flask" + ask) == "False"
    assert beside.environment.evaluate(PROGRAM + ask) == "True"
    late = beside.environment.run("-c", "import flask\n" + PROGRAM, check=False)
    assert str(beside.environment.path) in late.stderr.splitlines()[-1]
    version = f"Flask {beside.desk.index.level} with"
    assert version in beside.run("flaskfork --version")


def test_one_run_of_the_tests(beside: Project) -> None:
    beside.folder.joinpath("test_it.py").write_text(
        "import flask, flaskfork\n\ndef test_it():\n    assert flask is flaskfork\n"
    )
    assert "1 passed" in beside.run(PYTEST)
    assert "1 failed" in beside.run("python -m pytest", check=False)


def test_cache_key(desk: Desk, tmp_path: pathlib.Path) -> None:
    def key() -> str:
        return desk.run(CACHE_KEY, tmp_path).stdout

    shutil.copytree(desk.wheels, tmp_path / "wheels")
    for name in ("constraints.txt", "requirements.txt"):
        tmp_path.joinpath(name).write_text("Flask-Login\n")
    first = key()
    for path in desk.wheels.iterdir():
        # The same bytes with another timestamp.
        shutil.copyfile(path, tmp_path / "wheels" / path.name)
    assert key() == first
    tmp_path.joinpath("requirements.txt").write_text("Flask-Cors\n")
    assert key() != first


def test_the_text_is_toml(desk: Desk) -> None:
    """For each tool alone, and for all tools together; not what pip reads."""
    for folder in ("wheels", desk.index.wheels, desk.index.team):
        for tool in ("uv", "poetry", "pdm", "pipenv"):
            where = f"--wheels {folder}"
            said = desk.run(f"flaskfork-shim constraints {tool} {where}", desk.folder)
            text = said.stdout
            assert text.startswith("# ")
            assert toml.loads(text.encode(), where=tool)


@pytest.mark.parametrize("where", ["wheels", "url", "index"])
def test_the_text_names_files_or_hashes(desk: Desk, where: str) -> None:
    urls = {"url": desk.index.wheels, "index": desk.index.team}
    folder = urls.get(where, where)
    run = f"flaskfork-shim constraints --wheels {folder}"
    for text in desk.run(run, desk.folder).stdout.split("\n\n# "):
        for wheel in desk.wheels.glob("*.whl"):
            sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
            name = wheel.name if where == "wheels" else wheel.name.replace("+", "%2B")
            assert name in text
            # A source of uv's, and a path for Poetry, cannot have a hash.
            no_hash = where == "wheels" and text.startswith("pyproject.toml for ")
            assert sha256 in text or (no_hash and "PDM" not in text)


def test_a_folder_without_the_wheels(desk: Desk, tmp_path: pathlib.Path) -> None:
    tmp_path.joinpath("empty").mkdir()
    run = "flaskfork-shim constraints uv --wheels empty > text"
    done = desk.run(run, tmp_path, check=False)
    assert done.returncode == 1
    name = f"flask-{desk.shim}-py3-none-any.whl"
    assert f"error: {pathlib.Path('empty', name)}: not found" in done.stdout
    assert "hint: " in done.stdout
    assert tmp_path.joinpath("text").read_text() == ""


def test_an_override_takes_the_extras_away(start: t.Callable[..., Project]) -> None:
    """The reason why uv's text uses constraints; if this fails, the page is wrong."""
    project = start(TOOLS["uv"])
    relax(project, TOOLS["uv"])
    move_in = TOOLS["uv"].move_in.replace("uv sync", "")
    project.run(move_in)
    file = project.folder / "pyproject.toml"
    was = file.read_text()
    file.write_text(was.replace("constraint-dependencies", "override-dependencies"))
    assert file.read_text() != was
    project.run("uv sync")
    assert project.flask() == project.desk.shim
    assert not project.has("asgiref")


LOCKS = {
    line.split()[0].replace("pip-compile", "pip-tools"): line for line in LOCK_WITH
}


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("kind", ["same", "strangers"])
def test_a_lock_that_is_installed_elsewhere(
    name: str, kind: str, start: t.Callable[..., Project], tmp_path: pathlib.Path
) -> None:
    """With hashes required, by pip and by uv."""
    tool = TOOLS[name if name in ("poetry", "pdm") else "pip"]
    project = start(tool, kind)
    relax(project, tool)
    # Poetry resolves links, and so names another folder than the project's.
    project.folder.joinpath("wheels").unlink()
    shutil.copytree(project.desk.wheels, project.folder / "wheels")
    if tool.name != "pip":
        project.run(tool.move_in)
    else:
        requirements = project.folder / "requirements.txt"
        requirements.rename(requirements.with_suffix(".in"))
        project.run(LOCK_START)
    project.run(LOCKS[name] + "\n" + LOCK_RELATIVE)
    assert "file://" not in lock_of(project)
    assert lock_of(project).count("./wheels/flask") == 2
    check_lock(project, tmp_path, "requirements.txt", LOCK_INSTALL)
    # What is not as it was is refused.
    [wheel] = tmp_path.glob("elsewhere/wheels/flaskfork-*.whl")
    with open(wheel, "ab") as file:
        file.write(b"x")
    elsewhere = Project(project.desk, tmp_path / "elsewhere")
    venv.create(elsewhere.folder / ".venv", seed=True)
    assert "HASH" in elsewhere.run(LOCK_INSTALL, check=False).upper()


def test_pylock(start: t.Callable[..., Project], tmp_path: pathlib.Path) -> None:
    project = start(TOOLS["pip"], "strangers")
    relax(project, TOOLS["pip"])
    requirements = project.folder / "requirements.txt"
    requirements.rename(requirements.with_suffix(".in"))
    project.run(LOCK_START + LOCK_PYLOCK)
    check_lock(project, tmp_path, "pylock.toml", "python -m pip install -r pylock.toml")


def test_a_lock_with_a_variable(
    start: t.Callable[..., Project], tmp_path: pathlib.Path
) -> None:
    project = start(TOOLS["pip"], "strangers")
    relax(project, TOOLS["pip"])
    requirements = project.folder / "requirements.txt"
    requirements.rename(requirements.with_suffix(".in"))
    project.run(LOCK_START + LOCK_VARIABLE)
    assert "${PROJECT}/wheels/" in lock_of(project)
    check_lock(project, tmp_path, "requirements.txt", LOCK_INSTALL)


def lock_of(project: Project) -> str:
    """What the lock says besides what brought each in."""
    text = project.folder.joinpath("requirements.txt").read_text()
    return re.sub("(?m)^ *#.*", "", text)


def check_lock(
    project: Project, tmp_path: pathlib.Path, lock: str, install: str
) -> None:
    """Install a lock in another folder, by pip and by uv, and go back by a third."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(project.folder / lock, folder)
    shutil.copytree(project.desk.wheels, folder / "wheels")
    other = Project(project.desk, folder)
    variables = {"PROJECT": str(folder)}
    for by in (install, f"uv pip sync {lock}"):
        venv.create(folder / ".venv", seed=True)
        other.run(by, **variables)
        assert other.flask() == project.desk.shim
        assert other.has("asgiref"), "an extra is lost"
        assert not other.is_strange()


@pytest.mark.parametrize("sync", ["uv pip sync --require-hashes", "pip-sync"])
@pytest.mark.parametrize("kind", ["newer", "same"])
def test_back_by_a_lock(sync: str, kind: str, start: t.Callable[..., Project]) -> None:
    project = start(TOOLS["pip"], kind)
    project.folder.joinpath("requirements.in").write_text("Flask-Login\n")
    project.install_by_hand()
    project.run(next(line for line in LOCK_WITH if line.startswith("uv ")))
    out = LOCK_OUT.replace("uv pip sync --require-hashes", sync)
    assert sync in out
    if sync == "pip-sync":
        out = out.replace("pip-sync", "pip-sync --python-executable .venv/bin/python")
    project.run(out)
    assert project.flask() in (project.desk.index.level, project.desk.index.newer)
    assert not project.has("flaskfork")


def test_the_shim_without_the_fork_says_the_way_out(
    start: t.Callable[..., Project],
) -> None:
    project = start(TOOLS["pip"], "same")
    project.install_by_hand()
    project.run("uv pip uninstall flaskfork")
    said = project.run("python -c 'import flask'", check=False)
    assert "install its wheel again or, to go back" in said
    found = project.run(DOCTOR_OF, check=False)
    assert "which is not here" in found
    assert f"Flask==={project.desk.index.level}" in found
    [pip, with_uv] = re.findall("'((?:uv )?pip install [^']*)'", said)
    for command in (f"python -m {pip}", with_uv):
        project.run("uv pip install --quiet --no-deps wheels/flask-*.whl")
        project.run(command)
        assert project.flask() == project.desk.index.level


def test_pip_before_26_1(start: t.Callable[..., Project]) -> None:
    project = start(TOOLS["pip"], "strangers")
    venv.create(project.folder / ".venv", "pip<26.1")
    project.run(PIP_OLD + tried(TOOLS["pip"].lost))
    assert project.flask() == project.desk.shim
    assert project.has("asgiref")
    assert not project.is_strange()


def test_target(start: t.Callable[..., Project]) -> None:
    project = start(TOOLS["pip"], "strangers")
    relax(project, TOOLS["pip"])
    assert project.run(TARGET).endswith("no trouble found\n")
    bundled = {"PYTHONPATH": "bundle"}
    doctor = "python -m flaskfork.shim doctor"
    assert project.run(doctor, **bundled) == "no trouble found\n"
    file = project.folder / "bundle" / "flaskfork" / "views.py"
    text = file.read_text()
    file.unlink()
    file.write_text(f"{text}\nx = 1\n")
    for command in (doctor, "flaskfork-shim doctor bundle"):
        said = project.run(command, check=False, **bundled)
        assert "views.py: has changed since it was installed" in said
        assert "--target" in said


def test_what_other_programs_read() -> None:
    import yaml

    [rule] = json.loads(SETTINGS["renovate"])["packageRules"]
    assert rule == {"matchPackageNames": ["flask", "flaskfork"], "enabled": False}
    ignored = yaml.safe_load(SETTINGS["dependabot"])["ignore"]
    assert [i["dependency-name"] for i in ignored] == ["flask", "flaskfork"]
    lines = yaml.safe_load(SETTINGS["pre-commit"])["additional_dependencies"]
    for line, name in zip(lines, ("flask", "flaskfork")):
        assert re.fullmatch(rf"{name} @ https://\S+/{name}-\S+\.whl#sha256=\S+", line)
