"""The changes to the queue: those that rebuild it, and those that rewrite its files."""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import replace

from ..base import changelog
from ..base import transaction
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import read
from ..carry import dependencies
from ..carry import drop_when
from ..carry import merge
from ..carry.changes import carry_all
from ..carry.changes import Change
from ..carry.changes import changes_of
from ..carry.changes import Outcome
from ..carry.resolutions import Memory
from ..queue import export
from ..queue.checkout import Checkout
from ..queue.export import Contents
from ..queue.fork import Fork
from ..queue.incoming import Origin
from ..queue.message import Message
from ..queue.message import tests_of
from ..queue.patch import Patch
from ..queue.queue import apply_patches
from ..queue.queue import misplaced
from ..queue.queue import Queue
from ..upstream import releases
from . import before
from . import disabled
from . import operations
from . import sequence
from .journal import check_idle
from .journal import Plan
from .journal import Progress
from .sequence import Result
from .worktree import Worktree


def rebase(
    fork: Fork, worktree: Worktree, version: str, local: pathlib.Path | None = None
) -> Result:
    """Rebase the queue onto the release ``version``.

    A patch whose ``Drop-When`` condition is met is dropped.

    :param local: a local archive of the release, used instead of the package index.
    :raises Stopped: a patch needs the maintainer.
    :raises ForkError: there is no such release, or the checkout has unexported work;
        nothing was changed.
    """
    check_idle(fork.project)
    pin = releases.obtain(fork.project, fork.pin, version, local)
    progress = Progress()
    for name, why in drop_when.met(fork.project, fork.queue.patches, version).items():
        progress = progress.without(name, why)
    gone = dict(progress.dropped)
    names = tuple(name for name in fork.queue.series.names if name not in gone)
    plan = Plan("rebase", str(pin), pin, names)
    return sequence.begin(fork, worktree, plan, progress=progress)


def begin(fork: Fork, worktree: Worktree, patch: Patch, after: str | None) -> Result:
    """Add an empty patch and stop at it, for the maintainer to make its changes.

    :param after: the patch to insert it after; ``None`` to append it.
    :raises Stopped: always, once it is at the patch.
    :raises ForkError: the name is taken; nothing was changed.
    """
    check_idle(fork.project)
    name = patch.name
    _check_free(fork.queue, name)
    names = _inserted(fork.queue, [name], after)
    files = _below(fork, names, name)
    plan = Plan("new", name, fork.pin, names, edit=name)
    return sequence.begin(fork, worktree, plan, added=[Change(patch, files, files)])


def take(
    fork: Fork,
    worktree: Worktree,
    patches: list[Patch],
    after: str | None,
    origin: Origin,
) -> Result:
    """Add patches from elsewhere to the queue, with a three-way merge if necessary.

    Each patch applies on top of the one before it; see :func:`.before.changes`.

    :param after: the patch to insert them after; ``None`` to append them.
    :raises Stopped: one of them conflicts.
    :raises ForkError: a name is taken, a patch applies to none of these, or the queue
        has its changes already; nothing was changed.
    """
    check_idle(fork.project)
    added = [patch.name for patch in patches]
    for name in added:
        _check_free(fork.queue, name)
    if len(set(added)) < len(added):
        raise ForkError("two of the patches have the same name", hint="rename one")
    names = _inserted(fork.queue, added, after)
    below = _below(fork, names, added[0])
    changes = before.changes(fork, patches, below, origin)
    with merge.scratch() as merger:
        for outcome in carry_all(changes, below, merger):
            if outcome.kind == "absorbed":
                raise ForkError(
                    f"the queue already has every change of {outcome.name}",
                    hint="there is nothing to do",
                )
    plan = Plan("take", ", ".join(added), fork.pin, names)
    return sequence.begin(fork, worktree, plan, added=changes)


def enable(fork: Fork, worktree: Worktree, name: str, *, resolve: bool) -> Result:
    """Apply a disabled patch again, at its place.

    :param resolve: stop at conflicts instead of refusing.
    :raises Stopped: there is a conflict, with ``resolve``.
    :raises ForkError: there is no such patch, it no longer applies there, or others
        conflict with it; nothing was changed.
    """
    check_idle(fork.project)
    series = fork.queue.series
    if name not in series.disabled:
        raise ForkError(
            f"there is no disabled patch {name!r}",
            where="patches/series",
            hint="`scripts/fork series` lists the patches",
        )
    names = series.with_enabled(name).names
    if not resolve:
        _check_carried(fork, names, f"enabling {name}")
    plan = Plan("enable", name, fork.pin, names)
    return sequence.begin(fork, worktree, plan)


