"""Hostile conditions: git settings, a full disk, power loss, malformed emails."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shlex
import sys
import traceback
import typing as t

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import calling
import toy
from forkkit import cli
from forkkit.base.errors import ForkError
from forkkit.queue import incoming
from test_killed import begun
from test_killed import edited
from test_killed import kept
from test_killed import MAIL
from test_killed import mailed
from test_killed import nothing
from test_killed import resolved
from test_killed import written

# Each case starts processes with hostile settings, disks or emails.
pytestmark = pytest.mark.sampled(8)

VERBS = [
    (nothing, "rebase 1.1", 0),
    (nothing, "rebase 1.2", 3),
    (resolved, "rebase --continue", 0),
    (edited, "refresh", 0),
    (nothing, "move comma --first", 0),
    (nothing, "drop loud --reason no", 0),
    (nothing, "fold comma --into loud", 0),
    (nothing, "rename loud aloud", 0),
    (nothing, "disable loud", 0),
    (written, "header loud --message ../message", 0),
    (mailed, "apply ../mail --after loud", 0),
    (begun, "refresh", 0),
]


@pytest.fixture
def project(tmp_path):
    return toy.with_releases(tmp_path / "toy")


@pytest.mark.parametrize(("prepare", "command", "code"), VERBS)
def test_settings_of_git_change_nothing(project, tmp_path, prepare, command, code):
    """Two users, one of whom has changed every setting of git."""
    env = toy.hostile_home(tmp_path)
    other = toy.Toy(tmp_path / "other" / "toy")
    toy.shutil.copytree(project.root, other.root, symlinks=True)
    for made, settings_of_user in ((project, None), (other, env)):
        prepare(made)
        made.fork(*command.split(), code=code, env=settings_of_user)
        made.fork("status", env=settings_of_user)
    assert kept(project) == kept(other)
    if not code:
        heads = [made.git("rev-parse", "HEAD") for made in (project, other)]
        assert heads[0] == heads[1]
        assert "is up to date with the commits" in other.fork("export", env=env).stdout
        assert kept(project) == kept(other)


#: A separate disk for the project, with the given room left, in KiB.
DISK = """\
set -e
mount -t tmpfs tmpfs "$1"
cp -a "$2" "$1/toy"
used=$(du -sk "$1" | cut -f1)
mount -o remount,size=$((used + $3))k "$1"
cd "$1/toy"
shift 3
code=0
"$@" || code=$?
rm -rf "$OUT"
cp -a . "$OUT"
exit $code
"""


@pytest.mark.parametrize(("prepare", "command", "code"), VERBS)
def test_a_full_disk(project, tmp_path, prepare, command, code):
    prepare(project)
    before = kept(project)
    disk, out = tmp_path / "disk", toy.Toy(tmp_path / "out")
    disk.mkdir()
    for name in ("message", "mail"):
        (disk / name).write_bytes(b"")
        if (tmp_path / name).exists():
            command = command.replace(f"../{name}", str(tmp_path / name))
    failures = 0
    for room in (0, 4, 8, 16, 32, 64, 128, 256, 512):
        done = toy.subprocess.run(
            [*("unshare", "-rm", "sh", "-c", DISK, "sh"), disk, project.root, str(room)]
            # Python itself leaves truncated bytecode (python/cpython#126606).
            + [sys.executable, "-IB", "scripts/forkkit/launch.py", *command.split()],
            env=toy.clean_environ(OUT=str(out.root)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        if done.returncode == code:
            break
        failures += 1
        assert done.returncode == 1, done.stderr
        assert "error: " in done.stderr
        # It is unchanged, or completed now that there is room.
        out.fork("status")
        if out.project.journal.exists() and not project.project.journal.exists():
            out.fork("rebase", "--abort")
        if kept(out) == before:
            out.fork(*command.split(), code=code)
    assert failures
    out.fork("status")
    if not code:
        out.fork("export", "--check")


def locked(path: str):
    """A lock that another git holds, or has left."""

    def lock(project: toy.Toy) -> t.Iterator[None]:
        file = project.checkout / ".git" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
        yield
        file.unlink()

    return lock


def read_only(project: toy.Toy) -> t.Iterator[None]:
    folder = project.checkout / "src" / "flask"
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


OBSTACLES = {
    "read-only": read_only,
    "the index is locked": locked("index.lock"),
    "HEAD is locked": locked("HEAD.lock"),
    "the branch is locked": locked("refs/heads/queue.lock"),
    "a ref of the tools is locked": locked("refs/fork/known.lock"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize(("prepare", "command", "code"), VERBS)
def test_a_checkout_that_cannot_be_written(project, prepare, command, code, obstacle):
    """The command either needs no such write, or has changed nothing."""
    prepare(project)
    before = state(project)
    hold = contextlib.contextmanager(OBSTACLES[obstacle])
    with hold(project):
        done = toy.subprocess.run(
            [*toy.held_to_permissions(), sys.executable, "-I"]
            + ["scripts/forkkit/launch.py", *command.split()],
            cwd=project.root,
            env=toy.clean_environ(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr
    if done.returncode == 1:
        assert state(project) == before, done.stderr
        project.fork(*command.split(), code=code)
    else:
        assert done.returncode == code, done.stderr
    project.fork("status")
    if not code:
        assert project.git("status", "--porcelain") == ""


#: Sets the title, moves the cursor, hides, reorders, and rings.
EVIL = "x\x1b]0;EVIL\x07\x1b[7A\x1b[2J\x9b31m\rEVIL\u202ey\u200b\x7f\u2066z"
EVIL_BYTES = [b"\x1b]0;EVIL", b"\x1b[7A\x1b[2J", b"\xc2\x9b31m", b"\rEVIL", b"\x7f"]
EVIL_BYTES += ["\u202e".encode(), "\u200b".encode(), "\u2066".encode(), b"\x07"]


@pytest.fixture
def evil(project):
    """A project in which everything that a stranger can name or write is hostile."""
    app = toy.UPSTREAM["src/flask/app.py"]
    line = f"# {EVIL}\n".encode()
    toy.history(
        project,
        ("1.1", f"Change {EVIL} (#7)", {"src/flask/app.py": line + app}),
        ("1.2", "Bye", {"src/flask/app.py": app.replace(b"bye {who}", b"ta {who}")}),
    )
    changes = f"Version 1.2\n-----------\n\n-   ``{EVIL} part who`` {EVIL}\n"
    toy.release(project, "1.1", {"src/flask/app.py": line + app})
    toy.release(
        project,
        "1.2",
        {
            "src/flask/app.py": line + app.replace(b"bye {who}", b"ta {who}"),
            "CHANGES.rst": changes.encode(),
        },
    )
    patch = toy.LOUD.replace(
        b'+    return f"BYE', line.replace(b"#", b"+#") + b'+    return f"BYE'
    )
    patch = patch.replace(b"-7,4 +7,4", b"-7,4 +7,5")
    (project.project.patches / "loud.patch").write_bytes(patch)
    toy.commit(project)
    project.fork("apply")
    return project


MAILED = MAIL.replace("From: ", f"From: {EVIL} ", 1).replace(
    "Subject: ", f"Subject: {EVIL} "
)
MAILED = MAILED.replace("\nIt is", f"\n{EVIL}\nIt is").replace(
    "Date: ", f"Date: {EVIL}"
)
OUTSIDE = f"diff --git a/{EVIL} b/{EVIL}\nold mode 100644\nnew mode 100755\n"


@pytest.mark.parametrize(
    "command",
    [
        *("show loud", "diff loud", "annotate app.py", "files loud", "patches app.py"),
        *("series", "status", "depends", "range-diff", "report 1.1 1.2", "log"),
        *("forecast 1.1 1.2", "absorbed 1.2", "absorbed 1.1", "send loud", "export"),
        *("rebase 1.1", "rebase 1.2", "verify formats", "needed", "diff", "apply"),
        *("drop loud --reason EVIL", "header loud --message ../mail", "readme"),
        *("take ../mail", "take ../mail --name x", "take ../outside", "take EVIL"),
        *("edit EVIL", "move EVIL --first", "rename loud EVIL", "new EVIL"),
        *("edit loud", "rebase EVIL", "range-diff --since EVIL", "show EVIL"),
        *("status --json", "log --json", "series --json", "annotate app.py --json"),
    ],
)
def test_nothing_hostile_reaches_a_terminal(evil, command):
    check_terminal(evil, command)


@pytest.mark.parametrize(
    "command",
    ["status", "export", "diff", "apply", "rebase 1.1", "take ../mail", "edit loud"]
    + ["verify formats", "status --json", "undo", "header loud --message ../mail"],
)
@pytest.mark.parametrize("where", ["checkout", "patches"])
def test_no_hostile_name_reaches_a_terminal(evil, command, where):
    (evil.checkout / EVIL).write_text(EVIL)
    app = evil.checkout / "src/flask/app.py"
    app.write_text(app.read_text() + f"# {EVIL}\n")
    if where == "patches":
        (evil.root / "patches" / f"{EVIL}.patch").write_text(EVIL)
    check_terminal(evil, command)


def check_terminal(evil: toy.Toy, command: str) -> None:
    """Run a command on a terminal, and look at what it prints."""
    evil.root.with_name("mail").write_text(OUTSIDE.join(MAILED.split("---\n", 1)))
    evil.root.with_name("outside").write_text(
        f"{MAILED.partition('---')[0]}---\n{OUTSIDE}"
    )
    words = [word.replace("EVIL", EVIL) for word in command.split()]
    done = on_terminal(evil, words)
    verbs = ("status", "skip", "abort") if evil.project.journal.exists() else ("log",)
    more = [on_terminal(evil, [verb]) for verb in verbs]
    for said in (done, *more):
        assert b"Traceback" not in said
        for raw in EVIL_BYTES:
            assert raw not in said, said


def on_terminal(project: toy.Toy, words: list[str]) -> bytes:
    launch = [sys.executable, "-I", "scripts/forkkit/launch.py", *words]
    return toy.subprocess.run(
        [*("script", "--quiet", "--return", "--log-out", "/dev/null", "--command")]
        + [shlex.join(launch)],
        cwd=project.root,
        env=toy.clean_environ(EDITOR="true", VISUAL="true", PAGER="cat"),
        check=False,
        timeout=600,
        stdin=toy.subprocess.DEVNULL,
        capture_output=True,
    ).stdout


def state(project: toy.Toy) -> tuple[t.Any, ...]:
    """What the project holds, what is checked out, and what can be undone."""
    listed = project.git("ls-files").splitlines()
    return (
        kept(project),
        project.project.journal.exists(),
        project.git("rev-parse", "--symbolic-full-name", "HEAD"),
        {name: (project.checkout / name).read_bytes() for name in listed},
        project.fork("log").stdout,
    )


def test_a_release_with_a_name_that_is_too_long(project):
    toy.release(project, "1.3", {f"src/flask/{'n' * 300}.py": b""})
    conflict = toy.UPSTREAM["src/flask/app.py"].replace(b'f"bye {who}"', b'f"good bye"')
    long = {f"src/flask/{'n' * 300}.py": b"", "src/flask/app.py": conflict}
    toy.release(project, "1.4", long)
    before = state(project)
    for version in ("1.3", "1.4"):
        done = project.fork("rebase", version, code=1)
        assert "File name too long" in done.stderr
        assert state(project) == before
        project.fork("abort", code=1)
        assert state(project) == before


@pytest.mark.parametrize(("prepare", "command", "code"), VERBS)
def test_a_loss_of_power(project, prepare, command, code):
    """A replacement is on the disk before its renaming, and its new name afterwards."""
    prepare(project)
    log = project.root.with_name("order.log")
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == code, log.read_text()
        check_order(project.root.resolve(), log.read_text().splitlines())
        return

    try:
        os.chdir(project.root)
        watch(log)
        sys.argv = ["scripts/fork", *command.split()]
        with calling.at(project.project):
            cli.main()
    except SystemExit as e:
        os._exit(int(e.code or 0))
    except BaseException:
        log.write_text(traceback.format_exc())
    os._exit(70)


def watch(log: pathlib.Path) -> None:
    """Log what is synced to the disk, and what is renamed."""
    fsync = os.fsync

    def note(*words: object) -> None:
        descriptor = os.open(log, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        with os.fdopen(descriptor, "w") as out:
            out.write(" ".join(map(str, words)) + "\n")

    def synced(descriptor: int) -> None:
        fsync(descriptor)
        note("sync", os.fstat(descriptor).st_ino)

    def hook(event: str, values: tuple[str, ...]) -> None:
        if event == "os.rename":
            inodes = [
                os.stat(path).st_ino for path in (values[0], folder_of(values[1]))
            ]
            note("rename", *inodes, os.path.abspath(values[1]))

    os.fsync = synced
    sys.addaudithook(hook)


def folder_of(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


def check_order(root: pathlib.Path, lines: list[str]) -> None:
    """Compare the log with what may be lost when the power fails."""
    events = [line.split(" ", 3) for line in lines]
    # These are made again, and files that were removed may come back.
    regenerated = (root / "upstream" / "checkout", root / "build")
    checked = 0
    for place, (kind, inode, *rest) in enumerate(events):
        if kind != "rename" or not rest[1].startswith(str(root)):
            continue
        if rest[1].startswith(tuple(map(str, regenerated))) or rest[1].endswith("done"):
            continue
        checked += 1
        assert ["sync", inode] in events[:place], f"{rest[1]} may be empty"
        assert ["sync", rest[0]] in events[place:], f"the name {rest[1]} may be lost"
    assert checked


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("cut"), st.integers(0, len(MAIL)), st.integers(0, 60)),
            st.tuples(
                st.just("put"),
                st.integers(0, len(MAIL)),
                st.one_of(
                    st.binary(max_size=20),
                    st.sampled_from(
                        [
                            b"diff --git a/src/flask/../x b/src/flask/../x\n",
                            b"diff --git a/src/flask/.git/x b/src/flask/.git/x\n",
                            b"new file mode 120000\n",
                            b"new file mode 100755\n",
                            b"GIT binary patch\nliteral 99999999\n",
                            b"rename from src/flask/app.py\n",
                            b"--- /dev/null\n+++ b/src/flask/\x1b[31m.py\n",
                            b"@@ -1,99999999 +1,99999999 @@\n",
                            b"From 0 Mon Sep 17 00:00:00 2001\n",
                            b"Content-Transfer-Encoding: base64\n",
                            b"Subject: =?utf-16?q?=FF=FE?=\n",
                            b"\r\n",
                            b"\0",
                        ]
                    ),
                ),
            ),
        ),
        max_size=4,
    )
)
@example([("put", 0, b"\xff\xfe")])
@example([("cut", 0, len(MAIL))])
def test_mails_are_read_or_refused(changes):
    data = MAIL.encode()
    for kind, place, what in changes:
        rest = data[place + what :] if kind == "cut" else what + data[place:]
        data = data[:place] + rest
    try:
        items = incoming.read(data, "src/flask", where="mail")
    except ForkError:
        return
    for item in items:
        for diff in item.diffs:
            assert diff.path.startswith("src/flask/")
            assert ".." not in diff.path.split("/")
            assert ".git" not in diff.path.split("/")
            assert diff.path.isprintable()


def test_there_is_a_limit_to_what_a_hostile_mail_takes(project, tmp_path):
    """Neither memory nor time: it is refused before it is parsed."""
    mail = tmp_path / "bomb"
    head = MAIL.encode().partition(b"@@")[0]
    mail.write_bytes(head + b"@@ -0,0 +1,9999999 @@\n" + b"+\n" * 2_000_000)
    # For this process only, and no other of the tests: 30 s and 1 GiB.
    limits = ["prlimit", "--cpu=30", f"--data={2**30}"]
    done = project.fork("apply", str(mail), code=1, prefix=limits)
    assert "the hunk is cut short" in done.stderr or "line numbers" in done.stderr


DEEP = "".join(
    f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(20_000)
)
WITHIN = "Content-Type: message/rfc822\n\nFrom: a@b\n" * 30_000
PARTS = "From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n"
BOMBS = {
    "mails": "From a Mon Sep 17 00:00:00 2001\nFrom: a@b\n\n" * 80_000,
    "parts": f"{MAIL.partition(chr(10))[2].partition('Subject')[0]}{DEEP}",
    "attached": f"{PARTS}--b\n\n--b\n{WITHIN}",
    "attached mails": PARTS + "--b\n\nFrom: a@b\n\nx\n" * 100_000,
    "parameters": "From: a@b\nContent-Type: multipart/mixed"
    + ';"' * 1_000_000
    + "\n\nx",
    "folded": "From: a@b\nContent-Type: text/plain" + ';\n x*0="' * 300_000 + "\n\nx",
    "brackets": "From: a@b\nSubject: " + "[a" * 1_000_000 + "\n\nx",
    "tags": "From: a@b\nSubject: " + "[a] " * 500_000 + "\n\nx",
    "header": "From: a@b\n" + "a: b\n c\n" * 400_000 + "\nx",
    "commits": "commit 1234567\nAuthor: a\n" * 100_000,
    "words": "a: b\n" * 500_000,
    "blank lines": "\n" * 4_000_000,
    "spaces": f"{MAIL.partition('+++')[0]}+++ a{' ' * 3_000_000}b\n",
    "names": MAIL.partition("diff --git")[0] + f"diff --git {'a b/' * 900_000}\n" * 1,
    "files": MAIL.partition("diff --git")[0]
    + "diff --git a/src/flask/x b/src/flask/x\n" * 80_000,
    "new files": MAIL.partition("diff --git")[0]
    + "".join(
        f"diff --git a/src/flask/{n} b/src/flask/{n}\nnew file mode 100644\n"
        for n in range(50_000)
    ),
    "hunks": MAIL.partition("@@")[0] + "@@ -1 +1 @@\n-a\n+b\n" * 150_000,
    "closes": MAIL.partition("---")[0].replace("It is", "fixes " * 500_000 + "It is"),
    "issues": MAIL.partition("---")[0].replace("It is", "a/b#1 " * 500_000 + "It is"),
    "trailers": MAIL.partition("---")[0].replace(
        "Tests:", "Bug: a/b#1\n" * 300_000 + "Tests:"
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_mail_takes_long(project, tmp_path, name):
    (tmp_path / "bomb").write_text(BOMBS[name])
    limits = ["prlimit", "--cpu=20", f"--data={2**30}"]
    done = toy.subprocess.run(
        [*limits, sys.executable, "-I", "scripts/forkkit/launch.py", "take", "../bomb"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stderr[-500:]
    assert "Traceback" not in done.stderr
