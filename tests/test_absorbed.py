"""The evidence that upstream absorbed a patch, and of what a patch conflicts with."""

from __future__ import annotations

import json

import pytest

import toy

APP = "src/flask/app.py"
TEXT = toy.UPSTREAM[APP].decode()
LOUD = TEXT.replace('f"bye {who}"', 'f"BYE {who}"')
CLASH = TEXT.replace('f"bye {who}"', 'f"good bye {who}"')
CHANGES = b"""\
Version 1.2
-----------

-   ``part`` says good bye,
    in full. :pr:`12`
-   ``greet`` is as it was. :pr:`13`

Version 1.1
-----------

-   ``part`` is older. :pr:`11`
"""


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def absorbed(project: toy.Toy, *args: str) -> dict[str, list[str]]:
    found = json.loads(project.fork("absorbed", *args, "--json").stdout)
    return {
        finding["name"]: [f"{finding['release']}: {e}" for e in finding["evidence"]]
        for finding in found
    }


def test_nothing_is_absorbed(project):
    assert absorbed(project) == {"loud": [], "comma": []}
    done = project.fork("absorbed")
    assert done.stdout == "no patch seems to be in Flask 1.0\n"


def test_taken_as_it_is(project):
    before = project.snapshot()
    toy.release(project, "1.1", {"src/flask/other.py": b""})
    toy.release(project, "1.2", {APP: LOUD.encode()})
    toy.release(project, "1.3", {APP: LOUD.encode(), "CHANGES.rst": CHANGES})
    found = absorbed(project, "1.3")
    assert found["comma"] == []
    assert found["loud"] == [
        "1.2: merging it changes nothing",
        "1.2: it applies in reverse to the release",
        "1.2: what it changes reads the same there, apart from comments",
    ]
    after = project.snapshot()
    assert {path: after[path] for path in before} == before


def test_taken_with_another_comment(project):
    """It conflicts, but the code is there."""
    text = LOUD.replace('    return f"BYE', '    # Aloud.\n    return f"BYE')
    toy.release(project, "1.1", {APP: text.encode()})
    fact = "what it changes reads the same there, apart from comments"
    assert absorbed(project, "1.1")["loud"] == [f"1.1: {fact}"]
    done = project.fork("rebase", "1.1", code=3)
    assert "loud conflicts in" in done.stderr
    assert f"Flask 1.1 may have it: {fact}" in done.stderr


def test_taken_and_written_otherwise_later(project):
    """One release later, neither merging nor reverting shows it; the commit does."""
    later = LOUD.replace('f"BYE {who}"', 'f"BYE BYE {who}"').encode()
    toy.release(project, "1.1", {APP: later})
    assert absorbed(project, "1.1")["loud"] == []
    toy.history(
        project,
        ("", "say goodbye aloud (#7)", {APP: LOUD.encode(), "tests/test_b.py": b"1\n"}),
        ("1.1", "twice", {APP: later}),
    )
    [fact] = absorbed(project, "1.1")["loud"]
    assert "say goodbye aloud (#7) makes the same change to the package" in fact


def test_taken_by_a_commit_of_its_own(project):
    toy.release(project, "1.1", {APP: LOUD.encode()})
    toy.history(project, ("1.1", "say goodbye aloud", {APP: LOUD.encode()}))
    facts = absorbed(project, "1.1")["loud"]
    assert facts[-1].endswith("say goodbye aloud is the same change")


def test_drop_when_its_commit_is_released(project):
    toy.history(project, ("", "elsewhere", {"src/flask/b.py": b""}), ("1.1", "1.1", {}))
    sha = toy.subprocess.check_output(
        ["git", "rev-parse", "HEAD^"], cwd=project.project.history, text=True
    ).strip()
    project.edit("patches/comma.patch", "upstream >= 2.0", f"commit {sha}")
    toy.release(project, "1.1", {})
    assert absorbed(project, "1.1")["comma"] == [
        f"1.1: the commit of its Drop-When, {sha[:10]}, is in the release"
    ]
    done = project.fork("rebase", "1.1")
    assert "comma: dropped" in done.stdout
    text = (project.root / "CHANGELOG.md").read_text()
    assert f"`comma` is dropped: its Drop-When, commit {sha}, is met." in text


