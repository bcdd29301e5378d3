"""Unified diffs: parse, render, apply. Git's format, text files only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import ForkError
from .files import check_path
from .files import Files

_NO_NEWLINE = b"\\ No newline at end of file\n"
_GIT_LINE = b"diff --git a/"
# No file has a billion lines, and longer numbers take long to read.
_RANGE = rb"(\d{1,9})(?:,(\d{1,9}))?"
_HUNK_LINE = re.compile(rb"@@ -%s \+%s @@([^\n]*)\n" % (_RANGE, _RANGE))
_FORM = "export the patch again from a commit that changes only plain text"


#: What a diff does to a file. The last two do not occur in patches of the queue.
Kind = t.Literal["change", "add", "delete", "rename", "copy"]
_NEW = ("add", "rename", "copy")


@dataclass(frozen=True)
class Hunk:
    """One run of changed lines with its context.

    :param old_start: the number of its first line before the change, from 1.
    :param new_start: the same after the change.
    :param section: what git prints after the second ``@@``, with the space.
    :param lines: pairs of a mark (space, ``-`` or ``+``) and the line's bytes; only
        the last line of a file may lack its newline.
    """

    old_start: int
    new_start: int
    section: bytes
    lines: tuple[tuple[bytes, bytes], ...]

    @property
    def ends_file(self) -> bool:
        """Whether it ends without context, so that the file must end there too."""
        return self.lines[-1][0] != b" "

    @property
    def old(self) -> list[bytes]:
        return [text for mark, text in self.lines if mark != b"+"]

    @property
    def new(self) -> list[bytes]:
        return [text for mark, text in self.lines if mark != b"-"]


@dataclass(frozen=True)
class FileDiff:
    """The changes to one file.

    :param path: its path.
    :param kind: ``change``, ``add`` or ``delete``; from elsewhere, also ``rename`` or
        ``copy``.
    :param hunks: in order; none for an empty file.
    :param source: the file that is renamed or copied; the path itself if the file is
        deleted regardless of its content.
    """

    path: str
    kind: Kind
    hunks: tuple[Hunk, ...]
    source: str | None = None


def parse(data: bytes, *, where: object) -> tuple[FileDiff, ...]:
    """Read the diff of one commit.

    :raises ForkError: it is not a git diff, or has a binary change, a rename, a link,
        a mode other than that of a plain file, or an unsafe path.
    """
    return tuple(_Reader(data, where).files())


def render(diffs: t.Iterable[FileDiff]) -> bytes:
    """The text of ``diffs`` in git's format, without ``index`` lines."""
    return b"".join(map(_render_file, diffs))


def apply(
    diffs: t.Iterable[FileDiff], files: Files, *, where: object, offsets: bool = False
) -> Files:
    """Return ``files`` with ``diffs`` applied.

    :param offsets: look for a hunk's lines elsewhere in the file if they are not at
        their line number. All context must match either way.
    :raises ForkError: a diff does not apply; the error names the file and the hunk,
        and shows what is there instead.
    """
    changed = dict(files)
    folders: set[str] = set()
    for diff in diffs:
        if diff.kind in _NEW:
            if diff.path in changed:
                raise _refused(where, diff, "adds it, but it already exists")
            folders = folders or {above for path in files for above in _above(path)}
            if taken := _in_the_way(diff.path, changed, folders):
                raise _refused(where, diff, f"adds it, but {taken} is in the way")
            folders.update(_above(diff.path))
        source = diff.source or diff.path
        if diff.kind != "add" and source not in changed:
            what = f"{diff.kind}s {source}" if diff.source else "changes it"
            raise _refused(where, diff, f"{what}, but it does not exist")

        content = changed.get(source, b"")
        if diff.kind != "copy":
            changed.pop(source, None)
        content = _apply_file(diff, content, where, offsets)
        if diff.kind != "delete":
            changed[diff.path] = content
        elif content and not diff.source:
            raise _refused(where, diff, "deletes it, but not all of its lines")
    return changed


def reverse(diffs: t.Iterable[FileDiff]) -> tuple[FileDiff, ...]:
    """The diffs that undo ``diffs``."""
    kinds: dict[Kind, Kind] = {"add": "delete", "delete": "add"}
    return tuple(
        FileDiff(
            diff.path,
            kinds.get(diff.kind, diff.kind),
            tuple(map(_reverse_hunk, diff.hunks)),
        )
        for diff in diffs
    )


def _reverse_hunk(hunk: Hunk) -> Hunk:
    marks = {b"-": b"+", b"+": b"-"}
    lines = tuple((marks.get(mark, mark), text) for mark, text in hunk.lines)
    return Hunk(hunk.new_start, hunk.old_start, hunk.section, lines)


