"""Rebase: the queue moves to another release, all at once or not at all."""

from __future__ import annotations

import json
import re

import pytest

import toy

APP = "src/flask/app.py"
TEXT = toy.UPSTREAM[APP].decode()
#: Upstream changes the goodbye that the patch "loud" changes.
CLASHING = TEXT.replace('f"bye {who}"', 'f"good bye {who}"').encode()
#: Adds lines at the top, which no patch touches.
SHIFTED = b"import os\n\n" + TEXT.encode()
#: The change that the patch "loud" makes.
TAKEN = TEXT.replace('f"bye {who}"', 'f"BYE {who}"').encode()


@pytest.fixture
def project(tmp_path):
    made = toy.make(tmp_path / "toy")
    toy.release(made, "1.1", {APP: SHIFTED})
    toy.release(made, "1.2", {APP: CLASHING})
    toy.release(made, "1.3", {APP: TAKEN})
    toy.release(made, "2.0", {})
    return made


def resolve(project: toy.Toy, text: str) -> None:
    """Replace the conflict with a text."""
    file = project.checkout / APP
    before, _, rest = file.read_text().partition("<<<<<<<")
    _, _, after = rest.partition(">>>>>>>")
    file.write_text(before + text + after.partition("\n")[2])


def kinds(done) -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+): ([a-z]+)$", done.stdout, re.MULTILINE))


def test_a_release_that_only_moves_lines(project):
    done = project.fork("rebase", "1.1")
    assert kinds(done) == {"loud": "moved", "comma": "moved"}
    assert 'version = "1.1"' in project.project.pin.read_text()
    assert 'version = "1.1.1"' in project.project.pyproject.read_text()
    changelog = project.project.changelog.read_text()
    assert "### Upstream\n\n- Flask 1.1.\n\n### Fork" in changelog
    assert "BYE" in (project.checkout / APP).read_text()
    assert project.git("log", "--format=%s").splitlines()[-1] == "Flask 1.1"
    assert project.git("rev-parse", "--abbrev-ref", "HEAD").strip() == "queue"
    assert not project.project.journal.exists()
    project.fork("verify", "formats", "queue")
    assert "is up to date with the commits" in project.fork("export").stdout


def test_there_and_back_again(project):
    before = project.snapshot()
    project.fork("apply")
    project.fork("rebase", "1.1")
    project.fork("rebase", "1.0")
    after = project.snapshot()
    for path in ("patches/loud.patch", "patches/comma.patch", "patches/series"):
        assert after[path] == before[path]
    assert after["upstream/pin.toml"] == before["upstream/pin.toml"]


def test_a_conflict_is_resolved(project):
    before = project.snapshot()
    done = project.fork("rebase", "1.2", code=3)
    assert f"loud conflicts in {APP}" in done.stderr
    assert "patch 1 of 2, in `rebase Flask 1.2`\n" in done.stderr
    assert "PYTHONPATH=src" in done.stderr
    assert "`scripts/fork continue`" in done.stderr
    assert {p: d for p, d in project.snapshot().items() if p in before} == before
    assert project.git("diff", "--name-only", "--diff-filter=U").split() == [APP]

    done = project.fork("rebase", "--continue", code=1)
    assert f"upstream/checkout/{APP}: still has conflict markers" in done.stderr
    resolve(project, '    return f"GOOD BYE {who}"\n')
    done = project.fork("continue")
    assert kinds(done) == {"loud": "resolved", "comma": "unchanged"}
    patch = (project.project.patches / "loud.patch").read_bytes()
    assert patch.startswith(toy.LOUD.partition(b"---\n")[0])
    assert b'+    return f"GOOD BYE {who}"' in patch
    assert (project.project.patches / "comma.patch").read_bytes() == toy.COMMA
    assert project.git("status", "--porcelain") == ""
    project.fork("verify", "formats", "queue")


