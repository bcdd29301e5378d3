"""Parsing mailboxes, and other texts with a message above a diff.

Mails are read by git's own ``mailsplit`` and ``mailinfo``, as by ``git am``.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import pathlib
import re
import tempfile
import textwrap
import typing as t
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.header import make_header
from email.utils import getaddresses

from ..base.errors import ForkError
from ..base.git import Git
from . import dep3

#: More mails, and longer fields of their headers in bytes, than people write.
_MOST = 1000
_LONGEST = 10_000
_BOM = b"\xef\xbb\xbf"
_FROM = b"From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
#: The line between the mails of a mailbox, as `git mailsplit` knows it.
_FROM_LINE = re.compile(rb"From [^\n]*\d\d:\d\d[^\n]*\d{4}[^\n]*\n")
#: The lines of a header (RFC 5322), and what mail programs put among them.
_HEADER = re.compile(rb"(?:>?From [^\n]*\n|[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
#: Those by which a header is known from any words with colons. DEP-3 has its own.
_KNOWN = re.compile(
    rb"^(From|Date|Subject|Author|Description|Origin|Message-ID): ?\S",
    re.MULTILINE | re.IGNORECASE,
)
_NEXT_HEADER = re.compile(
    rb"(?<=\n\n)[A-Z][\w-]*: ?[^\n]*\n(?:[A-Z][\w-]*:[^\n]*\n|[ \t]+\S[^\n]*\n)+(?=\n)"
)
_HUNK = re.compile(rb"^@@ -", re.MULTILINE)
_CONTENT = re.compile(
    rb"^(?:(?:Content-|MIME-Version:)[^\n]*\n(?:[ \t][^\n]*\n)*|>From [^\n]*\n)",
    re.MULTILINE | re.IGNORECASE,
)
#: Where `git am` sees the message end and the changes begin.
_CHANGES = re.compile(rb"^(?:---(?:[ \t]*$| [^\s])|diff -|Index: )", re.MULTILINE)
#: A commit as `git show` and `git log -p` print it, or `hg export`.
_SHOWN = re.compile(
    rb"^(?=commit [0-9a-f]{7,64}\b[^\n]*\n(?:\w+:[^\n]*\n)*Author:"
    rb"|# HG changeset patch)",
    re.MULTILINE,
)
_SAID = re.compile(r"(?:# )?(commit|Author|AuthorDate|User|From|Date|Node ID):? +(.*)")
_UNSAID = re.compile(r"# .*|(?:Commit|CommitDate|Merge):.*")
#: The summary that `git diff --stat -p` prints first.
_STAT = re.compile(
    r"^ \S[^\n]* \|\s+(?:\d+ [+-]*|Bin[^\n]*|0)\n|^ \d+ files? changed[^\n]*\n|"
    r"^ (?:create|delete) mode \d+ [^\n]*\n",
    re.MULTILINE,
)
_TAGS = re.compile(r"\s*(?:(?:Re|Fwd?|Aw):\s*)*", re.IGNORECASE)
_PATCH_TAG = re.compile(r"(?:\[[^\]]*\]\s*)*\[[^\]]*\b(?:PATCH|RFC)\b[^\]]*\]\s*")
#: Gives back each line as it was read.
_POLICY = email.policy.compat32.clone(max_line_length=None, mangle_from_=False)


@dataclass(frozen=True)
class Mail:
    """What a mail, or another text with a diff, says.

    :param author: name and address, as it is written; empty if nobody is named.
    :param date: as it is written; empty if there is none.
    :param text: the subject, and after a blank line the message.
    :param changes: the diff, and the text around it.
    :param commit: the commit that it was made from, if it names one.
    :param trailers: keys and values of the rest of its header.
    """

    author: str
    date: str
    text: str
    changes: bytes
    commit: str = ""
    trailers: tuple[tuple[str, str], ...] = ()


def read(data: bytes, *, where: str, attached: bool = False) -> list[Mail]:
    """The mails of a mailbox, or what another text with diffs holds.

    :param attached: whether it is attached to a mail; what is attached to it is not
        looked at.
    :raises ForkError: there are more mails in it, or longer fields, than people write.
    """
    data = re.sub(rb"\A(?:%s|[ \t\r]*\n)+" % _BOM, b"", data)
    data = data[1:] if data.startswith(b">From ") else data
    if not _is_mail(data):
        text = data.replace(b"\r\n", b"\n")
        return [_not_a_mail(part) for part in _SHOWN.split(text) if part.strip()]

    # Without this line, `git mailsplit` takes all mails for one.
    data = data if _FROM_LINE.match(data) else _FROM + data
    data = _with_from_lines(data.replace(b"\r\n", b"\n"))
    with tempfile.TemporaryDirectory(prefix="flaskfork-mails-") as name:
        folder = pathlib.Path(name)
        git = Git(folder)
        (folder / "mailbox").write_bytes(data)
        count = int(git.text("mailsplit", f"-o{folder}", str(folder / "mailbox")))
        if count > _MOST:
            raise _too_much(where, f"it has more than {_MOST} emails")
        mails = [(folder / f"{n:04}").read_bytes() for n in range(1, count + 1)]
        return [m for text in mails for m in _mails(git, text, where, attached)]


def _with_from_lines(data: bytes) -> bytes:
    """Mails one after another, of which some have no From line."""
    pieces, last = [], 0
    for header in _NEXT_HEADER.finditer(data):
        keys = {line.partition(b":")[0].lower() for line in header[0].splitlines()}
        # Below the changes of the mail before: above them, it is a part of a message.
        if {b"from", b"subject"} <= keys and _HUNK.search(data, last, header.start()):
            pieces.append(data[last : header.start()])
            last = header.start()
    return _FROM.join([*pieces, data[last:]])


def _is_mail(data: bytes) -> bool:
    """Whether a text begins with the lines of a header, whichever comes first."""
    header = _HEADER.match(data.replace(b"\r\n", b"\n"))
    if not header:
        return False
    return bool(_FROM_LINE.match(data) or _KNOWN.search(header[0]))


def _mails(git: Git, mail: bytes, where: str, attached: bool) -> t.Iterator[Mail]:
    """A mail, and those that are attached to it."""
    parsed, parts = _parsed(mail, where)
    others: list[email.message.Message] = []
    if not attached:
        others = [part for part in parts[1:] if _is_mail(_decoded(part))]
    if len(others) > _MOST:
        raise _too_much(where, f"it has more than {_MOST} emails")
    kept = [part for part in parts if part not in others]
    yield _mail(git, _flattened(mail, parsed, kept), parsed)
    for part in others:
        yield from read(_decoded(part), where=where, attached=True)


def _parsed(
    mail: bytes, where: str
) -> tuple[email.message.Message, list[email.message.Message]]:
    """A mail, and its parts that have no parts themselves."""
    # The time that Python takes to read them grows with the square of their length.
    if any(len(field[0]) > _LONGEST for field in _CONTENT.finditer(mail)):
        raise _too_much(where, f"a field of its header has more than {_LONGEST} bytes")
    try:
        parsed = email.message_from_bytes(mail, policy=_POLICY)
        return parsed, [*_leaves(parsed)] or [parsed]
    except RecursionError as e:
        raise _too_much(where, "its parts are nested too deeply") from e


def _leaves(mail: email.message.Message) -> t.Iterator[email.message.Message]:
    if mail.get_content_maintype() == "multipart" and mail.is_multipart():
        for part in t.cast("list[email.message.Message]", mail.get_payload()):
            yield from _leaves(part)
    else:
        yield mail


def _too_much(where: str, what: str) -> ForkError:
    return ForkError(what, where=where, hint="pass a single patch")


def _mail(git: Git, mail: bytes, parsed: email.message.Message) -> Mail:
    """What a mail says; :mod:`.dep3` where it has none of a mail's own headers."""
    # Brackets in the subject may be the author's own: they are told apart here.
    info = git("mailinfo", "-u", "-k", "--scissors", "message", "diff", stdin=mail)
    said: dict[str, str] = {}
    for line in info.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(": ")
        said[key] = f"{said[key]} {value}" if key in said else value
    name, address = said.get("Author", ""), said.get("Email", "")
    authors = _several(parsed, address) or [f"{name} <{address}>"]
    if not address:
        authors = dep3.authors(parsed)
    subject = _subject(said.get("Subject", "")) or dep3.description(parsed)
    body = (git.folder / "message").read_text("utf-8", "replace")
    trailers = [("Co-authored-by", other) for other in authors[1:]]
    if "Subject" not in said:
        trailers += dep3.trailers(parsed)
    return Mail(
        authors[0] if authors else name or str(parsed.get("From", "")),
        said.get("Date") or dep3.last_update(parsed),
        f"{subject}\n\n{body}",
        (git.folder / "diff").read_bytes(),
        _commit_of(mail),
        tuple(trailers),
    )


