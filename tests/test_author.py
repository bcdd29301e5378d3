"""Edit, refresh, move, drop, fold and rename: the verbs that change the queue."""

from __future__ import annotations

import re
import subprocess

import pytest

import toy

APP = "src/flask/app.py"

#: Needs what the patch "comma" adds.
LOUDER = toy.COMMA.replace(b"put a comma into", b"put two commas into").replace(
    b"comma\n---", b"louder\n---"
)


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def add_dependent(project: toy.Toy) -> None:
    """Add a patch "twice" that changes a line that "comma" adds."""
    project.fork("apply")
    file = project.checkout / APP
    file.write_text(file.read_text().replace('COMMA = ","', 'COMMA = ",,"'))
    trailers = (
        "Upstream-Status: Pending\nForwarded: no\nDrop-When: never\n"
        "Tests: tests/patches/test_comma.py\nFork-Patch: twice"
    )
    project.git("commit", "-aqm", "app: two commas", "-m", "A reason.", "-m", trailers)
    project.fork("export")


def names(project: toy.Toy) -> list[str]:
    lines = project.fork("series").stdout.splitlines()
    return [line.split()[0] for line in lines]


def subjects(project: toy.Toy) -> list[str]:
    return project.git("log", "--reverse", "--format=%s").splitlines()[1:]


def content(project: toy.Toy, path: str) -> str:
    return (project.root / path).read_text()


def test_the_overlay_is_there_at_a_stop_and_git_does_not_see_it(project):
    tests = "import flask.extra, importlib.metadata as m\n\n\ndef test_extra():\n"
    tests += '    assert m.version("flaskfork") == "1.0.1"\n'
    tests += '    assert flask.extra.__doc__ == "What the fork adds."\n'
    (project.root / "tests/patches/test_loud.py").write_text(tests)
    done = project.fork("edit", "loud", code=3)
    told = re.search(r"to run its tests: (cd .*)", done.stderr)[1]
    subprocess.run(
        told, shell=True, cwd=project.root, env=toy.clean_environ(), check=True
    )
    assert project.git("status", "--porcelain") == ""

    # To change the file there is to change the overlay.
    there = project.checkout / "src/flask/extra.py"
    there.write_text("CHANGED = True\n")
    assert content(project, "src/flaskfork/extra.py") == "CHANGED = True\n"

    project.fork("refresh")
    assert not there.is_symlink()
    assert not list(project.checkout.glob("src/*.dist-info/METADATA"))
    assert content(project, "src/flaskfork/extra.py") == "CHANGED = True\n"
    project.fork("edit", "comma", code=3)
    project.fork("abort")
    assert not there.is_symlink()


def test_an_overlay_hides_nothing_of_a_release(project):
    """If a release has a file with the same name, that file stays."""
    project.fork("apply")
    path = project.checkout / "src/flask/extra.py"
    project.fork("edit", "loud", code=3)
    path.unlink()
    path.write_text("EXTRA = 1\n")
    project.git("add", "--force", "src/flask/extra.py")
    project.fork("refresh")
    assert "EXTRA = 1" in content(project, "patches/loud.patch")


def test_edit_and_refresh(project):
    done = project.fork("edit", "loud", code=3)
    assert "stopped: upstream/checkout: at loud, to change it" in done.stderr
    told = re.search(r"to run its tests: (cd .*)", done.stderr)[1]
    ran = subprocess.run(
        told, shell=True, cwd=project.root, env=toy.clean_environ(), check=False
    )
    assert ran.returncode == 0
    assert "BYE" in (project.checkout / APP).read_text()
    assert "COMMA" not in (project.checkout / APP).read_text()
    assert subjects(project) == ["app: say goodbye aloud"]
    project.edit(f"upstream/checkout/{APP}", "BYE", "GOODBYE")
    project.fork("refresh")
    assert 'f"GOODBYE {who}"' in content(project, "patches/loud.patch")
    assert content(project, "patches/comma.patch") == toy.COMMA.decode()
    assert len(subjects(project)) == 2
    assert "GOODBYE" in (project.checkout / APP).read_text()
    project.fork("verify", "formats", "queue")


def test_an_edit_that_changes_nothing(project):
    before = project.snapshot()
    project.fork("edit", "loud", code=3)
    project.fork("refresh")
    after = project.snapshot()
    assert {path: after[path] for path in before} == before


def test_an_edit_of_the_message(project):
    project.fork("edit", "comma", code=3)
    message = project.git("log", "-1", "--format=%B").replace("spelled", "written")
    project.git("commit", "--amend", "--quiet", "-m", message)
    project.fork("refresh")
    assert "It is written so." in content(project, "patches/comma.patch")


def test_an_edit_that_splits(project):
    project.fork("edit", "comma", code=3)
    message = project.git("log", "-1", "--format=%B")
    project.git("reset", "--quiet", "HEAD^")
    file = project.checkout / APP
    whole = file.read_text()
    file.write_text(whole.replace("{COMMA}", ""))
    first = message.replace("Fork-Patch: comma", "Fork-Patch: sign")
    project.git("commit", "--quiet", "-am", first)
    file.write_text(whole)
    project.git("commit", "--quiet", "-am", message)
    project.fork("refresh")
    assert names(project) == ["loud", "sign", "comma"]
    assert (project.checkout / APP).read_text() == whole


