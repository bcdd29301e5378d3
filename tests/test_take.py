"""New patches: started here, or taken from emails, pull requests and diffs."""

from __future__ import annotations

import re

import pytest

import toy
from forkkit.base.git import Git
from forkkit.queue.message import Message

APP = "src/flask/app.py"
#: What a maintainer writes about a patch.
MESSAGE = """\
app: greet with a dash

A comma was not enough.

Upstream-Status: Pending
Forwarded: no
Drop-When: never
Tests: tests/patches/test_comma.py
Fork-Patch: dash
"""
#: As git writes it without options.
DIFF = toy.DASH.replace("---", "index 1111111..2222222 100644\n---", 1)
MAIL = """\
From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?Zo=C3=AB?= <zoe@flaskfork.example>
Date: Mon, 1 Jun 2026 09:00:00 -0700
Subject: [PATCH] app: greet with a dash
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

A comma was not enough.
{trailers}---
 CHANGES.rst      | 1 +
 src/flask/app.py | 1 +
 2 files changed, 2 insertions(+)

diff --git a/CHANGES.rst b/CHANGES.rst
index 1111111..2222222 100644
--- a/CHANGES.rst
+++ b/CHANGES.rst
@@ -1,1 +1,2 @@
 Version 2
+A dash.
{diff}--\x20
2.39.5

"""
TRAILERS = MESSAGE.partition("enough.\n")[2]


@pytest.fixture
def project(tmp_path):
    made = toy.make(tmp_path / "toy")
    made.fork("apply")
    return made


@pytest.fixture
def me():
    """Environment variables for a user whose identity git knows."""
    return toy.clean_environ(
        GIT_AUTHOR_NAME="A Maintainer",
        GIT_AUTHOR_EMAIL="maintainer@flaskfork.example",
    )


def write(project: toy.Toy, name: str, text: str) -> str:
    path = project.root.parent / name
    path.write_bytes(text.encode())
    return str(path)


def patch(project: toy.Toy, name: str) -> str:
    return (project.project.patches / f"{name}.patch").read_text()


def names(project: toy.Toy) -> list[str]:
    lines = project.fork("series").stdout.splitlines()
    return [line.split()[0] for line in lines]


def test_new(project, me):
    message = write(project, "message", MESSAGE)
    project.fork("new", "dash", "--message", message, "--after", "loud", code=3, env=me)
    assert project.git("log", "-1", "--format=%s").strip() == "app: greet with a dash"
    done = project.fork("refresh", code=1)
    assert "it changes nothing" in done.stderr
    project.edit(f"upstream/checkout/{APP}", "part(who)", "part(who=None)")
    project.fork("refresh")
    assert names(project) == ["loud", "dash", "comma"]
    assert "From: A Maintainer <maintainer@flaskfork.example>" in patch(project, "dash")
    assert "+def part(who=None):" in patch(project, "dash")
    assert " def part(who=None):" in patch(project, "comma")
    project.fork("readme")
    project.fork("verify", "formats", "queue")


def test_new_is_put_off(project, me):
    before = project.snapshot()
    message = write(project, "message", MESSAGE)
    project.fork("new", "dash", "--message", message, code=3, env=me)
    project.fork("rebase", "--abort")
    assert project.snapshot() == before


def test_a_message_that_is_not_complete_is_kept(project, me):
    before = project.snapshot()
    done = project.fork("new", "dash", code=1, env=me)
    assert "the message needs a subject, a reason in prose, and trailers" in done.stderr
    kept = project.root / "build" / "messages" / "dash.txt"
    assert "complete it if necessary, then run the command again" in done.stderr
    text = kept.read_text()
    assert "\nDrop-When: \n" in text
    assert "Tests: tests/patches/test_dash.py\nFork-Patch: dash\n" in text
    assert "# Drop-When: never, upstream >= VERSION, or commit SHA\n" in text
    after = project.snapshot()
    assert {path: after[path] for path in before} == before

    whole = Message.parse(MESSAGE).render()
    completed = "\n".join(line for line in text.splitlines() if line[:1] == "#")
    kept.write_text(f"{whole}\n\n{completed}\n")
    project.fork("new", "dash", "--message", str(kept), code=3, env=me)