def test_a_conflict_is_not_asked_twice(project):
    project.fork("rebase", "1.2", code=3)
    resolve(project, '    return f"GOOD BYE {who}"\n')
    project.fork("rebase", "--continue")
    [resolution] = project.project.resolutions.glob("*/*.diff")
    kept = resolution.read_bytes()
    patch = (project.project.patches / "loud.patch").read_bytes()

    for name, content in [("loud", toy.LOUD), ("comma", toy.COMMA)]:
        (project.project.patches / f"{name}.patch").write_bytes(content)
    project.project.pin.write_bytes(
        toy.pin_of(project.archive.read_bytes(), toy.UPSTREAM).render()
    )
    toy.shutil.rmtree(project.checkout)
    done = project.fork("rebase", "1.2")
    assert kinds(done)["loud"] == "resolved"
    shown = resolution.relative_to(project.root)
    assert f"loud: review the changes of the reused {shown}:" in done.stdout
    assert '+    return f"GOOD BYE {who}"\n' in done.stdout
    assert (project.project.patches / "loud.patch").read_bytes() == patch
    assert resolution.read_bytes() == kept


def test_a_stale_resolution_is_not_used(project):
    project.fork("rebase", "1.2", code=3)
    resolve(project, '    return f"GOOD BYE {who}"\n')
    project.fork("rebase", "--continue")
    again = CLASHING.replace(b"good bye", b"good-bye")
    toy.release(project, "1.4", {APP: again})
    project.fork("rebase", "1.4", code=3)
    project.fork("rebase", "--abort")


def test_the_maintainer_commits_the_resolution(project):
    project.fork("rebase", "1.2", code=3)
    resolve(project, '    return f"GOOD BYE {who}"\n')
    project.git("add", "--update")
    project.git("commit", "--quiet", "--no-edit")
    project.fork("rebase", "--continue")
    assert b"GOOD BYE" in (project.project.patches / "loud.patch").read_bytes()
    assert list(project.project.resolutions.glob("*/*.diff"))


def test_abort(project):
    project.fork("apply")
    head = project.git("rev-parse", "HEAD")
    before = project.snapshot()
    project.fork("rebase", "1.2", code=3)
    (project.checkout / APP).write_text("half done")
    done = project.fork("rebase", "--abort")
    ref = done.stdout.split()[-1]
    assert project.git("show", f"{ref}:{APP}") == "half done"
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""
    assert project.snapshot() == before
    project.fork("rebase", "--abort", code=1)


def test_abort_without_any_work(project):
    project.fork("rebase", "1.2", code=3)
    assert project.fork("rebase", "--abort").stdout.splitlines() == [
        "upstream/checkout: back to the queue"
    ]
    assert project.git("for-each-ref", "refs/fork/saved") == ""


def test_the_checkout_is_deleted_in_the_middle(project):
    before = project.snapshot()
    project.fork("rebase", "1.2", code=3)
    toy.shutil.rmtree(project.checkout)
    for option in ("--continue", "--skip"):
        done = project.fork("rebase", option, code=1)
        assert "the checkout of the stopped command is gone" in done.stderr
    project.fork("rebase", "--abort")
    assert project.snapshot() == before
    project.fork("apply")


def test_a_damaged_journal(project):
    before = project.snapshot()
    project.fork("rebase", "1.2", code=3)
    project.project.journal.write_bytes(b'{"format": 1, "verb"')
    done = project.fork("rebase", "--continue", code=1)
    assert "upstream/.sequence.json: the journal is damaged" in done.stderr
    project.fork("rebase", "--abort")
    after = project.snapshot()
    assert {path: after[path] for path in before} == before
    assert project.git("status", "--porcelain") == ""


def test_git_collects_its_garbage_in_the_middle(project):
    project.fork("rebase", "1.2", code=3)
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "--quiet", "--prune=now")
    resolve(project, '    return f"GOOD BYE {who}"\n')
    project.fork("rebase", "--continue")
    project.fork("verify", "formats", "queue")


