"""What the tables of names are made of."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from dataclasses import replace

FORK = "flaskfork"


@dataclass(frozen=True)
class Name:
    """A name that is gone.

    :param target: what it gets, as ``module:attribute`` or ``module``. Empty stands for
        a package that only holds other modules.
    :param since: the release that it is gone since.
    :param instead: what replaces it.
    """

    target: str
    since: str
    instead: str

    def gone(self, since: str) -> Name:
        """The same, from where it is gone since another release."""
        return replace(self, since=since)

    def describe(self, shown: str) -> str:
        return f"{shown!r} is gone since {self.since}"


@dataclass(frozen=True)
class Table:
    """What one switch gives back.

    :param names: the names of modules that are there.
    :param modules: modules that are gone.
    :param menders: functions that put back what the classes and functions of a module
        have lost, by the module.
    """

    names: t.Mapping[str, t.Mapping[str, Name]]
    modules: t.Mapping[str, Name]
    menders: t.Mapping[str, str]


def unmoved(
    names: str, *, of: str, since: str, instead: str | None = None
) -> dict[str, Name]:
    """Several names, each of which is there as it is in the module ``of``.

    :param instead: what replaces them, if that is not the same module.
    """
    return {
        name: Name(f"{of}:{name}", since, instead or f"'{of}.{name}'")
        for name in names.split()
    }
