from __future__ import annotations

import pathlib
import subprocess

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.base.git import Git
from forkkit.queue.message import REQUIRED
from forkkit.queue.patch import Patch


def parse(text: bytes):
    return Patch.parse(text, where="loud.patch")


@pytest.mark.parametrize("text", [toy.LOUD, toy.COMMA])
def test_render_gives_back_what_was_parsed(text):
    assert parse(text).render() == text


def test_what_a_patch_says():
    loud = parse(toy.LOUD)
    assert loud.name == "loud"
    assert loud.subject == "app: say goodbye aloud"
    assert loud.message.prose == "Nobody hears it otherwise."
    assert loud.message.bugs == ["toy/toy#1"]
    assert loud.trailer("Upstream-Status") == "Denied [too loud]"
    assert [diff.path for diff in loud.diffs] == ["src/flask/app.py"]


def test_prose_may_have_paragraphs_and_lists():
    prose = b"Nobody hears it.\n\n- at all\n- ever\n\nBug: is no trailer here, so.\n\n"
    text = toy.LOUD.replace(b"Nobody hears it otherwise.\n\n", prose)
    assert parse(text).render() == text


def test_words_beyond_ascii_are_declared():
    text = toy.LOUD.replace(b"A Maintainer", "Zoë".encode())
    rendered = parse(text).render()
    assert b"Content-Type: text/plain; charset=UTF-8\n" in rendered
    assert parse(rendered).render() == rendered


def test_git_takes_it_as_it_is(tmp_path):
    git = Git(tmp_path)
    git("init", "--quiet")
    for name, data in toy.UPSTREAM.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "base")
    text = toy.LOUD.replace(b"A Maintainer", "Zoë".encode())
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "am", "--quiet", "--keep"],
        cwd=tmp_path,
        input=parse(text).render(),
        check=True,
    )
    assert git.text("log", "-1", "--format=%an|%aD|%s") == (
        "Zoë|Tue, 2 Jun 2026 10:00:00 +0000|app: say goodbye aloud"
    )
    assert (
        git.text("log", "-1", "--format=%(trailers:key=Fork-Patch,valueonly)") == "loud"
    )
    assert b"BYE" in pathlib.Path(tmp_path, "src/flask/app.py").read_bytes()


@pytest.mark.parametrize("key", REQUIRED)
def test_missing_trailer_is_named_with_its_form(key):
    lines = toy.LOUD.splitlines(keepends=True)
    text = b"".join(li for li in lines if not li.startswith(f"{key}: ".encode()))
    with pytest.raises(ForkError) as error:
        parse(text)
    assert str(error.value).startswith(f"loud.patch: the trailer {key} is missing")
    assert f"hint: {key}: " in str(error.value)


def test_everything_that_is_missing_is_reported_at_once():
    text = toy.LOUD.replace(b"Forwarded: not-needed\nDrop-When: never\n", b"")
    with pytest.raises(ForkError) as error:
        parse(text)
    assert "the trailer Forwarded is missing" in str(error.value)
    assert "the trailer Drop-When is missing" in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            b"Denied [too loud]",
            b"Rejected",
            "Upstream-Status has the invalid value 'Rejected'",
        ),
        (b"Drop-When: never", b"Drop-When: soon", "Drop-When has the invalid value"),
        (b"Tests: tests/", b"Tests: ../tests/", "Tests has the invalid value"),
        (b"toy/toy#1", b"#1", "Bug has the invalid value '#1'"),
        (
            b"Fork-Patch: loud",
            b"Fork-Patch: Loud!",
            "Fork-Patch has the invalid value 'Loud!'",
        ),
        (b"Forwarded:", b"Fork-Patch: x\nForwarded:", "Fork-Patch is duplicated"),
        (b"Nobody hears it otherwise.\n\n", b"", "needs a subject, a reason in prose"),
        (b"otherwise.\n", b"otherwise.\n---\nMore.\n", "the prose has a line '---'"),
        (
            b"otherwise.\n",
            b"otherwise.\n--- \nMore.\n",
            "a line that begins with '--- '",
        ),
        (b"otherwise.\n", b"otherwise.\ndiff -u a b\n", "begins with 'diff -'"),
        (b"otherwise.\n", b"otherwise.\nIndex: x\n", "begins with 'Index: '"),
        (b"Nobody hears", b"Subject: hears", "the prose begins like an email header"),
        (b"otherwise.", b"other\x00wise.", "odd characters in "),
        (b"say goodbye", b"=?UTF-8?q?say?= goodbye", "odd characters in "),
        (
            b"Subject: app",
            b"Content-Transfer-Encoding: base64\nSubject: app",
            "encoded",
        ),
        (b"\n---\ndiff", b"\ndiff", "no '---' line followed by a diff"),
        (b"\n---\n", b"\n---\n src | 2 +-\n\n", "between the '---' line and the diff"),
        (b"From: A", b"Fro: A", "the header From is missing"),
        (b" <maintainer@flaskfork.example>", b"", "is not 'Name <address>'"),
        (b"Tue, 2 Jun", b"2 June", "is not a date"),
        (b"Subject: app", b"Subject:\nX: app", "is not an email header"),
        (b"Nobody", b"Nob\xffdy", "the message is not UTF-8"),
    ],
)
def test_malformed_patch_is_an_error_with_the_mend(before, after, expected):
    assert before in toy.LOUD
    with pytest.raises(ForkError) as error:
        parse(toy.LOUD.replace(before, after, 1))
    assert expected in str(error.value)
    assert "hint: " in str(error.value)


def test_diff_has_to_be_utf_8():
    with pytest.raises(ForkError, match="the diff is not UTF-8"):
        parse(toy.LOUD.replace(b"BYE", b"BY\xe9"))


def test_windows_line_ends_are_named():
    with pytest.raises(ForkError, match="its lines end with CR LF"):
        parse(toy.LOUD.replace(b"\n", b"\r\n"))


def test_empty_file_is_an_error():
    with pytest.raises(ForkError, match="no '---' line"):
        parse(b"")
