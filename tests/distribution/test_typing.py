"""Type checkers and editors say the same about the two wheels as about Flask."""

from __future__ import annotations

import collections
import concurrent.futures
import keyword
import os
import pathlib
import platform
import re
import shutil
import sys
import typing as t
from dataclasses import dataclass
from urllib.parse import unquote
from urllib.parse import urlsplit

import jedi
import pytest

import checkers
import editor
from checkers import Findings
from forkkit.base import venv
from forkkit.base.venv import Environment

if t.TYPE_CHECKING:
    from editor import Editor

# Type checkers read all of Flask, for each version of Python.
pytestmark = pytest.mark.sampled(8)

TYPED = pathlib.Path(__file__).with_name("typed")
#: Typed extensions, and their packages.
EXTENSIONS = {
    "APIFlask": "apiflask",
    "Flask-JWT-Extended": "flask_jwt_extended",
    "Flask-Limiter": "flask_limiter",
    "Flask-SQLAlchemy": "flask_sqlalchemy",
}

#: A line of code, and the file and line where the last name in it is defined.
DEFINITIONS = {
    "from flask import Flask": ("app.py", "class Flask("),
    "from flask import request": ("globals.py", "request: "),
    "from flask import jsonify": ("json/__init__.py", "def jsonify("),
    "from flask import template_rendered": ("signals.py", "template_rendered = "),
    "from flask.views import MethodView": ("views.py", "class MethodView("),
    "from flask.globals import _cv_app": ("globals.py", "_cv_app: "),
    "from flask.sansio.app import App": ("sansio/app.py", "class App("),
    "from flask.blueprints import BlueprintSetupState": (
        "sansio/blueprints.py",
        "class BlueprintSetupState",
    ),
    "from flask.typing import ResponseReturnValue": (
        "typing.py",
        "ResponseReturnValue = ",
    ),
    "import flask.cli; flask.cli.load_dotenv": ("cli.py", "def load_dotenv("),
    "import flask.views as v; v.View": ("views.py", "class View"),
    "import flask; flask.Blueprint": ("blueprints.py", "class Blueprint("),
    "import flask; flask.ctx.AppContext": ("ctx.py", "class AppContext"),
    "import flask; flask.json.provider.JSONProvider": (
        "json/provider.py",
        "class JSONProvider",
    ),
    "import flask; flask.Flask('x').register_blueprint": (
        "sansio/app.py",
        "def register_blueprint(",
    ),
    "import flask; flask.Flask('x').test_client": ("app.py", "def test_client("),
}


@dataclass(frozen=True)
class Sides:
    """Two environments that differ only in their Flask."""

    upstream: Environment
    fork: Environment

    def each(
        self, work: t.Callable[[Environment], Findings]
    ) -> tuple[Findings, Findings]:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            upstream, fork = pool.map(work, [self.upstream, self.fork])
            return upstream, fork


