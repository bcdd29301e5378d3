"""A patch: an email of ``git format-patch``, with a message and a diff."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ..base import diff
from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.errors import raise_findings
from .message import Message
from .message import not_a_mail

_FROM = b"From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001"
_MIME = (
    b"MIME-Version: 1.0\n"
    b"Content-Type: text/plain; charset=UTF-8\n"
    b"Content-Transfer-Encoding: 8bit\n"
)
_FROM_LINE = re.compile(rb"From [0-9a-f]{40} Mon Sep 17 00:00:00 2001\n")
_DATE = "%a, %d %b %Y %H:%M:%S %z"


@dataclass(frozen=True)
class Patch:
    """One difference from upstream, with its reason.

    :param author: name and address.
    :param date: when it was written, in the form of RFC 5322.
    :param message: what it does, why the fork has it, and its trailers.
    :param diffs: the changes.
    """

    author: str
    date: str
    message: Message
    diffs: tuple[FileDiff, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Patch:
        """Read a patch.

        :raises ForkError: it is not an email of ``git format-patch``, lacks its
            reason or a trailer, or :func:`forkkit.base.diff.parse` refuses its diff.
        """
        mail, changes = _split(data, where)
        headers, body = _parse_mail(mail, where)
        patch = cls(
            headers["from"],
            headers["date"],
            Message.parse(f"{headers['subject']}\n\n{body}"),
            diff.parse(changes, where=where),
        )
        patch.check(where=where)
        return patch

    def render(self) -> bytes:
        """The text of the file."""
        subject, _, body = self.message.render().partition("\n")
        head = f"From: {self.author}\nDate: {self.date}\nSubject: {subject}\n"
        mime = b"" if (head + body).isascii() else _MIME
        mail = _FROM + b"\n" + head.encode() + mime + body.encode()
        return mail + b"---\n" + diff.render(self.diffs)

    @property
    def name(self) -> str:
        return self.trailer("Fork-Patch")

    @property
    def subject(self) -> str:
        return self.message.subject

    @property
    def when(self) -> datetime:
        return datetime.strptime(self.date, _DATE)

    @property
    def stamp(self) -> str:
        """The date as git stores it: seconds since 1970, and the zone."""
        return f"{int(self.when.timestamp())} {self.when:%z}"

    @property
    def where(self) -> str:
        """The path of its file in the project."""
        return f"patches/{self.name}.patch"

    def trailer(self, key: str) -> str:
        """The first value of a trailer that exists."""
        return self.message.trailer(key)

    def check(self, *, where: object) -> None:
        """Check that the patch is complete and well-formed.

        :raises ForkError: a trailer is missing, duplicated or malformed, the prose has
            a line ``---``, or the patch changes nothing.
        """
        problems = self._problems(where)
        if not self.diffs:
            problems.append(
                ForkError(
                    "it changes nothing",
                    where=where,
                    hint="change a file of the package, or remove the patch",
                )
            )
        raise_findings(problems)

    def check_head(self, *, where: object) -> None:
        """Check everything but the changes.

        :raises ForkError: as :meth:`check`.
        """
        raise_findings(self._problems(where))

    def _problems(self, where: object) -> list[ForkError]:
        problems = self.message.problems(where=where)
        for line in (self.author, self.subject):
            if "=?" in line:
                problems.append(_odd(line, "=?", where))
        for text in (self.author, self.message.render()):
            found = {c for c in text if not c.isprintable()} - {*"\n\t"}
            if found:
                problems.append(_odd(text, str(sorted(found)), where))
        return problems


def _odd(text: str, found: str, where: object) -> ForkError:
    return not_a_mail(where, f"odd characters in {text[:60]!r}: {found}")


def _split(data: bytes, where: object) -> tuple[str, bytes]:
    """The email's headers and message, and the diff."""
    if b"\n---\r\n" in data:
        raise not_a_mail(
            where, "its lines end with CR LF; an editor or git converted them"
        )
    mail, mark, changes = data.partition(b"\n---\n")
    try:
        changes.decode()
    except UnicodeDecodeError as e:
        raise not_a_mail(where, f"the diff is not UTF-8: {e}") from e
    start = changes.find(b"diff --git ")
    if not mark or start < 0:
        raise not_a_mail(where, "there is no '---' line followed by a diff")
    if start:
        raise not_a_mail(
            where,
            "there is text between the '---' line and the diff, or the prose has a"
            " line '---', where git would end the message",
        )
    try:
        return _FROM_LINE.sub(b"", mail, count=1).decode(), changes
    except UnicodeDecodeError as e:
        raise not_a_mail(where, f"the message is not UTF-8: {e}") from e


def _parse_mail(text: str, where: object) -> tuple[dict[str, str], str]:
    """The headers of an email, and its body."""
    head, _, body = text.partition("\n\n")
    headers: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", head).split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or key.lower() in headers:
            raise not_a_mail(where, f"{line!r} is not an email header, or repeats one")
        headers[key.lower()] = value.strip()
    _check_headers(headers, where)
    return headers, body


def _check_headers(headers: dict[str, str], where: object) -> None:
    if headers.get("content-transfer-encoding", "8bit").lower() != "8bit":
        raise not_a_mail(where, "the message is encoded; write it as plain UTF-8")
    for key in ("from", "date", "subject"):
        if not headers.get(key):
            raise not_a_mail(where, f"the header {key.title()} is missing")
    if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", headers["from"]):
        raise not_a_mail(where, f"From: {headers['from']!r} is not 'Name <address>'")
    try:
        datetime.strptime(headers["date"], _DATE)
    except ValueError as e:
        raise not_a_mail(where, f"Date: {headers['date']!r} is not a date") from e
