"""One warning for each place that uses what is gone, and the errors for the rest."""

from __future__ import annotations

import sys
import types
import typing as t
import warnings

from ..shim.errors import ShimError
from ._names import FORK

#: Whose frames are on the way of an import from the line that asks for it.
_IMPORTING = ("importlib", f"{FORK}.shim", __package__)

_CALL = (lambda function, argument: function(argument)).__code__


class NotGivenBack(ShimError, AttributeError):
    """An attribute that is gone for good, with the reason and the way out.

    Being an AttributeError, it leaves :func:`hasattr` and defaults of :func:`getattr`
    as they are.
    """


def warn(what: str, *, instead: str, passing: tuple[str, ...] = ()) -> None:
    """Warn that something is gone, at the line that uses it.

    :param what: what is gone and since when.
    :param instead: what replaces it.
    :param passing: packages whose lines are not the user's either.
    """
    message = f"{what}; flaskfork gives it back for old code. Use {instead} instead."
    frame = _user_frame((*_IMPORTING, *passing))
    warnings.warn_explicit(
        message,
        DeprecationWarning,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__", "<string>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def call_as_user(function: t.Callable[[str], t.Any], argument: str) -> t.Any:
    """Call a function so that what it warns of is at the line that uses it."""
    frame = _user_frame(_IMPORTING)
    code = _CALL.replace(
        co_filename=frame.f_code.co_filename,
        co_name=frame.f_code.co_name,
        co_firstlineno=frame.f_lineno,
    )
    return types.FunctionType(code, frame.f_globals)(function, argument)


def is_import_check(depth: int) -> bool:
    """Whether the caller ``depth`` frames above runs for the ``from`` of an import.

    Before the line gets a name from a package, the import system asks for it, to learn
    whether it is a submodule. That is no use of its own.
    """
    name: t.Any = sys._getframe(depth + 1).f_globals.get("__name__")
    return bool(name == "importlib._bootstrap")


def _user_frame(passing: tuple[str, ...]) -> types.FrameType:
    frame = sys._getframe(2)
    while frame.f_back is not None and _is_in(frame, passing):
        frame = frame.f_back
    return frame


def _is_in(frame: types.FrameType, packages: tuple[str, ...]) -> bool:
    name = f"{frame.f_globals.get('__name__')}."
    return any(name.startswith(f"{package}.") for package in packages)