def test_nobody_is_invented(project, tmp_path):
    message = write(project, "message", MESSAGE)
    env = toy.clean_environ(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    done = project.fork("new", "dash", "--message", message, code=1, env=env)
    assert "git does not know who you are" in done.stderr


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_mail_with_all_trailers(project, ending):
    text = MAIL.format(trailers=TRAILERS, diff=DIFF).replace("\n", ending)
    done = project.fork("apply", write(project, "mail", text))
    assert "CHANGES.rst: left out, because it is not in src/flask" in done.stdout
    assert names(project) == ["loud", "comma", "dash"]
    made = patch(project, "dash")
    assert "From: Zoë <zoe@flaskfork.example>" in made
    assert "Date: Mon, 1 Jun 2026 09:00:00 -0700" in made
    assert "Subject: app: greet with a dash\n" in made
    assert '+DASH = "-"' in made
    assert "CHANGES.rst" not in made
    project.fork("readme")
    project.fork("verify", "formats", "queue")


def test_a_mail_without_trailers(project):
    before = project.snapshot()
    mail = write(project, "mail", MAIL.format(trailers="", diff=DIFF))
    done = project.fork("apply", mail, "--name", "dash", code=1)
    kept = project.root / "build" / "messages" / "dash.txt"
    assert kept.read_text().startswith(
        "app: greet with a dash\n\nA comma was not enough.\n\nUpstream-Status: \n"
    )
    after = project.snapshot()
    assert {path: after[path] for path in before} == before
    assert "--message build/messages/dash.txt" in done.stderr

    message = write(project, "message", MESSAGE)
    project.fork("apply", mail, "--message", message)
    assert "From: Zoë <zoe@flaskfork.example>" in patch(project, "dash")


def test_a_pull_request_of_several_commits(project):
    first = MAIL.format(trailers="", diff=DIFF)
    second = DIFF.partition("+DASH")[0] + (
        '+DOT = "."\n DASH = "-"\n NAME = "flask"\n \n'
    )
    message = write(project, "message", MESSAGE)
    both = first + MAIL.format(trailers="", diff=second).replace("CHANGES", "MORE")
    done = project.fork("apply", write(project, "m", both), "--message", message)
    assert "MORE.rst: left out" in done.stdout
    assert '+DOT = "."\n+DASH = "-"\n' in patch(project, "dash")
    assert names(project) == ["loud", "comma", "dash"]


def test_a_mailbox_of_patches(project, tmp_path):
    other = toy.make(tmp_path / "other")
    (other.project.series).write_bytes(b"")
    box = ""
    for name in ("loud", "comma"):
        file = other.project.patches / f"{name}.patch"
        box += file.read_text() + "\n"
        file.unlink()
    other.fork("apply", write(other, "box", box), "--after", "none", code=1)
    done = other.fork("apply", write(other, "box", box))
    assert names(other) == ["loud", "comma"], done.stdout
    for name in ("loud", "comma"):
        assert patch(other, name) == patch(project, name)


@pytest.mark.parametrize("first", ["a/", "flask-1.0/"])
def test_a_plain_diff(project, me, first):
    text = DIFF.partition("\n")[2].partition("\n")[2].replace("a/src", f"{first}src")
    text = text.replace("--- ", "diff -ru a b\n--- ").replace(".py\n", ".py\t2026\n")
    message = write(project, "message", MESSAGE)
    file = write(project, "diff", f"As discussed:\n\n{text}")
    project.fork("apply", file, "--message", message, env=me)
    assert '+DASH = "-"' in patch(project, "dash")
    assert "From: A Maintainer" in patch(project, "dash")


def test_standard_input(project):
    text = MAIL.format(trailers=TRAILERS, diff=DIFF)
    done = toy.subprocess.run(
        [toy.sys.executable, "-I", project.root / "scripts/forkkit/launch.py"]
        + ["apply", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert names(project)[-1] == "dash"


def test_what_conflicts_is_resolved_in_the_checkout(project):
    diff = DIFF.partition("@@")[0] + (
        "@@ -7,4 +7,4 @@ def greet(who):\n \n \n def part(who):\n"
        '-    return f"bye {who}"\n+    return f"good bye {who}"\n'
    )
    mail = write(project, "mail", MAIL.format(trailers=TRAILERS, diff=diff))
    before = project.snapshot()
    done = project.fork("apply", mail, code=3)
    assert f"dash conflicts in {APP}" in done.stderr
    file = project.checkout / APP
    text, _, rest = file.read_text().partition("<<<<<<<")
    file.write_text(text + '    return f"GOOD BYE {who}"\n' + rest.split("\n", 8)[-1])
    project.fork("rebase", "--abort")
    after = project.snapshot()
    assert {path: after[path] for path in before} == before

    project.fork("apply", mail, code=3)
    text, _, rest = file.read_text().partition("<<<<<<<")
    after = rest.partition(">>>>>>>")[2].partition("\n")[2]
    file.write_text(f'{text}    return f"GOOD BYE {{who}}"\n{after}')
    project.fork("rebase", "--continue")
    assert '+    return f"GOOD BYE {who}"' in patch(project, "dash")


def test_a_change_made_for_another_release(project):
    later = toy.UPSTREAM[APP].replace(b"bye {who}", b"so long {who}")
    toy.release(project, "1.1", {APP: later})
    diff = DIFF.partition("@@")[0] + (
        "@@ -5,6 +5,7 @@\n     # Keep it short.\n"
        '     return f"hello {who}"\n \n+# A dash.\n \n def part(who):\n'
        '     return f"so long {who}"\n'
    )
    mail = write(project, "mail", MAIL.format(trailers=TRAILERS, diff=diff))
    project.fork("apply", mail)
    assert "+# A dash." in patch(project, "dash")
    assert '     return f"BYE {who}"' in patch(project, "dash")


def test_what_is_there_already(project):
    diff = toy.LOUD.decode().partition("---\n")[2]
    mail = write(project, "mail", MAIL.format(trailers=TRAILERS, diff=diff))
    before = project.snapshot()
    done = project.fork("apply", mail, code=1)
    assert "the queue already has every change of dash" in done.stderr
    assert project.snapshot() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it contains no diff"),
        ("words", "it contains no diff"),
        (DIFF.replace("src/flask", "docs"), "it changes nothing in src/flask, only"),
        (DIFF.replace("src/flask/app", "src/flask/../../x"), "is not safe"),
        (DIFF.replace("src/flask/app.py", "src/flask/.git/x"), "is not safe"),
        (DIFF.replace("src/flask/app", "/etc/x"), "it changes nothing in src/flask"),
        (DIFF.replace("app.py", "a\x1fb.py"), "is not safe"),
        (DIFF.replace("app.py", "a\x1bb.py"), "is not safe"),
        (
            DIFF.partition("---")[0].replace("index", "new file mode 120000\nindex")
            + "--- /dev/null\n+++ b/src/flask/app.py\n@@ -0,0 +1 @@\n+/etc\n",
            "only plain files of mode 100644",
        ),
        (
            DIFF.partition("---")[0] + "GIT binary patch\nliteral 9999999999\n",
            "binary changes are not supported",
        ),
        (
            DIFF.partition("index")[0] + "rename from x\nrename to y\n",
            "it changes nothing in src/flask, only x, y",
        ),
        (DIFF.replace("DASH", "\0"), "it contains NUL bytes"),
        (DIFF + "+" * 2**22, "it is larger than"),
        (DIFF.replace("flask", "nowhere"), "changes nothing in src/flask"),
        (DIFF.replace(' NAME = "flask"', " no such line"), "nor does it apply to a"),
    ],
)
def test_what_is_refused(project, me, text, words):
    before = project.snapshot()
    message = write(project, "message", MESSAGE)
    file = write(project, "file", text)
    done = project.fork("apply", file, "--message", message, code=1, env=me)
    assert words in done.stderr
    assert project.snapshot() == before
    mail = write(project, "mail", MAIL.format(trailers=TRAILERS, diff=text))
    if words not in ("it contains no diff", "it is larger than"):
        assert project.fork("apply", mail, code=1).stderr
        assert project.snapshot() == before


def test_header(project):
    text = toy.COMMA.decode().partition("\n\n")[2].partition("---\n")[0]
    message = write(
        project, "text", "app: a comma\n\n" + text.replace("spelled", "written")
    )
    project.fork("header", "comma", "--message", message)
    assert "Subject: app: a comma\n" in patch(project, "comma")
    assert "It is written so." in patch(project, "comma")
    assert patch(project, "comma").endswith(toy.COMMA.decode().partition("\n---\n")[2])
    assert project.git("log", "-1", "--format=%s").strip() == "app: a comma"
    project.fork("verify", "queue")


def test_header_by_an_editor(project, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/spelled/written/' \"$1\"\n")
    editor.chmod(0o755)
    assert on_terminal(project, editor, "header comma").returncode == 0
    assert "It is written so." in patch(project, "comma")


def test_what_was_typed_is_kept_if_the_command_is_refused(project, tmp_path):
    project.fork("apply")
    file = project.checkout / "src/flask/app.py"
    file.write_text(file.read_text() + "# mine\n")
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/spelled/written/' \"$1\"\n")
    editor.chmod(0o755)
    done = on_terminal(project, editor, "header comma")
    assert done.returncode == 1
    assert "uncommitted changes" in done.stdout
    assert "build/messages/comma.txt: the message is kept here" in done.stdout
    kept = (project.root / "build/messages/comma.txt").read_text()
    assert "It is written so." in kept


def on_terminal(project, editor, command):
    """Run a command of the project on a terminal, with an editor."""
    env = toy.clean_environ(EDITOR=str(editor), VISUAL=str(editor))
    terminal = ["script", "--quiet", "--return", "--log-out", "/dev/null", "--command"]
    launch = project.root / "scripts" / "forkkit" / "launch.py"
    return toy.subprocess.run(
        [*terminal, f"{toy.sys.executable} -I {launch} {command}"],
        env=env,
        check=False,
        timeout=600,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Fork-Patch: comma", "Fork-Patch: other"), "`scripts/fork rename comma NEW`"),
        (("Drop-When: upstream >= 2.0\n", ""), "the trailer Drop-When is missing"),
        (("Forwarded: no", "Forwarded: "), "the trailer Forwarded is missing"),
        (("test_comma", "test_missing"), "its tests tests/patches/test_missing.py do"),
    ],
)
def test_header_that_is_wrong(project, change, words):
    text = toy.COMMA.decode().partition("\n\n")[2].partition("---\n")[0]
    before = project.snapshot()
    message = write(project, "text", "A subject\n\n" + text.replace(*change))
    done = project.fork("header", "comma", "--message", message, code=1)
    assert words in done.stderr
    after = project.snapshot()
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize("name", ["../../upstream/wheel-contents", "/tmp/x", "a/../b"])
def test_a_strangers_name_is_not_the_path_of_a_file(project, tmp_path, name):
    before = project.snapshot()
    mail = toy.LOUD.decode().replace("Fork-Patch: loud", f"Fork-Patch: {name}")
    (tmp_path / "mail").write_text(mail)
    done = project.fork("take", str(tmp_path / "mail"), code=1)
    assert "the trailer Fork-Patch has the invalid value" in done.stderr
    after = project.snapshot()
    assert {path: after.get(path) for path in before} == before
    assert after.keys() - before.keys() <= {"build/messages/patch.txt"}


def test_a_mail_without_a_date(project, tmp_path):
    mail = re.sub("Date: .*\n", "", toy.LOUD.decode()).replace("loud\n", "late\n")
    mail = mail.replace("BYE {who}", "bye, {who}").replace("test_late", "test_loud")
    (tmp_path / "mail").write_text(mail)
    env = toy.clean_environ(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    done = project.fork("take", str(tmp_path / "mail"), code=3, env=env)
    assert "it has no date; the current time is used" in done.stdout
    assert "late conflicts" in done.stderr
    assert "Traceback" not in done.stderr


def test_control_characters_do_not_reach_a_terminal(project):
    path = project.root / "patches" / "b\x1b[31m.patch"
    path.write_bytes(b"")
    done = project.fork("status", code=1)
    assert "\x1b" not in done.stderr
    path.unlink()
    text = toy.COMMA.replace(b'COMMA = ","', 'COMMA = ","  # \x1b]0;x\u202e'.encode())
    (project.root / "patches/comma.patch").write_bytes(text)
    done = project.fork("annotate", "app.py")
    assert not {"\x1b", "\u202e"} & {*done.stdout}


#: A mail that adds a line far from what the queue changes.
WHOLE = MAIL.format(trailers=TRAILERS, diff=DIFF)


def test_a_commit_outside_of_the_package_is_left_out(project):
    outside = MAIL.format(trailers="", diff="").replace("app: greet", "changelog: x")
    done = project.fork("take", write(project, "box", WHOLE + outside))
    assert "'changelog: x with a dash': left out" in done.stdout
    assert names(project) == ["loud", "comma", "dash"]
    alone = write(project, "alone", outside)
    done = project.fork("take", alone, code=1)
    assert "it changes nothing in src/flask, only CHANGES.rst" in done.stderr


def test_lines_with_a_number_sign_are_kept(project):
    """In the template, at a stop, and in what is committed at one."""
    reason = "#5928 says so.\n\n# How\n\nBy a dash.\n"
    mail = write(
        project,
        "mail",
        MAIL.format(trailers="", diff=DIFF).replace(
            "A comma was not enough.\n", reason
        ),
    )
    project.fork("take", mail, "--name", "dash", code=1)
    kept = project.root / "build" / "messages" / "dash.txt"
    text = kept.read_text().replace("test_dash", "test_comma")
    for key, value in (
        ("Upstream-Status", "Pending"),
        ("Forwarded", "no"),
        ("Drop-When", "never"),
    ):
        text = text.replace(f"{key}: \n", f"{key}: {value}\n")
    kept.write_text(text)
    project.fork("take", mail, "--message", str(kept))
    assert reason in patch(project, "dash")
    project.fork("edit", "dash", code=3)
    project.edit(f"upstream/checkout/{APP}", 'DASH = "-"', 'DASH = "--"')
    project.fork("refresh")
    assert reason in patch(project, "dash")
    project.edit(f"upstream/checkout/{APP}", 'DASH = "--"', 'DASH = "---"')
    project.git("-c", "core.editor=true", "commit", "--quiet", "--all", "--amend")
    project.fork("export")
    assert reason in patch(project, "dash")
    assert 'DASH = "---"' in patch(project, "dash")


def test_what_the_words_say_is_proposed(project):
    words = "Fixes #1, closes other/thing#2.\n(cherry picked from commit "
    words += f"{'a1' * 20})\n"
    mail = MAIL.format(trailers=f"\n{words}", diff=DIFF)
    done = project.fork("take", write(project, "m", mail), "--name", "dash", code=1)
    kept = (project.root / "build" / "messages" / "dash.txt").read_text()
    assert "\nBug: toy/toy#1\nBug: other/thing#2\n" in kept
    assert "\nUpstream-Status: Backport [commit a1a1a1a1a1]\n" in kept
    assert f"\nDrop-When: commit {'a1' * 20}\n" in kept
    assert "loud: already in the queue for toy/toy#1" in done.stdout


def test_a_commit_of_upstreams_is_a_backport(project):
    later = toy.UPSTREAM[APP].replace(b'NAME = "flask"', b'DASH = "-"\nNAME = "flask"')
    toy.history(project, ("", "A dash", {APP: later}))
    sha = Git(project.project.history).text("rev-parse", "HEAD")
    mail = MAIL.format(trailers="", diff=DIFF).replace("1234567890" * 4, sha)
    project.fork("take", write(project, "m", mail), "--name", "dash", code=1)
    kept = (project.root / "build" / "messages" / "dash.txt").read_text()
    assert f"\nDrop-When: commit {sha}\n" in kept


@pytest.mark.parametrize("named", ["the blobs", "the commit"])
def test_a_change_made_to_a_commit_of_upstreams(project, named):
    """As `git am -3` does, it begins where the change was made."""
    there = {**toy.UPSTREAM, "src/flask/__init__.py": b"x = 1\n"}
    middle = there[APP].replace(b'NAME = "flask"', b'NAMES = ["flask"]\nLAST = 1')
    after = middle.replace(b'"flask"', b'"flask", "dash"')
    changed = b"x = 1\ny = 2\n"
    toy.history(
        project,
        ("", "Names", {APP: middle, "src/flask/__init__.py": b"x = 1\n"}),
        ("", "A dash", {APP: after, "src/flask/__init__.py": changed}),
        ("", "More", {APP: after + b"# more\n"}),
    )
    git = Git(project.project.history)
    text = git("format-patch", "--stdout", "-1", "HEAD^").decode()
    if named == "the blobs":
        text = text.replace(git.text("rev-parse", "HEAD^"), "0" * 40)
    else:
        text = re.sub("^index .*\n", "", text, flags=re.MULTILINE)
    message = write(project, "message", MESSAGE)
    done = project.fork(
        "take", write(project, "mail", text), "--message", message, code=3
    )
    assert "dash conflicts in" in done.stderr
    conflict = (project.checkout / APP).read_text()
    assert '=======\nNAMES = ["flask", "dash"]' in conflict
    assert "|||||||" in conflict
    assert 'NAMES = ["flask"]\n' in conflict


def test_a_rename(project):
    git = Git(project.root.parent / "elsewhere")
    git.folder.mkdir()
    toy.write_files(git.folder, toy.UPSTREAM)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "x")
    git("mv", APP, "src/flask/sansio.py")
    git("commit", "--quiet", "--all", "--message", "x")
    text = git("format-patch", "--stdout", "-1").decode()
    assert "rename from" in text
    message = write(project, "message", MESSAGE)
    project.fork("take", write(project, "mail", text), "--message", message)
    made = patch(project, "dash")
    assert "deleted file mode" in made
    assert '+COMMA = ","' in made
    assert '+    return f"BYE {who}"' in made
    project.fork("verify", "queue")
