"""Reading diffs from any source into the strict form of the queue's patches.

This accepts what `git apply` does: other prefixes and none, text between the files and
below the last, context lines without their trailing space, renames and copies. Changes
outside the package are left out before they are checked.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from dataclasses import replace

from ..base import diff
from ..base.diff import FileDiff
from ..base.errors import ForkError

_NULL = b"/dev/null"
_GIT = b"diff --git "
_MERGE = re.compile(rb"diff --(?:cc|combined) ")
_RANGE = rb"(\d{1,9})(?:,(\d{1,9}))?"
_HUNK = re.compile(rb"@@ -%s \+%s @@([^\n]*)\n" % (_RANGE, _RANGE))
_STRING = rb'"(?:[^"\\\n]|\\.)*"'
#: A name, and what `diff -u` puts after it: a tab, or spaces and a date.
_NAME = re.compile(
    rb"(?:---|\+\+\+) (%s|[^\t\n]{1,4096}?)"
    rb"(?:\t[^\n]*|[ ]{1,9}\d{4}-\d\d-\d\d [^\n]*)?\n" % _STRING
)
_TWO = re.compile(rb"(%s|[^\"\s]+) (%s|[^\"\s]+)" % (_STRING, _STRING))
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = dict(zip(b"abtnvfr", (b"\a", b"\b", b"\t", b"\n", b"\v", b"\f", b"\r")))
_MODE = re.compile(rb"(?:(?:new|deleted) file|new|old) mode (\d+)|index \S+ (\d+)")
_BLOB = re.compile(rb"index ([0-9a-f]{7,64})\.\.")
_MOVED = re.compile(rb"(rename|copy) (?:from|to) ([^\n]+)\n")
_BINARY = (b"GIT binary patch", b"Binary files ")
_NO_NEWLINE = b"\\ No newline at end of file\n"
#: What may follow a hunk without being a line of it: signatures and the like.
_BELOW = re.compile(rb"--[ \t]*\n|---")
_FORM = "export the patch again from a commit that changes only plain text"


@dataclass(frozen=True)
class Loose:
    """The changes to a package, taken from a diff of any form.

    :param diffs: the changes; unlike those of a patch, they can be moves.
    :param blobs: the ids that git has for the files before the changes, by path; empty
        for a file that is not there yet.
    :param left_out: the paths of changes to other files.
    :param remarks: what was left out of the changes to the package itself.
    """

    diffs: tuple[FileDiff, ...]
    blobs: dict[str, str]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]


def parse(data: bytes, package: str, *, where: object) -> Loose:
    """Read a diff, and the text around it.

    :param package: the folder outside which everything is left out.
    :raises ForkError: a change to the package is malformed, or is not of plain text.
    """
    pieces = list(_pieces(diff.split_lines(data)))
    bare = any(piece.is_bare(package) for piece in pieces)
    found = Loose((), {}, (), ())
    diffs: list[FileDiff] = []
    left_out: list[str] = []
    for piece in pieces:
        paths = piece.paths(package, bare)
        inside = [path for path in paths if path and path.startswith(f"{package}/")]
        left_out += [
            path for path in dict.fromkeys(paths) if path and path not in inside
        ]
        if inside:
            read = _Reader(piece, *paths, package, f"{where}: {inside[-1]}")
            diffs += read.diffs()
            found = replace(found, remarks=(*found.remarks, *read.remarks()))
            _note_blobs(found.blobs, piece, *paths)
    return replace(found, diffs=tuple(diffs), left_out=tuple(left_out))


def _note_blobs(
    blobs: dict[str, str], piece: _Piece, old: str | None, new: str | None
) -> None:
    blob = piece.header(_BLOB)
    if old and blob and blob[1].strip(b"0"):
        blobs.setdefault(old, blob[1].decode())
    if new and new != old:
        blobs.setdefault(new, "")


@dataclass(frozen=True)
class _Piece:
    """What a diff says of one file.

    :param head: the lines above the first hunk.
    :param body: the hunks, and the text below them.
    """

    head: list[bytes]
    body: list[bytes]

    @property
    def is_git(self) -> bool:
        return self.head[0].startswith(_GIT)

    def header(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The match of the first line above the hunks that begins with a pattern."""
        return next(filter(None, map(pattern.match, self.head)), None)

    def moved(self) -> tuple[bytes, list[bytes]] | None:
        """``rename`` or ``copy``, and both names, which have no prefix; or ``None``."""
        found = [match for match in map(_MOVED.match, self.head) if match]
        if len(found) < 2:
            return None
        return found[0][1], [_unquoted(match[2]) for match in found[:2]]

    def names(self) -> list[bytes]:
        """The names before and after, as they are written."""
        found = [_unquoted(m[1]) for m in map(_NAME.fullmatch, self.head) if m]
        if self.is_git and (len(found) < 2 or _NULL in found):
            return _halves(self.head[0][len(_GIT) : -1])
        if match := _MERGE.match(self.head[0]):
            return [b"a/" + _unquoted(self.head[0][match.end() : -1])] * 2
        return found[:2]

    def is_bare(self, package: str) -> bool:
        """Whether its names are known to have no prefix."""
        old, new = self.names()
        start = f"{package}/".encode()
        return self.is_git and old == new and (b"/" not in old or old.startswith(start))

    def kind(self) -> diff.Kind:
        """What it does to its file; plain diffs tell that by an empty range."""
        names = [m[1] for m in map(_NAME.fullmatch, self.head) if m]
        first = _HUNK.fullmatch(self.body[0]) if self.body else None
        if moved := self.moved():
            return "rename" if moved[0] == b"rename" else "copy"
        if self.header(re.compile(b"new file mode ")) or names[:1] == [_NULL]:
            return "add"
        if self.header(re.compile(b"deleted file mode ")) or names[1:2] == [_NULL]:
            return "delete"
        if self.is_git or not first:
            return "change"
        if first[2] == b"0" == first[1]:
            return "add"
        return "delete" if first[4] == b"0" == first[3] else "change"

    def paths(self, package: str, bare: bool) -> tuple[str | None, str | None]:
        """Its paths before and after; ``None`` where there is no file.

        :param bare: whether the names have no prefix.
        """
        if moved := self.moved():
            old, new = map(_text, moved[1])
            return old, new
        names, kind = self.names(), self.kind()
        path = _text(_path(names, package.encode(), bare=bare, is_git=self.is_git))
        return (
            None if kind == "add" else path,
            None if kind == "delete" else path,
        )


