"""From the commits in the checkout back to the files in ``patches/``."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from dataclasses import replace

from . import diff
from . import patch as patches
from . import queue as queues
from . import series as serieses
from . import upstream
from .errors import ForkError
from .patch import Patch
from .project import Files
from .project import Project
from .project import write_all
from .tree import Tree


@dataclass(frozen=True)
class Plan:
    """What an export changes: the new content of each file that it would touch."""

    changes: dict[pathlib.Path, bytes]


def plan(project: Project, tree: Tree) -> Plan:
    """Work out what an export of ``tree`` would change in ``patches/``.

    A patch on disk that says the same and leads to the same files stays as it is,
    byte for byte: an export is not a reason for a review.

    :raises ForkError: a commit is no patch, or the commit of a listed patch is gone.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    files = upstream.source(project, pin).package
    commits = tree.patches()
    _check_names(project, [patch.name for patch in queue.patches], commits)

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
    return Plan(changes)


def export(project: Project, tree: Tree) -> Plan:
    """Write what :func:`plan` says, all at once.

    :raises ForkError: there are uncommitted changes, or as :func:`plan`.
    """
    if changed := tree.changed_files():
        raise ForkError(
            f"there are uncommitted changes: {', '.join(changed)}",
            where=tree.shown,
            mend="commit or undo them first: only commits are exported",
        )
    made = plan(project, tree)
    write_all(made.changes)
    tree.mark_exported()
    return made


def _same(there: Patch | None, patch: Patch, before: Files, after: Files) -> bool:
    if there is None or replace(there, diffs=()) != replace(patch, diffs=()):
        return False
    try:
        return diff.apply(there.diffs, before, where=there.name) == after
    except ForkError:
        return False


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
