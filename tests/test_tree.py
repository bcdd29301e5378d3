"""Apply, status and export: between ``patches/`` and the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

import toy
from forkkit.queue.queue import Queue
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import pinned_source


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def commit(project: toy.Toy, *message: str) -> None:
    project.git("add", "--all")
    arguments = [word for text in message for word in ("-m", text)]
    project.git("commit", "--quiet", *arguments)


TRAILERS = (
    "Upstream-Status: Pending\nForwarded: no\nDrop-When: never\n"
    "Tests: tests/patches/test_loud.py\nFork-Patch: third"
)


def test_apply_makes_one_commit_a_patch(project):
    project.fork("apply")
    assert project.git("log", "--format=%s").splitlines() == [
        "app: put a comma into the greeting",
        "app: say goodbye aloud",
        "Flask 1.0",
    ]
    assert project.git("log", "-1", "--format=%an %ae %aD").strip() == (
        "A Maintainer maintainer@flaskfork.example Tue, 2 Jun 2026 11:00:00 +0000"
    )
    assert project.git("status", "--porcelain") == ""
    text = (project.checkout / "src/flask/app.py").read_text()
    assert 'return f"hello{COMMA} {who}"' in text
    assert 'return f"BYE {who}"' in text
    assert (project.checkout / "tests/test_app.py").is_file()


def test_commit_ids_are_the_same_everywhere(project, tmp_path):
    project.fork("apply")
    once = project.git("rev-parse", "HEAD")
    other = toy.make(tmp_path / "other")
    other.fork("apply", env=toy.hostile_home(tmp_path))
    assert other.git("rev-parse", "HEAD") == once


def test_apply_again_changes_nothing(project):
    project.fork("apply")
    head = project.git("rev-parse", "HEAD")
    before = project.snapshot()
    project.fork("apply")
    assert project.snapshot() == before
    assert project.git("rev-parse", "HEAD") == head


def test_apply_follows_a_patch_that_changed_on_disk(project):
    project.fork("apply")
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    project.fork("apply")
    assert "GOODBYE" in (project.checkout / "src/flask/app.py").read_text()
    assert project.git("status", "--porcelain") == ""


def test_export_does_not_bring_older_patches_back(project):
    """As after a pull, or after a verb that was killed at its very end."""
    project.fork("apply")
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    before = project.snapshot()
    done = project.fork("export", code=1)
    assert "has changed since the checkout was made: patches/loud.patch" in done.stderr
    assert project.snapshot() == before
    project.fork("apply")
    assert "is up to date with the commits" in project.fork("export").stdout


def test_export_does_not_mix_two_changes(project):
    project.fork("apply")
    file = project.checkout / "src/flask/app.py"
    file.write_text(file.read_text().replace("BYE", "HEY"))
    project.git("commit", "--all", "--amend", "--no-edit", "--quiet")
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    before = project.snapshot()
    done = project.fork("export", code=1)
    assert "git -C upstream/checkout branch mine" in done.stderr
    assert project.snapshot() == before


def test_export_writes_nothing_after_apply(project):
    before = project.snapshot()
    project.fork("apply")
    assert "is up to date with the commits" in project.fork("export").stdout
    assert "is up to date with the commits" in project.fork("export", "--check").stdout
    after = project.snapshot()
    assert {path: after[path] for path in before} == before


def test_export_gives_the_same_bytes_under_a_hostile_gitconfig(project, tmp_path):
    before = project.snapshot()
    env = toy.hostile_home(tmp_path)
    project.fork("apply", env=env)
    written_by_another(project)
    project.fork("export", env=env)
    assert project.snapshot() == {
        path: data.replace(b"From: A Maintainer", b"From: Another")
        for path, data in {**project.snapshot(), **before}.items()
    }


def written_by_another(project: toy.Toy) -> None:
    """Change all commits, so that an export writes new text and keeps none."""
    amend = "git commit --amend --no-edit --quiet --author 'Another <maintainer@{}>'"
    command = amend.format("flaskfork.example")
    project.git("rebase", "--quiet", "--exec", command, "upstream")


def test_export_writes_a_new_commit(project):
    project.fork("apply")
    (project.checkout / "src/flask/new.py").write_text('"""New."""\n')
    commit(project, "new: add it", "It is new.", TRAILERS)
    assert "unexported commits" in project.fork("status").stdout
    done = project.fork("export", "--check", code=1)
    assert "patches/third.patch: would be written" in done.stdout
    done = project.fork("export")
    assert "patches/third.patch: written" in done.stdout
    assert (
        project.root / "patches/series"
    ).read_bytes() == toy.SERIES + b"third.patch\n"
    text = (project.root / "patches/third.patch").read_text()
    assert "+++ b/src/flask/new.py" in text
    assert "index " not in text
    assert "exported" in project.fork("status").stdout
    project.fork("apply")


def test_export_keeps_a_patch_that_says_the_same_in_other_words(project):
    # As git would not write it: less context.
    path = project.root / "patches/loud.patch"
    text = path.read_text().replace(
        "@@ -7,4 +7,4 @@ def greet(who):\n \n \n def part(who):\n",
        "@@ -9,2 +9,2 @@\n def part(who):\n",
    )
    path.write_text(text)
    project.fork("apply")
    project.fork("export")
    assert path.read_text() == text


def test_export_follows_a_new_order(project):
    project.fork("apply")
    loud = project.git("rev-parse", "HEAD~1").strip()
    project.git("checkout", "--quiet", "-B", "queue", "HEAD~2")
    project.git("cherry-pick", "queue@{1}", loud)
    project.fork("export")
    assert (project.root / "patches/series").read_text() == (
        "\n# Spelling.\ncomma.patch\n# The queue.\nloud.patch\n"
    )
    project.fork("apply")
    assert "is up to date with the commits" in project.fork("export").stdout


def test_work_in_the_checkout_is_never_overwritten(project):
    project.fork("apply")
    (project.checkout / "src/flask/app.py").write_text("mine\n")
    (project.checkout / "notes.txt").write_text("mine too\n")
    before = project.snapshot()
    for verb in ("apply", "export"):
        done = project.fork(verb, code=1)
        assert "uncommitted changes: src/flask/app.py, notes.txt" in done.stderr
        assert "hint: " in done.stderr
    assert project.snapshot() == before


def test_commits_that_are_not_exported_are_never_dropped(project):
    project.fork("apply")
    (project.checkout / "src/flask/new.py").write_text('"""New."""\n')
    commit(project, "new: add it", "It is new.", TRAILERS)
    head = project.git("rev-parse", "HEAD")
    done = project.fork("apply", code=1)
    assert "commits that are not exported" in done.stderr
    assert project.git("rev-parse", "HEAD") == head


def test_commit_without_trailers_is_named(project):
    project.fork("apply")
    (project.checkout / "src/flask/new.py").write_text("")
    commit(project, "quick fix")
    before = project.snapshot()
    done = project.fork("export", code=1)
    assert "'quick fix': the message needs a subject, a reason" in done.stderr
    assert "Fork-Patch" in done.stderr
    assert project.snapshot() == before


def test_patch_whose_commit_is_gone_is_not_removed(project):
    project.fork("apply")
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    done = project.fork("export", code=1)
    assert "the commit of the patch comma is missing" in done.stderr
    assert (project.root / "patches/comma.patch").read_bytes() == toy.COMMA


def test_merge_is_refused(project):
    project.fork("apply")
    project.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    (project.checkout / "a").write_text("")
    commit(project, "side")
    project.git("checkout", "--quiet", "queue")
    project.git("merge", "--quiet", "--no-edit", "side")
    assert "a merge cannot be a patch" in project.fork("export", code=1).stderr


def test_foreign_repository_is_left_alone(project):
    project.checkout.mkdir()
    project.git("init", "--quiet")
    (project.checkout / "mine").write_text("mine")
    done = project.fork("apply", code=1)
    assert "was not made by `scripts/fork apply`" in done.stderr
    assert (project.checkout / "mine").read_text() == "mine"


def test_checkout_that_is_no_repository_is_left_alone(project):
    project.checkout.mkdir()
    (project.checkout / "mine").write_text("mine")
    done = project.fork("apply", code=1)
    assert "was not made by `scripts/fork apply`" in done.stderr
    assert "hint: move it away" in done.stderr
    assert (project.checkout / "mine").read_text() == "mine"


def test_patch_that_does_not_apply_is_named_with_what_stands_there(project):
    project.edit("patches/comma.patch", "     # Keep it short.", "     # Keep it long.")
    before = project.snapshot()
    for verb in ("apply", "materialise", "build"):
        done = project.fork(verb, code=1)
        assert "patches/comma.patch: src/flask/app.py: hunk 1 does not" in done.stderr
        assert "at line 5" in done.stderr
        assert "expected '    # Keep it long.'" in done.stderr
        assert "found '    # Keep it short.'" in done.stderr
    assert project.snapshot() == before


def test_offset_is_not_good_enough(project):
    project.edit("patches/loud.patch", "@@ -7,4 +7,4 @@", "@@ -8,4 +8,4 @@")
    assert "hunk 1 does not apply" in project.fork("apply", code=1).stderr


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("loud.patch\n", "patches/comma.patch: is not in the series"),
        ("loud.patch\ncomma.patch\nno.patch\n", "no.patch is listed, but is missing"),
        ("loud.patch\ncomma.patch\nloud.patch\n", "loud.patch is already listed in"),
    ],
)
def test_series_that_does_not_fit_the_folder(project, series, expected):
    (project.root / "patches/series").write_text(series)
    for verb in ("status", "series", "apply", "materialise"):
        done = project.fork(verb, code=1)
        assert expected in done.stderr
        assert "hint: " in done.stderr


def test_patch_outside_the_package_is_refused(project):
    project.edit("patches/loud.patch", "--- a/src/flask/app.py", "--- a/CHANGES.rst")
    text = (project.root / "patches/loud.patch").read_text()
    text = text.replace("src/flask/app.py", "CHANGES.rst")
    (project.root / "patches/loud.patch").write_text(text)
    done = project.fork("series", code=1)
    assert "changes CHANGES.rst, which is outside src/flask" in done.stderr


def test_patch_without_its_tests_is_refused(project):
    (project.root / "tests/patches/test_loud.py").unlink()
    done = project.fork("series", code=1)
    assert "its tests tests/patches/test_loud.py do not exist" in done.stderr


def test_without_git_it_says_so(project, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {**os.environ, "PATH": str(empty)}
    done = project.fork("apply", code=1, env=env)
    assert "git is not installed" in done.stderr
    assert not project.checkout.exists()
    # Verbs that do not need git still work.
    project.fork("materialise", env=env)


def test_status_as_json(project):
    project.fork("apply")
    (project.checkout / "new").write_text("")
    values = json.loads(project.fork("status", "--json").stdout)
    assert values["upstream"] == "Flask 1.0"
    assert values["patches"] == 2
    assert values["uncommitted"] == ["new"]
    assert values["exported"] is True


def test_full_disk_leaves_everything_as_it_was(project):
    """Writing is limited to less than the checkout needs."""
    before = project.snapshot()
    launch = project.root / "scripts" / "forkkit" / "launch.py"
    for verb in ("apply", "materialise"):
        code = (
            "import resource, runpy, signal, sys;"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
            f"sys.argv = ['fork', {verb!r}];"
            f"runpy.run_path({str(launch)!r}, run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-I", "-c", code],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done
        assert "Traceback" not in done.stderr
        assert "error: " in done.stderr
        assert "hint: " in done.stderr
    assert project.snapshot() == before


@pytest.mark.parametrize("verb", ["apply", "materialise", "readme", "fetch"])
def test_read_only_checkout_is_an_error_with_the_mend(project, verb):
    if verb == "readme":
        project.edit("README.md", "| never |", "| later |")
    before = project.snapshot()
    if verb == "fetch":
        content = project.archive.rename(project.root / "local.tar.gz")
        before = project.snapshot()
        verb = f"fetch --from {content}"
    toy.make_read_only(project.root)
    prefix = toy.held_to_permissions()
    done = project.fork(*verb.split(" ", 2), code=1, prefix=prefix)
    assert "cannot be written: Permission denied" in done.stderr
    assert "hint: free some space or grant write access there" in done.stderr
    assert project.snapshot() == before


def test_file_in_the_place_of_a_folder_is_an_error(project):
    shutil.rmtree(project.root / "build", ignore_errors=True)
    (project.root / "build").write_text("")
    done = project.fork("materialise", code=1)
    assert "cannot be written" in done.stderr
    assert "hint: " in done.stderr


def test_file_in_the_place_of_the_checkout_is_left_alone(project):
    project.checkout.write_text("mine")
    done = project.fork("apply", code=1)
    assert "was not made by `scripts/fork apply`" in done.stderr
    assert project.checkout.read_text() == "mine"


def test_author_of_a_commit_is_who_makes_it(project):
    project.fork("apply")
    settings = (project.checkout / ".git/config").read_text()
    assert "[user]" not in settings


def test_empty_folder_is_taken(project):
    project.checkout.mkdir()
    project.fork("apply")
    assert project.git("status", "--porcelain") == ""


def test_commits_are_seen_from_wherever_head_is(project):
    project.fork("apply")
    (project.checkout / "src/flask/new.py").write_text('"""New."""\n')
    commit(project, "new: add it", "It is new.", TRAILERS)
    queue = project.git("rev-parse", "queue")
    project.git("checkout", "--quiet", "--detach", "refs/fork/known")
    for verb in ("apply", "export"):
        done = project.fork(verb, code=1)
        assert "the queue's branch is not checked out" in done.stderr
    assert "unexported commits" in project.fork("status").stdout
    assert project.git("rev-parse", "queue") == queue
    project.git("switch", "--quiet", "queue")
    assert "third.patch: written" in project.fork("export").stdout


def test_rebase_that_is_not_finished_is_left_alone(project):
    project.fork("apply")
    project.git("-c", "sequence.editor=sed -i s/pick/edit/", "rebase", "-i", "upstream")
    for verb in ("apply", "export"):
        done = project.fork(verb, code=1)
        assert "`git rebase` is not finished there" in done.stderr
    project.git("rebase", "--abort")
    project.fork("apply")


@pytest.mark.parametrize("hide", ["exclude", "config"])
def test_file_that_git_does_not_show_is_not_overwritten(project, hide):
    project.fork("apply")
    if hide == "exclude":
        exclude = project.checkout / ".git/info/exclude"
        exclude.write_text("mine.py\n")
    else:
        project.git("config", "status.showUntrackedFiles", "no")
    (project.checkout / "src/flask/mine.py").write_text("precious\n")
    text = (project.root / "patches/loud.patch").read_text()
    text += (
        "diff --git a/src/flask/mine.py b/src/flask/mine.py\nnew file mode 100644\n"
        "--- /dev/null\n+++ b/src/flask/mine.py\n@@ -0,0 +1 @@\n+theirs\n"
    )
    (project.root / "patches/loud.patch").write_text(text)
    done = project.fork("apply", code=1)
    assert "mine.py" in done.stderr
    assert (project.checkout / "src/flask/mine.py").read_text() == "precious\n"
    (project.checkout / "src/flask/mine.py").rename(project.root / "mine.py")
    project.fork("apply")
    assert (project.checkout / "src/flask/mine.py").read_text() == "theirs\n"


def test_apply_that_git_could_not_do_changes_nothing_and_can_be_done_again(project):
    project.fork("apply")
    before = project.git("show-ref", "--heads")
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    lock = project.checkout / ".git/index.lock"
    lock.write_text("")
    assert "index.lock" in project.fork("apply", code=1).stderr
    assert project.git("show-ref", "--heads") == before
    lock.unlink()
    project.fork("apply")
    assert "GOODBYE" in (project.checkout / "src/flask/app.py").read_text()


@pytest.mark.parametrize("then", ["refs", "head"])
def test_apply_goes_on_where_one_was_killed(project, then):
    """After the files are in place, and before or after the refs have moved."""
    project.fork("apply")
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    before = project.git("rev-parse", "queue").strip()
    project.fork("apply")
    after = project.git("rev-parse", "queue").strip()
    project.git("checkout", "--quiet", "--detach", after)
    project.git("update-ref", "refs/fork/next", after)
    if then == "refs":
        project.git("update-ref", "refs/heads/queue", before)
        project.git("update-ref", "refs/fork/known", before)
    project.fork("apply")
    assert project.git("rev-parse", "HEAD", "queue").split() == [after, after]
    assert project.git("symbolic-ref", "HEAD").strip() == "refs/heads/queue"


@pytest.mark.parametrize(
    ("path", "tests", "person", "expected"),
    [
        ("docs/x.rst", "test_loud", "A <a@b>", "changes docs/x.rst, which is outside"),
        (
            "src/flask/x.py",
            "test_nope",
            "A <a@b>",
            "tests/patches/test_nope.py do not exist",
        ),
        ("src/flask/x.py", "test_loud", "A <a b>", "is not 'Name <address>'"),
        ("src/flask/x.py", "test_loud", "A <>", "is not 'Name <address>'"),
    ],
)
def test_export_never_writes_what_cannot_be_read(
    project, path, tests, person, expected
):
    project.fork("apply")
    before = project.snapshot()
    (project.checkout / path).parent.mkdir(exist_ok=True)
    (project.checkout / path).write_text("x = 1\n")
    project.git("add", "--all")
    message = f"new: add it\n\nIt is new.\n\n{TRAILERS}".replace("test_loud", tests)
    project.git("commit", "--quiet", f"--author={person}", "-m", message)
    done = project.fork("export", code=1)
    assert expected in done.stderr
    patches = {p: d for p, d in project.snapshot().items() if p.startswith("patches/")}
    assert patches == {p: before[p] for p in patches}
    project.fork("series")


@pytest.mark.parametrize("char", ["\r", "\x0b", "\x85", "\u2028", "\x1b"])
def test_subject_of_odd_characters_is_refused(project, char):
    project.fork("apply")
    (project.checkout / "src/flask/x.py").write_text("x = 1\n")
    commit(project, f"new: add{char}it", "It is new.", TRAILERS)
    assert "error: " in project.fork("export", code=1).stderr
    project.fork("series")


def test_commit_without_any_message_is_named(project):
    project.fork("apply")
    (project.checkout / "src/flask/x.py").write_text("x = 1\n")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--allow-empty-message", "-m", "")
    assert "needs a subject, a reason in prose" in project.fork("export", code=1).stderr


def test_settings_of_the_checkout_change_no_byte(project, tmp_path):
    """Its own ``.git/config`` is as much the user's as the one at home."""
    project.fork("apply")
    written_by_another(project)
    hostile = toy.hostile_home(tmp_path)
    settings = project.checkout / ".git" / "config"
    settings.write_text(
        settings.read_text() + f"[include]\npath = {hostile['HOME']}/.gitconfig\n"
    )
    before = project.snapshot()
    project.fork("export")
    after = project.snapshot()
    assert {path: after[path] for path in before} == {
        path: data.replace(b"From: A Maintainer", b"From: Another")
        for path, data in before.items()
    }
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")
    project.fork("apply")
    assert b"GOODBYE" in (project.checkout / "src/flask/app.py").read_bytes()
    assert b"\r" not in (project.checkout / "src/flask/app.py").read_bytes()


