"""The types that make up the tables of names."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from dataclasses import replace

FORK = "flaskfork"


@dataclass(frozen=True)
class Name:
    """A name that was removed.

    :param target: what it resolves to, as ``module:attribute`` or ``module``; empty for
        a package that only holds other modules.
    :param since: the release that removed it.
    :param instead: what replaces it.
    """

    target: str
    since: str
    instead: str

    def gone(self, since: str) -> Name:
        """The same for a module that lost the name in another release."""
        return replace(self, since=since)

    def describe(self, shown: str) -> str:
        """The start of the warning, which shows the name as ``shown``."""
        return f"{shown!r} was removed in {self.since}"


@dataclass(frozen=True)
class Table:
    """What one switch restores.

    :param names: removed names, by the module that had them.
    :param modules: removed modules.
    :param restorers: functions that restore what the classes and functions of a module
        have lost, by the module.
    """

    names: t.Mapping[str, t.Mapping[str, Name]]
    modules: t.Mapping[str, Name]
    restorers: t.Mapping[str, str]


def unmoved(
    names: str, *, of: str, since: str, instead: str | None = None
) -> dict[str, Name]:
    """Entries for names that exist unchanged in another module.

    :param names: the names, separated by white space.
    :param of: the module that has them.
    :param since: the release that removed them.
    :param instead: what replaces them, if not that module.
    """
    return {
        name: Name(f"{of}:{name}", since, instead or f"'{of}.{name}'")
        for name in names.split()
    }
