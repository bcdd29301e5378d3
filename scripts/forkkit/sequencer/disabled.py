"""Patches that are kept but not applied: a rebase carries them along where it can."""

from __future__ import annotations

import typing as t

from ..base import diff
from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import Project
from ..carry import changes as replay
from ..carry import merge
from ..carry.changes import Change
from ..queue import commits
from ..queue import export as exports
from ..queue import patch as patches
from ..queue import queue as queues
from ..queue.commits import Step
from ..queue.patch import Patch
from ..queue.queue import Queue
from ..upstream import source as upstream
from ..upstream.pin import Pin


def changes(queue: Queue, files: Files, names: t.Container[str]) -> list[Change]:
    """What disabled patches would change at their places in the queue.

    :param files: those of the release.
    :param names: the patches to look at.
    :raises ForkError: one of them does not apply there any more.
    """
    found = []
    for patch in queue.disabled:
        if patch.name in names:
            before = queues.apply(_below(queue, patch), files)
            found.append(_change(patch, before))
    return found


def carried(
    project: Project, pin: Pin, files: Files, steps: list[Step]
) -> exports.Contents:
    """The disabled patches as they are on another queue, as far as they merge there.

    :param files: those of the release that the other queue is for.
    :param steps: the other queue.
    :return: the new content of each file that changes.
    """
    queue = queues.load(project, upstream.load_pin(project))
    enabled = {step.patch.name for step in steps}
    waiting = [patch for patch in queue.disabled if patch.name not in enabled]
    contents: exports.Contents = {}
    if not waiting:
        return contents

    old = upstream.files(project, upstream.load_pin(project))
    with merge.scratch() as merger:
        for patch in waiting:
            names = {below.name for below in _below(queue, patch)}
            below = files
            for step in steps:
                below = step.files if step.patch.name in names else below
            try:
                change = _change(patch, queues.apply(_below(queue, patch), old))
            except ForkError:
                continue
            outcome = replay.carry(change, below, merger)
            if outcome.kind in {"conflict", "absorbed"}:
                continue
            made = Step(patch, outcome.files)
            [new] = commits.render(
                merger.git, pin, below, [made], where=f"patches/{patch.name}.patch"
            )
            if not exports.say_the_same(patch, new, below, outcome.files):
                path = project.patches / f"{patch.name}.patch"
                contents[path] = patches.render(new)
    return contents


def _below(queue: Queue, patch: Patch) -> tuple[Patch, ...]:
    """The patches that come before the place of a disabled one."""
    return queue.patches[: queue.series.disabled[patch.name]]


def _change(patch: Patch, before: Files) -> Change:
    where = f"patches/{patch.name}.patch"
    after = diff.apply(patch.diffs, before, where=where, offsets=True)
    return Change(patch, before, after)
