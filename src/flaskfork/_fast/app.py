"""The patch fast-app: the lean bodies of :class:`.Flask`."""

from __future__ import annotations

import typing as t

from . import adapters

T = t.TypeVar("T", bound=type)


def lean(cls: T) -> T:
    """Decorate the class: put in the bodies of each part."""
    for part in (adapters,):
        cls = part.bodies.put_in(cls)

    return cls