def test_file_that_a_patch_deletes_is_gone_from_the_commit(project):
    text = (project.root / "patches/loud.patch").read_text()
    (project.root / "patches/loud.patch").write_text(
        text + "diff --git a/src/flask/__init__.py b/src/flask/__init__.py\n"
        "deleted file mode 100644\n--- a/src/flask/__init__.py\n+++ /dev/null\n"
        '@@ -1,3 +0,0 @@\n-"""A toy."""\n-\n-from .app import greet as greet\n'
    )
    project.fork("apply")
    assert "__init__.py" not in project.git("ls-tree", "-r", "--name-only", "queue")
    assert "is up to date with the commits" in project.fork("export").stdout


def test_name_of_a_patch_is_that_of_its_file(project):
    (project.root / "patches/loud.patch").rename(project.root / "patches/other.patch")
    project.edit("patches/series", "loud.patch", "other.patch")
    done = project.fork("series", code=1)
    assert "the trailer Fork-Patch is 'loud', not the file's name" in done.stderr


def test_two_commits_of_one_name_are_refused(project):
    project.fork("apply")
    (project.checkout / "src/flask/new.py").write_text("x = 1\n")
    same = TRAILERS.replace("third", "comma")
    commit(project, "new: add it", "It is new.", same)
    done = project.fork("export", code=1)
    assert "two commits have the trailer Fork-Patch: comma" in done.stderr


