"""How conflicts were resolved, so that nobody has to resolve them again.

A resolution is committed next to the patches. It has the diff that resolves a conflict
and the blob ids of all sides, and is used only if every one of them is the same.
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

#: The id of a file that does not exist.
ABSENT = "0" * 40
_LINE = re.compile(r"(Patch|Conflict|Result): ((?:[0-9a-f]{40} ){0,3})(\S.*)")


@dataclass(frozen=True)
class Conflict:
    """A path with a conflict, and the ids of the blobs of its three sides."""

    path: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Resolution:
    """How the conflicts of one patch on one release were resolved.

    :param patch: the patch's name.
    :param conflicts: the conflicts, by path.
    :param results: path and blob id of each file that the resolution affects.
    :param diffs: the changes to these files, starting from the release's side.
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
            raise _malformed(where, "it needs one Patch and at least one Conflict")
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
        """The name of its file, derived from the conflicts."""
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
    """The known resolutions, by file name."""

    known: t.Mapping[str, Resolution]

    @classmethod
    def load(cls, project: Project) -> Memory:
        """Read the resolutions that are committed next to the patches.

        :raises ForkError: one is malformed, or in the wrong file.
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
                    hint="restore it from git, or remove it",
                )
            found[name] = resolution
        return cls(found)

    def knowing(self, more: t.Iterable[Resolution]) -> Memory:
        """The same with more resolutions."""
        return Memory({**self.known, **{found.file_name: found for found in more}})

    def __call__(
        self, change: Change, ours: Files, merged: Files, paths: tuple[str, ...]
    ) -> Files | None:
        """``merged`` with its conflicts resolved as before; ``None`` if unknown."""
        found = self.known.get(self.file_name(change, ours, paths))
        return replay(found, ours, merged) if found else None

    def file_name(self, change: Change, ours: Files, paths: tuple[str, ...]) -> str:
        """The name of the file for the resolution of a conflict."""
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

    :param diffs: the changes from ``ours`` to ``resolved``.
    :return: ``None`` if the resolution would contain whole files of upstream's.
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
    """``merged`` with its conflicts resolved; ``None`` if the result differs.

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
        hint="restore it from git, or remove it; you will then be asked about"
        " the conflict again",
    )
