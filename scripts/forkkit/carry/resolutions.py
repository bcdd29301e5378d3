"""How a conflict was resolved, so that it need not be resolved again.

A resolution is committed beside the patches. It holds what was changed to resolve the
conflict, and the blobs of all sides: it is used where every one of them is the same.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.files import check_path
from ..base.files import Files
from ..base.files import read
from ..base.paths import Project
from .changes import Change

#: The id of a file that is not there.
ABSENT = "0" * 40
_LINE = re.compile(r"(Patch|Conflict|Result): ((?:[0-9a-f]{40} ){0,3})(\S.*)")


@dataclass(frozen=True)
class Conflict:
    """A path on which two sides do not agree, with the ids of git's three blobs."""

    path: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Resolution:
    """What was made of the conflicts of one patch on one release.

    :param patch: the patch's name.
    :param conflicts: the conflicts, by path.
    :param results: path and blob of each file that the resolution is about.
    :param diffs: what is changed in these, from the release's side on.
    """

    patch: str
    conflicts: tuple[Conflict, ...]
    results: tuple[tuple[str, str], ...]
    diffs: tuple[FileDiff, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Resolution:
        """Read a resolution.

        :raises ForkError: it is malformed.
        """
        head, _, changes = data.partition(b"\n\n")
        names: list[str] = []
        conflicts: list[Conflict] = []
        results: list[tuple[str, str]] = []
        for line in head.decode("utf-8", "backslashreplace").split("\n"):
            key, shas, rest = _parse_line(line, where)
            if key == "Patch":
                names.append(rest)
                continue
            path = check_path(rest, where=where)
            if key == "Conflict":
                conflicts.append(Conflict(path, *shas))
            else:
                results.append((path, shas[0]))
        if len(names) != 1 or not conflicts:
            raise _malformed(where, "one Patch, and at least one Conflict, are needed")
        diffs = diff.parse(changes, where=where)
        return cls(names[0], tuple(conflicts), tuple(results), diffs)

    def render(self) -> bytes:
        """The text of the file."""
        lines = [f"Patch: {self.patch}"]
        for c in self.conflicts:
            lines.append(f"Conflict: {c.base} {c.ours} {c.theirs} {c.path}")
        lines += [f"Result: {blob} {path}" for path, blob in self.results]
        return "\n".join([*lines, "", ""]).encode() + diff.render(self.diffs)

    @property
    def file_name(self) -> str:
        """The name of its file, which the conflicts give."""
        key = hashlib.sha256(repr((self.patch, self.conflicts)).encode())
        return f"{self.patch}/{key.hexdigest()[:12]}.diff"


def blob_id(content: bytes | None) -> str:
    """The id that git gives to a file."""
    if content is None:
        return ABSENT
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Memory:
    """The resolutions that are known, by file name."""

    known: t.Mapping[str, Resolution]

    @classmethod
    def load(cls, project: Project) -> Memory:
        """Read the resolutions that are committed beside the patches.

        :raises ForkError: one is malformed, or not in the file that it should be in.
        """
        found = {}
        for path in sorted(project.resolutions.glob("*/*.diff")):
            where = project.relative(path)
            content = read(path, hint="give read access to it")
            resolution = Resolution.parse(content, where=where)
            name = path.relative_to(project.resolutions).as_posix()
            if resolution.file_name != name:
                raise ForkError(
                    f"belongs to {resolution.file_name}",
                    where=where,
                    hint="restore it from the history, or remove it",
                )
            found[name] = resolution
        return cls(found)

    def knowing(self, more: t.Iterable[Resolution]) -> Memory:
        """The same, and more resolutions besides."""
        return Memory({**self.known, **{found.file_name: found for found in more}})

    def __call__(
        self, change: Change, ours: Files, merged: Files, paths: tuple[str, ...]
    ) -> Files | None:
        """``merged`` with its conflicts resolved as they were before, if they were."""
        found = self.known.get(self.file_name(change, ours, paths))
        return replay(found, ours, merged) if found else None

    def file_name(self, change: Change, ours: Files, paths: tuple[str, ...]) -> str:
        """The name of the file that holds how a conflict was resolved, if it was."""
        conflicts = _conflicts(change, ours, paths)
        return Resolution(change.patch.name, conflicts, (), ()).file_name


def record(
    change: Change,
    ours: Files,
    merged: Files,
    paths: tuple[str, ...],
    resolved: Files,
    diffs: tuple[FileDiff, ...],
) -> Resolution | None:
    """Remember how the conflicts of a patch were resolved.

    :param diffs: what is changed from ``ours`` to ``resolved``.
    :return: ``None`` if the resolution would hold whole files of upstream's.
    """
    about = {
        path
        for path in {*paths, *merged, *resolved}
        if path in paths or merged.get(path) != resolved.get(path)
    }
    mine = tuple(d for d in diffs if d.path in about and d.kind != "delete")
    if any(d.kind == "add" and d.path in change.before for d in mine):
        return None
    results = tuple((path, blob_id(resolved.get(path))) for path in sorted(about))
    conflicts = _conflicts(change, ours, paths)
    return Resolution(change.patch.name, conflicts, results, mine)


def _conflicts(
    change: Change, ours: Files, paths: t.Iterable[str]
) -> tuple[Conflict, ...]:
    sides = (change.before, ours, change.after)
    return tuple(
        Conflict(path, *(blob_id(side.get(path)) for side in sides))
        for path in sorted(paths)
    )


def replay(resolution: Resolution, ours: Files, merged: Files) -> Files | None:
    """``merged`` with its conflicts resolved; ``None`` if something is another.

    :param ours: the files that the patch is carried to.
    """
    paths = [path for path, _ in resolution.results]
    rest = {path: data for path, data in merged.items() if path not in paths}
    there = {path: ours[path] for path in paths if path in ours}
    try:
        made = diff.apply(resolution.diffs, there, where=resolution.patch)
    except ForkError:
        return None
    results = {
        path: made[path]
        for path, blob in resolution.results
        if blob != ABSENT and path in made
    }
    if any(blob_id(results.get(path)) != blob for path, blob in resolution.results):
        return None
    return {**rest, **results}


def _parse_line(line: str, where: object) -> tuple[str, list[str], str]:
    """The key of a line, the ids of its blobs, and the rest."""
    match = _LINE.fullmatch(line)
    key, shas = (match[1], match[2].split()) if match else ("", [])
    if not match or len(shas) != {"Patch": 0, "Conflict": 3, "Result": 1}[key]:
        raise _malformed(where, line)
    return key, shas, match[3]


def _malformed(where: object, what: str) -> ForkError:
    return ForkError(
        f"is not the resolution of a conflict: {what!r}",
        where=where,
        hint="restore it from the history, or remove it; you will then be asked about"
        " the conflict again",
    )
