"""The patch after-request-none: name the function that returns no response."""

from __future__ import annotations

import functools
import inspect
import typing as t


def checked(function: t.Callable[..., t.Any], response: t.Any) -> t.Any:
    """Return the response that a function has returned.

    Anything callable passes, since any WSGI application can be sent.

    :param function: the function, as it was registered.
    :param response: what it returned.
    :raises TypeError: that is not a response.
    """
    if callable(response):
        return response

    if response is None:
        returned = "It returned None or ended without a return statement."
    else:
        returned = f"It returned an object of type {type(response).__name__!r}."

    raise TypeError(
        f"The function {_name(function)}, called after the request,"
        f" did not return a response. {returned}"
    )


def _name(function: t.Any) -> str:
    """The module and qualified name of a function, and where it is defined."""
    while isinstance(function, functools.partial):
        function = function.func

    named = function if hasattr(function, "__qualname__") else type(function)
    name = f"'{named.__module__}.{named.__qualname__}'"
    code = getattr(inspect.unwrap(function), "__code__", None)

    if code is None:
        return name

    return f"{name} ({code.co_filename}, line {code.co_firstlineno})"
