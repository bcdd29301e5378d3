"""Several threads that share an application see what they see on upstream.

Slow in full, because what threads do to each other is rare.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 1 chunk of 4 threads with 25 requests.
PARTS = 60
CHUNKS = 1


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_threads(sides: Sides, part: int) -> None:
    first = part * CHUNKS
    sides.check("threads", f"{first}:{first + CHUNKS}", differences.of_requests)
