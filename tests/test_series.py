from __future__ import annotations

import pytest

from forkkit.base.errors import ForkError
from forkkit.queue.series import Series

TEXT = b"# The queue.\none.patch\n\n# Why two.\ntwo-three.patch\n# The end.\n"


def test_render_gives_back_what_was_parsed():
    assert Series.parse(TEXT, where="series").render() == TEXT


def test_names_are_in_order_without_comments():
    assert Series.parse(TEXT, where="series").names == ("one", "two-three")


def test_with_names_keeps_comments_with_what_they_stand_above():
    moved = Series.parse(TEXT, where="series").with_names(("two-three", "new", "one"))
    assert moved.render() == (
        b"\n# Why two.\ntwo-three.patch\nnew.patch\n"
        b"# The queue.\none.patch\n# The end.\n"
    )


def test_with_names_keeps_what_stands_at_the_top():
    text = b"# The queue.\n\n# Why one.\none.patch\ntwo.patch\n"
    moved = Series.parse(text, where="series").with_names(("two", "one"))
    assert moved.render() == (b"# The queue.\n\ntwo.patch\n# Why one.\none.patch\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"one.patch\none.patch\n", "series:2: one.patch is already listed in line 1"),
        (b"0001-One.patch\n", "series:1: '0001-One.patch' is not the file name"),
        (b"../evil.patch\n", "series:1: '../evil.patch' is not the file name"),
        (b"one.patch -p1\n", "series:1: 'one.patch -p1' is not the file name"),
        (b"\xff.patch\n", "series:1: '\\\\xff.patch' is not the file name"),
    ],
)
def test_bad_line_is_named(text, expected):
    with pytest.raises(ForkError) as error:
        Series.parse(text, where="series")
    assert str(error.value).startswith(expected)
    assert "hint: " in str(error.value)


def test_all_bad_lines_are_reported_at_once():
    with pytest.raises(ForkError) as error:
        Series.parse(b"a b\none.patch\none.patch\n", where="series")
    assert "series:1" in str(error.value)
    assert "series:3" in str(error.value)
