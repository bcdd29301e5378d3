"""``FLASK_ENV``, the name of the environment that an application runs in."""

from __future__ import annotations

import functools
import os
import types

from ._warn import warn

_DEBUG = "get_debug_flag"


def get_env() -> str:
    """The environment of the application: that variable, or else ``production``."""
    return os.environ.get("FLASK_ENV") or "production"


def restore(module: types.ModuleType) -> None:
    """Let ``FLASK_ENV=development`` mean debug mode to a module that asks for that."""
    get_debug_flag = getattr(module, _DEBUG)
    if hasattr(get_debug_flag, "__wrapped__"):
        return

    @functools.wraps(get_debug_flag)
    def wrapper() -> bool:
        if not os.environ.get("FLASK_DEBUG") and get_env() == "development":
            warn(
                "'FLASK_ENV' was removed in Flask 2.3",
                instead="'FLASK_DEBUG' or 'flask --debug'",
                passing=("flaskfork", "click"),
            )
            return True
        return bool(get_debug_flag())

    setattr(module, _DEBUG, wrapper)
