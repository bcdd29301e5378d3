"""After a kill or an interrupt at any time, the old or the new Flask is in place."""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import typing as t
from dataclasses import dataclass

import pytest
import uv

from forkkit.base import venv
from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment

# A verb runs once for each change at which it could be killed.
pytestmark = pytest.mark.sampled

# Ends the process before its nth change of a file below a folder, or logs the changes.
# Or ends it after some CPU time, which does not depend on the load, or logs that time.
SITECUSTOMIZE = """\
import atexit
import os
import signal
import sys
import time

left = int(os.environ.pop("END_AT", "0"))
number = getattr(signal, os.environ.pop("END_BY", "SIGKILL"))
folder = os.environ.get("END_IN", "")
log = os.environ.pop("END_LOG", "")
took = os.environ.pop("END_TIME", "")
signal.setitimer(signal.ITIMER_PROF, float(os.environ.pop("END_AFTER", "0")))
# It may be ignored if the tests were started in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
changes = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.utime")


def count(event, args):
    global left
    if event == "open":
        flags = args[2] if isinstance(args[2], int) else 0
        change = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        inside = str(args[0]).startswith(folder)
    elif event in changes:
        change = True
        # A relative path is part of the removal of a folder.
        inside = not str(args[0]).startswith("/") or str(args[0]).startswith(folder)
    else:
        return
    if change and inside:
        seen.append(f"{event} {args[0]}")
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)


def tell():
    lines = "\\n".join(seen)
    with open(log, "w") as file:
        file.write(lines)


def tell_time():
    with open(took, "w") as file:
        file.write(str(time.process_time()))


seen = []
if log:
    atexit.register(tell)
if left or log:
    sys.addaudithook(count)
if took:
    atexit.register(tell_time)
"""

# What a program sees, then the state after a later command has tidied up.
LOOK = """\
import importlib.metadata
import io
import json
import runpy
import sys
from contextlib import redirect_stdout

import flask
import flask.sansio.app
import flask.views

out = io.StringIO()
sys.argv = ["flask", "--version"]
with redirect_stdout(out):
    try:
        runpy.run_path(COMMAND, run_name="__main__")
    except SystemExit as e:
        assert not e.code, e
print(json.dumps({
    "version": importlib.metadata.version("Flask"),
    "fork": flask is sys.modules.get("flaskfork"),
    "parts": sorted({m.split(".")[0] for m in (
        flask.Flask.__module__, flask.views.__name__, flask.sansio.app.App.__module__
    )}),
    "command": "flaskfork" in out.getvalue(),
}))
"""
FINISH = """\
for name in [name for name in sys.modules if name.partition(".")[0] == "flask"]:
    del sys.modules[name]
from flaskfork.shim.installing import environment, replacement
replacement.finish(environment.own_place())
"""


