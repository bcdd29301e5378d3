"""Patches from elsewhere: emails, pull requests, plain diffs."""

from __future__ import annotations

import email.utils
import pathlib
import re
import tempfile
import typing as t
from dataclasses import dataclass
from datetime import timezone

from ..base import diff
from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.git import Git
from .message import join_messages
from .message import Message

#: The size limit, in bytes: more than a person can review.
_LARGEST = 2**22
_MAIL = re.compile(rb"\A(From [^\n]*\d{4}\r?\n|(From|Date|Subject): )")
_GIT_DIFF = re.compile(rb"^diff --git ", re.MULTILINE)
_PLAIN_DIFF = re.compile(
    rb"^--- ([^\t\n]+)[^\n]*\n\+\+\+ ([^\t\n]+)[^\n]*\n(?=@@ )", re.MULTILINE
)
# What email programs and `git format-patch` put below a diff.
_SIGNATURE = re.compile(rb"^-- ?\n[^\n]*\n*\Z", re.MULTILINE)


@dataclass(frozen=True)
class Incoming:
    """A change that somebody offers.

    :param author: name and address; ``None`` if nobody is named.
    :param date: in the form of RFC 5322; ``None`` if none is given.
    :param message: its description.
    :param diffs: the changes to upstream's package.
    :param left_out: the paths of its other changes: tests, changelog, documentation.
    """

    author: str | None
    date: str | None
    message: Message
    diffs: tuple[FileDiff, ...]
    left_out: tuple[str, ...]


def read(data: bytes, package: str, *, where: str) -> list[Incoming]:
    """Read a mailbox, or a diff.

    :param package: the folder of upstream's package; a patch of the fork changes
        nothing else.
    :raises ForkError: it is neither, or contains something that a patch cannot.
    """
    if len(data) > _LARGEST:
        raise _refused(where, f"it is larger than {_LARGEST} bytes")
    if b"\0" in data:
        raise _refused(where, "it contains NUL bytes")
    if not _MAIL.match(data):
        text = data.replace(b"\r\n", b"\n")
        return [_incoming(None, None, "", text, package, where)]

    return [
        _incoming(*mail, package, f"{where}: email {number}")
        for number, mail in enumerate(_mails(data), 1)
    ]


def joined(items: t.Sequence[Incoming]) -> Incoming:
    """Several consecutive changes, joined into one."""
    first = items[0]
    return Incoming(
        first.author,
        first.date,
        join_messages([item.message for item in items]),
        tuple(d for item in items for d in item.diffs),
        tuple(dict.fromkeys(path for item in items for path in item.left_out)),
    )


def _mails(data: bytes) -> list[tuple[str, str, str, bytes]]:
    """Author, date, message and diff of each email, as git reads them."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-mails-") as name:
        folder = pathlib.Path(name)
        git = Git(folder)
        (folder / "mailbox").write_bytes(data)
        count = int(git.text("mailsplit", f"-o{folder}", str(folder / "mailbox")))
        return [_mail(git, f"{number:04}") for number in range(1, count + 1)]


def _mail(git: Git, name: str) -> tuple[str, str, str, bytes]:
    """Author, date, message and diff of the email in a file."""
    mail = (git.folder / name).read_bytes()
    info = git("mailinfo", "-u", "message", "diff", stdin=mail)
    lines = info.decode("utf-8", "replace").splitlines()
    said = dict(line.partition(": ")[::2] for line in lines)
    author = f"{said.get('Author', '')} <{said.get('Email', '')}>"
    body = (git.folder / "message").read_text("utf-8", "replace")
    text = f"{said.get('Subject', '')}\n\n{body}"
    return author, said.get("Date", ""), text, (git.folder / "diff").read_bytes()


def _incoming(
    author: str | None,
    date: str | None,
    message: str,
    text: bytes,
    package: str,
    where: str,
) -> Incoming:
    found = diff.parse(_only_diff(text, where), where=where)
    mine = tuple(d for d in found if d.path.startswith(f"{package}/"))
    left_out = tuple(d.path for d in found if d not in mine)
    if not mine:
        raise _refused(
            where, f"it changes nothing in {package}, only {', '.join(left_out)}"
        )
    when = date and _date(date, where)
    return Incoming(author, when, Message.parse(message), mine, left_out)


def _only_diff(text: bytes, where: str) -> bytes:
    """The diff alone, with git's header line for each file."""
    if match := _GIT_DIFF.search(text):
        return _without_end(text[match.start() :])
    pieces = _PLAIN_DIFF.split(text)
    if len(pieces) == 1:
        raise _refused(where, "it contains no diff")
    files = zip(pieces[1::3], pieces[2::3], pieces[3::3])
    return _without_end(b"".join(_with_git_line(*file) for file in files))


def _without_end(text: bytes) -> bytes:
    return _SIGNATURE.sub(b"", text).rstrip(b"\n") + b"\n"


def _with_git_line(old: bytes, new: bytes, hunks: bytes) -> bytes:
    """Convert the diff of one file from the format of diff to that of git."""
    path = (old if new == b"/dev/null" else new).partition(b"/")[2]
    # `diff -r` puts its own command line between files.
    hunks = re.split(rb"^diff |^Only in ", hunks, flags=re.MULTILINE)[0]
    lines = [b"diff --git a/%s b/%s\n" % (path, path)]
    sides = [b"--- a/%s\n" % path, b"+++ b/%s\n" % path]
    if re.match(rb"@@ -0,0 ", hunks):
        lines.append(b"new file mode 100644\n")
        sides[0] = b"--- /dev/null\n"
    elif re.match(rb"@@ -\S+ \+0,0 ", hunks):
        lines.append(b"deleted file mode 100644\n")
        sides[1] = b"+++ /dev/null\n"
    return b"".join([*lines, *sides, hunks])


def _date(text: str, where: str) -> str:
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError) as e:
        raise _refused(where, f"its date {text!r} is invalid") from e
    return email.utils.format_datetime(
        when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    )


def _refused(where: str, what: str) -> ForkError:
    return ForkError(
        what,
        where=where,
        hint="pass an email of `git format-patch`, the .patch of a pull request, or the"
        " output of `git diff`",
    )
