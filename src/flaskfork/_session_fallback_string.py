"""The patch session-fallback-string: what ``SECRET_KEY_FALLBACKS`` may hold."""

from __future__ import annotations

import collections.abc as c
import typing as t


def fallback_keys(value: t.Any) -> c.Collection[str | bytes]:
    """Get the keys from the value of the config.

    A single ``str`` or ``bytes`` is one key. Iterating over it would make each letter
    a key that signs sessions (pallets/flask#6089).

    :raises TypeError: the value is not a collection of keys.
    """
    keys = [value] if isinstance(value, (str, bytes)) else value

    if (
        isinstance(keys, c.Mapping)
        or not isinstance(keys, c.Collection)
        or not all(isinstance(key, (str, bytes)) and key for key in keys)
    ):
        raise TypeError(
            "The 'SECRET_KEY_FALLBACKS' config must be a list of old secret"
            " keys, each of them a 'str' or 'bytes' that is not empty."
        )

    return keys
