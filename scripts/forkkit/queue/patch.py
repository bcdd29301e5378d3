"""A patch: a mail of ``git format-patch`` with git trailers.

The trailers are DEP-3's where DEP-3 has one, and Yocto's ``Upstream-Status``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ..base import diff
from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.errors import raise_findings

REQUIRED = ("Upstream-Status", "Forwarded", "Drop-When", "Tests", "Fork-Patch")

_FROM = b"From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001"
_MIME = (
    b"MIME-Version: 1.0\n"
    b"Content-Type: text/plain; charset=UTF-8\n"
    b"Content-Transfer-Encoding: 8bit\n"
)
_FROM_LINE = re.compile(rb"From [0-9a-f]{40} Mon Sep 17 00:00:00 2001\n")
_DATE = "%a, %d %b %Y %H:%M:%S %z"
# Where `git am` takes the message to end, or its first line to be a header.
_NO_PROSE = re.compile(r"^(---(\s|$)|diff -|Index: )", re.MULTILINE)
_NO_FIRST_LINE = re.compile(r"(From|Date|Subject|[\w-]+-Type):", re.IGNORECASE)
_TRAILER = re.compile(r"([A-Z][A-Za-z]*(?:-[A-Za-z]+)*): (\S.*)")
_FORMS = {
    "Upstream-Status": (
        r"(Pending|Submitted|Denied|Inappropriate|Backport|Inactive-Upstream)"
        r"( \[[^\]]+\])?",
        "Pending, Submitted, Denied, Inappropriate, Backport or Inactive-Upstream,"
        " and a [remark] where one helps",
    ),
    "Forwarded": (r"no|not-needed|\S+", "no, not-needed, or where it was sent"),
    "Drop-When": (
        r"never|upstream >= \d+(\.\d+)*|commit [0-9a-f]{40}",
        "never, upstream >= VERSION, or commit SHA",
    ),
    "Tests": (r"tests/patches/test_\w+\.py", "tests/patches/test_NAME.py"),
    "Fork-Patch": (r"[a-z0-9]+(-[a-z0-9]+)*", "short-lower-case-words"),
    "Bug": (r"[\w.-]+/[\w.-]+#\d+", "owner/repository#number"),
}


@dataclass(frozen=True)
class Patch:
    """One difference from upstream, with its reason.

    :param author: name and address.
    :param date: when it was written, in the form of RFC 5322.
    :param subject: what it does, in a line.
    :param prose: why the fork carries it.
    :param trailers: key and value, in order; a key may stand several times.
    :param diffs: the changes.
    """

    author: str
    date: str
    subject: str
    prose: str
    trailers: tuple[tuple[str, str], ...]
    diffs: tuple[FileDiff, ...]

    @property
    def name(self) -> str:
        return self.trailer("Fork-Patch")

    @property
    def bugs(self) -> list[str]:
        return [value for key, value in self.trailers if key == "Bug"]

    @property
    def message(self) -> str:
        """The commit message."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return f"{self.subject}\n\n{self.prose}\n\n{trailers}".rstrip() + "\n"

    @property
    def when(self) -> datetime:
        return datetime.strptime(self.date, _DATE)

    @property
    def stamp(self) -> str:
        """The date as git keeps it: seconds since 1970, and the zone."""
        return f"{int(self.when.timestamp())} {self.when:%z}"

    def trailer(self, key: str) -> str:
        """The first value of a trailer that is there."""
        return next(value for found, value in self.trailers if found == key)


def parse(data: bytes, *, where: object) -> Patch:
    """Read a patch.

    :raises ForkError: it is no mail of ``git format-patch``, lacks its reason or a
        trailer, or its diff is refused by :func:`forkkit.base.diff.parse`.
    """
    if b"\n---\r\n" in data:
        raise _malformed(
            where, "its lines end with CR LF, as an editor or git made them"
        )
    mail, mark, changes = data.partition(b"\n---\n")
    try:
        changes.decode()
    except UnicodeDecodeError as e:
        raise _malformed(where, f"the diff is not UTF-8: {e}") from e
    start = changes.find(b"diff --git ")
    if not mark or start < 0:
        raise _malformed(where, "there is no '---' line followed by a diff")
    if not changes.startswith(b"diff --git "):
        raise _malformed(
            where,
            "something stands between the '---' line and the diff, or the prose has"
            " a line '---', which ends the message when git applies it",
        )
    try:
        text = _FROM_LINE.sub(b"", mail, count=1).decode()
    except UnicodeDecodeError as e:
        raise _malformed(where, f"the message is not UTF-8: {e}") from e

    head, _, body = text.partition("\n\n")
    headers = _parse_headers(head, where)
    author, date, subject = (headers[key] for key in ("from", "date", "subject"))
    patch = from_message(
        author, date, f"{subject}\n\n{body}", diff.parse(changes, where=where), where
    )
    check(patch, where=where)
    return patch


