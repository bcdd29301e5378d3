"""Whole requests are answered as upstream answers them, on many configurations.

Slow in full, because the differences that matter are rare: 60,800 requests.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 8 chunks of 100 requests, on every second of 16 configurations.
PARTS = 76
CHUNKS = 8


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_requests(sides: Sides, part: int) -> None:
    first = part // 2 * CHUNKS * 2 + part % 2
    last = first + CHUNKS * 2
    sides.check("requests", f"{first}:{last}:2", differences.of_requests)


@pytest.mark.sampled(0)
def test_every_difference_occurs(sides: Sides) -> None:
    """What no longer occurs must not be put aside any longer; run the whole file."""
    assert {*sides.occurred["requests"]} == {x.__name__ for x in differences.REQUESTS}
