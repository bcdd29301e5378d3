"""Which patches to drop on a release, by their own ``Drop-When``."""

from __future__ import annotations

import typing as t

from ..base.paths import Project
from ..queue.message import DropWhen
from ..queue.patch import Patch
from ..upstream.history import History


def met(project: Project, patches: t.Iterable[Patch], version: str) -> dict[str, str]:
    """The patches whose ``Drop-When`` a release meets, and why each is dropped.

    :param version: the version of the release.
    """
    history = History.find(project)
    return {
        patch.name: f"its Drop-When, {patch.message.drop_when.render()}, is met"
        for patch in patches
        if is_met(patch.message.drop_when, version, history)
    }


def is_met(when: DropWhen, version: str, history: History | None) -> bool:
    """Whether a release meets a condition.

    :param history: upstream's commits; without them, no ``commit`` condition is met.
    """
    from packaging.version import Version

    if when.kind == "release":
        return Version(version) >= Version(when.value)
    if when.kind == "commit" and history:
        tag = history.tag(version)
        return bool(tag and history.holds(when.value, tag))
    return False