def render(patch: Patch) -> bytes:
    """The file's text for ``patch``."""
    text = f"From: {patch.author}\nDate: {patch.date}\nSubject: {patch.subject}\n"
    mime = b"" if (text + patch.message).isascii() else _MIME
    body = patch.message.partition("\n")[2]
    head = _FROM + b"\n" + text.encode() + mime
    return head + body.encode() + b"---\n" + diff.render(patch.diffs)


def from_message(
    author: str,
    date: str,
    message: str,
    diffs: tuple[FileDiff, ...],
    where: object,
) -> Patch:
    """Make a patch of a commit's message and changes.

    :raises ForkError: the message has no reason, or no paragraph of trailers.
    """
    subject, _, body = message.strip().partition("\n")
    prose, _, last = body.strip().rpartition("\n\n")
    trailers = parse_trailers(last)
    if not prose.strip() or not trailers:
        raise ForkError(
            "the message is not a subject, a reason in prose and trailers",
            where=where,
            mend="write the three parts with a blank line between them; the trailers"
            f" are {', '.join(REQUIRED)}, one 'Key: value' a line",
        )
    return Patch(author, date, subject, prose.strip(), trailers, diffs)


def parse_trailers(text: str) -> tuple[tuple[str, str], ...]:
    """The trailers that a paragraph is made of; none if it has any other line."""
    matches = [_TRAILER.fullmatch(line) for line in text.splitlines()]
    return tuple((m[1], m[2]) for m in matches if m) if all(matches) else ()


def tests_of(name: str) -> str:
    """Where the tests of a patch are, if they have a file of their own."""
    return f"tests/patches/test_{name.replace('-', '_')}.py"


def check(patch: Patch, *, where: object) -> None:
    """Report everything that a patch lacks.

    :raises ForkError: a trailer is missing, doubled or not of its form, the prose has
        a line ``---``, or it changes nothing.
    """
    problems = _problems(patch, where)
    if not patch.diffs:
        problems.append(
            ForkError(
                "it changes nothing",
                where=where,
                mend="change a file of the package, or drop it",
            )
        )
    raise_findings(problems)


def check_header(patch: Patch, *, where: object) -> None:
    """Report everything that a patch lacks, but for changes.

    :raises ForkError: as :func:`check`.
    """
    raise_findings(_problems(patch, where))


def form(key: str) -> str:
    """What the value of a required trailer may be, for a person."""
    return _FORMS[key][1]


def _problems(patch: Patch, where: object) -> list[ForkError]:
    problems = []
    keys = [key for key, _ in patch.trailers]
    for key in REQUIRED:
        if keys.count(key) != 1:
            times = "twice" if key in keys else "missing"
            problems.append(
                ForkError(
                    f"the trailer {key} is {times}",
                    where=where,
                    mend=f"{key}: {form(key)}",
                )
            )
    for key, value in patch.trailers:
        pattern, words = _FORMS.get(key, (".*", ""))
        if not re.fullmatch(pattern, value):
            problems.append(
                ForkError(f"the trailer {key} is {value!r}", where=where, mend=words)
            )
    if match := _NO_PROSE.search(patch.prose):
        problems.append(
            _malformed(where, f"the prose has a line that begins with {match[0]!r}")
        )
    if _NO_FIRST_LINE.match(patch.prose):
        problems.append(_malformed(where, "the prose begins like a mail header"))
    for text in (patch.author, patch.subject, patch.message):
        odd = sorted({c for c in set(text) if not c.isprintable()} - set("\n\t"))
        if odd or (text is not patch.message and "=?" in text):
            problems.append(
                _malformed(where, f"odd characters in {text[:60]!r}: {odd or '=?'}")
            )
            break
    return problems


def _parse_headers(head: str, where: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", head).split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or key.lower() in headers:
            raise _malformed(where, f"{line!r} is not a mail header of its own")
        headers[key.lower()] = value.strip()

    if headers.get("content-transfer-encoding", "8bit").lower() != "8bit":
        raise _malformed(where, "the message is encoded; write it as plain UTF-8")
    for key in ("from", "date", "subject"):
        if not headers.get(key):
            raise _malformed(where, f"the header {key.title()} is missing")
    if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", headers["from"]):
        raise _malformed(where, f"From: {headers['from']!r} is not 'Name <address>'")
    try:
        datetime.strptime(headers["date"], _DATE)
    except ValueError as e:
        raise _malformed(where, f"Date: {headers['date']!r} is not a date") from e
    return headers


def _malformed(where: object, what: str) -> ForkError:
    return ForkError(
        what,
        where=where,
        mend="write it as `git format-patch` does; patches/README.md shows the form",
    )
