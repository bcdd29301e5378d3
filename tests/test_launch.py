"""The command in a fresh clone: its own environment, created once."""

from __future__ import annotations

import errno
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

import toy
from forkkit.base.programs import clean_environ

# Each case creates the environment of the command.
pytestmark = pytest.mark.sampled


def fork(
    root: pathlib.Path, *args: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "scripts" / "fork", *args],
        capture_output=True,
        text=True,
        cwd=root.parent,
        env=clean_environ(**env),
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    """The toy with a dependency group of one package, to be quick."""
    project = toy.make(tmp_path / "fresh clone")
    text = project.project.pyproject.read_text()
    group = '[dependency-groups]\nmaintain = ["click>=8.1.3"]\n\n'
    project.project.pyproject.write_text(group + text)
    return project


def test_environment_is_made_once_and_again_when_the_group_changes(project):
    first = fork(project.root, "series")
    assert first.returncode == 0, first.stderr
    assert (
        "creating the environment of scripts/fork below build/ (once only)"
        in first.stderr
    )
    assert "app: say goodbye aloud" in first.stdout
    second = fork(project.root, "series", PIP_NO_INDEX="1", PIP_FIND_LINKS="/nowhere")
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.stdout

    link = project.root.parent / "link"
    link.symlink_to(project.root / "scripts" / "fork")
    linked = subprocess.run(
        [link, "series"], capture_output=True, text=True, check=True
    )
    assert linked.stdout == first.stdout

    # Another part of the file changes, so nothing is made again.
    project.edit("pyproject.toml", 'version = "1.0.1"', 'version = "1.0.2"')
    os.utime(project.project.pyproject, (2**31, 2**31))
    third = fork(project.root, "status")
    assert (third.returncode, third.stderr) == (0, "")
    assert "flaskfork 1.0.2" in third.stdout

    project.edit("pyproject.toml", "click>=8.1.3", "click>=8.1.4")
    assert "creating the environment" in fork(project.root, "series").stderr


def test_two_at_once_make_one_environment(project):
    command = [project.root / "scripts" / "fork", "series"]
    both = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ends = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("creating the environment" in stderr for _, stderr in ends) == 1


def test_without_network_it_says_so_and_goes_on_later(project):
    done = fork(project.root, "series", PIP_NO_INDEX="1", PIP_FIND_LINKS="/nowhere")
    assert done.returncode == 1
    assert "could not create the environment of scripts/fork" in done.stderr
    assert "hint: check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert fork(project.root, "series").returncode == 0


def test_files_of_the_current_folder_are_not_imported(tmp_path):
    project = toy.make(tmp_path / "toy")
    for name in ("click.py", "json.py", "forkkit.py"):
        (project.root / name).write_text("raise SystemExit('imported')\n")
    done = project.fork("series", env={**os.environ, "PYTHONPATH": str(project.root)})
    assert "app: say goodbye aloud" in done.stdout


@pytest.mark.parametrize(
    "args", [["nope"], ["show"], ["fetch", "--nope"], ["show", "a", "b"]]
)
def test_wrong_usage_is_exit_code_2(tmp_path, args):
    project = toy.make(tmp_path / "toy")
    done = project.fork(*args, code=2, process=True)
    assert "Usage: scripts/fork" in done.stderr


def test_help_lists_every_verb(tmp_path):
    project = toy.make(tmp_path / "toy")
    said = project.fork("--help", process=True).stdout
    verbs = "status fetch series show apply export materialise build readme test verify"
    for verb in verbs.split(" "):
        assert f"\n  {verb} " in said


def test_show(tmp_path):
    project = toy.make(tmp_path / "toy")
    assert project.fork("show", "loud").stdout == toy.LOUD.decode()
    done = project.fork("show", "nope", code=1)
    assert "there is no patch 'nope' in the queue" in done.stderr


def test_interrupt_is_exit_code_130(tmp_path):
    project = toy.make(tmp_path / "toy")
    project.archive.unlink()
    os.mkfifo(tmp_path / "pipe")
    launch = project.root / "scripts" / "forkkit" / "launch.py"
    process = subprocess.Popen(
        [sys.executable, "-I", launch, "fetch", "--from", tmp_path / "pipe"],
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background inherits an ignored signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # Once it reads, it waits for data that never comes through the pipe.
    with writer(tmp_path / "pipe", process):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=600)[1].strip() == "interrupted"
    assert process.returncode == 130


def writer(pipe: pathlib.Path, process: subprocess.Popen[str]) -> t.IO[bytes]:
    """The writing end of a pipe, as soon as the process has opened it to read."""
    while True:
        assert process.poll() is None, process.communicate()
        try:
            return os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
        except OSError as e:
            if e.errno != errno.ENXIO:
                raise
        time.sleep(0.01)
