"""Hostile conditions: git settings, a full disk, power loss, malformed emails."""

from __future__ import annotations

import os
import pathlib
import sys
import traceback

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
pytestmark = pytest.mark.sampled

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
