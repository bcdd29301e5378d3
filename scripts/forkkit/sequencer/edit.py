"""Changing the queue: add, edit, move, fold, disable, drop and rename patches."""

from __future__ import annotations

import contextlib
import pathlib
from dataclasses import replace

from ..base import changelog
from ..base import transaction
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import Project
from ..base.files import read
from ..carry import changes as replay
from ..carry import merge
from ..carry import resolutions
from ..carry.changes import Change
from ..queue import export as exports
from ..queue import message as headers
from ..queue import patch as patches
from ..queue import queue as queues
from ..queue import series as serieses
from ..queue.message import Header
from ..queue.patch import Patch
from ..queue.queue import Queue
from ..upstream import releases
from ..upstream import source as upstream
from . import disabled
from . import sequence
from .journal import check_idle
from .journal import Journal
from .sequence import Result
from .worktree import Bench


def begin(project: Project, bench: Bench, header: Header, after: str | None) -> Result:
    """Stop at a new patch that changes nothing yet.

    :param after: the patch that it comes after; ``None`` for the last one.
    :raises Stopped: always, when it is there.
    :raises ForkError: the name is taken, or the header is not complete.
    """
    author, date = headers.person(project)
    patch = headers.complete(header, author, date, (), header.name)
    name = patch.name
    queue = _load_without(project, name)
    names = _inserted(queue, [name], after)
    files = _below(project, queue, names, name)
    return _run(project, bench, "new", names, [Change(patch, files, files)], edit=name)


def take(
    project: Project, bench: Bench, patches: list[Patch], after: str | None
) -> Result:
    """Add patches from elsewhere to the queue, merged three ways where they must be.

    Each is made for what the one before it leaves; the first for the queue, for the
    pinned release, or for another release that is at hand.

    :param after: the patch that they come after; ``None`` for the last one.
    :raises Stopped: one of them conflicts.
    :raises ForkError: a name is taken, or a patch applies to nothing that is at hand;
        nothing was changed.
    """
    for patch in patches:
        queue = _load_without(project, patch.name)
    added = [patch.name for patch in patches]
    if len(set(added)) < len(added):
        raise ForkError("two of the patches have the same name", mend="rename one")
    names = _inserted(queue, added, after)
    below = _below(project, queue, names, added[0])
    changes = _made_to(project, patches, below)
    with merge.scratch() as merger:
        for outcome in replay.carry_all(changes, below, merger):
            if outcome.kind == "absorbed":
                raise ForkError(
                    f"all that {outcome.name} changes is there already",
                    mend="nothing needs to be done",
                )
    return _run(project, bench, "apply", names, changes)


def enable(project: Project, bench: Bench, name: str, *, resolve: bool) -> Result:
    """Apply a patch again that is disabled, at its place.

    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: it does not apply there any more, or others conflict with it;
        nothing was changed.
    """
    check_idle(project)
    queue = queues.load(project, upstream.load_pin(project))
    if name not in queue.series.disabled:
        raise ForkError(
            f"there is no disabled patch {name!r}",
            where="patches/series",
            mend="`scripts/fork series` lists the patches",
        )
    names = queue.series.with_enabled(name).names
    if not resolve:
        _check_carried(project, queue, names, f"enabling {name}")
    return _run(project, bench, "enable", names)


def disable(project: Project, bench: Bench, name: str, *, resolve: bool) -> Result:
    """Keep a patch, but do not apply it any more.

    :param resolve: stop at the conflicts of those that need it, instead of refusing.
    :raises ForkError: other patches need it; nothing was changed.
    """
    queue = _load(project, name)
    names = tuple(other for other in queue.series.names if other != name)
    if not resolve:
        _check_carried(project, queue, names, f"disabling {name}")
    return _run(project, bench, "disable", names, disabled=(name,))