def _several(mail: email.message.Message, first: str) -> list[str]:
    """The authors of a mail, if there are several and the first has that address."""
    try:
        text = str(make_header(decode_header(str(mail.get("From", "")))))
    except (LookupError, ValueError, HeaderParseError):
        return []
    found = [pair for pair in getaddresses([text]) if "@" in pair[1]]
    if len(found) < 2 or found[0][1] != first:
        return []
    return [f"{name or address} <{address}>" for name, address in found]


def _commit_of(mail: bytes) -> str:
    """The commit that `git format-patch` names in the first line of a mail."""
    found = re.match(rb"From ([0-9a-f]{40}) ", mail)
    return found[1].decode() if found and found[1].strip(b"0") else ""


def _subject(text: str) -> str:
    """A subject without what mail programs and lists put before it."""
    text = _TAGS.sub("", " ".join(text.split()), count=1)
    tags = _PATCH_TAG.match(text)
    return text[tags.end() :] if tags else text


def _flattened(
    mail: bytes, parsed: email.message.Message, parts: list[email.message.Message]
) -> bytes:
    """A mail as plain text in UTF-8, of those of its parts that are text."""
    header = _HEADER.match(mail)
    if not header or not any(key.lower().startswith("content-") for key in parsed):
        return mail
    texts = [_decoded(part) for part in parts if len(parts) == 1 or _is_shown(part)]
    flowed = "; format=flowed" * (parts[0].get_param("format") == "flowed")
    delsp = "; delsp=yes" * (parts[0].get_param("delsp") == "yes")
    kind = f"Content-Type: text/plain; charset=UTF-8{flowed}{delsp}\n"
    coding = b"Content-Transfer-Encoding: 8bit\n\n"
    head = _CONTENT.sub(b"", header[0])
    return head + kind.encode() + coding + b"\n".join(texts)


