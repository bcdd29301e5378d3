"""The parts whose lean bodies stand for originals that have changed since. Written
by the build; see "Lean bodies" in CONTRIBUTING.md.
"""

from __future__ import annotations

LEFT_OUT: frozenset[str] = frozenset()
