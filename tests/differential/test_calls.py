"""What overrides a method or replaces a name is called as on upstream.

Slow in full, because each method and name is replaced alone.
"""

from __future__ import annotations

import pytest

from differential import differences
from differential.sides import Sides

PARTS = 160


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_calls(sides: Sides, part: int) -> None:
    """Each part takes one in so many of the ways to override something."""
    sides.check("calls", f"{part}:{ways(sides)}:{PARTS}", differences.of_calls)


@pytest.mark.sampled(0)
def test_every_difference_occurs(sides: Sides) -> None:
    """What no longer occurs must not be put aside any longer; run the whole file."""
    assert {*sides.occurred["calls"]} == {str(x) for x in differences.CALLS}


def ways(sides: Sides) -> int:
    """How many ways there are to override something, on either side."""
    code = "import calls_net, pathlib, sys; "
    code += "print(len(calls_net.ways(pathlib.Path(sys.argv[1]))))"
    files, environ = str(sides.folder / "files"), sides.environ(sides.folder)
    return int(sides.upstream.run("-c", code, files, env=environ).stdout)
