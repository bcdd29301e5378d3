"""``flask`` is the fork in a process, no matter how it is started."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import time
import typing as t
import urllib.request

import pytest

import servers
from forkkit.base import venv
from forkkit.base.venv import Environment

# Each case starts interpreters or servers, some of them many times.
pytestmark = pytest.mark.sampled

PROGRAMS = pathlib.Path(__file__).with_name("programs")
# With the shared GIL, since MarkupSafe's C part does not support a separate one.
OTHER_INTERPRETER = """
import sys
if BEFORE:
    import same
    same.check()
code = "import sys; sys.path.insert(0, '.'); import same; assert same.check()"
if sys.version_info >= (3, 13):
    import _interpreters
    interpreter = _interpreters.create("legacy")
    failed = _interpreters.exec(interpreter, code)
    _interpreters.destroy(interpreter)
else:
    import _xxsubinterpreters as _interpreters
    options = {} if sys.version_info < (3, 10) else {"isolated": False}
    interpreter = _interpreters.create(**options)
    failed = _interpreters.run_string(interpreter, code)
    _interpreters.destroy(interpreter)
assert failed is None, failed
"""
POOLS = """
import concurrent.futures
import multiprocessing
import sys

import flask.views
import same

method = sys.argv[1]
context = multiprocessing.get_context(method)
with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
    assert pool.submit(same.check).result(600) == "flaskfork.views"
    # Pickled by name, there and back.
    for one in flask.Flask, flask.views.MethodView, flask.json.dumps, flask.jsonify:
        assert pool.submit(getattr, one, "__wrapped__", one).result(600) is one
"""


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    return venv.create(
        tmp_path_factory.mktemp("start-up") / "venv",
        *(fork_wheel, shim_wheel),
        *("gevent", "gunicorn", "pytest", "pytest-cov", "pytest-xdist"),
    )


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder with the program, for a process to start in."""
    shutil.copy(PROGRAMS / "same.py", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        ["-I"],
        ["-OO"],
        ["-X", "dev"],
        ["-X", "importtime"],
        ["-m", "pdb", "-c", "continue", "-c", "quit"],
        ["-m", "gevent.monkey"],
    ],
    ids=" ".join,
)
def test_options_of_python(
    environment: Environment, folder: pathlib.Path, options: list[str]
) -> None:
    done = environment.run("-W", "error", *options, folder / "same.py", cwd=folder)
    assert "flaskfork.views" in done.stdout


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_other_processes(
    environment: Environment, folder: pathlib.Path, method: str
) -> None:
    # Not with -c: with two of the methods, the other process reads the program again.
    program = folder / "pools.py"
    body = POOLS.partition("\nmethod")
    main = "".join(body[1:]).replace("\n", "\n    ")
    program.write_text(f"{body[0]}\nif __name__ == '__main__':{main}", "utf-8")
    environment.run(program, method, cwd=folder)


@pytest.mark.parametrize("before", [False, True])
def test_another_interpreter_in_the_process(
    environment: Environment, folder: pathlib.Path, before: bool
) -> None:
    code = OTHER_INTERPRETER.replace("BEFORE", str(before))
    environment.run("-c", code, cwd=folder)


def ask(address: str) -> t.Any:
    with urllib.request.urlopen(f"{address}/") as answer:
        return json.load(answer)


def ask_until(address: str, is_it: t.Callable[[t.Any], bool]) -> t.Any:
    """Ask repeatedly, until a server has restarted."""
    deadline = time.monotonic() + 600
    while True:
        try:
            if is_it(answer := ask(address)):
                return answer
        except OSError:
            answer = "none"
        assert time.monotonic() < deadline, f"the last answer: {answer}"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "options",
    [["--worker-class=gthread"], ["--worker-class=gevent", "--preload"]],
    ids=" ".join,
)
def test_workers_of_gunicorn(
    environment: Environment, folder: pathlib.Path, options: list[str]
) -> None:
    port = servers.free_port()
    with servers.serving(
        *(environment.program("gunicorn"), "same:app", *options),
        *("--bind", f"{servers.HOST}:{port}", "--pid", folder / "pid"),
        port=port,
        log=folder / "log",
    ) as address:
        name, first, patched = ask(address)
        assert name == "flaskfork.views"
        assert patched is ("--preload" in options)
        os.kill(int((folder / "pid").read_text()), signal.SIGHUP)
        again = ask_until(address, lambda answer: answer[1] != first)
        assert again[::2] == [name, patched]


def test_reloader(environment: Environment, folder: pathlib.Path) -> None:
    port = servers.free_port()
    command = [environment.program("flask"), "--app", "same", "run", "--debug"]
    with servers.serving(
        *(*command, "--port", str(port)), port=port, log=folder / "log"
    ) as address:
        name, first, _ = ask(address)
        assert name == "flaskfork.views"
        program = folder / "same.py"
        text = program.read_text("utf-8").replace("[check(),", "['anew', check(),")
        changed = folder / "changed"
        changed.write_text(text, "utf-8")
        changed.replace(program)

        def is_anew(answer: t.Any) -> bool:
            # The reloader may not have been watching yet at the first change.
            os.utime(program)
            return bool(answer[0] == "anew")

        again = ask_until(address, is_anew)
        assert again[1] == name
        assert again[2] != first


@pytest.mark.parametrize("workers", ["0", "1"])
def test_coverage_of_what_is_imported_as_flask(
    environment: Environment, folder: pathlib.Path, workers: str
) -> None:
    (folder / "test_it.py").write_text(
        "import flask.views\n"
        "def test_it():\n"
        "    assert flask.Flask('x').test_client().get('/').status_code == 404\n"
    )
    said = environment.run(
        *("-m", "pytest", "-q", "-n", workers, "--cov=flaskfork"),
        *("-p", "no:cacheprovider"),
        cwd=folder,
    ).stdout
    assert "1 passed" in said
    rows = re.findall(r"/(flaskfork/\S+\.py) +(\d+) +(\d+) ", said)
    reached = {file: int(lines) - int(left) for file, lines, left in rows}
    for file in ["app.py", "sansio/app.py", "templating.py", "testing.py", "views.py"]:
        assert reached[f"flaskfork/{file}"] > 10, file
