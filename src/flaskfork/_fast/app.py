"""The patch fast-app: the lean bodies of :class:`.Flask`."""

from __future__ import annotations

import typing as t

from . import adapters
from . import dispatch
from . import static
from . import templating
from . import urls

T = t.TypeVar("T", bound=type)


def lean(cls: T) -> T:
    """Decorate the class: put in the bodies of each part."""
    for part in (adapters, dispatch, static, urls, templating):
        cls = part.bodies.put_in(cls)

    return cls
