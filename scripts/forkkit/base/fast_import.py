"""Commits and their files in the input format of ``git fast-import``."""

from __future__ import annotations

import typing as t

from .files import Files

#: The author of generated commits, and the committer of all.
NOBODY = "flaskfork <flaskfork@localhost>"


def commit(
    ref: str,
    changed: Files,
    gone: t.Iterable[str] = (),
    *,
    parent: str | None = None,
    message: str = "",
    author: str = NOBODY,
    stamp: str = "0 +0000",
) -> bytes:
    """A commit on ``ref``.

    :param changed: the files that differ from the parent, or all if there is none.
    :param gone: the paths that the commit deletes.
    :param parent: the parent, if it is not the last commit on ``ref``; without either,
        the commit starts a new history.
    :param stamp: seconds since 1970 and the time zone, for author and committer.
    """
    people = f"author {author} {stamp}\ncommitter {NOBODY} {stamp}\n"
    pieces = [f"commit {ref}\n{people}".encode(), _data(message.encode())]
    if parent is not None:
        pieces.append(f"from {parent}\n".encode())
    pieces += [b"D %s\n" % path.encode() for path in gone]
    for path in sorted(changed):
        pieces.append(b"M 100644 inline %s\n" % path.encode() + _data(changed[path]))
    return b"".join([*pieces, b"\n"])


def root(ref: str, files: Files, message: str = "", *, stamp: str = "0 +0000") -> bytes:
    """The first commit of a new history on ``ref``."""
    # Without this, a commit that is already on the ref would become the parent.
    start = b"reset %s\n\n" % ref.encode()
    return start + commit(ref, files, message=message, stamp=stamp)


def reset(ref: str, to: str) -> bytes:
    """Point ``ref`` at the commit of another ref."""
    return f"reset {ref}\nfrom {to}\n\n".encode()


def difference(before: Files, after: Files) -> tuple[Files, list[str]]:
    """The files that are new or changed in ``after``, and the deleted paths."""
    changed = {p: data for p, data in after.items() if before.get(p) is not data}
    return changed, sorted(before.keys() - after.keys())


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