def test_an_edit_has_nothing_to_skip(project):
    project.fork("edit", "loud", code=3)
    done = project.fork("rebase", "--skip", code=1)
    assert "there is no patch to skip" in done.stderr
    project.fork("refresh")
    assert names(project) == ["loud", "comma"]


def test_a_commit_that_was_lost_in_an_edit(project):
    project.fork("edit", "comma", code=3)
    project.git("reset", "--quiet", "--hard", "HEAD^^")
    before = project.snapshot()
    done = project.fork("refresh", code=1)
    assert "the commit of the patch loud is missing" in done.stderr
    assert content(project, "patches/loud.patch") == toy.LOUD.decode()
    project.fork("rebase", "--abort")
    assert names(project) == ["loud", "comma"]
    gone = set(before) - set(project.snapshot())
    # Only the checkout loses files, which the tool itself had put there.
    lost = {path for path in gone if not path.startswith("upstream/checkout/")}
    assert lost == {"upstream/.sequence.json"}
    assert gone - lost <= {
        "upstream/checkout/src/flask/extra.py",
        "upstream/checkout/src/flask/provenance.json",
        "upstream/checkout/src/flaskfork-1.0.1.dist-info/METADATA",
    }


def test_move(project):
    whole = project.fork("apply") and (project.checkout / APP).read_text()
    project.fork("move", "comma", "--first")
    assert names(project) == ["comma", "loud"]
    assert subjects(project)[0] == "app: put a comma into the greeting"
    assert (project.checkout / APP).read_text() == whole
    project.fork("verify", "queue")
    project.fork("move", "comma", "--after", "loud")
    assert names(project) == ["loud", "comma"]


def test_a_move_that_would_break(project):
    add_dependent(project)
    before = project.snapshot()
    done = project.fork("move", "twice", "--first", code=1)
    assert f"moving twice would conflict with twice in {APP}" in done.stderr
    assert project.snapshot() == before
    project.fork("move", "twice", "--first", "--resolve", code=3)
    project.fork("rebase", "--abort")
    assert project.snapshot() == before


def test_drop(project):
    project.fork("drop", "loud", "--reason", "nobody listens.")
    assert names(project) == ["comma"]
    assert not (project.project.patches / "loud.patch").exists()
    changelog = content(project, "CHANGELOG.md")
    assert changelog.endswith("\n\n- The patch `loud` is dropped: nobody listens.\n")
    assert "BYE" not in (project.checkout / APP).read_text()


def test_a_drop_that_would_break(project):
    add_dependent(project)
    before = project.snapshot()
    done = project.fork("drop", "comma", "--reason", "no", code=1)
    assert f"dropping comma would conflict with twice in {APP}" in done.stderr
    assert project.snapshot() == before


def test_fold(project):
    add_dependent(project)
    whole = (project.checkout / APP).read_text()
    project.fork("fold", "twice", "--into", "comma")
    assert names(project) == ["loud", "comma"]
    assert (project.checkout / APP).read_text() == whole
    assert 'COMMA = ",,"' in content(project, "patches/comma.patch")
    assert "It is spelled so." in content(project, "patches/comma.patch")
    assert not (project.project.patches / "twice.patch").exists()


def test_rename(project):
    project.fork("apply")
    project.fork("rename", "loud", "aloud")
    assert names(project) == ["aloud", "comma"]
    assert "Tests: tests/patches/test_aloud.py" in content(
        project, "patches/aloud.patch"
    )
    assert (project.root / "tests/patches/test_aloud.py").exists()
    assert not (project.root / "tests/patches/test_loud.py").exists()
    assert "# Spelling.\ncomma.patch" in content(project, "patches/series")
    assert "Fork-Patch: aloud" in project.git("log", "--format=%B")
    project.fork("readme")
    project.fork("verify", "formats", "queue")


def test_disable_and_enable(project):
    project.fork("apply")
    before = project.snapshot()
    whole = (project.checkout / APP).read_text()
    project.fork("disable", "loud")
    assert names(project) == ["comma", "loud"]
    assert "loud " in project.fork("series").stdout.splitlines()[-1]
    assert "(disabled)" in project.fork("series").stdout.splitlines()[-1]
    assert "# disabled: loud.patch\n" in content(project, "patches/series")
    assert content(project, "patches/loud.patch") == toy.LOUD.decode()
    assert "BYE" not in (project.checkout / APP).read_text()
    assert project.fork("show", "loud").stdout == toy.LOUD.decode()
    done = project.fork("edit", "loud", code=1)
    assert "the patch loud is disabled" in done.stderr
    project.fork("readme")
    project.fork("verify", "formats", "queue")

    project.fork("enable", "loud")
    project.fork("readme")
    assert (project.checkout / APP).read_text() == whole
    assert project.snapshot() == before


