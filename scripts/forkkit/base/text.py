"""Making untrusted text safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text``, with characters that could hide, reorder or colour it escaped."""
    return "".join(
        c if c.isprintable() or c in "\t\n" else c.encode("unicode_escape").decode()
        for c in text
    )
