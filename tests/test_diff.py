from __future__ import annotations

import pathlib
import subprocess

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings

from forkkit.base import diff
from forkkit.base.errors import ForkError
from forkkit.base.git import DIFF_FLAGS
from forkkit.base.git import Git

BEFORE = {"a.py": b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"}
CHANGE = b"""\
diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,4 +1,4 @@
-1
+one
 2
 3
 4
@@ -7,3 +7,4 @@
 7
 8
 9
+ten
"""
ADD = b"""\
diff --git a/b c.py b/b c.py
new file mode 100644
--- /dev/null
+++ b/b c.py
@@ -0,0 +1 @@
+new
\\ No newline at end of file
"""
DELETE = b"""\
diff --git a/a.py b/a.py
deleted file mode 100644
--- a/a.py
+++ /dev/null
@@ -1,9 +0,0 @@
-1
-2
-3
-4
-5
-6
-7
-8
-9
"""
EMPTY = b"diff --git a/e b/e\nnew file mode 100644\n"


def parse(text: bytes):
    return diff.parse(text, where="x.patch")


def apply(text: bytes, files, **kwargs):
    return diff.apply(parse(text), files, where="x.patch", **kwargs)


@pytest.mark.parametrize("text", [CHANGE, ADD, DELETE, EMPTY, CHANGE + ADD + EMPTY])
def test_render_gives_back_what_was_parsed(text):
    assert diff.render(parse(text)) == text


def test_index_lines_are_left_out():
    index = b"index 1234567..89abcde 100644\n--- a/a.py\n"
    assert diff.render(parse(CHANGE.replace(b"--- a/a.py\n", index))) == CHANGE


def test_apply():
    assert apply(CHANGE, BEFORE) == {"a.py": b"one\n2\n3\n4\n5\n6\n7\n8\n9\nten\n"}
    assert apply(ADD, BEFORE) == {**BEFORE, "b c.py": b"new"}
    assert apply(DELETE, BEFORE) == {}
    assert apply(EMPTY, {}) == {"e": b""}


def test_lines_end_at_newlines_only():
    content = b"a\rb\x0cc\x1cd\xe2\x80\xa8e\n"
    assert diff.split_lines(content + b"f") == [content, b"f"]
    text = b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-" + content + b"+x\n"
    assert apply(text, {"a": content}) == {"a": b"x\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"a.py": BEFORE["a.py"].replace(b"3\n", b"three\n")},
            "x.patch: a.py: hunk 1 does not apply at line 3:"
            " expected '3', found 'three'",
        ),
        (
            {"a.py": b"1\n2\n3\n4\n5\n6\n7\n8\n"},
            "a.py: hunk 2 does not apply at line 9: expected '9', found the end of",
        ),
        ({"a.py": b"0\n" + BEFORE["a.py"]}, "at line 1: expected '1', found '0'"),
        ({"a.py": BEFORE["a.py"].replace(b"2\n", b"2 \n")}, "found '2 '"),
        ({"a.py": BEFORE["a.py"].replace(b"\n", b"\r\n")}, "found '1\\r'"),
        ({}, "a.py: the patch changes it, but it does not exist"),
    ],
)
def test_what_does_not_fit_exactly_is_refused(files, expected):
    with pytest.raises(ForkError) as error:
        apply(CHANGE, files)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [
        (b"-5,0 +6", b"+x\n"),
        (b"-4 +4", b"-4\n+x\n"),
        (b"-3,2 +3,2", b" 3\n-4\n+x\n"),
    ],
)
def test_hunk_without_context_below_has_to_end_the_file(numbers, lines):
    text = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ %s @@\n%s"
    with pytest.raises(ForkError, match="hunk 1 does not apply at line "):
        apply(text % (numbers, lines), BEFORE)


@pytest.mark.parametrize("there", ["b c.py/d.py", "b c.py"])
def test_file_and_folder_of_one_name_are_refused(there):
    text = ADD if there != "b c.py" else ADD.replace(b"b c.py", b"b c.py/d.py")
    with pytest.raises(ForkError, match=f"{there} is in the way"):
        apply(text, {there: b""})


def test_added_file_must_not_be_there():
    with pytest.raises(ForkError, match="adds it, but it already exists"):
        apply(ADD, {"b c.py": b""})


def test_deleted_file_must_be_gone_to_the_last_line():
    with pytest.raises(ForkError, match="expected the end of the file, found '10'"):
        apply(DELETE, {"a.py": BEFORE["a.py"] + b"10\n"})
    with pytest.raises(ForkError, match="but not all of its lines"):
        apply(
            DELETE.replace(b"+0,0", b"+1").replace(b"-9\n", b" 9\n"),
            {"a.py": BEFORE["a.py"]},
        )