def _is_shown(part: email.message.Message) -> bool:
    """Whether a part of a mail is text to read, or a patch."""
    if part.get_content_maintype() == "text":
        return part.get_content_subtype() not in {"html", "calendar"}
    return bool(_CHANGES.search(_decoded(part)))


def _decoded(part: email.message.Message) -> bytes:
    """The text of a part of a mail, in UTF-8."""
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        return t.cast("list[email.message.Message]", part.get_payload())[0].as_bytes(
            policy=_POLICY
        )
    content = t.cast(bytes, part.get_payload(decode=True) or b"")
    content = content.replace(b"\r\n", b"\n")
    content = content[len(_BOM) :] if content.startswith(_BOM) else content
    charset = part.get_content_charset() or "utf-8"
    try:
        # Many mail programs name a charset other than the one they have used.
        content.decode()
        if not content.isascii() or charset.startswith(("us-ascii", "iso-8859")):
            return content
    except UnicodeDecodeError:
        charset = "iso-8859-1" if charset in {"utf-8", "us-ascii"} else charset
    try:
        return content.decode(charset).encode()
    except (LookupError, ValueError):
        return content


def _not_a_mail(data: bytes) -> Mail:
    """What the text above a diff says that is not in a mail."""
    start = _CHANGES.search(data)
    place = start.start() if start else len(data)
    head = _STAT.sub("", data[:place].decode("utf-8", "replace"))
    lines = head.strip().splitlines()
    said = _heads(lines, unsaid=lines[:1] == ["# HG changeset patch"])
    # StGit writes them below the subject.
    if len(lines) > 2 and not lines[1] and not said:
        rest = lines[2:]
        said = _heads(rest)
        lines[2:] = rest
    return Mail(
        said.get("Author") or said.get("User") or said.get("From", ""),
        said.get("AuthorDate") or said.get("Date", ""),
        # `git show` indents the message.
        textwrap.dedent("\n".join(lines)).strip(),
        data[place:],
        said.get("commit", "").partition(" ")[0],
    )


def _heads(lines: list[str], *, unsaid: bool = False) -> dict[str, str]:
    """Take the lines off the front that name author, date and commit.

    :param unsaid: also those with a number sign, which name other things.
    """
    said: dict[str, str] = {}
    while lines:
        if found := _SAID.fullmatch(lines[0].strip()):
            said.setdefault(found[1], found[2])
        elif not (unsaid or said) or not _UNSAID.fullmatch(lines[0].strip()):
            break
        del lines[0]
    return said