def set_header(
    project: Project, bench: Bench, name: str, header: Header
) -> list[pathlib.Path]:
    """Give a patch another subject, reason and trailers.

    :return: the files that were written.
    :raises ForkError: something is missing, or the name is another one.
    """
    old = _load(project, name)[name]
    where = f"patches/{name}.patch"
    patch = headers.complete(header, old.author, old.date, old.diffs, where)
    if patch.name != name:
        raise ForkError(
            f"the trailer Fork-Patch is {patch.name!r}, not {name!r}",
            where=where,
            mend=f"leave it; `scripts/fork rename {name} NEW` gives another name",
        )
    pin = upstream.load_pin(project)
    raise_findings(queues.misplaced(project, pin, patch, where=where))
    path = project.patches / f"{name}.patch"
    return _rewrite(project, bench, {path: patches.render(patch)})


def edit(project: Project, bench: Bench, name: str) -> Result:
    """Stop at a patch, for the maintainer to change it.

    :raises Stopped: always, when it is there.
    """
    queue = _load(project, name)
    return _run(project, bench, "edit", queue.series.names, edit=name)


def move(
    project: Project, bench: Bench, name: str, after: str | None, *, resolve: bool
) -> Result:
    """Have a patch come after another one, or first.

    :param after: the name of the other one; ``None`` for first.
    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: patches do not commute; nothing was changed.
    """
    queue = _load(project, name)
    names = [other for other in queue.series.names if other != name]
    names.insert(_place_after(queue, after, names), name)
    if not resolve:
        _check_carried(project, queue, tuple(names), f"moving {name}")
    return _run(project, bench, "move", tuple(names))


def drop(
    project: Project, bench: Bench, name: str, reason: str, *, resolve: bool
) -> Result:
    """Remove a patch from the queue.

    :param reason: why, for the changelog.
    :param resolve: stop at the conflicts of those that need it, instead of refusing.
    :raises ForkError: other patches need it; nothing was changed.
    """
    queue = _load(project, name)
    dropped = ((name, changelog.clause(reason)),)
    names = tuple(other for other in queue.series.names if other != name)
    if not resolve:
        _check_carried(project, queue, names, f"dropping {name}")
    return _run(project, bench, "drop", names, dropped=dropped)


def fold(
    project: Project, bench: Bench, name: str, into: str, *, resolve: bool
) -> Result:
    """Make a patch a part of another one, whose reason and trailers stay.

    :param resolve: stop at conflicts, instead of refusing.
    :raises ForkError: patches between the two do not commute; nothing was changed.
    """
    queue = _load(project, name)
    names = [other for other in queue.series.names if other != name]
    if into == name:
        raise ForkError("a patch cannot be folded into itself", mend="name another one")
    names.insert(_place_after(queue, into, names), name)
    if not resolve:
        _check_carried(project, queue, tuple(names), f"folding {name}")
    return _run(project, bench, "fold", tuple(names), fold=name)


def rename(project: Project, bench: Bench, name: str, new: str) -> list[pathlib.Path]:
    """Give a patch another name, and its tests too if they were named for it.

    :return: the files that were written or removed.
    :raises ForkError: the name is taken, or is none; nothing was changed.
    """
    queue = _load(project, name)
    _check_free(queue, new)
    tests, renamed_tests = map(patches.tests_of, (name, new))
    old = queue[name]
    values = {"Fork-Patch": new}
    contents: exports.Contents = {}
    if old.trailer("Tests") == tests:
        values["Tests"] = renamed_tests
        contents[project.root / renamed_tests] = read(
            project.root / tests, mend="give read access to it"
        )
        contents[project.root / tests] = None
    trailers = tuple((key, values.get(key, value)) for key, value in old.trailers)
    patch = replace(old, trailers=trailers)
    patches.check(patch, where=new)
    contents[project.patches / f"{name}.patch"] = None
    contents[project.patches / f"{new}.patch"] = patches.render(patch)
    series = queue.series.renamed(name, new)
    contents[project.series] = serieses.render(series)
    for resolution in resolutions.load(project).values():
        if resolution.patch == name:
            moved = replace(resolution, patch=new)
            contents[project.resolutions / resolution.file_name] = None
            contents[project.resolutions / moved.file_name] = resolutions.render(moved)
    return _rewrite(project, bench, contents)


