"""From the commits in the checkout back to the files in ``patches/``."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t
from dataclasses import replace

from ..base import diff
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import Project
from ..base.transaction import commit
from ..upstream import source as upstream
from ..upstream.pin import Pin
from . import patch as patches
from . import queue as queues
from . import series as serieses
from .checkout import Tree
from .patch import Patch
from .queue import Queue
from .series import Series

#: The new content of files; ``None`` for one that goes.
Contents = dict[pathlib.Path, t.Optional[bytes]]


def plan(project: Project, tree: Tree) -> Contents:
    """Work out what an export of ``tree`` would change in ``patches/``.

    :return: the new content of each file that would change.
    :raises ForkError: a commit is no patch that could be read again, or the commit of
        a listed patch is gone.
    """
    return contents(project, upstream.load_pin(project), tree.patches())


def export(project: Project, tree: Tree) -> Contents:
    """Write what :func:`plan` says, all at once, and return it.

    :raises ForkError: there are uncommitted changes, or as :func:`plan`.
    """
    tree.check_at_rest()
    settle(project, tree)
    _check_current(project, tree)
    changes = plan(project, tree)
    commit(project, changes)
    tree.mark_exported()
    return changes


def settle(project: Project, tree: Tree) -> None:
    """Note that the commits are exported if ``patches/`` holds them already.

    An export that was killed at its very end has not noted it.
    """
    # What cannot be exported at all is not.
    with contextlib.suppress(ForkError):
        if tree.exists() and not tree.exported() and not plan(project, tree):
            tree.mark_exported()


def contents(
    project: Project,
    pin: Pin,
    commits: list[Patch],
    dropped: t.Collection[str] = (),
    disabled: t.Collection[str] = (),
) -> Contents:
    """What changes in ``patches/`` to have it hold other patches.

    A patch on disk that says the same and leads to the same files stays as it is,
    byte for byte: an export is not a reason for a review.

    :param pin: the release that the patches are for.
    :param dropped: the patches that shall go.
    :param disabled: those that shall stay, but not be applied.
    :return: the new content of each file that changes; ``None`` for one that goes.
    :raises ForkError: as :func:`plan`.
    """
    queue = queues.load(project, upstream.load_pin(project))
    files = upstream.source(project, pin).package
    left_out = {*dropped, *disabled}
    listed = [patch.name for patch in queue.patches if patch.name not in left_out]
    _check_names(project, listed, commits)
    _check_readable(project, pin, commits)

    there = {patch.name: patch for patch in (*queue.patches, *queue.disabled)}
    changes: Contents = {}
    for patch in commits:
        before, files = files, queues.apply([patch], files)
        path = project.patches / f"{patch.name}.patch"
        if not say_the_same(there.get(patch.name), patch, before, files):
            changes[path] = patches.render(patch)
    if (series := _series(queue, commits, disabled)) != queue.series:
        changes[project.series] = serieses.render(series)
    for name in dropped:
        changes[project.patches / f"{name}.patch"] = None
    return changes


def say_the_same(
    there: Patch | None, patch: Patch, before: Files, after: Files
) -> bool:
    """Whether a patch on disk has the same head as another, and leads to ``after``."""
    if there is None or replace(there, diffs=()) != replace(patch, diffs=()):
        return False
    try:
        return diff.apply(there.diffs, before, where=there.name) == after
    except ForkError:
        return False


def _series(queue: Queue, commits: list[Patch], disabled: t.Iterable[str]) -> Series:
    series = queue.series
    for name in disabled:
        series = series.with_disabled(name)
    names = tuple(patch.name for patch in commits)
    for name in series.disabled.keys() & names:
        series = series.with_enabled(name)
    return series.with_names(names)


def changed_on_disk(project: Project, tree: Tree) -> list[str]:
    """What has changed in ``patches/`` since the checkout was made from it.

    :return: the files, or what is wrong with them.
    """
    try:
        known = tree.known_patches()
        changes = contents(project, upstream.load_pin(project), known)
    except ForkError as e:
        return [str(e)]
    return [project.relative(path) for path in changes]


def _check_current(project: Project, tree: Tree) -> None:
    """Make sure that ``patches/`` is still what the checkout was made from.

    :raises ForkError: it was changed, and an export would change it back.
    """
    changed = ", ".join(changed_on_disk(project, tree))
    if not changed:
        return
    if tree.exported():
        mend = "run `scripts/fork apply`, which goes over to it"
    else:
        mend = (
            f"keep your commits with `git -C {tree.shown} branch mine`, go over to it"
            f" with `git -C {tree.shown} reset --hard refs/fork/known` and"
            " `scripts/fork apply`, and `git cherry-pick` them there"
        )
    raise ForkError(
        f"patches/ has changed since the checkout was made: {changed}",
        where=tree.shown,
        mend=mend,
    )


def _check_readable(project: Project, pin: Pin, commits: list[Patch]) -> None:
    """What is written now has to be a patch when it is read again."""
    problems: list[ForkError] = []
    for patch in commits:
        where = f"{project.relative(project.checkout)}: commit of {patch.name}"
        try:
            again = patches.parse(patches.render(patch), where=where)
        except ForkError as e:
            problems += e.problems
            continue
        problems += queues.misplaced(project, pin, patch, where=where)
        if again != patch:
            problems.append(
                ForkError(
                    "its author, date or message cannot be written into a patch",
                    where=where,
                    mend="use one line of printable characters for each of author and"
                    " subject, and plain text for the rest",
                )
            )
    raise_findings(problems)


def _check_names(project: Project, listed: list[str], commits: list[Patch]) -> None:
    names = [patch.name for patch in commits]
    for name in names:
        if names.count(name) > 1:
            raise ForkError(
                f"two commits have the trailer Fork-Patch: {name}",
                where=project.relative(project.checkout),
                mend="fold them into one, or give one of them another name",
            )
    for name in listed:
        if name not in names:
            raise ForkError(
                f"the commit of the patch {name} is gone",
                where=project.relative(project.checkout),
                mend=f"to drop it, remove {name}.patch and its line in patches/series"
                " first; to bring it back, look for it in `git reflog` there",
            )
