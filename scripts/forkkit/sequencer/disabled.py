"""Disabled patches, kept but not applied; a rebase carries them along if it can."""

from __future__ import annotations

import typing as t

from ..base import diff
from ..base.errors import ForkError
from ..base.files import Files
from ..carry import merge
from ..carry.changes import carry
from ..carry.changes import Change
from ..carry.merge import Merger
from ..queue import commits
from ..queue.commits import Step
from ..queue.export import Contents
from ..queue.export import say_the_same
from ..queue.fork import Fork
from ..queue.patch import Patch
from ..queue.queue import apply_patches


def changes(fork: Fork, names: t.Container[str]) -> list[Change]:
    """The changes that disabled patches would make at their places in the queue.

    :param names: the patches to include.
    :raises ForkError: one of them no longer applies there.
    """
    waiting = [patch for patch in fork.queue.disabled if patch.name in names]
    return [_change(fork, patch) for patch in waiting]


def carried(fork: Fork, files: Files, steps: list[Step]) -> Contents:
    """Carry the disabled patches to another queue, except those that conflict there.

    :param files: the files of the other queue's release.
    :param steps: the other queue.
    :return: the new content of each patch file that changes.
    """
    enabled = {step.patch.name for step in steps}
    waiting = [patch for patch in fork.queue.disabled if patch.name not in enabled]
    contents = Contents()
    if not waiting:
        return contents

    with merge.scratch() as merger:
        for patch in waiting:
            names = {below.name for below in _below(fork, patch)}
            below = files
            for step in steps:
                below = step.files if step.patch.name in names else below
            if new := _carried(fork, patch, below, merger):
                contents[fork.project.root / patch.where] = new.render()
    return contents


def _carried(fork: Fork, patch: Patch, files: Files, merger: Merger) -> Patch | None:
    """A disabled patch on other files; ``None`` if it is unchanged or conflicts."""
    try:
        change = _change(fork, patch)
    except ForkError:
        return None
    outcome = carry(change, files, merger)
    if outcome.stops:
        return None
    made = Step(patch, outcome.files)
    [new] = commits.render(merger.git, fork.pin, files, [made], where=patch.where)
    return None if say_the_same(patch, new, files, outcome.files) else new


def _below(fork: Fork, patch: Patch) -> tuple[Patch, ...]:
    """The patches before the place of a disabled one."""
    return fork.queue.patches[: fork.queue.series.disabled[patch.name]]


def _change(fork: Fork, patch: Patch) -> Change:
    before = apply_patches(_below(fork, patch), fork.files)
    after = diff.apply(patch.diffs, before, where=patch.where, offsets=True)
    return Change(patch, before, after)
