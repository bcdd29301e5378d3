"""Shared by the tests of installation: the wheels that the session `build` left.

Each Python of the session `distribution` runs them, in environments made from itself.
"""

from __future__ import annotations

import pathlib

import pytest
from packaging.utils import parse_wheel_filename

from forkkit.pack import dist

DIST = pathlib.Path(__file__).parents[2] / "build" / "dist"


@pytest.fixture(scope="session")
def fork_wheel() -> pathlib.Path:
    """The fork's wheel."""
    return dist.wheels_in(DIST)[0]


@pytest.fixture(scope="session")
def shim_wheel() -> pathlib.Path:
    """The shim's wheel, a distribution named Flask."""
    return dist.wheels_in(DIST)[1]


@pytest.fixture(scope="session")
def level(shim_wheel: pathlib.Path) -> str:
    """The version of Flask that the fork is made from."""
    return parse_wheel_filename(shim_wheel.name)[1].public
