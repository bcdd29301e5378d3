"""Makes the environments of both sides, from the wheels that the session `build` left.

FORK_PYTHON    the interpreter of both sides, instead of this one
FORK_WERKZEUG  the version of Werkzeug on both sides, instead of the newest
FORK_TEST_SEED what everything random is made from, instead of the commit
"""

from __future__ import annotations

import json
import os
import pathlib
import sys

import pytest

from conftest import commit
from differential.sides import Sides
from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.base.venv import Environment
from forkkit.pack import dist
from forkkit.upstream.pin import Pin

DIST = pathlib.Path(__file__).parents[2] / "build" / "dist"


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Upstream's Flask and the fork, with the same dependencies."""
    folder = tmp_path_factory.mktemp("differential")
    python = os.environ.get("FORK_PYTHON", sys.executable)
    others = ["asgiref"]
    if version := os.environ.get("FORK_WERKZEUG"):
        others.append(f"werkzeug=={version}")
    pin = Pin.load(here())
    flask = f"{pin.name}=={pin.version}"
    upstream = venv.create(folder / "upstream", flask, *others, python=python)
    wheels = dist.wheels_in(DIST)
    fork = venv.create(folder / "fork", *wheels, *others, python=python)
    assert dependencies(upstream) == dependencies(fork)
    seed = os.environ.get("FORK_TEST_SEED") or commit()[:12]
    made = Sides(upstream, fork, folder, seed)
    prepare(made)
    return made


def dependencies(environment: Environment) -> list[str]:
    """What is installed besides Flask and the fork."""
    listed = venv.uv("pip", "freeze", "--python", environment.python).splitlines()
    return [line for line in listed if not line.lower().startswith("flask")]


def prepare(sides: Sides) -> None:
    """Write the applications' files, and what upstream's classes and modules have."""
    files = sides.folder / "files"
    code = "import applications, pathlib, sys; "
    code += "applications.write_files(pathlib.Path(sys.argv[1]))"
    paths = {"PYTHONPATH": str(pathlib.Path(__file__).parent)}
    sides.upstream.run("-B", "-c", code, str(files), env=paths)
    command = sides.command(sides.upstream, "watched", "0:1")
    lines = sides.upstream.run(*command[1:]).stdout.splitlines()
    *watched, end = map(json.loads, lines)
    assert end["case"] == "end"
    (files / "watched.json").write_text(json.dumps(watched))
