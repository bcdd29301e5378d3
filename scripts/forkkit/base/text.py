"""Text from strangers, as it may be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with nothing in it that hides, reorders or colours what is read."""
    return "".join(
        c if c.isprintable() or c in "\t\n" else c.encode("unicode_escape").decode()
        for c in text
    )
