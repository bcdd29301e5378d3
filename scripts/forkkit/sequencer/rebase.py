"""Carrying the queue over to another release of upstream."""

from __future__ import annotations

import pathlib

from ..base.files import Project
from ..queue import queue as queues
from ..upstream import releases
from ..upstream import source as upstream
from . import sequence
from .journal import check_idle
from .journal import Journal
from .sequence import Result
from .worktree import Bench


def rebase(
    project: Project, bench: Bench, version: str, local: pathlib.Path | None = None
) -> Result:
    """Carry the queue over to the release ``version``.

    A patch whose ``Drop-When`` is met is dropped.

    :param local: the release's archive, if the package index shall not be asked.
    :raises Stopped: a patch needs the maintainer.
    :raises ForkError: there is no such release, or there is work that is not exported;
        nothing was changed.
    """
    check_idle(project)
    old = upstream.load_pin(project)
    queue = queues.load(project, old)
    pin = releases.obtain(project, old, version, local)
    dropped = releases.drops(project, queue.patches, version)
    names = tuple(name for name in queue.series.names if name not in dropped)
    journal = Journal(
        "rebase",
        pin,
        names,
        dropped=tuple(dropped.items()),
        outcomes=tuple((name, "dropped") for name in dropped),
    )
    return sequence.begin(project, bench, journal)
