"""Whole requests are answered as upstream answers them, on many configurations.

Slow in full, because the differences that matter are rare: 60,800 requests.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 4 chunks of 100 requests, on every fourth of 16 configurations.
PARTS = 152
CHUNKS = 4


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_requests(sides: Sides, part: int) -> None:
    first = part // 4 * CHUNKS * 4 + part % 4
    last = first + CHUNKS * 4
    sides.check("requests", f"{first}:{last}:4", differences.of_requests)


@pytest.mark.sampled(0)
def test_every_difference_occurs(sides: Sides) -> None:
    """What no longer occurs must not be put aside any longer; run the whole file."""
    assert {*sides.occurred["requests"]} == {x.__name__ for x in differences.REQUESTS}
