"""Importing this makes ``import flask`` mean the fork, for the whole process.

With the shim wheel installed that happens by itself. Without it, import this before
anything that imports ``flask``, or run ``pytest -p flaskfork.shim``. To build the wheel
or to put it into an environment, see ``python -m flaskfork.shim --help``.
"""

from __future__ import annotations

from ._finder import install as install
from ._finder import swap as swap

__all__ = ["install", "swap"]

install()
