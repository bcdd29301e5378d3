"""The patch after-request-none: name the function that returns no response."""

from __future__ import annotations

import functools
import inspect
import typing as t

from .globals import _cv_request

if t.TYPE_CHECKING:
    from .ctx import RequestContext


def note(ctx: RequestContext, function: t.Any, response: t.Any) -> None:
    """Remember which function has returned no response. The next one may replace it.

    Anything callable passes, since any WSGI application can be sent.
    """
    vars(ctx)["_careless"] = None if callable(response) else (function, response)


def checked(process: t.Callable[[t.Any], t.Any], response: t.Any) -> t.Any:
    """Return the response as :meth:`.Flask.process_response` has processed it.

    :raises TypeError: that fails, or is no response, because of a function.
    """
    try:
        rv = process(response)
    except Exception as e:
        _raise_named(e)
        raise

    if not callable(rv):
        _raise_named(None)

    return rv


def _raise_named(cause: Exception | None) -> None:
    careless = vars(_cv_request.get()).pop("_careless", None)

    if careless is None:
        return

    function, response = careless

    if response is None:
        returned = "It returned None or ended without a return statement."
    else:
        returned = f"It returned an object of type {type(response).__name__!r}."

    raise TypeError(
        f"The function {_name(function)}, called after the request,"
        f" did not return a response. {returned}"
    ) from cause


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