def test_two_commands_at_once(project):
    filelock = pytest.importorskip("filelock")
    before = project.snapshot()
    with filelock.FileLock(project.project.lock):
        for command in ("rebase 1.1", "apply", "move comma --first"):
            done = project.fork(*command.split(), code=1, process=True)
            assert "another scripts/fork is changing this project" in done.stderr
    assert project.snapshot() == before


def test_skip(project):
    project.fork("rebase", "1.2", code=3)
    for option in ("--continue", "--abort"):
        done = project.fork("rebase", option, "--reason", "x", code=2)
        assert "--reason needs --skip" in done.stderr
    done = project.fork("rebase", "--skip", "--reason", "upstream says it better")
    assert kinds(done) == {"loud": "dropped", "comma": "unchanged"}
    assert not (project.project.patches / "loud.patch").exists()
    assert "loud" not in project.project.series.read_text()
    text = "The patch `loud` is dropped: upstream says it better."
    assert text in project.project.changelog.read_text()
    project.fork("verify", "formats", "queue", code=1)  # The README's table.
    project.fork("readme")
    project.fork("verify", "formats", "queue")


def test_what_upstream_has_taken_is_dropped_on_the_maintainers_word(project):
    before = project.snapshot()
    done = project.fork("rebase", "1.3", code=3)
    assert "loud no longer changes anything" in done.stderr
    assert project.fork("rebase", "--continue", code=3).stderr == done.stderr
    assert {p: d for p, d in project.snapshot().items() if p in before} == before
    project.fork("rebase", "--skip")
    assert not (project.project.patches / "loud.patch").exists()


def test_a_patch_that_goes_by_its_own_word(project):
    done = project.fork("rebase", "2.0")
    assert kinds(done) == {"comma": "dropped", "loud": "unchanged"}
    assert not (project.project.patches / "comma.patch").exists()
    text = "The patch `comma` is dropped: its Drop-When, upstream >= 2.0, is met."
    assert text in project.project.changelog.read_text()


def test_other_commands_wait(project):
    project.fork("rebase", "1.2", code=3)
    before = project.snapshot()
    for command in ("apply", "export", "readme", "rebase 1.1", "edit loud"):
        done = project.fork(*command.split(), code=1)
        assert "another command is stopped half-way" in done.stderr, command
    assert "loud conflicts" in project.fork("rebase", "--status", code=3).stderr
    assert project.snapshot() == before


def test_status(project):
    done = project.fork("status")
    assert done.stdout == (
        "flaskfork 1.0.1 on Flask 1.0\n2 patches in patches/series\n"
        "flask-1.0.tar.gz: fetched\nupstream/checkout: not made yet\n"
    )
    stop = project.fork("rebase", "1.2", code=3).stderr
    assert stop.removeprefix("stopped: ") in project.fork("status").stdout
    values = json.loads(project.fork("status", "--json").stdout)
    story = values["stopped"].pop("story")
    assert story
    assert all(line in stop for line in story)
    assert values["stopped"] == {
        "verb": "rebase",
        "target": "Flask 1.2",
        "patch": "loud",
        "why": "conflict",
        "left": 2,
        "of": 2,
        "conflicts": [APP],
        "dropped": {},
    }
    project.fork("rebase", "--abort")
    project.fork("disable", "comma")
    project.edit("patches/loud.patch", "Nobody hears", "No one hears")
    done = project.fork("status")
    assert "1 patch in patches/series, 1 disabled\n" in done.stdout
    assert "patches/loud.patch: changed since the checkout was made\n" in done.stdout


def test_unsaved_work_is_not_touched(project):
    project.fork("apply")
    file = project.checkout / APP
    file.write_text(file.read_text() + "# mine\n")
    before = project.snapshot()
    done = project.fork("rebase", "1.1", code=1)
    assert f"uncommitted changes: {APP}" in done.stderr
    assert project.snapshot() == before