def _pieces(lines: list[bytes]) -> t.Iterator[_Piece]:
    """The pieces of a diff, one per file; text in between is part of the one above."""
    piece: _Piece | None = None
    left = [0, 0]
    for number, line in enumerate(lines):
        if max(left) > 0 and (line[:1] in b" +-\\\n"):
            left[0] -= line[:1] in b" -\n"
            left[1] -= line[:1] in b" +\n"
        elif line.startswith(_GIT) or _MERGE.match(line) or _is_plain(lines, number):
            left = [0, 0]
            # Git's own form has these lines below its first one.
            if not (piece and piece.is_git and not piece.body and line[:3] == b"---"):
                if piece:
                    yield piece
                piece = _Piece([], [])
        elif match := _HUNK.fullmatch(line):
            left = [int(match[2] or 1), int(match[4] or 1)]
        if piece:
            in_body = piece.body or line.startswith(b"@@ ")
            (piece.body if in_body else piece.head).append(line)
    if piece:
        yield piece


def _is_plain(lines: list[bytes], number: int) -> bool:
    """Whether two names and a hunk begin at a line."""
    return lines[number].startswith(b"--- ") and [
        li[:4] for li in lines[number + 1 : number + 3]
    ] == [b"+++ ", b"@@ -"]


def _path(names: list[bytes], package: bytes, *, bare: bool, is_git: bool) -> bytes:
    """The path that two names of a file have in common behind their prefixes."""
    old, new = ([p for p in name.split(b"/") if p != b"."] for name in names)
    name = b"/".join(old if names[1] == _NULL else new)
    if old != new and _NULL not in names:
        same = 0
        while same < min(len(old), len(new)) and old[-same - 1] == new[-same - 1]:
            same += 1
        if 0 < same < min(len(old), len(new)):
            path = b"/".join(new[-same:])
            # Git's prefixes end here; folders that are compared may be further up.
            rest = path.partition(b"/%s/" % package)
            return path if is_git or not rest[1] else rest[1][1:] + rest[2]
        name = b"/".join(new[-same:]) if same else name
    if bare or name.startswith(package + b"/") or b"/" not in name:
        return name
    return name.partition(b"/")[2]


def _halves(line: bytes) -> list[bytes]:
    """The two names in git's first line of a file."""
    if match := _TWO.fullmatch(line):
        return [_unquoted(match[1]), _unquoted(match[2])]
    middle = len(line) // 2
    places = [middle, *(m.start() for m in re.finditer(rb" ", line[:4096]))]
    for place in places[:64]:
        old, new = line[:place], line[place + 1 :]
        if line[place : place + 1] == b" " and _behind(old) == _behind(new):
            return [old, new]
    return [line, line]


def _behind(name: bytes) -> bytes:
    return name.partition(b"/")[2] or name


