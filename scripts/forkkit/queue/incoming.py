"""Patches from elsewhere: emails, pull requests, plain diffs."""

from __future__ import annotations

import email.utils
import re
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone

from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.text import printable
from . import loose
from . import mail
from .mail import Mail
from .message import join_messages
from .message import Message

#: The size limit, in bytes: more than a person can review.
_LARGEST = 2**22
_PERSON = re.compile(r"([^<>]*)<([^<>\s]+)>|()([^<>\s]+@[^<>\s]+)")
_PICKED = re.compile(r"^\(cherry picked from commit [0-9a-f]+\)$\n?", re.MULTILINE)
#: Dates other than RFC 5322's: ISO 8601, git's own, ctime's.
_DATES = (
    *("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"),
    *("%a %b %d %H:%M:%S %Y %z", "%a %b %d %H:%M:%S %Y"),
)
#: Git's seconds and zone, or Mercurial's, whose zone is in seconds westwards.
_STAMP = re.compile(r"@?(\d{1,11})(?:\.\d+)? ([+-]?)(\d{1,6})")


@dataclass(frozen=True)
class Origin:
    """What a change from elsewhere was made to, as far as it says so.

    :param commits: those that it was made from, in order.
    :param blobs: git's ids of the files before the change, by path; empty for a file
        that is not there yet.
    """

    commits: tuple[str, ...] = ()
    blobs: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Incoming:
    """A change that somebody offers.

    :param author: name and address; ``None`` if nobody is named.
    :param date: in the form of RFC 5322; ``None`` if none is given.
    :param message: its description.
    :param diffs: the changes to upstream's package.
    :param left_out: the paths of its other changes: tests, changelog, documentation.
    :param remarks: what else could not be taken as it is, and why.
    :param origin: what it was made to.
    """

    author: str | None
    date: str | None
    message: Message
    diffs: tuple[FileDiff, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    origin: Origin = Origin()


def read(data: bytes, package: str, *, where: str) -> list[Incoming]:
    """Read a mailbox, or a diff.

    :param package: the folder of upstream's package; a patch of the fork changes
        nothing else, and changes that do are left out.
    :raises ForkError: it is neither, changes nothing in the package, or holds a change
        to it that no patch can.
    """
    if len(data) > _LARGEST:
        raise _refused(where, f"it is larger than {_LARGEST} bytes")
    mails = mail.read(data, where=where)
    found = [
        _incoming(said, f"{where}: email {n}" if len(mails) > 1 else where, package)
        for n, said in enumerate(mails, 1)
    ]
    items = [item for item in found if item.diffs]
    left_out = [item for item in found if not item.diffs]
    if not items:
        raise _nothing(where, package, left_out)
    remarks = tuple(_left_out(item, package) for item in left_out)
    first, *rest = items
    return [replace(first, remarks=(*remarks, *first.remarks)), *rest]


def joined(items: t.Sequence[Incoming]) -> Incoming:
    """Several consecutive changes, joined into one.

    It is by the author of the first, and by the others as co-authors.
    """
    first = items[0]
    message = join_messages([item.message for item in items])
    authors = dict.fromkeys(item.author for item in items if item.author)
    return Incoming(
        next(iter(authors), None),
        first.date,
        message.with_added("Co-authored-by", [*authors][1:]),
        tuple(d for item in items for d in item.diffs),
        tuple(dict.fromkeys(path for item in items for path in item.left_out)),
        tuple(dict.fromkeys(said for item in items for said in item.remarks)),
        origin_of(items),
    )


def origin_of(items: t.Sequence[Incoming]) -> Origin:
    """What several changes, one after another, were made to."""
    commits = tuple(commit for item in items for commit in item.origin.commits)
    found: dict[str, str] = {}
    changed: set[str] = set()
    for item in items:
        blobs = item.origin.blobs
        found |= {path: blobs[path] for path in blobs if path not in changed}
        # What the next ones have of these files, nobody else has.
        changed |= {p for d in item.diffs for p in (d.path, d.source or d.path)}
    return Origin(commits, found)


def _incoming(said: Mail, where: str, package: str) -> Incoming:
    found = loose.parse(said.changes, package, where=where)
    author, date = _person(said.author), _date(said.date)
    remarks = list(found.remarks)
    if said.date and not date:
        remarks.append(f"{where}: its date {said.date!r} cannot be read")
    if author and author.endswith("<unknown>"):
        remarks.append(f"{where}: its author {said.author!r} has no address")
    message = Message.parse(_apart(_plain(said.text)))
    added = [(key, _plain(value)) for key, value in said.trailers]
    return Incoming(
        author,
        date,
        replace(message, trailers=(*message.trailers, *added)),
        found.diffs,
        found.left_out,
        tuple(remarks),
        Origin((said.commit,) if said.commit else (), found.blobs),
    )


def _apart(text: str) -> str:
    """A text with the lines of `git cherry-pick -x` moved out of its trailers."""
    head, _, last = text.strip().rpartition("\n\n")
    picked = "\n".join(_PICKED.findall(last))
    return f"{head}\n\n{picked}\n\n{_PICKED.sub('', last)}" if picked else text


def _plain(text: str) -> str:
    """A text without anything that a patch cannot contain."""
    return printable(text.replace("\u00a0", " ").replace("=?", "= ?"))


def _person(text: str) -> str | None:
    """Name and address; ``<unknown>`` if there is none."""
    text = " ".join(_plain(text[:1000]).split())
    if match := _PERSON.fullmatch(text):
        name, address = match[1] or match[3], match[2] or match[4]
        name = name.strip(' "') or address
        return f"{name} <{address}>"
    name = re.sub("[<>]", "", text).strip()
    return f"{name} <unknown>" if name else None


def _date(text: str) -> str | None:
    """A date in the form of RFC 5322; ``None`` if it cannot be read."""
    readers = [datetime.fromisoformat, *map(_in_form, _DATES), _stamp]
    for read in (*readers, email.utils.parsedate_to_datetime):
        try:
            when = read(text.strip())
            when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
            # Git's own dates begin here.
            if when.timestamp() >= 0:
                return email.utils.format_datetime(when.replace(microsecond=0))
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
    return None


def _stamp(text: str) -> datetime:
    match = _STAMP.fullmatch(text)
    if not match:
        raise ValueError(text)
    sign = -1 if match[2] == "-" else 1
    hours, minutes = divmod(int(match[3]), 100)
    zone = timedelta(hours=hours, minutes=minutes)
    if len(match[3]) != 4 or hours > 14:
        sign, zone = -sign, timedelta(seconds=int(match[3]))
    return datetime.fromtimestamp(int(match[1]), timezone(sign * zone))


def _in_form(form: str) -> t.Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)


def _left_out(item: Incoming, package: str) -> str:
    subject = item.message.subject
    why = "it contains no diff"
    if item.left_out:
        why = f"it changes nothing in {package}, only {', '.join(item.left_out)}"
    return f"{subject!r}: left out, because {why}"


def _nothing(where: str, package: str, items: list[Incoming]) -> ForkError:
    paths = dict.fromkeys(path for item in items for path in item.left_out)
    remarks = [remark for item in items for remark in item.remarks]
    if not paths and not remarks:
        return _refused(where, "it contains no diff")
    only = f", only {', '.join(paths)}" if paths else ""
    said = "; ".join([f"it changes nothing in {package}{only}", *remarks])
    return _refused(where, said)


def _refused(where: str, what: str) -> ForkError:
    return ForkError(
        what,
        where=where,
        hint="pass an email of `git format-patch`, the .patch of a pull request, or the"
        " output of `git diff`",
    )
