"""The frameworks that are compared, and an environment for each."""

from __future__ import annotations

import argparse
import hashlib
import pathlib
import typing as t
from dataclasses import dataclass
from dataclasses import field

from forkkit.base import venv
from forkkit.base.paths import Project
from forkkit.base.venv import Environment
from forkkit.pack import dist
from forkkit.upstream.pin import Pin

HERE = pathlib.Path(__file__).parent
LOCK = HERE / "requirements.txt"
#: The version that everything is measured with, unless another is named.
PYTHON = "3.11"
#: The variable that turns the fork's quick ways off.
SLOW = {"FLASKFORK_FAST": "0"}


@dataclass(frozen=True)
class Variant:
    """What is measured: a framework, installed and set up.

    :param name: what it is called on the command line and in the results.
    :param module: the module of :mod:`speed.apps` with its applications.
    :param requires: what is installed; the fork's wheels and Flask are added.
    :param env: variables of its processes.
    """

    name: str
    module: str
    requires: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    @property
    def is_flask(self) -> bool:
        return self.module == "flask_app"

    @property
    def is_fork(self) -> bool:
        return self.is_flask and self.name != "Flask"


_FASTAPI = ("fastapi", "itsdangerous", "jinja2", "python-multipart")
_STARLETTE = ("starlette", "itsdangerous", "jinja2", "python-multipart")
VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("Flask", "flask_app", ("asgiref",)),
        Variant("fork", "flask_app", ("asgiref",)),
        Variant("fork-off", "flask_app", ("asgiref",), SLOW),
        Variant("Werkzeug", "werkzeug_app", ("werkzeug", "jinja2", "itsdangerous")),
        Variant("WSGI", "wsgi_app", ("jinja2",)),
        Variant("Bottle", "bottle_app", ("bottle", "jinja2")),
        Variant("Falcon", "falcon_app", ("falcon", "jinja2")),
        Variant("Django", "django_app", ("django",)),
        Variant("Quart", "quart_app", ("quart",)),
        Variant("Starlette", "starlette_app", _STARLETTE),
        Variant("FastAPI", "fastapi_app", _FASTAPI),
    )
}
#: Flask, the fork, and the fork with its quick ways off.
FLASKS = [variant for variant in VARIANTS.values() if variant.is_flask]


def add_options(parser: argparse.ArgumentParser, project: Project) -> None:
    """Options for what is installed, for a command line."""
    wheels = project.root / "build" / "dist"
    parser.add_argument("--python", default=PYTHON, help="the version of Python")
    parser.add_argument("--wheels", type=pathlib.Path, default=wheels)


def environment(
    project: Project,
    variant: Variant,
    wheels: pathlib.Path,
    python: str,
    *more: str,
) -> Environment:
    """The environment of a variant, which is kept below ``build`` until it changes.

    :param wheels: the folder of the fork's wheels.
    :param python: the version of the interpreter.
    :param more: what else is installed.
    :raises ForkError: uv cannot make it, or the wheels are not there.
    """
    requires: list[t.Any] = [*variant.requires, *more]
    content = LOCK.read_bytes()
    if variant.is_fork:
        built = dist.wheels_in(wheels)
        requires += built
        content += b"".join(path.read_bytes() for path in built)
    elif variant.is_flask:
        requires.append(Pin.load(project).requirement)
    content += repr((python, sorted(map(str, requires)))).encode()
    folder = project.root / "build" / "benchmarks"
    path = folder / hashlib.sha256(content).hexdigest()[:16]
    complete = path / "complete"
    if not complete.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = venv.create(path, python=python)
        made.install("-c", LOCK, *requires)
        complete.touch()
    return Environment(path)
