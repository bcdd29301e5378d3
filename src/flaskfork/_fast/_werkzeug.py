"""Which releases of Werkzeug the fast parts know.

They use more of it than its documented interface, and have its first way through some
functions in their own words. With any other release, Werkzeug's own classes are used
as they are.
"""

from __future__ import annotations

import os
import re

import werkzeug

from . import enabled

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
    found = re.match(r"(\d+)\.(\d+)\.(\d+)$", version)
    return found is not None and FIRST <= tuple(map(int, found.groups())) < NEXT


def _version() -> str:
    # importlib.metadata is slow to import, and rarely needed here.
    try:
        names = os.listdir(os.path.dirname(werkzeug.__path__[0]))
    except OSError:
        names = []

    found = [m for m in map(_METADATA.match, names) if m]

    if len(found) == 1:
        return found[0][1]

    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version

    try:
        return version("werkzeug")
    except PackageNotFoundError:
        return ""


_METADATA = re.compile(r"werkzeug-(.+)\.(?:dist|egg)-info$", re.I)
_is_known = is_known(_version())