def test_the_changelog_tells_which_release_took_it(project):
    toy.release(project, "1.1", {"src/flask/other.py": b""})
    toy.release(project, "1.2", {APP: LOUD.encode()})
    toy.release(project, "1.3", {APP: LOUD.encode()})
    done = project.fork("rebase", "1.3", code=3)
    assert "Flask 1.2 may have it: merging it changes nothing" in done.stderr
    project.fork("rebase", "--skip")
    text = (project.root / "CHANGELOG.md").read_text()
    assert "- The patch `loud` is dropped: Flask 1.2 has it.\n" in text


def test_what_a_conflict_is_about(project):
    toy.release(project, "1.1", {"CHANGES.rst": CHANGES})
    toy.release(project, "1.2", {APP: CLASH.encode(), "CHANGES.rst": CHANGES})
    toy.release(project, "1.3", {APP: CLASH.encode(), "CHANGES.rst": CHANGES})
    done = project.fork("rebase", "1.3", code=3)
    assert f"{APP}:10, in part\n" in done.stderr
    assert "Flask 1.2 changed these lines of 1.1\n" in done.stderr
    entry = "``part`` says good bye, in full. :pr:`12`"
    assert f"upstream's changelog: {entry}\n" in done.stderr
    assert "pr:`13`" not in done.stderr
    assert "pr:`11`" not in done.stderr
    again = project.fork("rebase", "--status", code=3)
    assert again.stderr == done.stderr
    project.fork("rebase", "--skip")
    text = (project.root / "CHANGELOG.md").read_text()
    assert (
        "- The patch `loud` is dropped: it conflicts with what Flask 1.2 changed.\n"
        in text
    )


def test_the_commit_that_a_conflict_is_about(project):
    toy.release(project, "1.2", {APP: CLASH.encode(), "CHANGES.rst": CHANGES})
    toy.history(
        project,
        ("", "a docstring", {"src/flask/__init__.py": b'"""Another."""\n'}),
        ("", "better words (#13)", {APP: CLASH.encode()}),
        ("1.2", "a comment", {APP: CLASH.encode() + b"# The end.\n"}),
    )
    done = project.fork("rebase", "1.2", code=3)
    assert "better words (#13)\n" in done.stderr
    assert "upstream's changelog: ``greet`` is as it was." in done.stderr


def test_a_file_that_is_deleted(project):
    toy.release(project, "1.1", {APP: None})
    done = project.fork("rebase", "1.1", code=3)
    assert f"{APP}: changed on one side, deleted or moved on the other" in done.stderr


def test_a_folder_that_is_no_clone(project):
    toy.release(project, "1.2", {APP: CLASH.encode()})
    project.project.history.mkdir()
    done = project.fork("rebase", "1.2", code=3)
    assert "Flask 1.2 changed these lines of 1.0" in done.stderr


def test_backwards(project):
    notes = b"Version 0.9\n-----------\n\n-   ``part`` is short.\n"
    toy.release(project, "0.7", {APP: CLASH.encode()})
    toy.release(project, "0.8", {APP: CLASH.encode()})
    toy.release(project, "0.9", {"CHANGES.rst": notes})
    done = project.fork("rebase", "0.7", code=3)
    assert "Flask 0.9 changed these lines of 0.8\n" in done.stderr
    assert "changelog: ``part`` is short.\n" in done.stderr


def test_what_cannot_be_read_does_not_keep_it_from_stopping(project):
    toy.release(project, "1.2", {APP: CLASH.encode()})
    (project.project.cache / "flask-1.1.tar.gz").write_bytes(b"cut off")
    toy.history(project, ("1.2", "better words", {APP: CLASH.encode()}))
    for pack in (project.project.history / ".git" / "objects").glob("*/*"):
        pack.chmod(0o644)
        pack.write_bytes(b"")
    done = project.fork("rebase", "1.2", code=3)
    assert "loud conflicts in" in done.stderr
    assert "the cause is unknown: git" in done.stderr
    project.fork("rebase", "--skip")
    text = (project.root / "CHANGELOG.md").read_text()
    assert "- The patch `loud` is dropped: it conflicts with Flask 1.2.\n" in text
