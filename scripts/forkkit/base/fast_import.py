"""What ``git fast-import`` reads: commits, with their files in them."""

from __future__ import annotations

import typing as t

from .files import Files

#: Who has made a commit that nobody wrote.
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
    :param gone: the files that the parent has and the commit hasn't.
    :param parent: another one than the commit before on ``ref``; without any of both
        the commit is the first of a history.
    :param stamp: seconds since 1970 and the zone, for author and committer.
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
    # Without this, what stands at the ref already would be the parent.
    start = b"reset %s\n\n" % ref.encode()
    return start + commit(ref, files, message=message, stamp=stamp)


def reset(ref: str, to: str) -> bytes:
    """Have ``ref`` be the same commit as another one."""
    return f"reset {ref}\nfrom {to}\n\n".encode()


def difference(before: Files, after: Files) -> tuple[Files, list[str]]:
    """The files that are new or others in ``after``, and the paths that are gone."""
    changed = {p: data for p, data in after.items() if before.get(p) is not data}
    return changed, sorted(before.keys() - after.keys())


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
