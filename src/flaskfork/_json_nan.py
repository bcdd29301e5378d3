"""The patch json-nan: the flag ``JSON_NAN``, for the floats that JSON does not have
(:rfc:`8259`, section 6): NaN, Infinity and -Infinity.
"""

from __future__ import annotations

import math
import re
import typing as t

from .globals import _cv_app

# A string, which may contain such a word, or one of the words on its own.
_token_re = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|(-?Infinity|NaN)')

#: The separators of the session, which keeps the floats that it is given, since nobody
#: else reads its JSON. It is known by this object: every provider takes separators.
SESSION = tuple(",:")


def mode(provider: t.Any, kwargs: dict[str, t.Any]) -> str | None:
    """Return ``"null"`` or ``"error"``; ``None`` if a provider has nothing to do.

    :param kwargs: the arguments of the call, which take precedence.
    :raises ValueError: ``JSON_NAN`` is set to something else.
    """
    try:
        rv: t.Any = provider._app.config.get("JSON_NAN")
    except (AttributeError, ReferenceError):
        # A provider works without an app, or when its app is gone.
        return None

    if rv is None or rv is False or kwargs.get("separators") is SESSION:
        return None

    if rv not in ("null", "error"):
        raise ValueError(f"'JSON_NAN' must be None, 'null' or 'error', not {rv!r}.")

    if "allow_nan" in kwargs or "parse_constant" in kwargs:
        return None

    return rv  # type: ignore[no-any-return]


def dumps(provider: t.Any, obj: t.Any, mode: str, kwargs: dict[str, t.Any]) -> str:
    """Serialize data as :meth:`.DefaultJSONProvider.dumps` does, but without such
    floats.

    :raises ValueError: there is one, and the mode is ``"error"``.
    """
    from .json.provider import DefaultJSONProvider

    kwargs["allow_nan"] = mode == "null"
    text = DefaultJSONProvider.dumps(provider, obj, **kwargs)

    if mode == "error" or not ("NaN" in text or "Infinity" in text):
        return text

    return _token_re.sub(lambda match: "null" if match[1] else match[0], text)


def parsers(mode: str) -> dict[str, t.Any]:
    """Return the arguments of :func:`json.loads` with which such floats are read. A
    number like ``1e999`` is valid, but Python would read it as an infinity.
    """
    convert = _as_none if mode == "null" else _refuse

    def parse_float(text: str) -> t.Any:
        rv = float(text)
        return convert(text) if math.isinf(rv) else rv

    return {"parse_constant": convert, "parse_float": parse_float}


def kept() -> dict[str, t.Any]:
    """Return the arguments with which the session reads its floats."""
    ctx = _cv_app.get(None)

    if ctx is None or ctx.app.config.get("JSON_NAN") is None:
        return {}

    return {"parse_constant": float}


def _as_none(text: str) -> None:
    return None


def _refuse(text: str) -> t.NoReturn:
    reason = "is too large" if text[-1].isdigit() else "is not valid JSON"
    raise ValueError(f"{text} {reason}.")
