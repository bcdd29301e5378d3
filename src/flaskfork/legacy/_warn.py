"""One warning for each line that uses a removed name, and the error for the rest."""

from __future__ import annotations

import sys
import types
import typing as t
import warnings

from ..shim.errors import ShimError
from ._names import FORK

#: Packages whose frames are between a line that imports and the warning.
_IMPORTING = ("importlib", f"{FORK}.shim", __package__)

_CALL = (lambda function, argument: function(argument)).__code__


class NotRestored(ShimError, AttributeError):
    """An attribute was removed and cannot be restored.

    It is an AttributeError, so that :func:`hasattr` is false and the default of
    :func:`getattr` is used.
    """


def warn(what: str, *, instead: str, passing: tuple[str, ...] = ()) -> None:
    """Warn at the line that uses something that was removed.

    :param what: what was removed and when.
    :param instead: what replaces it.
    :param passing: further packages whose lines are not the user's.
    """
    message = f"{what}; flaskfork restores it for old code. Use {instead} instead."
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
    """Call a function so that its warnings point at the user's line."""
    frame = _user_frame(_IMPORTING)
    code = _CALL.replace(
        co_filename=frame.f_code.co_filename,
        co_name=frame.f_code.co_name,
        co_firstlineno=frame.f_lineno,
    )
    return types.FunctionType(code, frame.f_globals)(function, argument)


def is_import_check(depth: int) -> bool:
    """Whether the import system itself called, ``depth`` frames above.

    Before ``from package import name`` gets the name, the import system asks for it, to
    learn whether it is a submodule. That does not count as a use.
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
