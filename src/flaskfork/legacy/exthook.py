"""What was left of the import hook behind ``flask.ext``."""

from __future__ import annotations


class ExtDeprecationWarning(DeprecationWarning):
    """What Flask 0.11 and 0.12 warned of ``flask.ext`` with. This one never comes."""
