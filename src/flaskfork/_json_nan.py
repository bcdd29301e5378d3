"""``JSON_NAN``: what becomes of the floats that JSON does not have (:rfc:`8259`,
section 6): NaN, Infinity and -Infinity.
"""

from __future__ import annotations

import functools
import re
import typing as t

from .globals import _cv_app

F = t.TypeVar("F", bound=t.Callable[..., t.Any])

# A string, which may contain such a word, or one of the words by itself.
_token_re = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|(-?Infinity|NaN)')


def written(dumps: F) -> F:
    """Decorate the ``dumps`` method of a provider, so that it does what
    ``JSON_NAN`` says. If ``allow_nan`` is given, that is done instead.
    """

    @functools.wraps(dumps)
    def wrapper(self: t.Any, obj: t.Any, **kwargs: t.Any) -> str:
        mode = None if "allow_nan" in kwargs else _mode(self)

        if mode == "error":
            kwargs["allow_nan"] = False

        text: str = dumps(self, obj, **kwargs)
        return _with_null(text) if mode == "null" else text

    return wrapper  # type: ignore[return-value]


def read(loads: F) -> F:
    """Decorate the ``loads`` method of a provider in the same way. If
    ``parse_constant`` is given, that is done instead.
    """

    @functools.wraps(loads)
    def wrapper(self: t.Any, s: str | bytes, **kwargs: t.Any) -> t.Any:
        mode = None if "parse_constant" in kwargs else _mode(self)

        if mode is not None:
            kwargs["parse_constant"] = _refuse if mode == "error" else _as_none

        return loads(self, s, **kwargs)

    return wrapper  # type: ignore[return-value]


def kept(**kwargs: t.Any) -> dict[str, t.Any]:
    """Return the arguments with which the session keeps the floats that it is
    given. Nobody but the session reads its JSON.
    """
    ctx = _cv_app.get(None)

    if ctx is None or ctx.app.config.get("JSON_NAN") is None:
        return {}

    return kwargs


def _mode(provider: t.Any) -> str | None:
    try:
        mode: t.Any = provider._app.config.get("JSON_NAN")
    except (AttributeError, ReferenceError):
        # A provider works without an app, or when its app is gone.
        return None

    if mode is None or mode is False:
        return None

    if mode not in ("null", "error"):
        raise ValueError(f"'JSON_NAN' must be None, 'null' or 'error', not {mode!r}.")

    return mode  # type: ignore[no-any-return]


def _with_null(text: str) -> str:
    if "NaN" not in text and "Infinity" not in text:
        return text

    return _token_re.sub(lambda match: "null" if match[1] else match[0], text)


def _as_none(constant: str) -> None:
    return None


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is not valid JSON.")
