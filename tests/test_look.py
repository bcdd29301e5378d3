"""The verbs that show patches and how they depend on each other."""

from __future__ import annotations

import json
import subprocess

import pytest

import toy
from test_author import add_dependent

APP = "src/flask/app.py"


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def test_show(project):
    assert project.fork("show", "loud").stdout == toy.LOUD.decode()
    assert "no patch 'missing'" in project.fork("show", "missing", code=1).stderr


def test_files(project):
    assert project.fork("files", "comma").stdout == f"{APP}  +2 -1\n"


@pytest.mark.parametrize("file", [APP, "flask/app.py", "app.py"])
def test_patches(project, file):
    assert project.fork("patches", file).stdout == "loud\ncomma\n"


def test_patches_of_a_file_that_none_changes(project):
    assert project.fork("patches", "p.py").stdout == ""


def test_diff_of_a_patch(project):
    assert (
        project.fork("diff", "loud").stdout == toy.LOUD.decode().partition("---\n")[2]
    )


def test_diff_of_the_work(project):
    assert "there is no checkout" in project.fork("diff", code=1).stderr
    project.fork("apply")
    assert project.fork("diff").stdout == ""
    (project.checkout / "src/flask/more.py").write_text("MORE = 1\n")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "more")
    file = project.checkout / APP
    file.write_text(file.read_text() + "# mine\n")
    done = project.fork("diff")
    assert "+MORE = 1\n" in done.stdout
    assert "+# mine\n" in done.stdout
    assert "+COMMA" not in done.stdout
    assert project.git("status", "--porcelain") == f" M {APP}\n"


def test_diff_at_a_stop(project):
    project.fork("edit", "loud", code=3)
    assert project.fork("diff").stdout == ""
    project.edit(f"upstream/checkout/{APP}", "BYE", "GOODBYE")
    assert '+    return f"GOODBYE {who}"\n' in project.fork("diff").stdout


def test_depends(project):
    add_dependent(project)
    done = project.fork("depends")
    assert done.stdout == "loud: -\ncomma: -\ntwice: comma\n"
    done = project.fork("depends", "twice")
    assert done.stdout == "twice: comma\nneeded by: -\n"
    done = project.fork("depends", "comma")
    assert done.stdout == "comma: -\nneeded by: twice\n"
    done = project.fork("depends", "--reverse")
    assert done.stdout == "loud: -\ncomma: twice\ntwice: -\n"
    assert json.loads(project.fork("depends", "--json").stdout) == {
        "loud": [],
        "comma": [],
        "twice": ["comma"],
    }


def test_what_commutes_can_be_moved(project):
    add_dependent(project)
    project.fork("move", "twice", "--after", "comma")
    project.fork("move", "loud", "--after", "twice")
    assert project.fork("depends").stdout == "comma: -\ntwice: comma\nloud: -\n"
    done = project.fork("move", "twice", "--first", code=1)
    assert f"would conflict with twice in {APP}, which needs comma" in done.stderr


def test_send(project, tmp_path):
    """Git applies the email to the pristine release."""
    mail = project.fork("send", "comma").stdout
    assert "From: A Maintainer <maintainer@flaskfork.example>\n" in mail
    assert "\n\nIt is spelled so.\n---\n" in mail
    assert "Fork-Patch" not in mail
    folder = tmp_path / "upstream"
    toy.write_files(folder, toy.UPSTREAM)
    git = ["git", "-c", "user.name=U", "-c", "user.email=u@u"]
    subprocess.run([*git, "init", "--quiet"], cwd=folder, check=True)
    subprocess.run([*git, "add", "--all"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "1"], cwd=folder, check=True)
    subprocess.run(
        [*git, "am", "--quiet"], cwd=folder, check=True, input=mail, text=True
    )
    assert (folder / APP).read_text() == toy.UPSTREAM[APP].decode().replace(
        '"flask"\n', '"flask"\nCOMMA = ","\n'
    ).replace("hello", "hello{COMMA}")


def test_send_of_what_needs_others(project):
    add_dependent(project)
    done = project.fork("send", "twice", code=1)
    assert "twice needs comma\n  hint: send these first" in done.stderr


def test_annotate(project):
    lines = project.fork("annotate", "app.py").stdout.splitlines()
    owners = {line[13:]: line[:5].strip() for line in lines}
    assert owners['NAME = "flask"'] == ""
    assert owners['COMMA = ","'] == "comma"
    assert owners['    return f"hello{COMMA} {who}"'] == "comma"
    assert owners['    return f"BYE {who}"'] == "loud"
    values = json.loads(project.fork("annotate", APP, "--json").stdout)
    project.fork("apply")
    there = (project.checkout / APP).read_text().splitlines()
    assert [value["text"] for value in values] == there


def test_annotate_says_where_lines_were_removed(project):
    patch = toy.LOUD.replace(b'+    return f"BYE {who}"\n', b"").replace(
        b"@@ -7,4 +7,4 @@ def greet(who):\n \n \n",
        b"@@ -7,4 +7,3 @@ def greet(who):\n \n \n",
    )
    (project.root / "patches/loud.patch").write_bytes(patch)
    lines = project.fork("annotate", "app.py", "--json")
    assert [value["text"] for value in json.loads(lines.stdout)][-1] == "def part(who):"
    done = project.fork("annotate", "none.py", code=1)
    assert "there is no file none.py" in done.stderr
    assert APP in done.stderr


def test_annotate_says_what_was_removed_at_the_end(project):
    patch = toy.LOUD.replace(b'+    return f"BYE {who}"\n', b"").replace(
        b"@@ -7,4 +7,4 @@ def greet(who):\n \n \n",
        b"@@ -7,4 +7,3 @@ def greet(who):\n \n \n",
    )
    (project.root / "patches/loud.patch").write_bytes(patch)
    lines = project.fork("annotate", "app.py").stdout.splitlines()
    assert lines[-2].endswith("def part(who):")
    assert lines[-1] == "-loud"


def test_annotate_of_a_file_that_a_patch_deletes(project):
    head = toy.LOUD.partition(b"---\ndiff")[0]
    text = toy.UPSTREAM["src/flask/__init__.py"]
    lines = b"".join(b"-" + line for line in text.splitlines(keepends=True))
    (project.root / "patches/loud.patch").write_bytes(
        head + b"---\ndiff --git a/src/flask/__init__.py b/src/flask/__init__.py\n"
        b"deleted file mode 100644\n--- a/src/flask/__init__.py\n+++ /dev/null\n"
        b"@@ -1,3 +0,0 @@\n" + lines
    )
    done = project.fork("annotate", "__init__.py", code=1)
    assert "patches/loud.patch: the patch deletes src/flask/__init__.py" in done.stderr
    assert "`scripts/fork show loud`" in done.stderr


@pytest.mark.parametrize("name", ["py", "../app.py", "/etc/passwd", ""])
def test_annotate_of_no_file(project, name):
    project.fork("annotate", name, code=1)