@pytest.fixture(scope="module")
def sides(
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Sides:
    folder = tmp_path_factory.mktemp("sides")
    fork = venv.create(folder / "fork", fork_wheel, shim_wheel, *EXTENSIONS)
    level = fork.evaluate(
        "from flaskfork import provenance; print(provenance.load().api_level)"
    )
    installed = venv.uv("pip", "freeze", "--python", fork.python).splitlines()
    pins = [line for line in installed if "==" in line]
    assert len(installed) - len(pins) == 2
    upstream = venv.create(folder / "upstream", f"Flask==={level}", *pins)
    assert libraries(upstream).joinpath("flask", "app.py").is_file()
    return Sides(upstream, fork)


@pytest.fixture(scope="module")
def others(
    sides: Sides, fork_wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Sides:
    """The same, but with more modules; the fork has made a shim for them."""
    folder = tmp_path_factory.mktemp("others")
    [installed] = libraries(sides.upstream).glob("[fF]lask-*.dist-info")
    level = installed.name.split("-")[1].removesuffix(".dist")
    others = Sides(
        venv.create(folder / "upstream", f"Flask==={level}"),
        venv.create(folder / "fork", fork_wheel),
    )
    for environment, package in [
        (others.upstream, "flask"),
        (others.fork, "flaskfork"),
    ]:
        for module in odd_modules():
            shutil.copy(module, libraries(environment) / package)
    built = others.fork.run("-m", "flaskfork.shim", "wheel", folder)
    others.fork.install(built.stdout.strip())
    return others


@pytest.fixture
def typed(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the code to check, in a folder without settings."""
    return shutil.copytree(TYPED, tmp_path / "typed")


def targets() -> t.Iterator[tuple[str, str]]:
    """Each checker with its oldest and newest Python, and the running one."""
    own = ".".join(platform.python_version_tuple()[:2])
    for checker, known in checkers.TARGETS.items():
        for target in sorted({known[0], own, known[-1]}, key=known.index):
            yield checker, target


@pytest.mark.parametrize(("checker", "target"), [*targets()])
def test_an_application(
    sides: Sides, typed: pathlib.Path, checker: str, target: str
) -> None:
    upstream, fork = sides.each(
        lambda env: checkers.run(checker, env, typed, "sample", target=target)
    )
    assert fork == upstream
    # There is something to compare: mistakes, and known types.
    assert count(upstream, "error: ") > 90
    assert count(upstream, "flask.app.Flask" if checker == "mypy" else '"Flask"') > 5


@pytest.mark.parametrize("checker", checkers.TARGETS)
def test_extensions(sides: Sides, checker: str) -> None:
    packages = EXTENSIONS.values()
    upstream, fork = sides.each(
        lambda env: checkers.run(checker, env, libraries(env), *packages)
    )
    assert fork == upstream
    assert {finding.file.partition("/")[0] for finding in upstream} == {*packages}


@pytest.mark.parametrize("checker", checkers.TARGETS)
def test_an_application_of_the_fork_alone(
    sides: Sides,
    typed: pathlib.Path,
    fork_wheel: pathlib.Path,
    tmp_path: pathlib.Path,
    checker: str,
) -> None:
    # Under its own name, the fork has modules that upstream does not have.
    typed.joinpath("sample", "absent.py").unlink()
    upstream = checkers.run(checker, sides.upstream, typed, "sample")
    for file in typed.glob("sample/*.py"):
        file.write_text(re.sub(r"\bflask\b", "flaskfork", file.read_text()))
    alone = venv.create(tmp_path / "alone", fork_wheel)
    fork = checkers.run(checker, alone, typed, "sample")
    assert without_columns(fork) == without_columns(upstream)


@pytest.mark.parametrize("checker", checkers.TARGETS)
def test_both_names_are_the_same_types(
    sides: Sides, typed: pathlib.Path, checker: str
) -> None:
    assert checkers.run(checker, sides.fork, typed, "mixed.py") == {}


@pytest.mark.parametrize("checker", checkers.TARGETS)
def test_modules_that_another_fork_could_have(
    others: Sides, tmp_path: pathlib.Path, checker: str
) -> None:
    for module in odd_modules():
        found = {*re.findall(r"\b[A-Za-z_]\w*", module.read_text())}
        names = sorted(found - {*keyword.kwlist} | {"absent", "__doc__", "__all__"})
        code = [f"import flask.{module.stem} as module"]
        for name in names:
            code += [f"module.{name}", f"reveal_type(module.{name})"]
            code += [f"from flask.{module.stem} import {name} as name_{name}"]
        tmp_path.joinpath(f"use_{module.name}").write_text("\n".join(code))
        code = [f"from flask.{module.stem} import *"]
        code += [f"reveal_type({name})" for name in names]
        tmp_path.joinpath(f"star_{module.name}").write_text("\n".join(code))
    files = [path.name for path in tmp_path.iterdir()]
    upstream, fork = others.each(
        lambda env: checkers.run(checker, env, tmp_path, *files)
    )
    assert fork == upstream
    assert len({finding.file for finding in upstream}) == len(files)


def test_definitions_by_pyright(sides: Sides, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "use.py"
    file.write_text("".join(f"{code}\n" for code in DEFINITIONS))

    async def question(opened: Editor) -> list[tuple[list[tuple[str, int]], str]]:
        places = [(n, len(code) - 1) for n, code in enumerate(DEFINITIONS)]
        return [(await opened.definition(*p), await opened.hover(*p)) for p in places]

    upstream = editor.ask(sides.upstream, file, question)
    fork = editor.ask(sides.fork, file, question)
    for code, (places, hover), (_, known) in zip(DEFINITIONS, fork, upstream):
        [(uri, line)] = places
        assert_defined(code, sides.fork, unquote(urlsplit(uri).path), line + 1)
        assert without_notes(hover.replace("flaskfork", "flask")) == known
        assert re.findall(r"\w+", code)[-1] in hover
    shown = dict(zip(DEFINITIONS, (hover for _, hover in fork)))
    assert "implements a WSGI" in shown["from flask import Flask"]


def without_notes(text: str) -> str:
    """A docstring without the notes on what the fork has changed."""
    note = r"(?m)^.*version\w+:: \d+\.\d+\.\d+\.\d+\s*\n(?:[ \t]+\S.*\n|&nbsp;.*\n)*\n?"
    return re.sub(note, "", text)


def test_definitions_by_jedi(sides: Sides, tmp_path: pathlib.Path) -> None:
    project = jedi.Project(tmp_path, environment_path=sides.fork.path)
    for code in DEFINITIONS:
        script = jedi.Script(code, path=tmp_path / "use.py", project=project)
        [name] = script.goto(1, len(code) - 1, follow_imports=True)
        if jedi.__version__.startswith("0.19."):
            # The last for Python 3.9. It has stubs of an old Flask; these lead it to a
            # line in the shim's module, from which it goes on when asked again.
            [name] = name.goto(follow_imports=True)
        assert_defined(code, sides.fork, name.module_path, name.line)
        assert name.full_name.startswith("flaskfork.")
        if name.name == "Flask":
            assert "implements a WSGI" in name.docstring()


def test_imports_that_an_editor_proposes(sides: Sides, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "use.py"
    # It looks only in packages from which something is already imported.
    file.write_text("from flask import Flask\nBluepr\n")

    async def question(opened: Editor) -> list[tuple[str, str]]:
        return await opened.completions(1, len("Bluepr"))

    assert ("Blueprint", "flask") in editor.ask(sides.fork, file, question)


def odd_modules() -> list[pathlib.Path]:
    """The modules that this Python can parse: some names end in a minimum version."""
    return [
        file
        for file in sorted(TYPED.joinpath("modules").glob("*.py"))
        if [*map(int, re.findall(r"\d+", file.stem))] <= [*sys.version_info[:2]]
    ]


def libraries(environment: Environment) -> pathlib.Path:
    """The ``site-packages`` of an environment."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return pathlib.Path(environment.evaluate(code))


def count(findings: Findings, text: str) -> int:
    """The number of findings that contain a text, or whose rule does."""
    return sum(n for f, n in findings.items() if text in f.text or text in f.rule)


def without_columns(findings: Findings) -> Findings:
    """Findings for code in which the name has another length."""
    return collections.Counter(f._replace(column=0) for f in findings.elements())


def assert_defined(
    code: str, environment: Environment, path: str | os.PathLike[str], line: int
) -> None:
    """Assert that a definition is in the fork, and is the expected one."""
    file, text = DEFINITIONS[code]
    assert pathlib.Path(path) == libraries(environment) / "flaskfork" / file
    assert text in pathlib.Path(path).read_text().splitlines()[line - 1]
