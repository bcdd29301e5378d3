"""Which patches a release of upstream has taken, as far as anything tells."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base.files import Project
from ..queue import queue as queues
from ..upstream import releases
from ..upstream import source as upstream
from . import changes as replay
from . import merge
from . import resolutions
from . import story
from .resolutions import Memory


@dataclass(frozen=True)
class Finding:
    """What speaks for a release having a patch.

    :param evidence: each a fact; none if nothing does.
    :param release: the version of the first release at hand for which anything does.
    """

    name: str
    evidence: tuple[str, ...]
    release: str


def look(project: Project, version: str) -> t.Iterator[Finding]:
    """Yield what speaks for a release having each patch.

    :raises ForkError: there is no such release.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    changes = replay.changes(queue.patches, upstream.files(project, pin))
    new = releases.obtain(project, pin, version)
    files = upstream.files(project, new)
    memory = Memory(resolutions.load(project))
    with merge.scratch() as merger:
        outcomes = replay.carry_all(changes, files, merger, memory)
        for place, outcome in enumerate(outcomes, 1):
            found = story.taken(project, changes[:place], outcome, new, merger)
            yield Finding(outcome.name, found.evidence, found.release.pin.version)
