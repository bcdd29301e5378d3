"""Changing the queue: every verb that makes it anew, or another release its base."""

from __future__ import annotations

import contextlib
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
from ..queue.message import Message
from ..queue.message import tests_of
from ..queue.patch import Patch
from ..queue.queue import apply_patches
from ..queue.queue import misplaced
from ..queue.queue import Queue
from ..upstream import releases
from ..upstream.source import release_files
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
    """Carry the queue over to the release ``version``.

    A patch whose ``Drop-When`` is met is dropped.

    :param local: the release's archive, if the package index shall not be asked.
    :raises Stopped: a patch needs the maintainer.
    :raises ForkError: there is no such release, or there is work that is not exported;
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
    """Stop at a new patch that changes nothing yet.

    :param after: the patch that it comes after; ``None`` for the last one.
    :raises Stopped: always, when it is there.
    :raises ForkError: the name is taken.
    """
    check_idle(fork.project)
    name = patch.name
    _check_free(fork.queue, name)
    names = _inserted(fork.queue, [name], after)
    files = _below(fork, names, name)
    plan = Plan("new", name, fork.pin, names, edit=name)
    return sequence.begin(fork, worktree, plan, added=[Change(patch, files, files)])


def take(
    fork: Fork, worktree: Worktree, patches: list[Patch], after: str | None
) -> Result:
    """Add patches from elsewhere to the queue, merged three ways where they must be.

    Each is made for what the one before it leaves; the first for the queue, for the
    pinned release, or for another release that is at hand.

    :param after: the patch that they come after; ``None`` for the last one.
    :raises Stopped: one of them conflicts.
    :raises ForkError: a name is taken, or a patch applies to nothing that is at hand;
        nothing was changed.
    """
    check_idle(fork.project)
    added = [patch.name for patch in patches]
    for name in added:
        _check_free(fork.queue, name)
    if len(set(added)) < len(added):
        raise ForkError("two of the patches have the same name", hint="rename one")
    names = _inserted(fork.queue, added, after)
    below = _below(fork, names, added[0])
    changes = _made_to(fork, patches, below)
    with merge.scratch() as merger:
        for outcome in carry_all(changes, below, merger):
            if outcome.kind == "absorbed":
                raise ForkError(
                    f"all that {outcome.name} changes is there already",
                    hint="nothing needs to be done",
                )
    plan = Plan("take", ", ".join(added), fork.pin, names)
    return sequence.begin(fork, worktree, plan, added=changes)


def enable(fork: Fork, worktree: Worktree, name: str, *, resolve: bool) -> Result:
    """Apply a patch again that is disabled, at its place.

    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: it does not apply there any more, or others conflict with it;
        nothing was changed.
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
    """Keep a patch, but do not apply it any more.

    :param resolve: stop at the conflicts of those that need it, instead of refusing.
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
    """Give a patch another subject, reason and trailers.

    :return: the files that were written.
    :raises ForkError: something is missing, or the name is another one.
    """
    check_idle(fork.project)
    old = fork.queue[name]
    patch = replace(old, message=message)
    patch.check_head(where=old.where)
    if patch.name != name:
        raise ForkError(
            f"the trailer Fork-Patch is {patch.name!r}, not {name!r}",
            where=old.where,
            hint=f"leave it; `scripts/fork rename {name} NEW` gives another name",
        )
    raise_findings(misplaced(fork.project, fork.pin, patch, where=old.where))
    contents: Contents = {fork.project.root / old.where: patch.render()}
    return _rewrite(fork, worktree, f"header {name}", contents)


def edit(fork: Fork, worktree: Worktree, name: str) -> Result:
    """Stop at a patch, for the maintainer to change it.

    :raises Stopped: always, when it is there.
    """
    _others(fork, name)
    plan = Plan("edit", name, fork.pin, fork.queue.series.names, edit=name)
    return sequence.begin(fork, worktree, plan)


def move(
    fork: Fork, worktree: Worktree, name: str, after: str | None, *, resolve: bool
) -> Result:
    """Have a patch come after another one, or first.

    :param after: the name of the other one; ``None`` for first.
    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: patches do not commute; nothing was changed.
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
    :param resolve: stop at the conflicts of those that need it, instead of refusing.
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
    """Make a patch a part of another one, whose reason and trailers stay.

    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: patches between the two do not commute; nothing was changed.
    """
    names = _others(fork, name)
    if into == name:
        raise ForkError("a patch cannot be folded into itself", hint="name another one")
    names.insert(_place_after(fork.queue, into, names), name)
    if not resolve:
        _check_carried(fork, names, f"folding {name}")
    plan = Plan("fold", name, fork.pin, tuple(names), fold=name)
    return sequence.begin(fork, worktree, plan)


def rename(fork: Fork, worktree: Worktree, name: str, new: str) -> list[pathlib.Path]:
    """Give a patch another name, and its tests too if they were named for it.

    :return: the files that were written or removed.
    :raises ForkError: the name is taken, or malformed; nothing was changed.
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
    """Write the commits in the checkout to ``patches/``, all at once.

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
    """Change files of patches that go on changing the same, and the checkout too."""
    checkout = worktree.checkout
    export.settle(fork, checkout)
    checkout.apply(fork)
    with operations.recorded(fork.project, checkout, what, contents):
        transaction.commit(fork.project, contents)
    checkout.apply(Fork.load(fork.project))
    return list(contents)


def _check_free(queue: Queue, name: str) -> None:
    if name in (*queue.series.names, *queue.series.disabled):
        raise ForkError(
            f"there is a patch {name!r} already", hint="choose another name"
        )


def _inserted(queue: Queue, added: list[str], after: str | None) -> tuple[str, ...]:
    names = list(queue.series.names)
    place = len(names) if after is None else _place_after(queue, after, names)
    return (*names[:place], *added, *names[place:])


def _below(fork: Fork, names: tuple[str, ...], name: str) -> Files:
    """The files below the place of a patch."""
    return apply_patches(fork.queue.patches[: names.index(name)], fork.files)


def _made_to(fork: Fork, patches: list[Patch], below: Files) -> list[Change]:
    """What the patches change in the first of the trees at hand that they apply to."""
    try:
        return changes_of(patches, below, offsets=True)
    except ForkError as e:
        # A fork's queue differs from what a change of upstream's was made for.
        for release in releases.in_cache(fork.project, fork.pin):
            with contextlib.suppress(ForkError):
                files = release_files(fork.project, release)
                return changes_of(patches, files, offsets=True)
        raise ForkError(
            f"{e.what}; nor does it apply to a release in upstream/cache",
            where=e.where,
            hint="bring the release that it was made for with `scripts/fork forecast"
            " VERSION`, or make it again on the queue",
        ) from e


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
        raise ForkError("a patch cannot come after itself", hint="name another one")
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
