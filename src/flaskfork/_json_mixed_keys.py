"""The patch json-mixed-keys: dicts whose keys cannot be compared."""

from __future__ import annotations

import json
import typing as t
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps

Default = t.Callable[[t.Any], t.Any]
F = t.TypeVar("F", bound=t.Callable[..., t.Any])

_keys_come_back: ContextVar[bool] = ContextVar("_keys_come_back", default=False)


def dumps(
    json: t.Any, obj: t.Any, kwargs: dict[str, t.Any], own_default: Default
) -> str:
    """Call :func:`json.dumps`. If keys cannot be sorted, leave only the dicts that
    have them unsorted.

    :param json: the module, or what replaced it in :mod:`flask.json.provider`.
    :param kwargs: the arguments of :func:`json.dumps`, with ``default`` and
        ``sort_keys`` among them.
    :param own_default: Flask's own function for ``default``, which can be called again.
    :raises TypeError: something has no representation in JSON, or two keys of a dict
        have the same one.
    """
    default = kwargs["default"]
    once = None

    if default is not own_default and default is not None and kwargs["sort_keys"]:
        kwargs["default"] = once = _Once(default)

    try:
        return json.dumps(obj, **kwargs)  # type: ignore[no-any-return]
    except TypeError:
        # With a default of None, the encoder class itself converts objects.
        if (
            not kwargs["sort_keys"]
            or default is None
            or (once is not None and once.failed)
            or _keys_come_back.get()
        ):
            raise

    # Objects are reached in the same order again.
    results = iter(once.results if once is not None else ())

    def convert(o: t.Any) -> t.Any:
        for rv in results:
            return _sort(rv)

        return _sort(default(o))

    kwargs.update(sort_keys=False, default=convert)
    return json.dumps(_sort(obj), **kwargs)  # type: ignore[no-any-return]


def keys_come_back(f: F) -> F:
    """Decorate a function whose output is read back. Names in JSON are strings, so a
    dict with keys of several types would come back with other keys: it is refused.
    """

    @wraps(f)
    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        token = _keys_come_back.set(True)

        try:
            return f(*args, **kwargs)
        finally:
            _keys_come_back.reset(token)

    return t.cast(F, wrapper)


class _Once:
    """Calls a default function, and keeps its results: it may have side effects, such
    as consuming a generator.
    """

    __slots__ = ("default", "failed", "results")

    def __init__(self, default: Default) -> None:
        self.default = default
        self.failed = False
        self.results: list[t.Any] = []

    def __call__(self, o: t.Any) -> t.Any:
        self.failed = True
        rv = self.default(o)
        self.failed = False
        self.results.append(rv)
        return rv


def _sort(o: t.Any, parents: tuple[int, ...] = ()) -> t.Any:
    """Copy nested dicts and lists with the items of each dict sorted, except for a
    dict whose keys cannot be compared.
    """
    if not isinstance(o, (dict, list, tuple)) or id(o) in parents:
        # A circular reference is left for the encoder to report.
        return o

    parents = (*parents, id(o))

    if not isinstance(o, dict):
        return [_sort(value, parents) for value in o]

    _check_names(o)
    items = o.items()

    with suppress(TypeError):
        items = sorted(items)  # type: ignore[assignment]

    return {key: _sort(value, parents) for key, value in items}


def _check_names(o: dict[t.Any, t.Any]) -> None:
    """Refuse two keys with the same name, such as ``1`` and ``"1"``."""
    seen: dict[str, t.Any] = {}

    for key in o:
        # Keys that aren't allowed have no name; the encoder skips or refuses them.
        for name in json.loads(json.dumps({key: 0}, skipkeys=True)):
            if name in seen:
                raise TypeError(
                    f"The keys {seen[name]!r} and {key!r} of a dict are both {name!r}"
                    " in JSON."
                )

            seen[name] = key