def test_a_release_that_moves_the_package(project):
    moved = {
        path.replace("src/", ""): data
        for path, data in toy.UPSTREAM.items()
        if path.startswith("src/")
    }
    gone = dict.fromkeys(path for path in toy.UPSTREAM if path.startswith("src/"))
    toy.release(project, "0.9", {**gone, **moved})
    done = project.fork("rebase", "0.9")
    assert set(kinds(done).values()) == {"merged"}
    assert 'folder = "flask"' in project.project.pin.read_text()
    assert (
        b"+++ b/flask/app.py" in (project.project.patches / "loud.patch").read_bytes()
    )
    project.fork("rebase", "1.0")
    assert (
        b"+++ b/src/flask/app.py"
        in (project.project.patches / "loud.patch").read_bytes()
    )


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "2.0"])
def test_the_forecast_is_what_happens(project, version):
    before = project.snapshot()
    [row] = json.loads(project.fork("forecast", version, "--json").stdout)
    assert project.snapshot() == before
    done = project.fork("rebase", version, code=0 if row["clean"] else 3)
    while done.returncode:
        done = project.fork("rebase", "--skip")
    happened = kinds(done)
    for patch in row["patches"]:
        expected = patch["outcome"]
        if expected in {"conflict", "absorbed"}:
            expected = "dropped"
        assert happened[patch["name"]] == expected


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.99", "has no source archive of Flask 1.99"),
        ("../1.0", "is not a release version"),
        ("1.0rc1", "is not a release version"),
    ],
)
def test_no_such_release(project, version, words):
    before = project.snapshot()
    assert words in project.fork("rebase", version, code=1).stderr
    assert project.snapshot() == before


def test_an_archive_of_another_release(project, tmp_path):
    before = project.snapshot()
    archive = project.project.cache / "flask-1.1.tar.gz"
    done = project.fork("rebase", "1.5", "--from", str(archive), code=1)
    assert "it is not Flask 1.5: PKG-INFO has Version '1.1'" in done.stderr
    assert project.snapshot() == before


def test_a_stop_says_where_it_is_and_what_was_dropped_before(project):
    toy.add(project, "wide", toy.WIDE)
    toy.release(project, "2.1", {APP: toy.UPSTREAM[APP].replace(b"bye", b"farewell")})
    done = project.fork("rebase", "2.1", code=3)
    assert "\n  patch 1 of 2, in `rebase Flask 2.1`\n" in done.stderr
    reason = "its Drop-When, upstream >= 2.0, is met"
    assert f"\n  already dropped: comma, {reason}\n" in done.stderr
    done = project.fork("skip", "--reason", "farewell will do")
    assert kinds(done) == {"comma": "dropped", "loud": "dropped", "wide": "unchanged"}
    log = (project.root / "CHANGELOG.md").read_text()
    assert "The patch `loud` is dropped: farewell will do." in log


@pytest.mark.parametrize("command", ["edit loud", "rebase 1.2"])
def test_whatever_is_stopped_is_aborted(project, command):
    before = project.snapshot()
    project.fork(*command.split(), code=3)
    project.fork("abort")
    after = project.snapshot()
    assert {path: after.get(path) for path in before} == before
    for verb in ("continue", "skip", "abort"):
        assert "no command is stopped" in project.fork(verb, code=1).stderr


@pytest.mark.parametrize("text", ["{}", "[]", '{"format": 1, "verb": "edit"}', "x"])
def test_a_damaged_journal_can_be_aborted(project, text):
    project.fork("edit", "loud", code=3)
    project.project.journal.write_text(text)
    for verb in ("status", "continue", "skip"):
        done = project.fork(verb, code=1)
        assert "is damaged" in done.stderr
        assert "scripts/fork abort" in done.stderr
    project.fork("abort")
    project.fork("export", "--check")
