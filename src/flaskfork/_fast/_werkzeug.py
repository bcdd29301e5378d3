"""Which releases of Werkzeug the fast parts know.

They use more of it than its documented interface, and have its first way through some
functions in their own words. With any other release, Werkzeug's own classes are used
as they are.
"""

from __future__ import annotations

import werkzeug

from . import enabled
from ._releases import is_between
from ._releases import version_of

#: The first release that is known, and the first one that is not.
FIRST, NEXT = (3, 1, 0), (3, 1, 10)


def usable(part: str) -> bool:
    """Whether a part that needs a known Werkzeug is in use.

    :param part: one of :data:`flaskfork._fast.PARTS`.
    """
    return enabled(part) and _is_known


def is_known(version: str) -> bool:
    """Whether the fast parts know a release of Werkzeug.

    :param version: such as ``3.1.3``. Anything longer is not known.
    """
    return is_between(version, FIRST, NEXT)


_is_known = is_known(version_of(werkzeug))
