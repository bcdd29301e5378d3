"""The order of the queue: quilt's ``series`` file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.errors import raise_findings

_ENTRY = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)\.patch")
_DISABLED = "# disabled: "


@dataclass(frozen=True)
class Series:
    """The lines of the file: entries, comments and blank lines."""

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Series:
        """Read a series.

        :raises ForkError: a line is not a patch's file name, or occurs twice.
        """
        text = data.decode("utf-8", "backslashreplace")
        lines = tuple(line.strip() for line in text.splitlines())
        problems = []
        seen: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            entry = line.removeprefix(_DISABLED)
            if not entry or entry.startswith("#"):
                continue
            if not _ENTRY.fullmatch(entry):
                problems.append(
                    ForkError(
                        f"{entry!r} is not the file name of a patch",
                        where=f"{where}:{number}",
                        hint="write one name per line, such as short-words.patch",
                    )
                )
            elif entry in seen:
                problems.append(
                    ForkError(
                        f"{entry} is already listed in line {seen[entry]}",
                        where=f"{where}:{number}",
                        hint="remove one of the two lines",
                    )
                )
            seen.setdefault(entry, number)
        raise_findings(problems)
        return cls(lines)

    def render(self) -> bytes:
        """The text of the file."""
        return "".join(f"{line}\n" for line in self.lines).encode()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches, in the order in which they apply."""
        return tuple(m[1] for m in map(_ENTRY.fullmatch, self.lines) if m)

    @property
    def disabled(self) -> dict[str, int]:
        """The patches that are kept but not applied, and how many come before each."""
        found = {}
        before = 0
        for line in self.lines:
            match = _ENTRY.fullmatch(line.removeprefix(_DISABLED))
            if match and line.startswith(_DISABLED):
                found[match[1]] = before
            elif match:
                before += 1
        return found

    def with_names(self, names: tuple[str, ...]) -> Series:
        """The series with ``names`` in this order.

        Comments stay above their entry, and disabled patches stay below the entry that
        precedes them. A block at the top stays there if a blank line follows it.
        """
        top, entries, rest = self._split()
        order = list(names)
        kept = {*names, *self.disabled}
        above = None
        for name in entries:
            if name in kept and name not in names:
                order.insert(order.index(above) + 1 if above else 0, name)
            above = name if name in kept else above
        lines = [
            line for name in order for line in entries.get(name, [f"{name}.patch"])
        ]
        return Series((*top, *lines, *rest))

    def with_disabled(self, name: str) -> Series:
        """The series with a patch disabled."""
        return self._replaced(f"{name}.patch", f"{_DISABLED}{name}.patch")

    def with_enabled(self, name: str) -> Series:
        """The series with a disabled patch enabled."""
        return self._replaced(f"{_DISABLED}{name}.patch", f"{name}.patch")

    def renamed(self, name: str, new: str) -> Series:
        """The series with a patch renamed."""
        return self._replaced(f"{name}.patch", f"{new}.patch")

    def _split(self) -> tuple[list[str], dict[str, list[str]], list[str]]:
        """The lines at the top, those of each entry, and those below the last."""
        top: list[str] = []
        entries: dict[str, list[str]] = {}
        pending: list[str] = []
        for line in self.lines:
            pending.append(line)
            if entry := _ENTRY.fullmatch(line.removeprefix(_DISABLED)):
                entries[entry[1]], pending = pending, []
            elif not line and not entries:
                top, pending = top + pending, []
        return top, entries, pending

    def _replaced(self, line: str, new: str) -> Series:
        return Series(tuple(new if old == line else old for old in self.lines))
