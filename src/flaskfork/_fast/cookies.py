"""What the session adds to the headers of a response."""

from __future__ import annotations

import re
import typing as t
from functools import lru_cache

from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie
from werkzeug.sansio.response import Response as SansIOResponse


def vary_by_cookie(response: t.Any) -> None:
    """Add ``Cookie`` to the header ``Vary``."""
    headers = getattr(response, "headers", None)

    if type(headers) is Headers and getattr(type(response), "vary", None) is _vary:
        found = None

        for name, value in headers._list:
            if len(name) == 4 and name.lower() == "vary":
                found = value
                break
        else:
            headers._list.append(("Vary", "Cookie"))

        if found is None or found == "Cookie":
            return

    response.vary.add("Cookie")


def set_cookie(response: t.Any, name: str, value: str, **options: t.Any) -> None:
    """Call the method of the response, or do the same with what it is known to write
    for a cookie of this name and these options.
    """
    method = getattr(response.set_cookie, "__func__", None)

    if (
        method is _set_cookie
        and options["expires"] is None
        and type(response.headers) is Headers
        and type(value) is str
        and _needs_no_quotes(value)
        and (text := _with_value(name, value, options)) is not None
        and not 0 < response.max_cookie_size < len(text)
    ):
        response.headers._list.append(("Set-Cookie", text))
    else:
        response.set_cookie(name, value, **options)


def _with_value(name: str, value: str, options: dict[str, t.Any]) -> str | None:
    try:
        before, after = _around_value(name, **options)
    except Exception:
        # It cannot be remembered, or Werkzeug refuses it and says why.
        return None

    return f"{before}{value}{after}"


@lru_cache(32, typed=True)
def _around_value(name: str, **options: t.Any) -> tuple[str, str]:
    """What is written before the value of a cookie, and after it."""
    first, second = (dump_cookie(name, v, max_size=0, **options) for v in "ab")
    # Checks it as any header.
    Headers([("Set-Cookie", first)])
    at = next(i for i, (a, b) in enumerate(zip(first, second)) if a != b)
    return first[:at], first[at + 1 :]


_needs_no_quotes = re.compile(r"[a-zA-Z0-9._-]*").fullmatch
_set_cookie = SansIOResponse.set_cookie
_vary = SansIOResponse.vary
