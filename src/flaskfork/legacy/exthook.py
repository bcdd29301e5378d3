"""What is left of the import hook behind ``flask.ext``."""

from __future__ import annotations


class ExtDeprecationWarning(DeprecationWarning):
    """The warning of Flask 0.11 and 0.12 about ``flask.ext``, never issued now."""
