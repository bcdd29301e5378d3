"""Making untrusted text safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape the characters of ``text`` that could hide, reorder or colour it."""
    return "".join(
        c if c.isprintable() or c in "\t\n" else c.encode("unicode_escape").decode()
        for c in text
    )
