"""Reading TOML on every Python that the fork supports."""

from __future__ import annotations

import pathlib
import sys
import typing as t

from .errors import ForkError
from .files import read

if sys.version_info >= (3, 11):
    import tomllib
else:
    # hatchling brings it where the standard library has none.
    import tomli as tomllib


def loads(data: bytes, *, where: object) -> dict[str, t.Any]:
    """Parse ``data``.

    :raises ForkError: it is not UTF-8 or not TOML.
    """
    try:
        values: dict[str, t.Any] = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as e:
        raise ForkError(f"is not valid TOML: {e}", where=where) from e
    return values


def load(path: pathlib.Path, *, hint: str) -> dict[str, t.Any]:
    """Parse the file at ``path``.

    :raises ForkError: it is missing, not UTF-8 or not TOML.
    """
    return loads(read(path, hint=hint), where=path)