def test_what_is_disabled_is_carried_along(project):
    before = project.snapshot()
    toy.release(project, "1.1", {APP: b"import os\n\n" + toy.UPSTREAM[APP]})
    project.fork("disable", "comma")
    project.fork("rebase", "1.1")
    assert "\n import os\n" in content(project, "patches/comma.patch")
    project.fork("enable", "comma")
    assert names(project) == ["loud", "comma"]
    project.fork("rebase", "1.0")
    for path in ("series", "loud.patch", "comma.patch"):
        assert content(project, f"patches/{path}").encode() == before[f"patches/{path}"]


def test_what_is_disabled_and_does_not_merge_stays_as_it_is(project):
    clash = toy.UPSTREAM[APP].replace(b"hello", b"hi")
    toy.release(project, "1.1", {APP: clash})
    project.fork("disable", "comma")
    project.fork("rebase", "1.1")
    assert content(project, "patches/comma.patch") == toy.COMMA.decode()
    before = project.snapshot()
    done = project.fork("enable", "comma", code=1)
    assert "patches/comma.patch: src/flask/app.py: hunk 1 does not apply" in done.stderr
    assert project.snapshot() == before


def test_disabling_what_others_need(project):
    add_dependent(project)
    before = project.snapshot()
    done = project.fork("disable", "comma", code=1)
    assert f"disabling comma would conflict with twice in {APP}" in done.stderr
    assert project.snapshot() == before


def test_dropping_keeps_what_is_disabled_beside_it(project):
    project.fork("disable", "comma")
    project.fork("drop", "loud", "--reason", "nobody listens")
    assert "# disabled: comma.patch" in content(project, "patches/series")
    project.fork("enable", "comma")
    assert names(project) == ["comma"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("edit missing", "there is no patch 'missing'"),
        ("move loud --after missing", "there is no patch 'missing'"),
        ("move loud --after loud", "cannot come after itself"),
        ("fold loud --into loud", "cannot be folded into itself"),
        ("drop missing --reason x", "there is no patch 'missing'"),
        ("drop loud --reason .", "the reason '.' is not one line of text"),
        ("drop loud --reason a\nb", "the reason 'a\\nb' is not one line of text"),
        ("rename loud comma", "there is already a patch 'comma'"),
        ("disable missing", "there is no patch 'missing'"),
        ("enable loud", "there is no disabled patch 'loud'"),
        ("header missing --message README.md", "there is no patch 'missing'"),
        ("rename loud ../comma", "Fork-Patch has the invalid value"),
        ("refresh", "no command is stopped"),
    ],
)
def test_what_cannot_be_done(project, command, words):
    project.fork("apply")
    before = project.snapshot()
    assert words in project.fork(*command.split(" "), code=1).stderr
    assert project.snapshot() == before


@pytest.mark.parametrize("verb", ["refresh", "skip", "continue"])
def test_what_came_in_during_a_stop_is_not_changed_back(project, verb):
    project.fork("edit", "loud", code=3)
    project.edit("patches/comma.patch", "It is spelled so.", "It is spelled like that.")
    changed = content(project, "patches/comma.patch")
    project.edit(f"upstream/checkout/{APP}", "BYE", "GOODBYE")
    done = project.fork(verb, code=1)
    assert "patches/comma.patch changed since `edit loud` stopped" in done.stderr
    assert content(project, "patches/comma.patch") == changed
    assert "kept as refs/fork/saved/" in project.fork("abort").stdout
    assert content(project, "patches/comma.patch") == changed


def test_a_patch_that_is_gone_during_a_stop(project):
    project.fork("edit", "loud", code=3)
    (project.root / "patches/comma.patch").unlink()
    project.edit("patches/series", "comma.patch\n", "")
    done = project.fork("refresh", code=1)
    assert "patches/comma.patch, patches/series changed since" in done.stderr


def test_an_abort_takes_new_files_along(project):
    project.fork("edit", "loud", code=3)
    (project.checkout / "src/flask/mine.py").write_text("MINE = 1\n")
    done = project.fork("abort")
    [ref] = re.findall(r"refs/fork/saved/\w+", done.stdout)
    assert "MINE" in project.git("show", f"{ref}:src/flask/mine.py")
    assert project.git("status", "--porcelain") == ""
    project.fork("apply")


@pytest.mark.parametrize(
    "begin",
    [
        ("-c", "sequence.editor=sed -i s/pick/edit/", "rebase", "-i", "upstream"),
        ("cherry-pick", "--no-commit", "upstream", "queue"),
    ],
    ids=["rebase", "cherry-pick"],
)
def test_an_abort_ends_what_git_had_under_way(project, begin):
    project.fork("edit", "comma", code=3)
    toy.subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b", *begin],
        cwd=project.checkout,
        capture_output=True,
        check=False,
    )
    project.fork("abort")
    assert "in progress" not in project.git("status")
    project.fork("apply")