@dataclass(frozen=True)
class Moved:
    """An environment, and how it looks before and after ``verb``.

    :param kept: a folder with a copy of what it had before.
    """

    environment: Environment
    verb: str
    kept: pathlib.Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    versions: dict[bool, str]

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the verb."""
        return self.environment.run(*command(self.verb), check=False, env=quiet(**env))

    def put_back(self) -> None:
        """Restore the environment to its state before the verb."""
        for path in flask_paths(self.environment):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in sorted(self.kept.rglob("*")):
            target = self.environment.path / path.relative_to(self.kept)
            if path.is_dir():
                target.mkdir(exist_ok=True)
            else:
                shutil.copy2(path, target)

    def check(self) -> bool:
        """Whether the new Flask is there; fail if neither the new nor the old one is.

        Leftovers of the interruption are removed.
        """
        path = self.environment.program("flask")
        code = LOOK.replace("COMMAND", repr(str(path))) + FINISH
        seen = json.loads(self.environment.evaluate(code, env=quiet()))
        fork = seen["fork"]
        assert seen["version"] == self.versions[fork]
        assert seen["parts"] == ["flaskfork" if fork else "flask"]
        assert seen["command"] == fork
        now = snapshot(self.environment)
        new = fork == (self.verb == "install")
        assert now == (self.after if new else self.before)
        return new


@pytest.fixture(scope="module", params=["install", "remove"])
def moved(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
) -> Moved:
    """An environment to which the verb has been applied once."""
    folder = tmp_path_factory.mktemp(request.param)
    folder.joinpath("sitecustomize.py").write_text(SITECUSTOMIZE)
    environment = venv.create(folder / "env", fork_wheel)
    level = environment.evaluate(
        "from flaskfork import provenance; print(provenance.load().api_level)"
    )
    environment.install(f"Flask==={level}")
    if request.param == "remove":
        environment.run(*command("install"), env=quiet())
    before = snapshot(environment)
    kept = folder / "kept"
    for path in flask_paths(environment):
        target = kept / path.relative_to(environment.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(path, target) if path.is_dir() else shutil.copy2(path, target)
    environment.run(*command(request.param), env=quiet())
    after = snapshot(environment)
    assert before != after
    shim = environment.evaluate(
        "from flaskfork import provenance; print(provenance.load().shim_version)"
    )
    versions = {False: level, True: shim}
    return Moved(environment, request.param, kept, before, after, versions)


def test_killed_before_each_change(moved: Moved) -> None:
    folder = moved.environment.path
    env = {"PYTHONPATH": str(folder.parent), "END_IN": str(folder)}
    moved.put_back()
    log = folder.parent / "log"
    moved.run(**env, END_LOG=str(log))
    changes = log.read_text().splitlines()
    # Of the many files that are copied and the many that are removed, only every tenth.
    alike = [i for i, change in enumerate(changes, 1) if is_one_of_many(change)]
    chosen = set(range(1, len(changes) + 1)) - set(alike) | set(alike[::10])
    assert len(chosen) > 20
    seen = []
    for n in sorted(chosen):
        moved.put_back()
        done = moved.run(**env, END_AT=str(n))
        assert done.returncode == -signal.SIGKILL, (n, done.stdout, done.stderr)
        seen.append(moved.check())
    # Once the new one is there, it stays.
    assert seen == sorted(seen)
    assert {*seen} == {False, True}


def is_one_of_many(change: str) -> bool:
    path = change.partition(" ")[2]
    return ".flaskfork-swap/new/" in path or not path.startswith("/")


def test_killed_at_random(moved: Moved) -> None:
    folder = moved.environment.path.parent
    env = {"PYTHONPATH": str(folder)}
    moved.put_back()
    moved.run(**env, END_TIME=str(folder / "took"))
    took = float((folder / "took").read_text())
    chance = random.Random(moved.verb)
    killed = 0
    # Some finish before they are killed, but not nine out of ten.
    for _ in range(100):
        moved.put_back()
        done = moved.run(**env, END_AFTER=str(took * chance.uniform(0.1, 1.0)))
        assert done.returncode in (0, -signal.SIGPROF), done.stderr
        killed += done.returncode != 0
        moved.check()
        if killed == 10:
            break
    assert killed == 10


def test_interrupted(moved: Moved) -> None:
    """Control-C restores everything, or comes too late."""
    folder = moved.environment.path
    seen = set()
    for n in range(3, 1000, 13):
        moved.put_back()
        done = moved.run(
            PYTHONPATH=str(folder.parent),
            END_AT=str(n),
            END_IN=str(folder),
            END_BY="SIGINT",
        )
        assert "Traceback" not in done.stderr
        seen.add((done.returncode, moved.check()))
        if done.returncode == 0:
            break
        assert (done.returncode, done.stderr.strip()) == (130, "interrupted")
    assert (130, False) in seen
    assert (0, True) in seen


def test_the_next_verb_tidies_up(moved: Moved) -> None:
    """Doctor names what a kill left behind, and its command removes it."""
    folder = moved.environment.path
    site = site_packages(moved.environment)
    seen = set()
    for n in range(40, 200, 4):
        moved.put_back()
        moved.run(PYTHONPATH=str(folder.parent), END_AT=str(n), END_IN=str(folder))
        left = [path for path in flask_paths(moved.environment) if "-" in path.name]
        done = moved.environment.run(
            *command("doctor"), "--json", check=False, env=quiet()
        )
        [trouble] = json.loads(done.stdout)
        assert trouble["what"] == "an install or a removal was interrupted"
        assert pathlib.Path(trouble["where"]) in left
        seen.add(site.joinpath("flaskfork-swap.pth").exists())
        subprocess.run(trouble["mend"], shell=True, check=True, cwd=folder)
        done = moved.environment.run(*command("doctor"), env=quiet())
        assert done.stdout == "no trouble found\n"
        assert not site.joinpath(".flaskfork-swap").exists()
        if len(seen) == 2:
            break
    assert seen == {False, True}


def test_two_at_once(moved: Moved) -> None:
    moved.put_back()
    processes = [
        subprocess.Popen(
            [moved.environment.python, *command(moved.verb)],
            cwd=moved.environment.path,
            env=clean_environ(**quiet()),
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    assert moved.check()


def command(verb: str) -> tuple[str, ...]:
    return ("-m", "flaskfork.shim", verb)


def quiet(**env: str) -> dict[str, str]:
    """Variables for a process that writes no bytecode, and has uv."""
    tools = os.path.dirname(uv.find_uv_bin())
    return {"PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{tools}:/usr/bin:/bin", **env}


def site_packages(environment: Environment) -> pathlib.Path:
    [site] = environment.path.glob("lib/python*/site-packages")
    return site


def flask_paths(environment: Environment) -> list[pathlib.Path]:
    """All paths of Flask, and of its replacement."""
    site = site_packages(environment)
    patterns = ("[fF]lask", "[fF]lask-*", "flaskfork-swap*", ".flaskfork*")
    found = [path for pattern in patterns for path in site.glob(pattern)]
    commands = [*environment.path.glob("bin/flask"), *environment.path.glob("bin/.*")]
    return found + commands


def snapshot(environment: Environment) -> dict[str, bytes]:
    """The content of all of Flask's files."""

    def walk() -> t.Iterator[pathlib.Path]:
        for path in flask_paths(environment):
            yield from [path] if path.is_file() else path.rglob("*")

    return {
        str(path.relative_to(environment.path)): path.read_bytes()
        for path in walk()
        if path.is_file()
    }
