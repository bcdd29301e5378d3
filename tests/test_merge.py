"""A merge gives the same as git does for whole trees, and as a stop shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from forkkit.base import fast_import
from forkkit.base.git import Git
from forkkit.base.git import MERGE_FLAGS
from forkkit.carry import merge

#: Only a few, so that many lines of a file are the same.
LINE = st.sampled_from(
    [b"\n", b"\n", b"a\n", b"b\n", b"c\n", b"    return\n", b"d\r\n", b"\r\n"]
)
LINES = st.lists(LINE, max_size=14)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "move", "repeat"]),
        st.integers(0, 14),
        st.integers(0, 3),
        st.integers(0, 14),
        st.lists(LINE, max_size=3),
    ),
    max_size=3,
)
#: A label is the name of a branch, or the id and subject of a commit.
LABEL = re.compile(rb"^([<|>]{7}) .*$", re.MULTILINE)


def edited(lines, edits):
    lines = list(lines)
    for how, place, count, to, new in edits:
        run = lines[place : place + count]
        if how == "replace":
            lines[place : place + count] = new
        elif how == "repeat":
            lines[to:to] = run
        else:
            del lines[place : place + count]
            lines[to:to] = run
    return lines


def content(lines, newline=True):
    text = b"".join(lines)
    return text if newline or not text.endswith(b"\n") else text[:-1]


@st.composite
def changed(draw):
    """A file, and the versions that two sides have made of it."""
    base = draw(LINES)
    shared = edited(base, draw(EDITS)) if draw(st.booleans()) else base
    sides = [base, edited(shared, draw(EDITS)), edited(shared, draw(EDITS))]
    return tuple(content(lines, draw(st.booleans())) for lines in sides)


#: Any three files, and three that have much in common.
THREE = changed() | st.tuples(LINES, LINES, LINES).map(lambda t: tuple(map(content, t)))


def differing(test):
    """Add cases that other kinds of diffs or merges treat differently."""
    for three in (
        # `git merge-file` finds no conflict in this one, `git cherry-pick` does.
        (b"\na\n\n", b"\n\n", b"\n\na\n"),
        # Changes that touch, and changes with one line between them.
        (b"a\nb\n", b"a\nc\nb\n", b"a\nd\n"),
        (b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC"),
        # Only the newline at the end, and the same addition to an empty file.
        (b"a", b"a\n", b"b\na"),
        (b"", b"a\n", b"a\n"),
    ):
        test = example(three)(test)
    return test


def trees(three):
    base, ours, theirs = three
    return (
        {"a.py": base, "b.py": b"same\n", "c.py": b"1\n"},
        {"a.py": ours, "b.py": b"same\n", "c.py": b"2\n"},
        {"a.py": theirs, "b.py": b"other\n", "c.py": b"2\n"},
    )


@pytest.fixture(scope="module")
def merger():
    with merge.scratch() as made:
        yield made


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A repository with a work tree, whose settings are not those of the tools."""
    git = Git(tmp_path_factory.mktemp("checkout"), lasting=False)
    git("init", "--quiet", "--template=")
    for key, value in (
        ("diff.algorithm", "minimal"),
        ("merge.conflictStyle", "merge"),
        ("merge.renames", "false"),
        ("merge.renormalize", "true"),
    ):
        git("config", key, value)
    return git


@settings(deadline=None, max_examples=120)
@given(THREE)
@differing
def test_contents_are_merged_as_trees_are(merger, three):
    base, *sides = trees(three)
    whole = merger._merge(base, *sides)
    assert merger.merge(base, *sides) == whole
    quick = merger._merge_contents(base, *sides)
    assert (quick is None) is bool(whole.conflicts)


@settings(deadline=None, max_examples=25)
@given(THREE)
@differing
def test_a_stop_shows_what_was_merged(merger, checkout, three):
    base, ours, theirs = trees(three)
    merged = merger.merge(base, ours, theirs)
    pieces = [fast_import.root("refs/heads/base", base)]
    for name, files in (("ours", ours), ("theirs", theirs)):
        changes = fast_import.difference(base, files)
        pieces.append(fast_import.reset(f"refs/heads/{name}", "refs/heads/base"))
        pieces.append(fast_import.commit(f"refs/heads/{name}", *changes))
    checkout("fast-import", "--quiet", "--force", stdin=b"".join(pieces))
    for command in (["cherry-pick"], ["merge", "--quiet", "--no-edit"]):
        checkout("checkout", "--quiet", "--force", "--detach", "ours")
        checkout(*MERGE_FLAGS, *command, "theirs", fine=(0, 1))
        unmerged = checkout.text("diff", "--name-only", "--diff-filter=U")
        assert tuple(unmerged.split()) == merged.conflicts
        for path, expected in merged.files.items():
            found = checkout.folder.joinpath(path).read_bytes()
            assert LABEL.sub(rb"\1", found) == LABEL.sub(rb"\1", expected)
        checkout("reset", "--quiet", "--hard")
        checkout("cherry-pick", "--quit")


def test_what_git_cannot_merge_as_text(merger):
    base = {"a": b"\0\n1\n"}
    sides = ({"a": b"\0\n2\n"}, {"a": b"\0\n3\n"})
    assert merger.merge(base, *sides).conflicts == ("a",)
