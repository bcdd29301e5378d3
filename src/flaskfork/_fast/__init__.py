"""What makes the fork fast, part by part. ``FLASKFORK_FAST=0`` in the environment
leaves all of it out, ``FLASKFORK_FAST=-name,-name`` some.
"""

from __future__ import annotations

import os

_asked = os.environ.get("FLASKFORK_FAST", "1")


def enabled(part: str) -> bool:
    """Whether a part is switched on."""
    return _asked != "0" and f"-{part}" not in _asked.split(",")
