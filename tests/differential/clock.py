"""A clock that stands still until it is moved, for everything that is imported later.

Import this before Flask: both sides then write the same dates.
"""

from __future__ import annotations

import datetime
import time

START = 1_800_000_000.0
_now = START


class _Still(datetime.datetime):
    """A ``datetime`` that gets the time from this clock."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(_now, tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)


def set_to(seconds: float) -> None:
    """Set the clock to so many seconds after its start."""
    global _now
    _now = START + seconds


def stop() -> None:
    """Replace the functions that tell the time."""
    time.time = lambda: _now
    datetime.datetime = _Still  # type: ignore[misc]