def _unquoted(name: bytes) -> bytes:
    """A name without the quoting that git applies to odd characters."""
    if not re.fullmatch(_STRING, name):
        return name

    def plain(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if len(code) == 3:
            return bytes([int(code, 8) & 255])
        return _ESCAPED.get(code[0], code)

    return _ESCAPE.sub(plain, name[1:-1])


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class _Reader:
    """Reads a piece that changes the package.

    :param old: the path before the change, and
    :param new: the path after it; ``None`` where there is no file.
    """

    piece: _Piece
    old: str | None
    new: str | None
    package: str
    where: str

    def diffs(self) -> list[FileDiff]:
        """The changes to the package; none if only a mode is changed."""
        self._check()
        kind, path = self.piece.kind(), self.new or self.old or ""
        if kind == "rename" or kind == "copy":
            return self._moves(kind, path)
        hunks = self._hunks(path, kind)
        if kind == "change" and not hunks:
            return []
        if kind == "delete" and not hunks:
            return [FileDiff(path, kind, (), source=path)]
        return [FileDiff(path, kind, hunks)]

    def remarks(self) -> list[str]:
        """What is left out of it."""
        if b"100755" in self._modes():
            path = self.new or self.old
            return [f"{path}: its mode is left out, because a patch has none"]
        return []

    def _moves(self, kind: diff.Kind, path: str) -> list[FileDiff]:
        old = str(self.old)
        if not path.startswith(f"{self.package}/"):
            return [FileDiff(old, "delete", (), source=old)] if kind == "rename" else []
        if not old.startswith(f"{self.package}/"):
            kind = "copy"
        return [FileDiff(path, kind, self._hunks(path, "change"), source=old)]

    def _check(self) -> None:
        head = self.piece.head
        if _MERGE.match(head[0]):
            raise self._refused("the diff of a merge is not supported")
        if any(line.startswith(_BINARY) for line in head):
            raise self._refused("binary changes are not supported")
        if not self._modes() <= {b"100644", b"100755"}:
            raise self._refused("only plain files of mode 100644 are supported")

    def _modes(self) -> set[bytes]:
        found = [match for match in map(_MODE.match, self.piece.head) if match]
        return {match[1] or match[2] for match in found}

    def _hunks(self, path: str, kind: diff.Kind) -> tuple[diff.Hunk, ...]:
        """The hunks, which are read by the strict reader."""
        if not self.piece.body:
            return ()
        name = path.encode("utf-8", "surrogateescape")
        lines = [b"diff --git a/%s b/%s\n" % (name, name)]
        sides = [b"--- a/%s\n" % name, b"+++ b/%s\n" % name]
        if kind == "add":
            lines.append(b"new file mode 100644\n")
            sides[0] = b"--- /dev/null\n"
        elif kind == "delete":
            lines.append(b"deleted file mode 100644\n")
            sides[1] = b"+++ /dev/null\n"
        text = b"".join([*lines, *sides, *self._canonical()])
        if b"\0" in text:
            raise self._refused("it contains NUL bytes")
        try:
            text.decode()
        except UnicodeDecodeError as e:
            raise self._refused(f"the diff is not UTF-8: {e}") from e
        [found] = diff.parse(text, where=self.where)
        return found.hunks

    def _canonical(self) -> t.Iterator[bytes]:
        """The lines of the hunks as git writes them, without the text below them."""
        lines, shift = iter([*self.piece.body, b""]), 0
        line = next(lines)
        while line.startswith(b"@@ "):
            match = _HUNK.fullmatch(line)
            if not match:
                yield line
                return
            old, new = (int(match[n] or 1) for n in (2, 4))
            # An empty range names the line before it.
            start = int(match[1]) + shift - (not new) + (not old)
            shift += new - old
            yield b"@@ -%s,%d +%d,%d @@%s\n" % (match[1], old, start, new, match[5])
            line = next(lines)
            while old > 0 or new > 0:
                line = b" \n" if line == b"\n" else line
                line = _NO_NEWLINE if line.startswith(b"\\ ") else line
                yield line if line.endswith(b"\n") or not line else line + b"\n"
                if line[:1] not in {b" ", b"+", b"-", b"\\"}:
                    # Blank lines at the end may have been lost on the way.
                    yield b" \n" * old if old == new and not line else b""
                    return
                old -= line[:1] in b" -"
                new -= line[:1] in b" +"
                line = next(lines)
            if line.startswith(b"\\ "):
                yield _NO_NEWLINE
                line = next(lines)
        if line[:1] in {b"+", b"-"} and not _BELOW.match(line):
            raise self._refused("a hunk is longer than its header says")

    def _refused(self, what: str) -> ForkError:
        return ForkError(what, where=self.where, hint=_FORM)
