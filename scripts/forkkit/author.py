"""Changing the queue: edit, move, fold, drop and rename patches."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from . import export as exports
from . import merge
from . import patch as patches
from . import queue as queues
from . import replay
from . import resolution as resolutions
from . import sequence
from . import series as serieses
from . import transaction
from . import upstream
from .bench import Bench
from .errors import ForkError
from .journal import check_idle
from .journal import Journal
from .project import Project
from .project import read
from .queue import Queue
from .sequence import Result


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
        _check_carried(project, queue, names, f"moving {name}")
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
    names = [other for other in queue.series.names if other != name]
    if not resolve:
        _check_carried(project, queue, names, f"dropping {name}")
    return _run(project, bench, "drop", tuple(names), dropped=((name, reason),))


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
        _check_carried(project, queue, names, f"folding {name}")
    return _run(project, bench, "fold", tuple(names), fold=name)


def rename(project: Project, bench: Bench, name: str, new: str) -> list[pathlib.Path]:
    """Give a patch another name, and its tests too if they were named for it.

    :return: the files that were written or removed.
    :raises ForkError: the name is taken, or is none; nothing was changed.
    """
    check_idle(project)
    queue = _load(project, name)
    if new in queue.series.names:
        raise ForkError(f"there is a patch {new!r} already", mend="choose another name")
    if bench.tree.exists():
        exports.settle(project, bench.tree)
        bench.tree.check_nothing_unsaved()
    tests, renamed_tests = (
        f"tests/patches/test_{slug.replace('-', '_')}.py" for slug in (name, new)
    )
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
    transaction.commit(project, contents)
    pin = upstream.load_pin(project)
    if bench.tree.exists():
        patched = queues.load(project, pin).patches
        bench.tree.apply(pin, upstream.files(project, pin), patched)
    return list(contents)


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
    project: Project, queue: Queue, names: list[str], doing: str
) -> None:
    """Make sure that the patches apply in that order, whatever it takes.

    :raises ForkError: one conflicts; the error says which, and where.
    """
    files = upstream.files(project, upstream.load_pin(project))
    by_name = {c.patch.name: c for c in replay.changes(queue.patches, files)}
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
    project: Project, bench: Bench, verb: str, names: tuple[str, ...], **values: object
) -> Result:
    pin = upstream.load_pin(project)
    journal = replace(Journal(verb, pin, names), **values)  # type: ignore[arg-type]
    return sequence.begin(project, bench, journal)
