"""Which patches need which others: derived by leaving each out in turn."""

from __future__ import annotations

import typing as t

from .changes import carry_all
from .changes import Change
from .merge import Merger


def derive(changes: t.Sequence[Change], merger: Merger) -> dict[str, tuple[str, ...]]:
    """The patches that each one needs, in the order of the queue.

    A patch needs another one if it conflicts when that one is left out. Patches that
    do not need each other commute.
    """
    found: dict[str, list[str]] = {change.patch.name: [] for change in changes}
    for place, left_out in enumerate(changes):
        later = changes[place + 1 :]
        for outcome in carry_all(later, left_out.before, merger):
            if outcome.kind == "conflict":
                found[outcome.name].append(left_out.patch.name)
    return {name: tuple(needed) for name, needed in found.items()}


def turned(needs: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The patches that need each one, in the order of the queue."""
    return {
        name: tuple(other for other, needed in needs.items() if name in needed)
        for name in needs
    }


def closure(
    needs: dict[str, tuple[str, ...]], names: t.Iterable[str]
) -> tuple[str, ...]:
    """``names`` and all that they need, in the order of the queue."""
    wanted = set(names)
    # What a patch needs comes before it.
    for name in reversed(needs):
        if name in wanted:
            wanted.update(needs[name])
    return tuple(name for name in needs if name in wanted)
