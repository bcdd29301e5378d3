"""Whole requests are answered as upstream answers them, on many configurations.

Slow in full, because the differences that matter are rare: 60,800 requests.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

#: Each plays 16 chunks of 100 requests; there are 16 configurations.
PARTS = 38
CHUNKS = 16


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_requests(sides: Sides, part: int) -> None:
    first = part * CHUNKS
    sides.check("requests", f"{first}:{first + CHUNKS}", differences.of_requests)


@pytest.mark.sampled(0)
def test_every_difference_occurs(sides: Sides) -> None:
    """What no longer occurs must not be put aside any longer; run the whole file."""
    assert {*sides.occurred["requests"]} == {x.__name__ for x in differences.REQUESTS}
