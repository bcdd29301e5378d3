"""Review: what became of each patch since a revision, as text, JSON and a page."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pty
import shutil
import subprocess
import sys
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from forkkit.base.text import printable
from forkkit.queue.patch import Patch
from forkkit.review import compare
from forkkit.review import page
from forkkit.review.compare import Part

APP = "src/flask/app.py"
TEXT = toy.UPSTREAM[APP]
LOUD = "patches/loud.patch"
#: Would garble a terminal.
PAINT = "\x1b[2J\u202e"


@pytest.fixture
def project(tmp_path):
    made = toy.make(tmp_path / "toy")
    toy.commit(made)
    return made


def reviewed(project: toy.Toy, *args: str) -> dict[str, dict]:
    values = json.loads(project.fork("range-diff", "--json", *args).stdout)
    return {patch["name"]: patch for patch in values["patches"]}


def kinds(project: toy.Toy) -> dict[str, str]:
    return {name: patch["kind"] for name, patch in reviewed(project).items()}


def interdiff(values: dict, title: str) -> list[str]:
    [part] = [part for part in values["parts"] if part["title"] == title]
    return part["interdiff"]


def test_nothing_has_changed(project):
    lines = project.fork("range-diff").stdout.splitlines()
    assert lines[0].startswith("Flask 1.0 since HEAD (")
    assert [line.split() for line in lines[1:]] == [
        ["=", "1", "1", "loud", "identical"],
        ["=", "2", "2", "comma", "identical"],
    ]


def test_another_message(project):
    project.edit(LOUD, "Nobody hears it otherwise.", "Nobody hears it.")
    loud = reviewed(project)["loud"]
    assert loud["kind"] == "message only"
    assert "+Nobody hears it." in interdiff(loud, "message")
    assert interdiff(loud, APP) == []


def test_another_content(project):
    project.edit(LOUD, 'f"BYE {who}"', 'f"GOODBYE {who}"')
    loud = reviewed(project)["loud"]
    assert loud["kind"] == "content changed"
    assert '-+    return f"BYE {who}"' in interdiff(loud, APP)
    assert '++    return f"GOODBYE {who}"' in interdiff(loud, APP)
    assert kinds(project)["comma"] == "identical"


def test_another_place_in_the_file(project):
    toy.release(project, "1.1", {APP: b"import os\n\n" + TEXT})
    project.fork("rebase", "1.1")
    lines = project.fork("range-diff").stdout.splitlines()
    assert lines[0].startswith("Flask 1.0 -> Flask 1.1 since HEAD (")
    assert lines[1].endswith("loud   context only; only its line numbers differ")
    assert interdiff(reviewed(project)["loud"], APP) == []


def test_another_context(project):
    toy.release(project, "1.1", {APP: TEXT.replace(b"greet(who):", b"greet(who, /):")})
    project.fork("rebase", "1.1")
    comma = reviewed(project)["comma"]
    assert comma["kind"] == "context only"
    assert [line for line in interdiff(comma, APP) if line[0] != " "] == [
        "...",
        "- def greet(who):",
        "+ def greet(who, /):",
    ]
    assert "only its line numbers" not in project.fork("range-diff", "comma").stdout


def test_context_and_message(project):
    toy.release(project, "1.1", {APP: b"import os\n\n" + TEXT})
    project.fork("rebase", "1.1")
    project.edit(LOUD, "Nobody hears it otherwise.", "Nobody hears it.")
    assert reviewed(project)["loud"]["kind"] == "context only"
    assert "message changed" in project.fork("range-diff", "loud").stdout


def test_added(project):
    toy.add(project, "wide", toy.WIDE)
    wide = reviewed(project)["wide"]
    assert wide["kind"] == "added"
    assert wide["places"] == [None, 3]
    assert [part["kind"] for part in wide["parts"]] == ["added"] * 3
    assert "\nwide: " not in project.fork("range-diff").stdout


@pytest.mark.parametrize("reason", ["nobody asked", "it is. Upstream's. <b>"])
def test_dropped(project, reason):
    project.fork("drop", "loud", "--reason", reason)
    loud = reviewed(project)["loud"]
    assert loud["kind"] == "dropped"
    assert loud["reason"] == reason
    assert loud["lost"] == []
    assert f"dropped; {reason}\n" in project.fork("range-diff").stdout


def test_dropped_with_a_reason_that_is_wrapped_or_missing(project):
    project.fork("drop", "loud", "--reason", "nobody asked")
    project.edit("CHANGELOG.md", "nobody asked.", "\n  nobody\n  asked.\n- Other.")
    assert reviewed(project)["loud"]["reason"] == "nobody asked"
    project.edit("CHANGELOG.md", "is dropped", "is gone")
    assert "dropped; no reason given in CHANGELOG.md" in project.fork("report").stdout


def test_renamed(project):
    (project.root / "tests/patches/test_loud.py").write_text("def test_x(): ...\n")
    project.fork("rename", "loud", "aloud")
    aloud = reviewed(project)["aloud"]
    assert (aloud["was"], aloud["kind"]) == ("loud", "message only")
    assert kinds(project) == {"aloud": "message only", "comma": "identical"}
    assert "renamed from loud" in project.fork("range-diff").stdout


def test_moved(project):
    toy.add(project, "wide", toy.WIDE)
    toy.commit(project)
    project.fork("move", "wide", "--first")
    found = reviewed(project)
    assert [found[name]["moved"] for name in ("wide", "loud", "comma")] == [1, 0, 0]
    assert "moved from 3 to 1" in project.fork("range-diff").stdout


def test_a_file_that_is_not_changed_any_more(project):
    toy.add(project, "wide", toy.WIDE)
    toy.commit(project)
    kept = toy.WIDE.partition(b"diff --git a/src/flask/wide.py")[0]
    (project.project.patches / "wide.patch").write_bytes(kept)
    wide = reviewed(project)["wide"]
    assert wide["lost"] == ["src/flask/wide.py"]
    assert wide["kind"] == "content changed"
    done = project.fork("range-diff")
    assert "content changed; no longer changes src/flask/wide.py" in done.stdout


def test_a_file_that_upstream_has_moved_is_not_lost(project):
    there = {path: data for path, data in toy.UPSTREAM.items() if "src/" in path}
    moved = {path.replace("src/", ""): data for path, data in there.items()}
    toy.release(project, "1.1", {**dict.fromkeys(there), **moved})
    project.fork("rebase", "1.1")
    for values in reviewed(project).values():
        assert values["kind"] == "context only"
        assert values["lost"] == []
        assert f"{APP} -> flask/app.py" in [p["title"] for p in values["parts"]]


def test_another_revision(project):
    project.edit(LOUD, "BYE", "GOODBYE")
    toy.commit(project)
    assert kinds(project)["loud"] == "identical"
    assert reviewed(project, "--since", "HEAD^")["loud"]["kind"] == "content changed"


def test_named_patches_alone(project):
    assert list(reviewed(project, "comma")) == ["comma"]
    done = project.fork("range-diff", "comma", "no", "nor", code=1)
    assert done.stderr.count("there is no patch 'no") == 2


@pytest.mark.parametrize("verb", ["range-diff", "report"])
@pytest.mark.parametrize("revision", ["HEAD^", "nowhere", "--all", "HEAD:patches", ""])
def test_no_such_revision(project, verb, revision):
    done = project.fork(verb, f"--since={revision}", code=1)
    assert f"there is no revision {revision!r}" in done.stderr


def test_no_repository(project):
    shutil.rmtree(project.root / ".git")
    done = project.fork("range-diff", code=1)
    assert "this is not a git repository" in done.stderr
    # The history of another repository is not the project's.
    subprocess.run(["git", "init", "--quiet", project.root.parent], check=True)
    assert project.fork("range-diff", code=1).stderr == done.stderr


def test_a_revision_without_the_queue(project):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-C", project.root]
    subprocess.run([*git, "rm", "-rq", "--cached", "patches/series"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    done = project.fork("range-diff", code=1)
    assert "HEAD:patches/series: there is no such file at that revision" in done.stderr


def test_broken_patches_in_the_history(project):
    good = (project.root / LOUD).read_bytes()
    (project.root / LOUD).write_bytes(toy.COMMA)
    (project.project.patches / "comma.patch").write_bytes(b"nothing\n")
    toy.commit(project)
    (project.root / LOUD).write_bytes(good)
    (project.project.patches / "comma.patch").write_bytes(toy.COMMA)
    done = project.fork("range-diff", code=1)
    assert "HEAD:patches/loud.patch: the trailer Fork-Patch is 'comma'" in done.stderr
    assert "HEAD:patches/comma.patch: there is no '---' line" in done.stderr


def test_what_paints_on_a_terminal_is_shown_and_not_sent(project):
    project.edit(LOUD, 'f"BYE {who}"', f'f"{PAINT} {{who}}"')
    done = project.fork("range-diff")
    assert r'++    return f"\x1b[2J\u202e {who}"' in done.stdout
    assert not set(PAINT[:1] + PAINT[-1:]) & set(done.stdout)


def test_coloured_on_a_terminal_only(project):
    project.edit(LOUD, "BYE", "GOODBYE")
    plain = project.fork("range-diff").stdout
    assert "\x1b" not in plain
    launch = project.root / "scripts" / "forkkit" / "launch.py"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-I", launch, "range-diff"]
    with subprocess.Popen(command, stdout=theirs) as process:
        os.close(theirs)
        with open(ours, "rb", 0) as terminal:
            coloured = all_of(terminal)
    assert process.returncode == 0
    assert "\x1b[33m" in coloured
    assert "\x1b[32m    ++    return" in coloured


def all_of(terminal: t.IO[bytes]) -> str:
    """Everything that is written to a terminal until nobody has it open any more."""
    written = b""
    # Reading then fails on Linux.
    with contextlib.suppress(OSError):
        while data := terminal.read(65536):
            written += data
    return written.decode()


def test_report(project):
    toy.release(project, "0.9", {})
    toy.release(project, "1.10", {APP: TEXT.replace(b'f"bye', b'f"good bye')})
    toy.release(project, "1.9", {})
    project.edit(LOUD, "Nobody hears it otherwise.", "Nobody hears it.")
    lines = project.fork("report").stdout.splitlines()
    assert lines[0].endswith(": 1 identical, 1 message only")
    assert lines[4:] == [
        "      1.9 1.10",
        "loud   .   C",
        "comma  .   .",
        ". unchanged, o moved, m merged, r resolved, A absorbed, - dropped, C conflict",
        "",
        "loud on 1.10",
        f"  {APP}:10, in part",
        "  Flask 1.10 changed these lines of 1.9",
    ]
    values = json.loads(project.fork("report", "--json", "0.9").stdout)
    assert [row["version"] for row in values["forecast"]] == ["0.9"]
    assert values["upstream"] == ["Flask 1.0", "Flask 1.0"]
    assert values["since"]["revision"] == "HEAD"
    assert [patch["kind"] for patch in values["patches"]] == [
        "message only",
        "identical",
    ]
    assert set(values["patches"][0]) == {
        *("name", "was", "subject", "kind", "places", "moved", "reason", "lost"),
        "parts",
    }


def test_the_page_has_nothing_of_a_patch_but_its_text(project):
    project.edit(LOUD, "app: say goodbye aloud", f"app: {toy.HOSTILE}")
    project.edit(LOUD, "Nobody hears it otherwise.", toy.HOSTILE)
    project.edit(LOUD, 'f"BYE {who}"', f"'{toy.HOSTILE}{PAINT}'")
    project.fork("drop", "comma", "--reason", toy.HOSTILE)
    project.fork("report", "--html", "page.html")
    text = (project.root / "page.html").read_text()
    assert text.count("&lt;script&gt;") >= 4
    assert "<img" not in text
    assert text.count("<script>") == text.count("</script>") == 1
    assert r"\x1b[2J\u202e" in text
    assert "content=\"default-src 'none'; style-src 'sha256-" in text


def test_the_page_is_written_whole_or_not_at_all(project):
    page_file = project.root / "out" / "page.html"
    assert project.fork("report", "--html", "out/page.html").stdout == (
        "out/page.html: written\n"
    )
    before = page_file.read_bytes()
    project.fork("report", "--html", "out/page.html", "9.9", code=1)
    assert os.listdir(page_file.parent) == ["page.html"]
    assert page_file.read_bytes() == before
    project.fork("report", "--html", "page.html/x/y", "--json", code=2)


def test_the_same_bytes_whatever_the_users_git_is_set_to(project, tmp_path):
    toy.release(project, "1.1", {APP: b"import os\n\n" + TEXT})
    toy.release(project, "1.2", {})
    project.fork("rebase", "1.1")
    project.edit(LOUD, "BYE", "GOODBYE")
    hostile = toy.hostile_home(tmp_path)
    for command in ("range-diff", "range-diff --json", "report --html page.html"):
        found = []
        for environ in (None, None, hostile):
            done = project.fork(*command.split(), env=environ)
            file = project.root / "page.html"
            found.append((done.stdout, file.exists() and file.read_bytes()))
        assert found[0] == found[1] == found[2], command


def test_nothing_is_changed(project):
    before = project.snapshot()
    project.fork("range-diff")
    project.fork("report")
    assert project.snapshot() == before


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_as_few_as_possible_are_moved(order, gone):
    queue = [
        Patch.parse(toy.LOUD.replace(b"Patch: loud", b"Patch: p%d" % n), where="x")
        for n in range(6)
    ]
    now = [queue[n] for n in order if n not in gone]
    found = compare.compare(queue, now, {})
    staying = [c.places for c in found if c.new and not c.moved]
    assert staying == sorted(staying)
    assert [c.new for c in found if c.new] == now
    assert {c.patch.name for c in found if c.kind == "dropped"} == {
        f"p{n}" for n in gone
    }
    places = [c.places for c in found if c.new]
    rising = (
        chosen
        for number in range(len(places) + 1)
        for chosen in itertools.combinations(places, number)
        if list(chosen) == sorted(chosen)
    )
    assert len(staying) == max(map(len, rising))


LINES = st.lists(st.sampled_from("abc"), max_size=30).map(tuple)


@given(LINES, LINES)
def test_an_interdiff_has_all_that_differs(old, new):
    part = Part(APP, "content changed", old, new)
    lines = part.interdiff()
    assert bool(lines) is (old != new)
    marks = [line[0] for line in lines]
    assert len(old) - marks.count("-") == len(new) - marks.count("+")
    beside = [row for row in part.rows() if row.kind == "changed"]
    for mark, cells in (
        ("-", [row.old for row in beside]),
        ("+", [row.new for row in beside]),
    ):
        alone = [line[1:] for line in lines if line[0] == mark]
        assert [cell for cell in cells if cell is not None] == alone


@given(st.text(), st.text())
def test_words_are_the_line(line, other):
    line, other = line.replace("\n", ""), other.replace("\n", "")
    assert "".join(text for text, _ in page.words(line, other)) == line


@given(st.text())
def test_shown_text_is_plain(text):
    shown = printable(text)
    assert all(c.isprintable() or c in "\t\n" for c in shown)
    assert printable(shown) == shown
