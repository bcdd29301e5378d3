"""Proposing trailers that the text of a change from elsewhere suggests."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .message import Message

_REPOSITORY = r"[A-Za-z0-9][\w.-]*/[\w.-]+"
_ISSUE = (
    rf"(?:https?://(?:www\.)?github\.com/(?P<on>{_REPOSITORY})/(?:issues|pull)/"
    rf"(?P<page>\d+)[^\s,;)]*|(?P<of>{_REPOSITORY})?#(?P<number>\d+)|GH-(?P<gh>\d+))"
)
#: GitHub's words for it, and the separators of a list of issues.
_CLOSES = re.compile(
    r"\b(?:fix(?:e[sd])?|clos(?:e[sd]?|ing)|resolv(?:e[sd]?|ing))\b", re.IGNORECASE
)
_CLOSED = re.compile(rf"(?:[\s,:&]|and\b|issues?\b|bugs?\b)*{_ISSUE}", re.IGNORECASE)
#: These name their repository, and mean an issue without any such word.
_WHOLE = re.compile(_ISSUE.replace("(?:issues|pull)", "issues").replace(")?#", ")#"))
_BUG = re.compile(rf"{_REPOSITORY}#\d+")
#: How git, stable kernels and DEP-3 name a commit that is upstream's already.
_UPSTREAM = [
    re.compile(pattern, re.MULTILINE | re.IGNORECASE)
    for pattern in (
        r"\(cherry[- ]picked from commit ([0-9a-f]{7,40})\b",
        r"^\[?[ ]*(?:upstream )?commit ([0-9a-f]{7,40})(?: upstream\b|[ ]*\])",
        r"^(?:Origin: (?:upstream|backport)|Applied-Upstream):?\b[^\n]*"
        r"(?:/commit/|commit:|, )([0-9a-f]{7,40})\b",
    )
]
_RELEASE = re.compile(r"^Applied-Upstream: v?(\d+(?:\.\d+)+)", re.MULTILINE)


def completed(
    message: Message, repository: str | None, known: t.Callable[[str], str | None]
) -> Message:
    """The message with the trailers that it lacks, as far as its text suggests them.

    :param repository: whose issues are meant where the words have a number only.
    :param known: returns the whole id of a commit of upstream's, which may be
        shortened; ``None`` if there is no such commit.
    """
    text = message.render()
    kept = [pair for key, v in message.trailers for pair in _read(key, v, repository)]
    message = replace(message, trailers=tuple(kept))
    message = message.with_added("Bug", dict.fromkeys(_bugs(text, repository)))
    there = dict(kept)
    added = [pair for pair in _statuses(text, known) if pair[0] not in there]
    return replace(message, trailers=(*message.trailers, *added))


def _bugs(text: str, repository: str | None) -> t.Iterator[str]:
    """The issues that a text says it closes, or whose pages it names."""
    for word in _CLOSES.finditer(text):
        end = word.end()
        while match := _CLOSED.match(text, end):
            yield from _bug(match, repository)
            end = match.end()
    for match in _WHOLE.finditer(text):
        yield from _bug(match, repository)


def _bug(match: re.Match[str], repository: str | None) -> t.Iterator[str]:
    place = match["on"] or match["of"] or repository
    if place:
        yield f"{place}#{match['page'] or match['number'] or match['gh']}"


def _read(key: str, value: str, repository: str | None) -> list[tuple[str, str]]:
    """A trailer in the queue's form; an issue of another tracker cannot be a Bug."""
    if key != "Bug" or _BUG.fullmatch(value):
        return [(key, value)]
    match = _CLOSED.fullmatch(value)
    bugs = list(_bug(match, repository)) if match else []
    return [("Bug", bug) for bug in bugs] or [("Link", value)]


def _statuses(
    text: str, known: t.Callable[[str], str | None]
) -> t.Iterator[tuple[str, str]]:
    found = [match for match in (p.search(text) for p in _UPSTREAM) if match]
    release = _RELEASE.search(text)
    if found:
        sha = found[0][1]
        yield "Upstream-Status", f"Backport [commit {sha[:10]}]"
        yield "Forwarded", "not-needed"
        if len(whole := known(sha) or sha) == 40:
            yield "Drop-When", f"commit {whole}"
    elif release:
        yield "Upstream-Status", f"Backport [in {release[1]}]"
        yield "Forwarded", "not-needed"
        yield "Drop-When", f"upstream >= {release[1]}"