def disable(fork: Fork, worktree: Worktree, name: str, *, resolve: bool) -> Result:
    """Keep a patch, but no longer apply it.

    :param resolve: stop at conflicts in the patches that need it, instead of refusing.
    :raises Stopped: there is a conflict, with ``resolve``.
    :raises ForkError: other patches need it; nothing was changed.
    """
    names = tuple(_others(fork, name))
    if not resolve:
        _check_carried(fork, names, f"disabling {name}")
    plan = Plan("disable", name, fork.pin, names, disabled=(name,))
    return sequence.begin(fork, worktree, plan)


def set_message(
    fork: Fork, worktree: Worktree, name: str, message: Message
) -> list[pathlib.Path]:
    """Replace the subject, reason and trailers of a patch.

    :return: the files that were written.
    :raises ForkError: the message is incomplete, or has another name; nothing was
        changed.
    """
    check_idle(fork.project)
    old = fork.queue[name]
    patch = replace(old, message=message)
    patch.check_head(where=old.where)
    if patch.name != name:
        raise ForkError(
            f"the trailer Fork-Patch is {patch.name!r}, not {name!r}",
            where=old.where,
            hint=f"leave it; use `scripts/fork rename {name} NEW` to rename the patch",
        )
    raise_findings(misplaced(fork.project, fork.pin, patch, where=old.where))
    contents: Contents = {fork.project.root / old.where: patch.render()}
    return _rewrite(fork, worktree, f"header {name}", contents)


def edit(fork: Fork, worktree: Worktree, name: str) -> Result:
    """Stop at a patch, for the maintainer to change it.

    :raises Stopped: always, once it is at the patch.
    :raises ForkError: there is no such patch; nothing was changed.
    """
    _others(fork, name)
    plan = Plan("edit", name, fork.pin, fork.queue.series.names, edit=name)
    return sequence.begin(fork, worktree, plan)


def move(
    fork: Fork, worktree: Worktree, name: str, after: str | None, *, resolve: bool
) -> Result:
    """Move a patch after another one, or to the front.

    :param after: the name of the other patch; ``None`` for the front.
    :param resolve: stop at conflicts instead of refusing.
    :raises Stopped: there is a conflict, with ``resolve``.
    :raises ForkError: the patches do not commute; nothing was changed.
    """
    names = _others(fork, name)
    names.insert(_place_after(fork.queue, after, names), name)
    if not resolve:
        _check_carried(fork, names, f"moving {name}")
    plan = Plan("move", name, fork.pin, tuple(names))
    return sequence.begin(fork, worktree, plan)


def drop(
    fork: Fork, worktree: Worktree, name: str, reason: str, *, resolve: bool
) -> Result:
    """Remove a patch from the queue.

    :param reason: why, for the changelog.
    :param resolve: stop at conflicts in the patches that need it, instead of refusing.
    :raises Stopped: there is a conflict, with ``resolve``.
    :raises ForkError: other patches need it; nothing was changed.
    """
    names = tuple(_others(fork, name))
    progress = Progress(dropped=((name, changelog.clause(reason)),))
    if not resolve:
        _check_carried(fork, names, f"dropping {name}")
    plan = Plan("drop", name, fork.pin, names)
    return sequence.begin(fork, worktree, plan, progress=progress)


def fold(
    fork: Fork, worktree: Worktree, name: str, into: str, *, resolve: bool
) -> Result:
    """Fold a patch into another one, which keeps its own message.

    :param into: the name of the other patch.
    :param resolve: stop at conflicts instead of refusing.
    :raises Stopped: there is a conflict, with ``resolve``.
    :raises ForkError: the patch does not commute with those between the two; nothing
        was changed.
    """
    names = _others(fork, name)
    if into == name:
        raise ForkError(
            "a patch cannot be folded into itself", hint="name another patch"
        )
    names.insert(_place_after(fork.queue, into, names), name)
    if not resolve:
        _check_carried(fork, names, f"folding {name}")
    plan = Plan("fold", name, fork.pin, tuple(names), fold=name)
    return sequence.begin(fork, worktree, plan)


def rename(fork: Fork, worktree: Worktree, name: str, new: str) -> list[pathlib.Path]:
    """Rename a patch, its resolutions, and its tests if they are named after it.

    :return: the files that were written or removed.
    :raises ForkError: the name is taken or malformed; nothing was changed.
    """
    check_idle(fork.project)
    old = fork.queue[name]
    _check_free(fork.queue, new)
    values = {"Fork-Patch": new}
    contents: Contents = {}
    if old.trailer("Tests") == tests_of(name):
        values["Tests"] = tests_of(new)
        contents |= _renamed_tests(fork, name, new)
    patch = replace(old, message=old.message.with_values(values))
    patch.check(where=new)
    contents[fork.project.root / old.where] = None
    contents[fork.project.root / patch.where] = patch.render()
    contents[fork.project.series] = fork.queue.series.renamed(name, new).render()
    contents |= _renamed_resolutions(fork, name, new)
    return _rewrite(fork, worktree, f"rename {name} {new}", contents)


