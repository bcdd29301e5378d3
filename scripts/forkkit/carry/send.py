"""A patch as upstream would take it: alone on the release, without the fork's parts."""

from __future__ import annotations

from dataclasses import replace

from ..base.errors import ForkError
from ..queue import commits
from ..queue.commits import Step
from ..queue.fork import Fork
from . import dependencies
from . import merge
from .changes import carry
from .changes import changes_of


def mail(fork: Fork, name: str) -> bytes:
    """An email that ``git am`` applies to the pinned release.

    :param name: the patch.
    :raises ForkError: the patch needs others; the error lists them.
    """
    patch = fork.queue[name]
    changes = changes_of(fork.queue.patches, fork.files)
    with merge.scratch() as merger:
        needed = dependencies.derive(changes, merger)
        if others := dependencies.closure(needed, [name])[:-1]:
            raise ForkError(
                f"{name} needs {', '.join(others)}",
                where=patch.where,
                hint="send these first, in this order",
            )
        [change] = (change for change in changes if change.patch is patch)
        step = Step(patch, carry(change, fork.files, merger).files)
        [alone] = commits.render(merger.git, fork.pin, fork.files, [step], where=name)
    return replace(alone, message=patch.message.for_upstream()).render()
