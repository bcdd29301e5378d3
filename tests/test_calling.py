"""A command called in this process behaves as it does in a separate process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import typing as t
import warnings

import pytest

import calling
import toy
from forkkit import cli
from test_killed import MAIL

#: Commands that change nothing, and their exit codes.
LOOKS = [
    ("--help", 0),
    ("-h", 0),
    ("", 2),
    ("nope", 2),
    ("show", 2),
    ("show loud comma", 2),
    ("fetch --nope", 2),
    ("header loud --message missing", 2),
    ("status", 0),
    ("status --json", 0),
    ("series", 0),
    ("show loud", 0),
    ("show missing", 1),
    ("files comma", 0),
    ("patches app.py", 0),
    ("diff", 0),
    ("diff loud", 0),
    ("depends", 0),
    ("depends --json", 0),
    ("annotate app.py", 0),
    ("annotate missing.py", 1),
    ("log", 0),
    ("send comma", 0),
    ("lean", 0),
    ("lean --json", 0),
    ("lean app:greet", 1),
    ("send loud --help", 0),
    ("fetch", 0),
    ("export --check", 0),
    ("forecast 1.1 1.2", 0),
    ("forecast --json 1.2", 0),
    ("absorbed 1.2", 0),
    ("absorbed --json 1.1", 0),
    ("upstream --help", 0),
    ("range-diff", 0),
    ("report --json 1.1", 0),
    ("refresh", 1),
    ("continue", 1),
    ("skip", 1),
    ("abort", 1),
    ("undo", 1),
    ("redo", 1),
    ("take missing", 2),
    ("enable loud", 1),
    ("new dash", 1),
    ("apply missing", 2),
    ("apply -", 1),
    ("rebase --continue", 1),
    ("rebase 9.9 --from pyproject.toml", 1),
    ("build --help", 0),
    # Another program writes to the same streams.
    ("test nope", 2),
    ("needed missing", 1),
    ("bisect -- false", 1),
    ("verify formats queue rename metadata", 0),
    ("verify --json formats", 0),
    ("verify missing", 2),
    ("ecosystem --help", 0),
]
CHANGES = [
    ("apply", 0),
    ("apply ../mail", 0),
    ("take ../mail", 0),
    ("export", 0),
    ("readme", 0),
    ("rebase 1.1", 0),
    ("rebase 1.2", 3),
    ("edit loud", 3),
    ("header loud --message ../message", 0),
    ("move comma --first", 0),
    ("drop loud --reason no", 0),
    ("fold comma --into loud", 0),
    ("rename loud aloud", 0),
    ("disable loud", 0),
    ("materialise", 0),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = toy.with_releases(tmp_path_factory.mktemp("calling") / "toy")
    toy.commit(made)
    made.root.with_name("mail").write_text(MAIL)
    message = toy.LOUD.decode().partition("\n\n")[2].partition("---\n")[0]
    made.root.with_name("message").write_text(f"app: be loud\n\n{message}")
    return made


@pytest.fixture
def nothing_is_left():
    before = state()
    yield
    after = state()
    # Other modules may have been imported meanwhile.
    after["modules"] = {key: after["modules"].get(key) for key in before["modules"]}
    assert after == before


def state() -> dict[str, t.Any]:
    """Everything that a call could leave behind in this process."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "folder": os.getcwd(),
        "variables": {**os.environ, "PYTEST_CURRENT_TEST": ""},
        "arguments": [*sys.argv],
        "path": [*sys.path],
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "files": {n: os.readlink(f"/proc/self/fd/{n}") for n in range(3)},
        "number of files": len(os.listdir("/proc/self/fd")),
        "warnings": [*warnings.filters],
        "mask": mask,
        "signals": {s: signal.getsignal(s) for s in signal.valid_signals()},
        "threads": threading.active_count(),
        "project": [m.here() for m in calling.modules() if "here" in vars(m)],
        "modules": {
            f"{name}.{key}": repr(value)
            for name, module in sys.modules.items()
            if name.partition(".")[0] == "forkkit"
            for key, value in vars(module).items()
            if key[:2] != "__" and isinstance(value, (dict, list, set))
        },
    }


def both(ours: toy.Toy, theirs: toy.Toy, command: str, code: int) -> None:
    """Run a command in both ways, and compare the output."""
    said = []
    for made, process in ((ours, False), (theirs, True)):
        done = made.fork(*command.split(), code=code, process=process)
        said.append(
            [
                # The time that something took is not compared.
                re.sub(
                    # Neither is the name of a temporary folder.
                    r"\d+\.\d+( s\)|,?$)|flaskfork-\w+-\w{8}\b",
                    "T",
                    text,
                    flags=re.M,
                ).replace(str(made.root), "ROOT")
                for text in (done.stdout, done.stderr)
            ]
        )
    assert said[0] == said[1]


def test_every_verb_is_compared():
    assert {command.split(" ")[0] for command, _ in LOOKS + CHANGES} >= set(cli.VERBS)


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize(("command", "code"), LOOKS)
def test_what_only_looks(project, command, code):
    both(project, project, command, code)


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize(("command", "code"), CHANGES)
def test_what_changes_something(project, tmp_path, command, code):
    made = []
    for name in ("ours", "theirs"):
        shutil.copytree(project.root.parent, tmp_path / name, symlinks=True)
        made.append(toy.Toy(tmp_path / name / "toy"))
    both(*made, command, code)
    ours, theirs = (
        {
            path: data.replace(str(project.root).encode(), b"ROOT")
            for path, data in project.snapshot().items()
        }
        for project in made
    )
    assert ours == theirs
    assert made[0].git("rev-parse", "HEAD") == made[1].git("rev-parse", "HEAD")


def test_variables_are_those_that_are_given(project):
    env = toy.clean_environ(PATH="/nowhere")
    assert "git is not installed" in project.fork("apply", env=env, code=1).stderr
    project.fork("apply")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"GIT_AUTHOR_NAME": "A"}, True),
        ({"PYTHONPATH": "/"}, False),
        ({"LC_ALL": "de_DE.UTF-8"}, False),
        ({"TZ": "Asia/Kathmandu"}, False),
    ],
)
def test_what_python_reads_at_its_start_needs_a_process(variables, expected):
    assert calling.can_be_called(toy.clean_environ(**variables)) is expected


def test_an_interrupt(project, monkeypatch):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(toy.Project, "transaction", property(interrupt))
    assert project.fork("status", code=130).stderr.strip() == "interrupted"
    with pytest.raises(KeyboardInterrupt):
        project.fork("status")


def test_an_error_that_nobody_expects(project, monkeypatch):
    def fail(_: object) -> None:
        raise RuntimeError("for a test")

    monkeypatch.setattr(toy.Project, "transaction", property(fail))
    with pytest.raises(AssertionError, match="RuntimeError: for a test"):
        project.fork("status", code=1)


def test_caches_end_with_a_call(project):
    from forkkit.upstream import archive

    content = project.archive.read_bytes()
    archive.read(content, where="x")
    assert archive._read.cache_info().currsize
    calling.forget()
    assert not archive._read.cache_info().currsize
