"""Undoing and redoing the changes of verbs in the project."""

from __future__ import annotations

import json
import subprocess

import pytest

import toy


@pytest.fixture
def project(tmp_path):
    return toy.with_releases(tmp_path / "toy")


def kept(project: toy.Toy) -> dict[str, bytes]:
    """The files that the project keeps in its history."""
    ignored = ("scripts/", "upstream/cache/", "upstream/checkout/")
    return {
        path: data
        for path, data in project.snapshot().items()
        if not path.startswith(ignored)
    }


@pytest.mark.parametrize(
    "command",
    [
        "drop loud --reason no",
        "rename loud aloud",
        "disable loud",
        "move comma --first",
        "fold comma --into loud",
        "rebase 1.1",
    ],
)
def test_what_is_undone_is_as_it_was(project, command):
    project.fork("apply")
    before = kept(project)
    commits = project.git("log", "--format=%H", "queue")
    project.fork(*command.split())
    after = kept(project)
    assert after != before

    done = project.fork("undo")
    assert kept(project) == before
    assert project.git("log", "--format=%H", "queue") == commits
    assert "undone" in done.stdout
    project.fork("export", "--check")

    project.fork("redo")
    assert kept(project) == after
    project.fork("export", "--check")


def test_several_are_undone_one_after_another(project):
    states = [kept(project)]
    for command in ("disable loud", "enable loud", "move comma --first"):
        project.fork(*command.split())
        states.append(kept(project))
    for state in reversed(states[:-1]):
        project.fork("undo")
        assert kept(project) == state
    done = project.fork("undo", code=1)
    assert "there is nothing to undo" in done.stderr
    for state in states[1:]:
        project.fork("redo")
        assert kept(project) == state
    assert "there is nothing to redo" in project.fork("redo", code=1).stderr


def test_the_log(project):
    project.fork("disable", "loud")
    project.fork("move", "comma", "--first")
    project.fork("enable", "loud")
    project.fork("undo")
    done = project.fork("log")
    lines = [line.rsplit("  ", 2) for line in done.stdout.splitlines()]
    marks = [(when[0], command) for when, command, _ in lines]
    assert marks == [("-", "enable loud"), (" ", "disable loud")]
    values = json.loads(project.fork("log", "--json").stdout)
    assert [value["command"] for value in values] == ["enable loud", "disable loud"]
    assert [value["undone"] for value in values] == [True, False]
    assert "patches/series" in values[0]["files"]


def test_what_is_changed_after_an_undo_replaces_what_was_undone(project):
    project.fork("disable", "loud")
    project.fork("undo")
    project.fork("drop", "loud", "--reason", "no")
    assert "nothing to redo" in project.fork("redo", code=1).stderr
    assert "disable" not in project.fork("log").stdout


def test_work_that_came_later_is_not_undone(project):
    project.fork("disable", "loud")
    project.edit("patches/series", "# Spelling.", "# Words.")
    before = kept(project)
    done = project.fork("undo", code=1)
    assert "patches/series changed since `disable loud`" in done.stderr
    assert kept(project) == before


def test_work_in_the_checkout_is_not_undone(project):
    project.fork("disable", "loud")
    file = project.checkout / "src/flask/app.py"
    file.write_text(file.read_text() + "# mine\n")
    done = project.fork("undo", code=1)
    assert "uncommitted changes" in done.stderr


def test_nothing_is_undone_at_a_stop(project):
    project.fork("disable", "comma")
    project.fork("edit", "loud", code=3)
    done = project.fork("undo", code=1)
    assert "another command is stopped half-way" in done.stderr


def test_without_a_checkout(tmp_path):
    project = toy.make(tmp_path / "toy")
    assert "there is no checkout" in project.fork("undo", code=1).stderr
    assert "there is no checkout" in project.fork("log", code=1).stderr


def test_an_export_and_a_header_are_undone(project, tmp_path):
    before = kept(project)
    message = toy.LOUD.decode().partition("\n\n")[2].partition("---\n")[0]
    (tmp_path / "message").write_text(f"app: be loud\n\n{message}")
    project.fork("header", "loud", "--message", str(tmp_path / "message"))
    headed = kept(project)
    project.edit("upstream/checkout/src/flask/app.py", "BYE {who}", "BYE, {who}")
    text = project.git("log", "-1", "--format=%B").replace("comma\n", "shout\n")
    text = text.replace("test_shout", "test_comma")
    project.git("commit", "--quiet", "--all", "--message", text)
    project.fork("export")
    assert "shout" in (project.root / "patches/series").read_text()
    project.fork("undo")
    assert kept(project) == headed
    project.fork("undo")
    assert kept(project) == before


def test_what_git_took_back_is_not_done_again(project):
    toy.commit(project)
    project.fork("drop", "loud", "--reason", "no")
    command = ["git", "checkout", "--quiet", "--", "patches", "CHANGELOG.md"]
    subprocess.run(command, cwd=project.root, check=True)
    project.fork("apply")
    project.fork("move", "comma", "--first")
    moved = kept(project)
    assert "drop" not in project.fork("log").stdout
    project.fork("undo")
    project.fork("redo")
    assert kept(project) == moved


def test_nothing_is_changed_where_the_checkout_cannot_follow(project):
    project.fork("rebase", "1.1")
    after = kept(project)
    project.archive.unlink()
    done = project.fork("undo", code=1, env=toy.clean_environ(PIP_NO_INDEX="1"))
    assert "error: " in done.stderr
    assert kept(project) == after
    assert project.fork("log").stdout.startswith("  ")
    project.fork("export", "--check")


@pytest.mark.parametrize(
    ("ref", "to"), [("log", "HEAD"), ("log", "HEAD^{tree}"), ("log-at", "HEAD")]
)
def test_a_damaged_log_is_said_to_be(project, ref, to):
    project.fork("disable", "loud")
    project.git("update-ref", f"refs/fork/{ref}", project.git("rev-parse", to).strip())
    for verb in ("undo", "redo", "log"):
        done = project.fork(verb, code=1)
        assert "the log of operations is damaged" in done.stderr
        assert "update-ref -d refs/fork/log" in done.stderr
    # This does not keep anybody from working, and a new log is begun.
    project.fork("enable", "loud")
    project.fork("undo")
    assert "disabled: loud" in (project.root / "patches/series").read_text()


def test_an_empty_log(project):
    assert project.fork("log").stdout == "no verb has changed the project yet\n"
