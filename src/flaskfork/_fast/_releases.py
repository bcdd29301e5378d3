"""Which release of a library is installed."""

from __future__ import annotations

import os
import re
import typing as t

if t.TYPE_CHECKING:
    from types import ModuleType


def is_between(version: str, first: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a version is ``first`` or newer, and older than ``after``.

    :param version: such as ``3.1.3``. Anything longer is not.
    """
    found = re.match(r"(\d+)\.(\d+)\.(\d+)$", version)
    return found is not None and first <= tuple(map(int, found.groups())) < after


def version_of(package: ModuleType) -> str:
    """The version in a package's metadata; empty if it cannot be told."""
    # importlib.metadata is slow to import, and rarely needed here.
    try:
        names = os.listdir(os.path.dirname(package.__path__[0]))
    except OSError:
        names = []

    metadata = re.compile(rf"{package.__name__}-(.+)\.(?:dist|egg)-info$", re.I)
    found = [m for m in map(metadata.match, names) if m]

    if len(found) == 1:
        return found[0][1]

    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version

    try:
        return version(package.__name__)
    except PackageNotFoundError:
        return ""
