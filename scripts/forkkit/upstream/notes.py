"""What upstream's own changelog says of a release."""

from __future__ import annotations

import re

from ..base.files import Files

_NAMES = ("CHANGES.rst", "CHANGES.md", "CHANGES", "CHANGELOG.rst", "CHANGELOG.md")
_HEADING = re.compile(r"^(?:Version )?(\d+(?:\.\d+)+)\b.*\n[-=~]{3,}$", re.MULTILINE)
_BULLET = re.compile(r"^\s*[-*]\s+", re.MULTILINE)
_LITERAL = re.compile(r"``([^`]+)``")
# Shorter ones stand everywhere, and so do some others.
_WORD = re.compile(r"\b(?!(?:Flask|flask|self|None|True|False)\b)[A-Za-z_]{4,}\b")


def entries(files: Files, version: str) -> list[str]:
    """The entries of a release, each in a line.

    :param files: those of the release.
    """
    text = next((files[name] for name in _NAMES if name in files), b"")
    pieces = _HEADING.split(text.decode("utf-8", "replace"))
    sections = dict(zip(pieces[1::2], pieces[2::2]))
    bullets = _BULLET.split(sections.get(version, ""))[1:]
    return [" ".join(bullet.split()) for bullet in bullets]


def about(found: list[str], text: str, *, most: int = 3) -> list[str]:
    """The entries that name, in code, what a text names; those that name most first."""
    words = set(_WORD.findall(text))

    def common(entry: str) -> int:
        literals = " ".join(_LITERAL.findall(entry))
        return len(words.intersection(_WORD.findall(literals)))

    return sorted(filter(common, found), key=common, reverse=True)[:most]
