"""Real server processes for the tests, on free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import typing as t

from forkkit.base.venv import clean_environ

HOST = "127.0.0.1"
_PATIENCE = 600.0
#: Hold the ports that were handed out: nobody else is given one of them.
_held: list[socket.socket] = []


def free_port() -> int:
    """A port for one server of the caller's."""
    holder = socket.socket()
    holder.bind((HOST, 0))
    # From now on it is shared with who asks for this very port, as servers do.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port


@contextlib.contextmanager
def serving(
    *command: str | os.PathLike[str],
    port: int,
    log: pathlib.Path,
    cwd: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
) -> t.Iterator[str]:
    """Run a server while the ``with`` block runs, and hand over its address.

    :param command: what starts it; it must serve HTTP on ``port`` of :data:`HOST`.
    :param log: where its output goes; it is shown when the block raises.
    :raises AssertionError: it ended, or never answered; the log is shown.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd or log.parent,
            env=clean_environ(**(env or {})),
            # A group of its own, so that its workers end with it.
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port)
        yield f"http://{HOST}:{port}"
    except BaseException:
        said = log.read_text("utf-8", "replace")
        print(f"--- {log.name} ---\n{said}", file=sys.stderr)
        raise
    finally:
        _stop(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(port):
        # Asked first: the port may have gone to another program meanwhile.
        assert process.poll() is None, f"the server ended with {process.returncode}"
        assert time.monotonic() < deadline, f"no answer within {_PATIENCE:g} seconds"
        time.sleep(0.05)
    assert process.poll() is None, f"the server ended with {process.returncode}"


def _answers(port: int) -> bool:
    """Whether an HTTP request is answered, with whatever status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("HEAD", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it started: politely, then for certain."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
