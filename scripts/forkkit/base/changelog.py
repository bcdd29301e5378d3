"""The changelog: the entries of the unreleased version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ForkError
from .files import read
from .paths import Project

_UNRELEASED = "## Unreleased"
#: With its continuation lines.
_DROPPED = re.compile(
    r"^- The patch `([a-z0-9-]+)` is dropped:\s+(.+(?:\n  .+)*)$", re.MULTILINE
)
_HINT = "add '## Unreleased' with the sections '### Upstream' and '### Fork'"


@dataclass(frozen=True)
class Changelog:
    """The lines of the file."""

    lines: tuple[str, ...]

    @classmethod
    def load(cls, project: Project) -> Changelog:
        """Read the project's changelog.

        :raises ForkError: it is missing.
        """
        return cls.parse(read(project.changelog, hint="restore it from git"))

    @classmethod
    def parse(cls, data: bytes) -> Changelog:
        """Read a changelog."""
        return cls(tuple(data.decode().removesuffix("\n").split("\n")))

    def render(self) -> bytes:
        """The text of the file."""
        return "\n".join([*self.lines, ""]).encode()

    def with_entry(self, section: str, entry: str, *, instead: str = "") -> Changelog:
        """The changelog with a new entry in a section of the unreleased version.

        :param section: ``Upstream`` or ``Fork``.
        :param entry: the text, without its bullet.
        :param instead: a regular expression for the entries that it replaces.
        :raises ForkError: there is no such section.
        """
        start, end = self._section(section)
        body = [
            line
            for line in self.lines[start:end]
            if not (instead and re.fullmatch(f"- {instead}", line))
        ]
        while body and not body[-1]:
            body.pop()
        while body and not body[0]:
            body.pop(0)
        body = ["", *body, f"- {entry}", *([""] if end < len(self.lines) else [])]
        return Changelog((*self.lines[:start], *body, *self.lines[end:]))

    def with_dropped(self, name: str, reason: str) -> Changelog:
        """The changelog with an entry for a dropped patch."""
        return self.with_entry("Fork", f"The patch `{name}` is dropped: {reason}.")

    def reasons(self) -> dict[str, str]:
        """Why patches were dropped, in this version or before, by patch name."""
        matches = list(_DROPPED.finditer("\n".join(self.lines)))
        return {
            match[1]: " ".join(match[2].split()).removesuffix(".")
            # The newest version comes first in the file, and its reason wins.
            for match in reversed(matches)
        }

    def _section(self, section: str) -> tuple[int, int]:
        """Where the lines below a section's heading begin and end."""
        lines = list(self.lines)
        try:
            top = lines.index(_UNRELEASED) + 1
            ends = [n for n in range(top, len(lines)) if lines[n].startswith("## ")]
            below = lines[: ends[0]] if ends else lines
            start = below.index(f"### {section}", top) + 1
        except ValueError as e:
            raise ForkError(
                f"there is no section {section!r} under Unreleased",
                where="CHANGELOG.md",
                hint=_HINT,
            ) from e
        headings = [n for n in range(start, len(below)) if lines[n].startswith("#")]
        return start, headings[0] if headings else len(below)


def clause(text: str) -> str:
    """``text`` as the end of an entry: one line, without its full stop.

    :raises ForkError: it is empty, or longer than one line.
    """
    stripped = text.strip().rstrip(".")
    if not stripped or not stripped.isprintable():
        raise ForkError(
            f"the reason {text!r} is not one line of text",
            hint="say in a few words why the patch is dropped",
        )
    return stripped
