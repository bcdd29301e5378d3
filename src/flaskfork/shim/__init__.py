"""Importing this makes ``import flask`` mean the fork, for the whole process.

With the shim wheel installed this happens by itself. Without it, import this module
before anything that imports ``flask``, or run ``pytest -p flaskfork.shim``. To build
the wheel or install it into an environment, see ``python -m flaskfork.shim --help``.
"""

from __future__ import annotations

import os
import sys
import types

from .importing.finder import install as install
from .importing.loaders import swap as swap

__all__ = ["install", "legacy", "swap"]


def legacy(*, werkzeug: bool = False) -> None:
    """Restore names of ``flask`` that upstream has removed, for old code.

    Each use of one warns. If the program cannot be changed, set the environment
    variable ``FLASKFORK_LEGACY``: to ``1`` for these names, to ``werkzeug`` for both.

    :param werkzeug: whether to restore those of Werkzeug, Jinja, itsdangerous and
        MarkupSafe as well.
    """
    _switch().switch_on(werkzeug=werkzeug)


def _never_called() -> None:
    """Show compilers what else a program may import by the other name."""
    from .. import views  # noqa: F401


def _switch() -> types.ModuleType:
    """Load what restores names, without leaving a trace in the package ``flask``."""
    from ..legacy import switch

    if (package := sys.modules.get("flaskfork")) is not None:
        # The import system set it there.
        vars(package).pop("legacy", None)
    return switch


if (_value := os.environ.get("FLASKFORK_LEGACY", "")) in ("", "0"):
    install()
else:
    # First, so that the next import fails as this one does.
    _switch().check(_value)
    install()
    _switch().switch_on_as(_value)
