"""Which patch owns each line of a file, with the queue applied."""

from __future__ import annotations

import typing as t

from ..base.diff import FileDiff
from ..base.diff import split_lines
from ..base.errors import ForkError
from .fork import Fork
from .queue import apply_patches


class Line(t.NamedTuple):
    """A line of a file.

    :param text: its text, without the newline.
    :param patch: the last patch that wrote it; ``None`` for an upstream line.
    :param removed: the patches that removed lines directly above it.
    :param removed_below: for the last line, those that removed lines after it.
    """

    text: str
    patch: str | None = None
    removed: tuple[str, ...] = ()
    removed_below: tuple[str, ...] = ()


def annotate(fork: Fork, name: str) -> list[Line]:
    """The lines of a file, each with the patch that owns it.

    :param name: the path of the file, or its end, such as ``sansio/app.py``.
    :raises ForkError: no file has that name, or several have; or the queue does not
        apply.
    """
    path = _find(fork, name)
    _check_kept(fork, path)
    lines = [_line(text) for text in split_lines(fork.files.get(path, b""))]
    for patch in fork.queue.patches:
        for file in patch.diffs:
            if file.path == path:
                lines = _changed(lines, file, patch.name)
    return lines


def _find(fork: Fork, name: str) -> str:
    """The path of the one file that has that name, before or after the queue."""
    # Applied strictly, so that each hunk is at its line number.
    patched = apply_patches(fork.queue.patches, fork.files)
    paths = sorted(patched.keys() | fork.files.keys())
    if name in paths:
        return name
    prefix = f"{fork.pin.package}/"
    found = [p for p in paths if p.startswith(prefix) and f"/{p}".endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    what = f"several files are named {name}" if found else f"there is no file {name}"
    others = found or [p for p in paths if p.startswith(prefix) and p.endswith(".py")]
    raise ForkError(what, hint=f"name one of {', '.join(others)}")


def _check_kept(fork: Fork, path: str) -> None:
    last = [
        (patch, file.kind)
        for patch in fork.queue.patches
        for file in patch.diffs
        if file.path == path
    ][-1:]
    for patch, kind in last:
        if kind == "delete":
            raise ForkError(
                f"the patch deletes {path}",
                where=patch.where,
                hint=f"`scripts/fork show {patch.name}` prints the lines it removes",
            )


def _changed(lines: list[Line], file: FileDiff, patch: str) -> list[Line]:
    """The lines of a file after a patch, whose hunks are at their line numbers."""
    made: list[Line] = []
    position = 0
    removed = False
    for hunk in file.hunks:
        # The first line of an added file has the number 0.
        start = max(hunk.old_start - 1, 0) if hunk.old else hunk.old_start
        made += lines[position:start]
        position = start
        for mark, text in hunk.lines:
            if mark == b"+":
                made.append(_line(text, patch))
                removed = False
                continue
            line, position = lines[position], position + 1
            if mark == b"-":
                removed = True
                continue
            if removed:
                line = line._replace(removed=(*line.removed, patch))
            made.append(line)
            removed = False
    made += lines[position:]
    if removed and position == len(lines) and made:
        made[-1] = made[-1]._replace(removed_below=(*made[-1].removed_below, patch))
    return made


def _line(text: bytes, patch: str | None = None) -> Line:
    return Line(text.decode("utf-8", "replace").rstrip("\r\n"), patch)
