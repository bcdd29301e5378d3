"""Nothing is lost: each verb is killed before every single change that it makes."""

from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import signal
import sys
import traceback
import typing as t

import pytest

import toy
from forkkit import cli
from forkkit.base import paths as projects

APP = "src/flask/app.py"
#: What changes something; so does opening a file to write.
CHANGES = {
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate"),
    *("subprocess.Popen", "tempfile.mkstemp", "tempfile.mkdtemp", "os.link"),
}
WORK = '    return f"GOOD BYE {who}"\n'
#: A patch that somebody sends.
MAIL = (
    toy.COMMA.decode().partition("---\n")[0].replace("Patch: comma", "Patch: dash")
    + "---\n"
    + toy.DASH
)


@pytest.fixture
def project(tmp_path):
    made = toy.with_releases(tmp_path / "toy")
    # So that no process of the many has to.
    for verb in cli.VERBS:
        assert cli.cli.get_command(None, verb)
    return made


def nothing(project: toy.Toy) -> None:
    pass


def stopped(project: toy.Toy) -> None:
    project.fork("rebase", "1.2", code=3)


def resolved(project: toy.Toy) -> None:
    stopped(project)
    file = project.checkout / APP
    before, _, rest = file.read_text().partition("<<<<<<<")
    file.write_text(before + WORK + rest.partition(">>>>>>>")[2].partition("\n")[2])


def edited(project: toy.Toy) -> None:
    project.fork("edit", "loud", code=3)
    project.edit(f"upstream/checkout/{APP}", '    return f"BYE {who}"\n', WORK)


def committed(project: toy.Toy) -> None:
    project.edit(f"upstream/checkout/{APP}", '    return f"BYE {who}"\n', WORK)
    message = project.git("log", "-1", "--format=%B").replace("comma\n", "work\n")
    project.git(
        "commit", "--quiet", "--all", "-m", message.replace("test_work", "test_comma")
    )


def changed_on_disk(project: toy.Toy) -> None:
    project.edit("patches/loud.patch", "BYE {who}", "GOODBYE {who}")


def disabled(project: toy.Toy) -> None:
    project.fork("disable", "loud")


def written(project: toy.Toy) -> None:
    message = toy.LOUD.decode().partition("\n\n")[2].partition("---\n")[0]
    text = "app: be loud\n\n" + message
    project.root.with_name("message").write_text(text)


def begun(project: toy.Toy) -> None:
    message = MAIL.partition("\n\n")[2].partition("---\n")[0]
    project.root.with_name("message").write_text(f"app: a dash\n\n{message}")
    env = toy.clean_environ(
        GIT_AUTHOR_NAME="A",
        GIT_AUTHOR_EMAIL="a@b",
        GIT_AUTHOR_DATE="1780000000 +0000",
    )
    project.fork("new", "dash", "--message", "../message", code=3, env=env)
    project.edit(f"upstream/checkout/{APP}", '    return f"BYE {who}"\n', WORK)


def mailed(project: toy.Toy) -> None:
    project.root.with_name("mail").write_text(MAIL)


def kept(project: toy.Toy) -> dict[str, bytes]:
    """The files that the project keeps in its history."""
    ignored = (
        *("scripts/", "upstream/cache/", "upstream/checkout/", "upstream/.lock"),
        # What was not decided yet is cleared away by the next verb that changes.
        *("upstream/.transaction.", "upstream/.checkout."),
        # How far it has come is seen by what can be done next.
        "upstream/.sequence.json",
    )
    return {
        path: data
        for path, data in project.snapshot().items()
        if not path.startswith(ignored)
    }


def run(project: toy.Toy, *args: str, deadly: int = 0) -> int:
    """Run a verb in a process of its own, and kill that right before a change.

    :param deadly: the number of the change, from 1; 0 to let the process live.
    :return: how it ended.
    """
    said = project.root.with_suffix(".log")
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, 1, 3, -signal.SIGKILL), said.read_text()
        return code

    try:
        sys.stdout = sys.stderr = said.open("w")
        os.chdir(project.root)
        sys.argv = ["scripts/fork", *args]
        projects.here = lambda: project.project
        if deadly:
            sys.addaudithook(killer(deadly))
        cli.main()
    except SystemExit as e:
        sys.stdout.flush()
        os._exit(int(e.code or 0))
    except BaseException:
        traceback.print_exc()
        sys.stdout.flush()
    os._exit(70)


