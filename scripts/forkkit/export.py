"""From the commits in the checkout back to the files in ``patches/``."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from . import diff
from . import patch as patches
from . import queue as queues
from . import series as serieses
from . import upstream
from .errors import ForkError
from .errors import raise_findings
from .patch import Patch
from .pin import Pin
from .project import Files
from .project import Project
from .project import write_all
from .tree import Tree


def plan(project: Project, tree: Tree) -> dict[pathlib.Path, bytes]:
    """Work out what an export of ``tree`` would change in ``patches/``.

    A patch on disk that says the same and leads to the same files stays as it is,
    byte for byte: an export is not a reason for a review.

    :return: the new content of each file that would change.
    :raises ForkError: a commit is no patch that could be read again, or the commit of
        a listed patch is gone.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    files = upstream.source(project, pin).package
    commits = tree.patches()
    _check_names(project, [patch.name for patch in queue.patches], commits)
    _check_readable(project, pin, tree, commits)

    there = {patch.name: patch for patch in queue.patches}
    changes: dict[pathlib.Path, bytes] = {}
    for patch in commits:
        before, files = files, queues.apply([patch], files)
        path = project.patches / f"{patch.name}.patch"
        if not _same(there.get(patch.name), patch, before, files):
            changes[path] = patches.render(patch)
    names = tuple(patch.name for patch in commits)
    if names != queue.series.names:
        series = queue.series.with_names(names)
        changes[project.series] = serieses.render(series)
    return changes


def export(project: Project, tree: Tree) -> dict[pathlib.Path, bytes]:
    """Write what :func:`plan` says, all at once, and return it.

    :raises ForkError: there are uncommitted changes, or as :func:`plan`.
    """
    tree.check_at_rest()
    changes = plan(project, tree)
    write_all(changes)
    tree.mark_exported()
    return changes


def _same(there: Patch | None, patch: Patch, before: Files, after: Files) -> bool:
    if there is None or replace(there, diffs=()) != replace(patch, diffs=()):
        return False
    try:
        return diff.apply(there.diffs, before, where=there.name) == after
    except ForkError:
        return False


def _check_readable(
    project: Project, pin: Pin, tree: Tree, commits: list[Patch]
) -> None:
    """What is written now has to be a patch when it is read again."""
    problems: list[ForkError] = []
    for patch in commits:
        where = f"{tree.shown}: commit of {patch.name}"
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
