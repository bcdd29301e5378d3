"""Making untrusted text safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape the characters of ``text`` that could hide, reorder or colour it."""
    return "".join(
        c if c.isprintable() or c in "\t\n" else c.encode("unicode_escape").decode()
        for c in text
    )


def one_line(text: str) -> str:
    """The same for a name, which must not begin a line of its own."""
    return printable(text).replace("\n", r"\n").replace("\t", r"\t")
