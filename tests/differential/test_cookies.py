"""Session cookies are read and written as upstream does it.

Slow in full, because a cookie can be damaged in many ways: 30,000 of them.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 2 chunks of 200 cookies.
PARTS = 75
CHUNKS = 2


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_cookies(sides: Sides, part: int) -> None:
    first = part * CHUNKS
    sides.check("cookies", f"{first}:{first + CHUNKS}", differences.none)
