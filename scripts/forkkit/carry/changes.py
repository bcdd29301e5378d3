"""Carrying patches over to other files, by three-way merges."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base.errors import ForkError
from ..base.files import Files
from ..queue.patch import Patch
from ..queue.queue import apply_patches
from .merge import Merger

Kind = t.Literal[
    "unchanged", "moved", "merged", "resolved", "absorbed", "dropped", "conflict"
]
#: What can become of a patch, with a sign for each.
SIGNS: dict[Kind, str] = {
    "unchanged": ".",
    "moved": "o",
    "merged": "m",
    "resolved": "r",
    "absorbed": "A",
    "dropped": "-",
    "conflict": "C",
}


@dataclass(frozen=True)
class Change:
    """A patch with all upstream files, before and after it.

    These define what it changes, wherever it is carried.
    """

    patch: Patch
    before: Files
    after: Files

    @property
    def touched(self) -> list[str]:
        """The paths that it changes, adds or deletes."""
        return [file.path for file in self.patch.diffs]


@dataclass(frozen=True)
class Outcome:
    """What became of a patch.

    :param name: the patch's name.
    :param kind: ``unchanged``, it applies at the same lines; ``moved``, at other lines;
        ``merged``, in a different context; ``resolved``, its conflict is resolved as it
        was before; ``absorbed``, it no longer changes anything; ``dropped``, by its own
        ``Drop-When``; or ``conflict``.
    :param files: all files after it; on a conflict, with git's markers in them.
    :param conflicts: the paths with a conflict.
    """

    name: str
    kind: Kind
    files: Files
    conflicts: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether a sequence stops there, for the maintainer to decide."""
        return self.kind in {"conflict", "absorbed"}


class Memory(t.Protocol):
    """Looks up how conflicts were resolved before."""

    def __call__(
        self, change: Change, ours: Files, merged: Files, paths: tuple[str, ...]
    ) -> Files | None:
        """``merged`` with the conflicts at ``paths`` resolved; ``None`` if unknown.

        :param ours: the files that the change is carried to.
        """


def changes_of(
    patches: t.Iterable[Patch], files: Files, *, offsets: bool = False
) -> list[Change]:
    """The changes that a queue makes to ``files``, one after another.

    :param offsets: as in :func:`forkkit.base.diff.apply`.
    :raises ForkError: a patch does not apply.
    """
    found = []
    for patch in patches:
        before, files = files, apply_patches([patch], files, offsets=offsets)
        found.append(Change(patch, before, files))
    return found


def carry_all(
    changes: t.Iterable[Change],
    files: Files,
    merger: Merger,
    memory: Memory | None = None,
) -> t.Iterator[Outcome]:
    """Carry changes one after another; one with a conflict is left out."""
    for change in changes:
        outcome = carry(change, files, merger, memory)
        yield outcome
        if outcome.kind != "conflict":
            files = outcome.files


def carry(
    change: Change, files: Files, merger: Merger, memory: Memory | None = None
) -> Outcome:
    """Carry a change to ``files``.

    :return: the outcome; its files are those after the change.
    """
    name, paths = change.patch.name, set(change.touched)
    if _are_moved(change, files):
        paths = {*change.before, *files, *change.after}
    elif all(files.get(path) == change.before.get(path) for path in paths):
        return Outcome(name, "unchanged", _replace(files, paths, change.after))

    sides = (change.before, files, change.after)
    merged = merger.merge(*(_only(paths, side) for side in sides))
    after = _replace(files, paths | merged.files.keys(), merged.files)
    if merged.conflicts:
        resolved = memory(change, files, after, merged.conflicts) if memory else None
        if resolved is None:
            return Outcome(name, "conflict", after, merged.conflicts)
        return Outcome(name, "resolved", resolved, merged.conflicts)

    if after == files:
        return Outcome(name, "absorbed", after)
    return Outcome(name, _how(change.patch, files, after), after)


def _are_moved(change: Change, files: Files) -> bool:
    """Whether files that a change touches may have moved in ``files``."""
    folders = {path.rpartition("/")[0] for path in files}
    return any(
        path not in files
        if path in change.before
        else path.rpartition("/")[0] not in folders
        for path in change.touched
    )


def _how(patch: Patch, before: Files, after: Files) -> Kind:
    kinds: dict[Kind, bool] = {"unchanged": False, "moved": True}
    for kind, offsets in kinds.items():
        try:
            found = diff.apply(patch.diffs, before, where=patch.name, offsets=offsets)
        except ForkError:
            continue
        if found == after:
            return kind
    return "merged"


def _only(paths: t.Collection[str], files: Files) -> Files:
    return {path: files[path] for path in paths if path in files}


def _replace(files: Files, paths: t.Collection[str], others: Files) -> Files:
    """``files``, with those at ``paths`` taken from ``others``."""
    rest = {path: data for path, data in files.items() if path not in paths}
    return {**rest, **_only(paths, others)}