def test_queue_without_a_patch_finds_where_the_others_moved(project):
    project.fork("apply")
    loud = project.git("rev-parse", "HEAD~1").strip()
    project.git("checkout", "--quiet", "-B", "queue", "HEAD~2")
    project.git("cherry-pick", "queue@{1}", loud)
    project.fork("export")
    pin = Pin.load(project.project)
    queue = Queue.load(project.project, pin)
    assert queue.series.names == ("comma", "loud")
    package = pinned_source(project.project, pin).package
    files, needing = queue.without("comma", package)
    assert needing == []
    assert b"BYE" in files["src/flask/app.py"]
    assert b"COMMA" not in files["src/flask/app.py"]


def test_series_that_is_a_link_is_refused(project):
    path = project.root / "patches/series"
    path.rename(project.root / "series")
    path.symlink_to("../series")
    assert "patches/series: is a link" in project.fork("series", code=1).stderr


@pytest.mark.parametrize("kind", ["folder", "link", "link to a patch"])
def test_patch_that_is_no_plain_file_is_refused(project, kind):
    path = project.root / "patches/loud.patch"
    path.rename(project.root / "loud.patch")
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/etc/hostname" if kind == "link" else "../loud.patch")
    for verb in ("status", "apply", "materialise"):
        done = project.fork(verb, code=1)
        assert "loud.patch is listed, but is missing or not a plain" in done.stderr
