"""Requests per second and their CPU time on real servers: `scripts/fork test servers`.

    scripts/fork test servers
    scripts/fork test servers -- --rounds 5 --workers 1 --servers waitress gthread

Every server is started with Flask and with the fork, and those for ASGI with FastAPI;
then they take turns under a load over loopback. The CPU time is that of all processes
of the server. The client shares the machine, so requests per second are only good for
comparing, and less telling than CPU time. Needs Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass

from forkkit.base.paths import here

from . import report
from . import workloads
from .load import load
from .load import LoadFailed
from .measure import Measured
from .report import Result
from .variants import add_options
from .variants import environment
from .variants import VARIANTS
from .workloads import Workload

HOST = "127.0.0.1"
#: Threads of each worker, where a server has them.
THREADS = 4
WARM_UP = 200
#: How long a server may take to start, in seconds.
PATIENCE = 60

_GUNICORN = (
    *("gunicorn", "--bind", f"{HOST}:{{port}}", "--workers", "{workers}"),
    *("--log-level", "warning", "--threads", "{threads}", "--worker-class"),
)
_GRANIAN = (
    *("granian", "--host", HOST, "--port", "{port}", "--workers", "{workers}"),
    *("--no-ws", "--log-level", "warning", "--interface"),
)
_WAITRESS = ("waitress-serve", f"--listen={HOST}:{{port}}", "--threads={threads}")
_UVICORN = ("uvicorn", "--host", HOST, "--port", "{port}", "--workers", "{workers}")
_APP = "speed.served:app"


@dataclass(frozen=True)
class Server:
    """A way to serve an application.

    :param name: what it is called on the command line and in the results.
    :param requires: what is installed for it.
    :param command: how it is started, as a format of port, workers and threads.
    :param is_asgi: whether it is for ASGI.
    :param has_workers: whether it can have more than one worker.
    """

    name: str
    requires: tuple[str, ...]
    command: tuple[str, ...]
    is_asgi: bool = False
    has_workers: bool = True

    @property
    def variants(self) -> tuple[str, ...]:
        return ("FastAPI",) if self.is_asgi else ("Flask", "fork")


SERVERS = {
    server.name: server
    for server in (
        Server("sync", ("gunicorn",), (*_GUNICORN, "sync", _APP)),
        Server("gthread", ("gunicorn",), (*_GUNICORN, "gthread", _APP)),
        Server("gevent", ("gunicorn[gevent]",), (*_GUNICORN, "gevent", _APP)),
        Server("waitress", ("waitress",), (*_WAITRESS, _APP), has_workers=False),
        Server("granian", ("granian",), (*_GRANIAN, "wsgi", _APP)),
        Server(
            "uvicorn",
            ("uvicorn[standard]",),
            (*_UVICORN, "--no-access-log", "--log-level", "warning", _APP),
            is_asgi=True,
        ),
        Server("granian-asgi", ("granian",), (*_GRANIAN, "asgi", _APP), is_asgi=True),
    )
}


@dataclass(frozen=True)
class Running:
    """A server process, and the port that it listens on."""

    server: Server
    measured: Measured
    process: subprocess.Popen[bytes]
    port: int

    def turn(self, workload: Workload, count: int) -> tuple[float, float]:
        """The wall and the CPU time of a request, in microseconds.

        :raises LoadFailed: an answer is wrong, or does not come.
        """
        before = cpu_seconds(self.process.pid)
        try:
            seconds = load((HOST, self.port), workload, count)
        except (LoadFailed, OSError) as error:
            where = f"{self.measured.name} on {self.server.name}"
            raise LoadFailed(f"{where}: {error}") from error
        spent = cpu_seconds(self.process.pid) - before
        return 1e6 * seconds / count, 1e6 * spent / count


def cpu_seconds(session: int) -> float:
    """What all processes of a session have spent so far."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        # A process may have ended meanwhile.
        with contextlib.suppress(OSError):
            # The name before the last parenthesis can contain anything.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(
    server: Server, measured: Measured, workload: Workload, workers: int
) -> t.Iterator[Running]:
    """Run a server while the ``with`` block runs.

    :raises LoadFailed: it ends, or does not begin to listen; the error has its output.
    """
    port = free_port()
    values = {"port": port, "workers": workers, "threads": THREADS}
    program, *words = (word.format(**values) for word in server.command)
    if "sync" in words:
        # With threads, gunicorn would choose another class for it.
        words[words.index("--threads") + 1] = "1"
    apps = {"SPEED_MODULE": measured.variant.module, "SPEED_WORKLOAD": workload.name}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(measured.environment.program(program)), *words],
            env={**measured.env, **apps},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(process, port, log)
            yield Running(server, measured, process, port)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers, which are all of its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_for(process: subprocess.Popen[bytes], port: int, log: t.IO[bytes]) -> None:
    """Wait until something listens on the port.

    :raises LoadFailed: the process ends, or does not listen in time.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, port), timeout=1).close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise LoadFailed(f"{process.args!r}: {log.read().decode()}")
        time.sleep(0.05)


def measure(
    installed: t.Sequence[tuple[Server, Measured]],
    workload: Workload,
    workers: int,
    rounds: int,
    count: int,
) -> list[Result]:
    """The CPU time and the wall time of a request on each server.

    :raises LoadFailed: a server does not start, or an answer is wrong.
    """
    turns: dict[tuple[str, str], dict[str, list[float]]] = {}
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(running(server, measured, workload, workers))
            for server, measured in installed
            if server.has_workers or workers == 1
        ]
        for one in started:
            one.turn(workload, WARM_UP)
        for _ in range(rounds):
            for one in started:
                both = one.turn(workload, count)
                name = f"{workload.name}, {one.server.name}, {workers}"
                for unit, value in zip(("wall us", "CPU us"), both):
                    values = turns.setdefault((name, unit), {})
                    values.setdefault(one.measured.name, []).append(value)
    return [Result(name, unit, values) for (name, unit), values in turns.items()]


def per_second(results: t.Sequence[Result]) -> str:
    """A table of the requests per second in the best round, from wall times."""
    names = [*dict.fromkeys(name for result in results for name in result.values)]
    rows = [["requests per second", *names]]
    for result in results:
        ratios = {name: f" {x.minima:.2f}x" for name, x in result.ratios.items()}
        cells = {
            name: f"{1e6 / min(values):.0f}{ratios.get(name, '')}"
            for name, values in result.values.items()
        }
        rows.append([result.name, *(cells.get(name, "-") for name in names)])
    return report.table(rows)


def options(args: t.Sequence[str]) -> argparse.Namespace:
    """The options of a command line; one that is wrong ends the program."""
    parser = argparse.ArgumentParser(
        prog="scripts/fork test servers --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=7, help="how often each server has a turn")
    add("--requests", type=int, default=3000, help="how many there are in a turn")
    add("--servers", nargs="+", default=[], help=", ".join(SERVERS))
    add("--workloads", nargs="+", default=["hello", "json"], metavar="WORKLOAD")
    add("--workers", nargs="+", type=int, default=[1, 2], help="how many processes")
    add_options(parser, here())
    add("--json", type=pathlib.Path, default=here().root / "build" / "servers.json")
    chosen = parser.parse_args(args)
    try:
        chosen.workloads = workloads.chosen(chosen.workloads)
        chosen.servers = workloads.pick("server", chosen.servers, SERVERS) or [*SERVERS]
    except workloads.UnknownName as error:
        parser.error(str(error))
    return chosen


def main(args: t.Sequence[str]) -> None:
    """Measure, print tables, and write them as JSON."""
    chosen = options(args)
    project = here()
    # One environment for each framework: a server that is not used costs nothing.
    requires = sorted({x for name in chosen.servers for x in SERVERS[name].requires})
    needed = dict.fromkeys(x for n in chosen.servers for x in SERVERS[n].variants)
    variants = {
        name: Measured(
            VARIANTS[name],
            environment(
                project, VARIANTS[name], chosen.wheels, chosen.python, *requires
            ),
        )
        for name in needed
    }
    installed = [
        (SERVERS[server], variants[variant])
        for server in chosen.servers
        for variant in SERVERS[server].variants
    ]
    results: list[Result] = []
    for workers in chosen.workers:
        for workload in chosen.workloads:
            found = (installed, workload, workers, chosen.rounds, chosen.requests)
            results += measure(*found)
            print(f"{workload.name}, {workers} workers: measured", file=sys.stderr)
    wall, cpu = ([x for x in results if x.unit == u] for u in ("wall us", "CPU us"))
    print(per_second(wall))
    print(report.tables(cpu))
    report.write(chosen.json, results, rounds=chosen.rounds, requests=chosen.requests)
    print(f"{chosen.json}: written")


if __name__ == "__main__":
    main(sys.argv[1:])
