"""The order of the queue: quilt's ``series`` file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ForkError
from .errors import raise_findings

_ENTRY = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)\.patch")


@dataclass(frozen=True)
class Series:
    """The lines of the file: entries, comments and blank lines, as they stand."""

    lines: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches, in the order in which they apply."""
        return tuple(m[1] for m in map(_ENTRY.fullmatch, self.lines) if m)

    def with_names(self, names: tuple[str, ...]) -> Series:
        """The series with ``names`` in this order.

        Comments stay with the entry that they stand above; what stands at the top,
        with a blank line below it, stays there.
        """
        above: dict[str, list[str]] = {}
        lines: list[str] = []
        pending: list[str] = []
        for line in self.lines:
            if entry := _ENTRY.fullmatch(line):
                above[entry[1]], pending = pending, []
            elif line or above:
                pending.append(line)
            else:
                lines += [*pending, line]
                pending = []

        for name in names:
            lines += [*above.get(name, []), f"{name}.patch"]
        return Series((*lines, *pending))

    def renamed(self, name: str, new: str) -> Series:
        """The series with another name for a patch."""
        names = {f"{name}.patch": f"{new}.patch"}
        return Series(tuple(names.get(line, line) for line in self.lines))


def parse(data: bytes, *, where: object) -> Series:
    """Read a series.

    :raises ForkError: a line that is no patch's file name, or one that is doubled.
    """
    text = data.decode("utf-8", "backslashreplace")
    lines = tuple(line.strip() for line in text.splitlines())
    problems = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        if not _ENTRY.fullmatch(line):
            problems.append(
                ForkError(
                    f"{line!r} is not the file name of a patch",
                    where=f"{where}:{number}",
                    mend="write one name like short-words.patch a line",
                )
            )
        elif line in seen:
            problems.append(
                ForkError(
                    f"{line} stands in line {seen[line]} already",
                    where=f"{where}:{number}",
                    mend="remove one of the two lines",
                )
            )
        seen.setdefault(line, number)
    raise_findings(problems)
    return Series(lines)


def render(series: Series) -> bytes:
    """The file's text for ``series``."""
    return "".join(f"{line}\n" for line in series.lines).encode()