def _renamed_tests(fork: Fork, name: str, new: str) -> Contents:
    old, target = (fork.project.root / tests_of(each) for each in (name, new))
    return {target: read(old, hint="give read access to it"), old: None}


def _renamed_resolutions(fork: Fork, name: str, new: str) -> Contents:
    folder = fork.project.resolutions
    contents: Contents = {}
    for resolution in Memory.load(fork.project).known.values():
        if resolution.patch == name:
            moved = replace(resolution, patch=new)
            contents[folder / resolution.file_name] = None
            contents[folder / moved.file_name] = moved.render()
    return contents


def export_commits(fork: Fork, checkout: Checkout) -> Contents:
    """Write the commits in the checkout to ``patches/``, all or none.

    :return: the new content of each file that changed.
    :raises ForkError: there are uncommitted changes, or a commit is not a patch.
    """
    export.check_ready(fork, checkout)
    changes = export.plan(fork, checkout)
    with operations.recorded(fork.project, checkout, "export", changes):
        transaction.commit(fork.project, changes)
    checkout.mark_exported()
    return changes


def _rewrite(
    fork: Fork, worktree: Worktree, what: str, contents: Contents
) -> list[pathlib.Path]:
    """Rewrite patch files whose diffs stay the same, and update the checkout."""
    checkout = worktree.checkout
    export.settle(fork, checkout)
    checkout.apply(fork)
    with operations.recorded(fork.project, checkout, what, contents):
        transaction.commit(
            fork.project,
            contents,
            then=lambda: checkout.apply(Fork.load(fork.project)),
        )
    return list(contents)


def _check_free(queue: Queue, name: str) -> None:
    if name in (*queue.series.names, *queue.series.disabled):
        raise ForkError(
            f"there is already a patch {name!r}", hint="choose another name"
        )


def _inserted(queue: Queue, added: list[str], after: str | None) -> tuple[str, ...]:
    names = list(queue.series.names)
    place = len(names) if after is None else _place_after(queue, after, names)
    return (*names[:place], *added, *names[place:])


def _below(fork: Fork, names: tuple[str, ...], name: str) -> Files:
    """The files as they are before the patch ``name`` of ``names`` is applied."""
    return apply_patches(fork.queue.patches[: names.index(name)], fork.files)


def _others(fork: Fork, name: str) -> list[str]:
    """The names of the other patches in the queue.

    :raises ForkError: there is no patch ``name``, or a command is stopped.
    """
    check_idle(fork.project)
    there = fork.queue[name].name
    return [other for other in fork.queue.series.names if other != there]


def _place_after(queue: Queue, other: str | None, names: list[str]) -> int:
    if other is None:
        return 0
    if queue[other].name not in names:
        raise ForkError("a patch cannot come after itself", hint="name another patch")
    return names.index(other) + 1


def _check_carried(fork: Fork, names: t.Sequence[str], doing: str) -> None:
    """Make sure that the patches apply in that order, whatever it takes.

    :param doing: what would be done, for the error.
    :raises ForkError: some conflict; the error says which, where, and what they need.
    """
    changes = changes_of(fork.queue.patches, fork.files)
    changes += disabled.changes(fork, names)
    by_name = {change.patch.name: change for change in changes}
    with merge.scratch() as merger:
        order = [by_name[name] for name in names]
        outcomes = carry_all(order, fork.files, merger)
        broken = [outcome for outcome in outcomes if outcome.kind == "conflict"]
        if not broken:
            return
        needs = dependencies.derive(changes, merger)
    found = [_in_conflict(outcome, names, needs) for outcome in broken]
    raise ForkError(
        f"{doing} would conflict with {'; '.join(found)}",
        where="patches/series",
        hint="move or drop these first, or give --resolve to stop at each conflict",
    )


def _in_conflict(
    outcome: Outcome, names: t.Sequence[str], needs: t.Mapping[str, tuple[str, ...]]
) -> str:
    """Where a patch conflicts, and the patches that it needs below it there."""
    below = names[: names.index(outcome.name)]
    missing = [name for name in needs[outcome.name] if name not in below]
    reason = f", which needs {', '.join(missing)} before it" if missing else ""
    return f"{outcome.name} in {', '.join(outcome.conflicts)}{reason}"
