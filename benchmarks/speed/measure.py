"""CPU time, measured in rounds in which each variant has one turn after the other.

Wall times lie on a machine that does other things, and so do two runs one after the
other. CPU time of variants that take turns within one run is comparable.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import resource
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass

from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment

from .report import COUNTED
from .report import Result
from .variants import Variant
from .workloads import FILES
from .workloads import Workload

BENCHMARKS = pathlib.Path(__file__).parents[1]
#: Requests before the first that counts, and the CPU time of a turn.
WARM_UP, SECONDS = 60, 0.04
#: For the garbage of a request.
CYCLES = 200

_APP = f"""
app = flask.Flask("shop", root_path={str(FILES)!r})
app.secret_key = "key"
app.get("/")(lambda: "Hello")
environ = {{
    "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "shop.example",
    "SERVER_PORT": "80", "wsgi.url_scheme": "http",
}}
assert b"".join(app(environ, lambda status, headers: None)) == b"Hello"
"""
_TIMED = (
    "import time; before = time.process_time()\n{}\nprint(time.process_time() - before)"
)
#: Programs that print the CPU seconds of a fresh process, without those of Python.
_START = {"import flask": "import flask", "first response": "import flask" + _APP}
_MEMORY = """
import flask
[line] = [x for x in open("/proc/self/status") if x.startswith("VmRSS")]
print(line.split()[1])
"""


@dataclass
class Measured:
    """A variant that is installed.

    :param variant: what it is.
    :param environment: where it is installed.
    """

    variant: Variant
    environment: Environment

    @property
    def name(self) -> str:
        return self.variant.name

    @property
    def env(self) -> dict[str, str]:
        """The variables of its processes."""
        return clean_environ(PYTHONPATH=str(BENCHMARKS), **self.variant.env)


class WorkerFailed(Exception):
    """A worker ended, or what it answers is wrong; the error has what it said."""


class Worker:
    """A process of one variant that makes requests for as long as it is told to."""

    def __init__(self, measured: Measured, log: t.IO[str]) -> None:
        self.name = measured.name
        self.log = log
        python = str(measured.environment.python)
        self.process = subprocess.Popen(
            [python, "-m", "speed.worker", measured.variant.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=measured.env,
        )

    def ask(self, command: str, argument: t.Any) -> t.Any:
        """Give it a command, and return the result.

        :raises WorkerFailed: it ended instead.
        """
        commands = t.cast(t.IO[str], self.process.stdin)
        with contextlib.suppress(BrokenPipeError):
            commands.write(json.dumps([command, argument]) + "\n")
            commands.flush()
        line = t.cast(t.IO[str], self.process.stdout).readline()
        if not line:
            self.log.seek(0)
            raise WorkerFailed(f"{self.name}, {command} {argument}: {self.log.read()}")
        return json.loads(line)

    def close(self) -> None:
        self.process.communicate()


@contextlib.contextmanager
def workers(variants: t.Sequence[Measured]) -> t.Iterator[list[Worker]]:
    """A worker of each variant, until the ``with`` block ends."""
    with contextlib.ExitStack() as stack:
        started = []
        for measured in variants:
            log = stack.enter_context(tempfile.TemporaryFile("w+"))
            started.append(Worker(measured, log))
            stack.callback(started[-1].close)
        yield started


def requests(started: t.Sequence[Worker], workload: Workload, rounds: int) -> Result:
    """The microseconds of a request, for each variant that can do the workload.

    :raises WorkerFailed: an answer is wrong, so that there is nothing to compare.
    """
    able = [worker for worker in started if worker.ask("prepare", workload.name)]
    counts = {worker.name: _count(worker) for worker in able}
    values: dict[str, list[float]] = {worker.name: [] for worker in able}
    for _ in range(rounds):
        for worker in able:
            count = counts[worker.name]
            seconds = worker.ask("run", count)
            values[worker.name].append(1e6 * seconds / count)
    return Result(workload.name, "us", values)


def _count(worker: Worker) -> int:
    """How many requests fit into a turn."""
    worker.ask("run", WARM_UP)
    return max(int(SECONDS * WARM_UP / worker.ask("run", WARM_UP)), 5)


def garbage(started: t.Sequence[Worker], workload: Workload) -> Result:
    """The objects that a request leaves to the cyclic garbage collector."""
    able = [worker for worker in started if worker.ask("prepare", workload.name)]
    values = {worker.name: [worker.ask("cycles", CYCLES)] for worker in able}
    return Result(f"garbage of {workload.name}", COUNTED, values)


def start_up(variants: t.Sequence[Measured], rounds: int) -> list[Result]:
    """What a fresh process costs: CPU time, and memory after the import."""
    programs: dict[tuple[str, str], t.Callable[[Measured], float]] = {
        (name, "ms"): lambda x, code=code: 1e3 * printed(x, _TIMED.format(code))  # type: ignore[misc]
        for name, code in _START.items()
    }
    programs["flask --version", "ms"] = lambda x: 1e3 * version_command(x)
    programs["memory after import", "MiB"] = lambda x: printed(x, _MEMORY) / 1024
    results = []
    for (name, unit), program in programs.items():
        for measured in variants:
            # So that there is bytecode of all that is imported.
            program(measured)
        values: dict[str, list[float]] = {measured.name: [] for measured in variants}
        for _ in range(rounds):
            for measured in variants:
                values[measured.name].append(program(measured))
        results.append(Result(name, unit, values))
    return results


def printed(measured: Measured, code: str) -> float:
    """The figure that a program prints."""
    return float(measured.environment.evaluate(code, env=measured.variant.env))


def version_command(measured: Measured) -> float:
    """The CPU seconds of `flask --version`, all of the process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(measured.environment.program("flask")), "--version"]
    subprocess.run(command, env=measured.env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
