"""Nothing is lost when a verb is killed just before any of its changes.

With --sample, only before one in four of the changes, chosen by the commit.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys
import traceback
import typing as t

import pytest

import calling
import toy
from forkkit import cli

APP = "src/flask/app.py"
#: Events that change something; opening a file to write also does.
CHANGES = {
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate"),
    *("subprocess.Popen", "tempfile.mkstemp", "tempfile.mkdtemp", "os.link"),
}
WORK = '    return f"GOOD BYE {who}"\n'
#: A patch that somebody sent.
MAIL = (
    toy.COMMA.decode().partition("---\n")[0].replace("Patch: comma", "Patch: dash")
    + "---\n"
    + toy.DASH
)


@pytest.fixture
def project(tmp_path):
    return toy.with_releases(tmp_path / "toy")


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


def outdated(project: toy.Toy) -> None:
    """Put a lean body for another ``part`` than there is into the overlay."""
    folder = project.project.overlay / "_fast"
    folder.mkdir()
    (folder / "__init__.py").write_text('PARTS = ("x",)\n')
    text = 'bodies = Bodies("app")\n\n\n@bodies.stand_for("part", "", part="x")\n'
    (folder / "app.py").write_text(text + "def _(original):\n    return original\n")


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
        # The next verb that makes changes removes what had not been decided yet.
        *("upstream/.transaction.", "upstream/.checkout."),
        # Its progress shows in what can be done next.
        "upstream/.sequence.json",
    )
    return {
        path: data
        for path, data in project.snapshot().items()
        if not path.startswith(ignored)
    }


def run(project: toy.Toy, *args: str, deadly: int = 0) -> int:
    """Run a verb in a separate process, and kill it right before a change.

    :param deadly: the number of the change, from 1; 0 to let the process live.
    :return: its exit code.
    """
    said = project.root.with_suffix(".log")
    changes = Counter(deadly)
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, 1, 3, -signal.SIGKILL), said.read_text()
        return code

    try:
        sys.stdout = sys.stderr = said.open("w")
        os.chdir(project.root)
        sys.argv = ["scripts/fork", *args]
        calling.forget()
        with calling.at(project.project):
            sys.addaudithook(changes.hook)
            cli.main()
    except SystemExit as e:
        count, changes.deadly = changes.count, 0
        project.root.with_suffix(".changes").write_text(str(count))
        sys.stdout.flush()
        os._exit(int(e.code or 0))
    except BaseException:
        traceback.print_exc()
        sys.stdout.flush()
    os._exit(70)


class Counter:
    """Counts the changes of a process, and kills it before one of them.

    :param deadly: the number of that change; 0 to let the process live.
    """

    def __init__(self, deadly: int) -> None:
        self.deadly = deadly
        self.count = 0

    def hook(self, event: str, values: tuple[t.Any, ...]) -> None:
        """The audit hook that Python calls (PEP 578)."""
        writes = event == "open" and int(values[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            self.count += 1
            if self.count == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)


def is_work_there(project: toy.Toy) -> bool:
    """Whether the maintainer's work is in the checkout, or saved there."""
    # The log of operations has the project's files, but not upstream's.
    listed = project.git("for-each-ref", "--format=%(refname)").split()
    refs = [ref for ref in listed if not ref.startswith("refs/fork/log")]
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
        (outdated, "lean --accept app:part", 0),
        (mailed, "apply ../mail", 0),
        (mailed, "apply ../mail --after loud", 0),
    ],
)
def test_killed(
    project: toy.Toy,
    tmp_path: pathlib.Path,
    request: pytest.FixtureRequest,
    sampled: t.Callable[[t.Iterable[int]], list[int]],
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
    total = int(whole.root.with_suffix(".changes").read_text())
    assert total
    chosen = sampled(range(1, total + 1))
    told = f"of {total}"
    request.node.add_report_section("call", "killed before", f"{chosen} {told}")

    for n in chosen:
        at = f"at change {n} {told}"
        copy = copied(project, tmp_path / "copy")
        assert run(copy, *args, deadly=n) == -signal.SIGKILL, at
        assert run(copy, "status") == 0, at
        assert kept(copy) in (begun, done), at
        assert not with_work or is_work_there(copy), at

        # It can be done again, or aborted.
        if kept(copy) == begun and copy.project.journal.exists() is stopped_before:
            assert run(copy, *args) == code, at
            assert kept(copy) == done, at
        if copy.project.journal.exists() and code == 3:
            # The first may reach the stop; the second finds it unresolved.
            codes = {run(copy, "rebase", "--continue") for _ in "12"}
            assert codes <= ({0, 1, 3} if "edit" in args else {1, 3}), at
            assert kept(copy) in (begun, done), at
        if copy.project.journal.exists():
            assert run(copy, "rebase", "--abort") == 0, at
        assert run(copy, "apply") == 0, at
        assert run(copy, "export", "--check") == 0, at
        assert copy.git("status", "--porcelain") == "", at
        assert not list(copy.project.checkout.parent.glob(".*.*")), at
        assert not with_work or is_work_there(copy), at
    # There is no change after the last one that was counted.
    assert run(copied(project, tmp_path / "copy"), *args, deadly=total + 1) == code


def copied(project: toy.Toy, folder: pathlib.Path) -> toy.Toy:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        project.root, folder, symlinks=True, ignore=shutil.ignore_patterns("scripts")
    )
    return toy.Toy(folder)
