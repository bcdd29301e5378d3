"""What the tests share: a built fork, and an environment that has it.

The tests in ``patches/`` and ``shim/`` run inside of such an environment, so nothing
but pytest and the standard library is imported at the top of this file.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

if t.TYPE_CHECKING:
    from forkkit.base.venv import Environment
    from forkkit.pack.dist import Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both wheels and the sdist, built from this checkout."""
    from forkkit.base import paths as project
    from forkkit.pack import dist as packing
    from forkkit.upstream import releases
    from forkkit.upstream.pin import Pin

    here = project.here()
    releases.fetch(here, Pin.load(here))
    return packing.build(here, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def fork_wheel(built: Built) -> pathlib.Path:
    """The fork's wheel."""
    return built.wheel


@pytest.fixture(scope="session")
def shim_wheel(built: Built) -> pathlib.Path:
    """The shim's wheel, a distribution named Flask."""
    return built.shim


@pytest.fixture(scope="session")
def fork_env(
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """An environment with both wheels and pytest. Install nothing more into it."""
    from forkkit.base import venv as environments

    path = tmp_path_factory.mktemp("fork") / "env"
    return environments.create(path, fork_wheel, shim_wheel, "pytest")
