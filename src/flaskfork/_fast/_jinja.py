"""Which releases of Jinja the fast parts know: as in :mod:`._werkzeug`."""

from __future__ import annotations

import jinja2

from . import enabled
from ._releases import is_between
from ._releases import version_of

#: The first release that is known, and the first one that is not.
FIRST, NEXT = (3, 1, 2), (3, 1, 7)


def usable(part: str) -> bool:
    """Whether a part that needs a known Jinja is in use.

    :param part: one of :data:`flaskfork._fast.PARTS`.
    """
    return enabled(part) and _is_known


def is_known(version: str) -> bool:
    """Whether the fast parts know a release of Jinja.

    :param version: such as ``3.1.6``. Anything longer is not known.
    """
    return is_between(version, FIRST, NEXT)


_is_known = is_known(version_of(jinja2))
