"""The patch config-env-conflict: environment variables that conflict."""

from __future__ import annotations

import collections.abc as c
import typing as t


def check_parents(config: c.Mapping[str, t.Any], prefix: str, key: str) -> None:
    """Check that an item can be set where the name of a variable says.

    :param key: the name without the prefix, such as ``A__B`` for ``config["A"]["B"]``.
    :raises ValueError: one of the parents is not a mapping. The message does not show
        its value, which may be secret (pallets/flask#6119).
    """
    current: t.Any = config
    parent = prefix
    separator = ""

    for part in key.split("__")[:-1]:
        if part not in current:
            return

        current = current[part]
        parent += separator + part
        separator = "__"

        if not _has_items(current):
            raise ValueError(
                f"The environment variable '{prefix}{key}' sets an item of"
                f" {parent!r}, but that is already set to a value of type"
                f" {type(current).__name__!r}. Remove one of the two, or set"
                f" {parent!r} to a JSON object."
            )


def _has_items(value: t.Any) -> bool:
    """Whether items can be set by name. The class of a value need not say so."""
    return hasattr(value, "__setitem__") and not isinstance(value, c.MutableSequence)
