"""The other changes in the project when the queue moves to another release."""

from __future__ import annotations

import typing as t

from ..base import toml
from ..base.changelog import Changelog
from ..base.files import read
from ..base.paths import Project
from ..queue.export import Contents
from ..queue.fork import Fork
from ..upstream.pin import Pin


def contents(fork: Fork, pin: Pin, dropped: t.Iterable[tuple[str, str]]) -> Contents:
    """Everything but the patches that changes with the pin: pin, version, changelog.

    :param pin: the new pin.
    :param dropped: the patches that are dropped, and why.
    :return: the new content of each file that changes.
    """
    project, changes = fork.project, Contents()
    old = log = Changelog.load(project)
    if pin != fork.pin:
        changes[project.pin] = pin.render()
        changes[project.pyproject] = with_version(project, f"{pin.version}.1")
        log = log.with_entry("Upstream", f"{pin}.", instead=rf"{pin.name} [\d.]+\.")
    for name, reason in dropped:
        log = log.with_dropped(name, reason)
    if log != old:
        changes[project.changelog] = log.render()
    return changes


def with_version(project: Project, version: str) -> bytes:
    """The content of pyproject.toml with another version of the fork.

    :raises ForkError: the file has no version.
    """
    data = read(project.pyproject, hint="restore it from git")
    where = project.relative(project.pyproject)
    return toml.with_value(data, "project", "version", version, where=where)
