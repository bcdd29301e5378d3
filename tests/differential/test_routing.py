"""Maps match and build what upstream's do.

Slow in full, because the cases in which rules depend on each other are rare.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 2 chunks of 100 look-ups.
PARTS = 160
CHUNKS = 2


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_routing(sides: Sides, part: int) -> None:
    first = part * CHUNKS
    sides.check("routing", f"{first}:{first + CHUNKS}", differences.none)
