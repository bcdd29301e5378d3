"""A patch as upstream would take it: alone on the release, free of the fork."""

from __future__ import annotations

from dataclasses import replace

from ..base.errors import ForkError
from ..base.files import Project
from ..queue import commits
from ..queue import patch as patches
from ..queue import queue as queues
from ..queue.commits import Step
from ..upstream import source as upstream
from . import changes as replay
from . import dependencies as needs
from . import merge


def mail(project: Project, name: str) -> bytes:
    """A mail that ``git am`` takes on the pinned release.

    :raises ForkError: the patch needs others; it lists them.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    patch = queue[name]
    files = upstream.files(project, pin)
    changes = replay.changes(queue.patches, files)
    with merge.scratch() as merger:
        needed = needs.derive(changes, merger)
        if others := needs.closure(needed, [name])[:-1]:
            raise ForkError(
                f"{name} needs {', '.join(others)}",
                where=f"patches/{name}.patch",
                mend="send these first, in this order",
            )
        [change] = (change for change in changes if change.patch is patch)
        outcome = replay.carry(change, files, merger)
        step = Step(patch, outcome.files)
        [alone] = commits.render(merger.git, pin, files, [step], where=name)
    kept = [pair for pair in patch.trailers if pair[0] not in patches.REQUIRED]
    return patches.render(replace(alone, trailers=tuple(kept)))
