"""The metadata of the fork's distribution, from its own pyproject.toml."""

from __future__ import annotations

import typing as t

from . import toml
from .errors import ForkError
from .paths import Project


def fork_version(project: Project) -> str:
    """The version of the fork's distribution."""
    return str(own_metadata(project)["version"])


def own_metadata(project: Project) -> dict[str, t.Any]:
    """The table ``project`` of the fork's pyproject.toml.

    :raises ForkError: it is missing, or has no version.
    """
    hint = "restore it from git"
    values = toml.load(project.pyproject, hint=hint).get("project")
    if not isinstance(values, dict) or "version" not in values:
        raise ForkError("there is no [project] version", where="pyproject.toml")
    return values