def killer(deadly: int) -> t.Callable[[str, tuple[t.Any, ...]], None]:
    """A hook (PEP 578) that kills the process at one of its changes."""
    count = 0

    def hook(event: str, values: tuple[t.Any, ...]) -> None:
        nonlocal count
        writes = event == "open" and int(values[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            count += 1
            if count == deadly:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def is_work_there(project: toy.Toy) -> bool:
    """Whether what the maintainer has written is in the checkout, or kept there."""
    refs = project.git("for-each-ref", "--format=%(refname)").split()
    texts = [(project.checkout / APP).read_text()]
    for ref in [*refs, "HEAD"]:
        if project.git("cat-file", "-t", ref).strip() in {"commit", "tree"}:
            texts.append(project.git("show", f"{ref}:{APP}"))
    return any(WORK in text for text in texts)


@pytest.mark.parametrize(
    ("prepare", "command", "code"),
    [
        (nothing, "apply", 0),
        (changed_on_disk, "apply", 0),
        (committed, "export", 0),
        (nothing, "rebase 1.1", 0),
        (nothing, "rebase 1.2", 3),
        (resolved, "rebase --continue", 0),
        (resolved, "rebase --skip", 0),
        (resolved, "rebase --abort", 0),
        (nothing, "edit loud", 3),
        (edited, "refresh", 0),
        (nothing, "move comma --first", 0),
        (nothing, "drop loud --reason no", 0),
        (nothing, "fold comma --into loud", 0),
        (nothing, "rename loud aloud", 0),
        (nothing, "disable loud", 0),
        (disabled, "enable loud", 0),
        (written, "header loud --message ../message", 0),
        (begun, "refresh", 0),
        (mailed, "apply ../mail", 0),
        (mailed, "apply ../mail --after loud", 0),
    ],
)
def test_killed(
    project: toy.Toy,
    tmp_path: pathlib.Path,
    prepare: t.Callable[[toy.Toy], None],
    command: str,
    code: int,
):
    args = command.split()
    prepare(project)
    with_work = is_work_there(project)
    begun = kept(project)
    stopped_before = project.project.journal.exists()
    whole = copied(project, tmp_path / "whole")
    assert run(whole, *args) == code
    done = kept(whole)

    for n in itertools.count(1):
        copy = copied(project, tmp_path / "copy")
        ended = run(copy, *args, deadly=n)
        assert run(copy, "status") == 0
        assert kept(copy) in (begun, done), f"at change {n}"
        assert not with_work or is_work_there(copy), f"at change {n}"
        if ended == code:
            break
        assert ended == -signal.SIGKILL

        # It can be done again, or gone back from.
        if kept(copy) == begun and copy.project.journal.exists() is stopped_before:
            assert run(copy, *args) == code
            assert kept(copy) == done, f"again after change {n}"
        if copy.project.journal.exists() and code == 3:
            # Once it comes to the stop, and once the stop is not resolved yet.
            codes = {run(copy, "rebase", "--continue") for _ in "12"}
            assert codes <= ({0, 1, 3} if "edit" in args else {1, 3}), f"after {n}"
            assert kept(copy) in (begun, done), f"on after change {n}"
        if copy.project.journal.exists():
            assert run(copy, "rebase", "--abort") == 0
        assert run(copy, "apply") == 0
        assert run(copy, "export", "--check") == 0
        assert copy.git("status", "--porcelain") == ""
        assert not list(copy.project.checkout.parent.glob(".*.*"))
        assert not with_work or is_work_there(copy), f"after change {n}"
    assert n > 1


def copied(project: toy.Toy, folder: pathlib.Path) -> toy.Toy:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        project.root, folder, symlinks=True, ignore=shutil.ignore_patterns("scripts")
    )
    return toy.Toy(folder)