def test_offsets_find_lines_that_moved():
    moved = {"a.py": b"0\n0\n" + BEFORE["a.py"]}
    after = apply(CHANGE, moved, offsets=True)
    assert after["a.py"] == b"0\n0\none\n2\n3\n4\n5\n6\n7\n8\n9\nten\n"
    with pytest.raises(ForkError, match="hunk 1 does not apply"):
        apply(CHANGE, {"a.py": b"1\n2\nx\n4\n"}, offsets=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CHANGE.replace(b"a.py", b"../a.py"), "the path '../a.py' is not safe"),
        (CHANGE.replace(b"a.py", b"/a.py"), "the path '/a.py' is not safe"),
        (CHANGE.replace(b"a.py", b".git/a"), "the path '.git/a' is not safe"),
        (CHANGE.replace(b"a.py", b'"a.py'), "is not safe"),
        (CHANGE.replace(b"b/a.py", b"b/b.py", 1), "renames are not supported"),
        (CHANGE.replace(b"--- a/a", b"--- a/b"), "expected '--- a/a.py'"),
        (CHANGE.replace(b"-1,4 +1,4", b"-1,5 +1,4"), "the hunk is cut short at '@@ -7"),
        (CHANGE.replace(b"-1,4 +1,4", b"-1,4 +1,3"), "the hunk"),
        (CHANGE.replace(b"-1,4", b"-x"), "is not a hunk header"),
        (CHANGE[:-1], "the hunk is cut short at '+ten'"),
        (CHANGE.replace(b"-1\n+one\n", b" 1\n"), "the hunk above changes nothing"),
        (CHANGE.replace(b"+7,4", b"+8,4"), "the hunk above has inconsistent line"),
        (CHANGE.replace(b"-1,4 +1,4", b"-0,4 +0,4"), "the hunk above has inconsistent"),
        (ADD.replace(b"--- /dev", b"deleted file mode 100644\n--- /dev"), "both added"),
        (CHANGE.replace(b"a.py", b"a\xff.py"), "a path that is not UTF-8"),
        (CHANGE + CHANGE, "a second diff of a.py"),
        (CHANGE + b"-- \n2.39.5\n", "expected 'diff --git', found '-- '"),
        (b"diff --git a/a b/a\n", "a is not changed"),
        (b"diff --git a/a b/a\nold mode 100644\nnew mode 100755\n", "mode changes"),
        (b"diff --git a/a b/a\nnew file mode 120000\n", "mode 100644"),
        (b"diff --git a/a b/a\nnew file mode 160000\n", "mode 100644"),
        (b"diff --git a/a b/a\nGIT binary patch\nliteral 0\n", "binary changes"),
        (b"diff --git a/a b/a\nBinary files a/a and b/a differ\n", "binary changes"),
        (b"diff --git a/a b/a\nsimilarity index 90%\n", "renames and copies"),
        (b"diff --git a/a b/a\n--- a/a\n+++ b/a\n", "the file has no hunks"),
        (b"Index: a.py\n", "expected 'diff --git', found 'Index: a.py'"),
    ],
)
def test_what_is_not_a_plain_change_is_refused(text, expected):
    with pytest.raises(ForkError) as error:
        parse(text)
    assert str(error.value).startswith("x.patch: ")
    assert expected in str(error.value)


LINES = st.lists(st.sampled_from(["", "a", "b", "c", "  d", "-", "+", "@@ -1 +1 @@"]))
CONTENT = st.builds(
    lambda lines, end: ("\n".join(lines) + end).encode(),
    LINES,
    st.sampled_from(["", "\n"]),
)


@settings(max_examples=60, deadline=None)
@given(before=CONTENT, after=CONTENT)
def test_git_agrees(before, after, tmp_path_factory):
    folder = tmp_path_factory.mktemp("git")
    git = Git(folder)
    git("init", "--quiet")
    pathlib.Path(folder, "a").write_bytes(before)
    git("add", "a")
    pathlib.Path(folder, "a").write_bytes(after)
    text = git("diff", *DIFF_FLAGS)
    if before == after:
        assert text == b""
        return

    diffs = parse(text)
    assert diff.apply(diffs, {"a": before}, where="x") == {"a": after}
    pathlib.Path(folder, "a").write_bytes(before)
    subprocess.run(
        ["git", "apply", "-"], cwd=folder, input=diff.render(diffs), check=True
    )
    assert pathlib.Path(folder, "a").read_bytes() == after
