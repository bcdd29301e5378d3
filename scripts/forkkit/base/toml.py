"""Reading TOML on every Python that the fork supports, and changing a value in it."""

from __future__ import annotations

import pathlib
import sys
import typing as t

from .errors import ForkError
from .files import read

if sys.version_info >= (3, 11):
    import tomllib
else:
    # hatchling installs it where the standard library has no tomllib.
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


def with_value(
    data: bytes, table: str, key: str, value: str, *, where: object
) -> bytes:
    """``data`` with one string value replaced, and the rest byte for byte the same.

    :param table: the top-level table that has the key.
    :raises ForkError: there is no such string, or as :func:`loads`.
    """
    # Imported late: the build neither needs nor has it.
    import tomlkit

    found = loads(data, where=where).get(table)
    if not isinstance(found, dict) or not isinstance(found.get(key), str):
        raise ForkError(
            f"there is no string [{table}] {key}",
            where=where,
            hint=f'write {key} = "..." below [{table}]',
        )
    document = tomlkit.parse(data)
    values = t.cast(dict[str, tomlkit.items.String], document[table])
    quoted = values[key].as_string()
    values[key] = tomlkit.string(value, literal=quoted.startswith("'"))
    return tomlkit.dumps(document).encode()