def _rewrite(
    project: Project, bench: Bench, contents: exports.Contents
) -> list[pathlib.Path]:
    """Change files of patches that go on changing the same, and the checkout too."""
    if bench.tree.exists():
        exports.settle(project, bench.tree)
        bench.tree.check_nothing_unsaved()
    transaction.commit(project, contents)
    pin = upstream.load_pin(project)
    if bench.tree.exists():
        patched = queues.load(project, pin).patches
        bench.tree.apply(pin, upstream.files(project, pin), patched)
    return list(contents)


def _load_without(project: Project, name: str) -> Queue:
    """The queue, which has no patch of that name."""
    check_idle(project)
    queue = queues.load(project, upstream.load_pin(project))
    _check_free(queue, name)
    return queue


def _check_free(queue: Queue, name: str) -> None:
    if name in (*queue.series.names, *queue.series.disabled):
        raise ForkError(
            f"there is a patch {name!r} already", mend="choose another name"
        )


def _inserted(queue: Queue, added: list[str], after: str | None) -> tuple[str, ...]:
    names = list(queue.series.names)
    place = len(names) if after is None else _place_after(queue, after, names)
    return (*names[:place], *added, *names[place:])


def _below(project: Project, queue: Queue, names: tuple[str, ...], name: str) -> Files:
    """The files below the place of a patch."""
    files = upstream.files(project, upstream.load_pin(project))
    return queues.apply(queue.patches[: names.index(name)], files)


def _made_to(project: Project, patches: list[Patch], below: Files) -> list[Change]:
    """What the patches change in the first of the trees at hand that they apply to."""
    pin = upstream.load_pin(project)
    try:
        return replay.changes(patches, below, offsets=True)
    except ForkError as e:
        # A fork's queue differs from what a change of upstream's was made for.
        for release in releases.at_hand(project, pin):
            with contextlib.suppress(ForkError):
                files = upstream.files(project, release)
                return replay.changes(patches, files, offsets=True)
        raise ForkError(
            f"{e.what}; nor does it apply to a release in upstream/cache",
            where=e.where,
            mend="bring the release that it was made for with `scripts/fork forecast"
            " VERSION`, or make it again on the queue",
        ) from e


def _load(project: Project, name: str) -> Queue:
    """The queue, which has a patch of that name."""
    check_idle(project)
    queue = queues.load(project, upstream.load_pin(project))
    queue[name]
    return queue


def _place_after(queue: Queue, other: str | None, names: list[str]) -> int:
    if other is None:
        return 0
    queue[other]
    if other not in names:
        raise ForkError("a patch cannot come after itself", mend="name another one")
    return names.index(other) + 1


def _check_carried(
    project: Project, queue: Queue, names: tuple[str, ...], doing: str
) -> None:
    """Make sure that the patches apply in that order, whatever it takes.

    :raises ForkError: one conflicts; the error says which, and where.
    """
    files = upstream.files(project, upstream.load_pin(project))
    changes = replay.changes(queue.patches, files)
    changes += disabled.changes(queue, files, names)
    by_name = {change.patch.name: change for change in changes}
    with merge.scratch() as merger:
        order = (by_name[name] for name in names)
        broken = [
            f"{outcome.name} in {', '.join(outcome.conflicts)}"
            for outcome in replay.carry_all(order, files, merger)
            if outcome.kind == "conflict"
        ]
    if broken:
        raise ForkError(
            f"{doing} would conflict with {'; '.join(broken)}",
            where="patches/series",
            mend="move or drop these first, or give --resolve to resolve the conflicts"
            " one by one",
        )


def _run(
    project: Project,
    bench: Bench,
    verb: str,
    names: tuple[str, ...],
    added: list[Change] | None = None,
    **values: object,
) -> Result:
    pin = upstream.load_pin(project)
    journal = replace(Journal(verb, pin, names), **values)  # type: ignore[arg-type]
    return sequence.begin(project, bench, journal, added)
