"""The build backend: hatchling's hooks over a stage made from pin and queue.

A front end (pip, uv, build) is the downloader: the hooks ask it for the pinned
release of Flask in the isolated build environment (PEP 517, PEP 660).
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
import typing as t

from hatchling import build as hatch

from .base.errors import ForkError
from .base.paths import here
from .pack import stage
from .upstream.pin import Pin
from .upstream.source import is_at_hand

_Settings = t.Optional[dict[str, t.Any]]


def get_requires_for_build_wheel(config_settings: _Settings = None) -> list[str]:
    """The pinned Flask, unless it has been fetched already."""
    with _plain_errors():
        project = here()
        pin = Pin.load(project)
        return [] if is_at_hand(project, pin) else [pin.requirement]


get_requires_for_build_sdist = get_requires_for_build_wheel


def get_requires_for_build_editable(config_settings: _Settings = None) -> list[str]:
    """What a wheel needs, and what hatchling needs for an editable one."""
    return [
        *get_requires_for_build_wheel(),
        *hatch.get_requires_for_build_editable(config_settings),
    ]


def build_wheel(
    wheel_directory: str,
    config_settings: _Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Build the fork's wheel and return its file name."""
    # Outside the checkout, which may be read-only or in use by another build.
    with _plain_errors(), tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        staged = pathlib.Path(folder, "stage")
        stage.write_stage(here(), staged)
        with _inside(staged):
            return hatch.build_wheel(wheel_directory, config_settings)


def build_editable(
    wheel_directory: str,
    config_settings: _Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Build a wheel that points to the stage and return its file name."""
    with _plain_errors():
        project = here()
        stage.write_stage(project, project.stage)
        with _inside(project.stage):
            return hatch.build_editable(wheel_directory, config_settings)


def build_sdist(sdist_directory: str, config_settings: _Settings = None) -> str:
    """Build an sdist that builds without network, and return its file name."""
    with _plain_errors(), tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        root = pathlib.Path(folder, "sdist")
        stage.write_sdist(here(), root)
        with _inside(root):
            return hatch.build_sdist(sdist_directory, config_settings)


@contextlib.contextmanager
def _inside(folder: pathlib.Path) -> t.Iterator[None]:
    # hatchling builds the project of the current directory.
    before = os.getcwd()
    os.chdir(folder)
    # The bytes must depend on the input only, not on a date from outside.
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _plain_errors() -> t.Iterator[None]:
    # A front end would print a traceback before the message.
    try:
        yield
    except ForkError as e:
        raise SystemExit(f"flaskfork cannot be built: {e}") from None