class _Reader:
    """Reads a diff line by line."""

    def __init__(self, data: bytes, where: object) -> None:
        self.lines = split_lines(data)
        self.where = where
        self.position = 0

    def error(self, what: str, hint: str = _FORM) -> ForkError:
        return ForkError(
            f"line {self.position + 1} of the diff: {what}", where=self.where, hint=hint
        )

    @property
    def line(self) -> bytes:
        if self.position < len(self.lines):
            return self.lines[self.position]
        return b""

    def take(self) -> bytes:
        line = self.line
        self.position += 1
        return line

    def files(self) -> t.Iterator[FileDiff]:
        seen: set[str] = set()
        while self.line:
            diff = self.file()
            if diff.path in seen:
                raise self.error(f"a second diff of {diff.path}")
            seen.add(diff.path)
            yield diff

    def file(self) -> FileDiff:
        name = self.name()
        try:
            path = check_path(name.decode(), where=self.where)
        except UnicodeDecodeError as e:
            raise self.error(f"a path that is not UTF-8: {name!r}") from e
        self.take()

        kind = self.header()
        old = b"/dev/null" if kind == "add" else b"a/" + name
        new = b"/dev/null" if kind == "delete" else b"b/" + name
        hunks: list[Hunk] = []
        shift = 0
        if self.line.startswith(b"--- "):
            for expected in (b"--- " + old, b"+++ " + new):
                if self.take().rstrip(b"\t\n") != expected:
                    self.position -= 1
                    raise self.error(f"expected {_show(expected)}")
            while self.line.startswith(b"@@ "):
                hunks.append(hunk := self.hunk())
                shift = self.check_numbers(hunk, shift)
            if not hunks:
                raise self.error("the file has no hunks")
        elif kind == "change":
            raise self.error(f"{path} is not changed")
        return FileDiff(path, kind, tuple(hunks))

    def name(self) -> bytes:
        """The path in git's line, which names it twice."""
        names = self.line[len(_GIT_LINE) : -1]
        path = names[: (len(names) - len(b" b/")) // 2]
        if not self.line.startswith(_GIT_LINE) or b" b/" not in names:
            raise self.error(f"expected 'diff --git', found {_show(self.line)}")
        if names != path + b" b/" + path:
            raise self.error("renames are not supported")
        return path

    def check_numbers(self, hunk: Hunk, shift: int) -> int:
        """Check that a hunk changes something and its line numbers agree.

        :param shift: by how many lines the hunks before it have moved the file.
        :return: the same, after this hunk.
        """
        if all(mark == b" " for mark, _ in hunk.lines):
            raise self.error("the hunk above changes nothing")
        # An empty range names the line before it.
        before = hunk.old_start - bool(hunk.old)
        after = hunk.new_start - bool(hunk.new)
        if before < 0 or after != before + shift:
            raise self.error("the hunk above has inconsistent line numbers")
        return shift + len(hunk.new) - len(hunk.old)

    def header(self) -> Kind:
        kind: Kind = "change"
        while self.line and not self.line.startswith((b"--- ", b"diff --git ")):
            line = self.line
            if line.startswith((b"new file mode ", b"deleted file mode ")):
                if kind != "change":
                    raise self.error("the file is both added and deleted")
                kind = "add" if line.startswith(b"new") else "delete"
                if line.split()[-1] != b"100644":
                    raise self.error("only plain files of mode 100644 are supported")
            elif line.startswith((b"GIT binary patch", b"Binary files ")):
                raise self.error("binary changes are not supported")
            elif line.startswith((b"old mode", b"new mode")):
                raise self.error("mode changes are not supported")
            elif line.startswith((b"rename ", b"copy ", b"similarity ")):
                raise self.error("renames and copies are not supported")
            elif not re.fullmatch(rb"index [0-9a-f]+\.\.[0-9a-f]+( 100644)?\n", line):
                raise self.error(f"unexpected {_show(line)}")
            self.position += 1
        return kind

    def hunk(self) -> Hunk:
        match = _HUNK_LINE.fullmatch(self.line)
        if not match:
            raise self.error(f"{_show(self.line)} is not a hunk header")
        self.take()
        old_left, new_left = (int(match[n] or 1) for n in (2, 4))
        lines: list[tuple[bytes, bytes]] = []
        while old_left or new_left:
            mark, text = self.line[:1], self.line[1:]
            if mark not in {b" ", b"-", b"+"} or not text.endswith(b"\n"):
                raise self.error(f"the hunk is cut short at {_show(self.line)}")
            old_left -= mark != b"+"
            new_left -= mark != b"-"
            if min(old_left, new_left) < 0:
                raise self.error("the hunk is longer than its header says")
            self.take()
            if self.line == _NO_NEWLINE:
                text = text[:-1]
                self.take()
            lines.append((mark, text))
        return Hunk(int(match[1]), int(match[3]), match[5], tuple(lines))


def _render_file(diff: FileDiff) -> bytes:
    path = diff.path.encode()
    lines = [b"diff --git a/%s b/%s\n" % (path, path)]
    if diff.kind in {"add", "delete"}:
        word = b"new" if diff.kind == "add" else b"deleted"
        lines.append(b"%s file mode 100644\n" % word)
    if diff.hunks:
        old = b"/dev/null" if diff.kind == "add" else b"a/" + path
        new = b"/dev/null" if diff.kind == "delete" else b"b/" + path
        lines.append(b"--- %s\n+++ %s\n" % (old, new))
    lines += map(_render_hunk, diff.hunks)
    return b"".join(lines)


def _render_hunk(hunk: Hunk) -> bytes:
    old = _render_range(hunk.old_start, len(hunk.old))
    new = _render_range(hunk.new_start, len(hunk.new))
    head = b"@@ -%s +%s @@%s\n" % (old, new, hunk.section)
    return head + b"".join(
        mark + text + (b"" if text.endswith(b"\n") else b"\n" + _NO_NEWLINE)
        for mark, text in hunk.lines
    )


def _render_range(start: int, count: int) -> bytes:
    return b"%d" % start if count == 1 else b"%d,%d" % (start, count)


def _above(path: str) -> list[str]:
    """The folders that ``path`` is in, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _in_the_way(path: str, files: Files, folders: set[str]) -> str | None:
    """A file where ``path`` needs a folder, or below ``path`` itself.

    :param folders: those of the files, or more.
    """
    found = [name for name in _above(path) if name in files]
    # Looks at every file, which a diff of many new files must not do for each.
    if path in folders:
        found += [name for name in files if name.startswith(f"{path}/")]
    return next(iter(found), None)


def _apply_file(diff: FileDiff, content: bytes, where: object, offsets: bool) -> bytes:
    lines = split_lines(content)
    result: list[bytes] = []
    done = shift = 0
    for number, hunk in enumerate(diff.hunks, 1):
        old = hunk.old
        wanted = hunk.old_start - 1 if old else hunk.old_start
        start = wanted + shift
        if not done <= start or not _fits(old, hunk.ends_file, lines, start):
            found = _nearest(hunk, lines, done, start) if offsets and old else None
            if found is None:
                raise _misplaced(where, diff, number, hunk, lines[start:])
            start = found
            shift = start - wanted
        result += lines[done:start] + hunk.new
        done = start + len(old)
    return b"".join(result + lines[done:])


def _nearest(hunk: Hunk, lines: list[bytes], first: int, start: int) -> int | None:
    """The place closest to ``start``, not before ``first``, that a hunk fits."""
    old, count = hunk.old, len(lines)
    for distance in range(1, max(start - first, count - start) + 1):
        for place in (start - distance, start + distance):
            if first <= place < count and _fits(old, hunk.ends_file, lines, place):
                return place
    return None


def _fits(old: list[bytes], ends_file: bool, lines: list[bytes], start: int) -> bool:
    """Whether the old lines of a hunk are at ``start``, by git's rules."""
    end = start + len(old)
    if ends_file and end != len(lines):
        return False
    return lines[start:end] == old


def split_lines(content: bytes) -> list[bytes]:
    """Split ``content`` into lines at newlines only; each line keeps its newline."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _refused(where: object, diff: FileDiff, what: str) -> ForkError:
    return ForkError(
        f"{diff.path}: the patch {what}",
        where=where,
        hint="rebase the patch onto the release and the patches before it",
    )


def _misplaced(
    where: object, diff: FileDiff, number: int, hunk: Hunk, there: list[bytes]
) -> ForkError:
    line = hunk.old_start
    expected = hunk.old
    found = there[: len(expected)]
    offset = next(
        (n for n, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]),
        min(len(expected), len(found)),
    )
    if hunk.ends_file and found == expected:
        found = there[: len(expected) + 1]
    end = "the end of the file"
    wanted = _show(expected[offset]) if offset < len(expected) else end
    stands = _show(found[offset]) if offset < len(found) else end
    return ForkError(
        f"{diff.path}: hunk {number} does not apply at line {line + offset}:"
        f" expected {wanted}, found {stands}",
        where=where,
        hint="rebase the patch onto the release and the patches before it",
    )


def _show(line: bytes) -> str:
    text = line.rstrip(b"\n").decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 90 else f"{text[:87]}...")
