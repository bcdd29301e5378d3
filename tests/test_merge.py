"""Merging contents comes to what git makes of whole trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from forkkit.carry import merge

BASE = [b"%d\n" % number for number in range(12)]
SIDES = st.lists(
    st.tuples(
        st.integers(0, len(BASE)),
        st.integers(0, 3),
        st.lists(st.sampled_from([b"x\n", b"y\n", b"3\n", b"\r\n"]), max_size=2),
    ),
    max_size=3,
)


def edited(edits: list[tuple[int, int, list[bytes]]], newline: bool) -> bytes:
    lines = list(BASE)
    for place, gone, new in sorted(edits, reverse=True):
        lines[place : place + gone] = new
    text = b"".join(lines)
    return text if newline else text.rstrip(b"\n")


@pytest.fixture(scope="module")
def merger():
    with merge.scratch() as made:
        yield made


@settings(deadline=None, max_examples=120)
@given(SIDES, SIDES, st.booleans())
def test_contents_are_merged_as_trees_are(merger, ours, theirs, newline):
    base = {"a.py": b"".join(BASE), "b.py": b"same\n"}
    sides = (
        {**base, "a.py": edited(ours, True)},
        {**base, "a.py": edited(theirs, newline), "b.py": b"other\n"},
    )
    quick = merger._merge_contents(base, *sides)
    whole = merger._merge(base, *sides)
    assert (quick is None) is bool(whole.conflicts)
    if quick:
        assert quick == whole


def test_what_git_cannot_merge_as_text(merger):
    base = {"a": b"\0\n1\n"}
    sides = ({"a": b"\0\n2\n"}, {"a": b"\0\n3\n"})
    assert merger.merge(base, *sides).conflicts == ("a",)
