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

from forkkit.base.programs import clean_environ

HOST = "127.0.0.1"
#: Far more than any server needs on a busy machine: only one that hangs is given up.
_PATIENCE = 600.0


def free_port() -> int:
    """A port that a server can listen on, and that nobody else is given meanwhile.

    For a minute after a connection was closed from this side, programs that ask for any
    port do not get this one. A server, which sets ``SO_REUSEADDR``, can still use it.
    """
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = listener.accept()
            # The side that closes first is the one whose port is reserved.
            accepted.close()
            client.recv(1)
        return port


@contextlib.contextmanager
def serving(
    *command: str | os.PathLike[str],
    port: int,
    log: pathlib.Path,
    cwd: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
) -> t.Iterator[str]:
    """Run a server while the ``with`` block runs, and yield its address.

    :param command: the command to start it; it must serve HTTP on ``port`` of
        :data:`HOST`.
    :param log: a file for its output, which is shown if the block raises.
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
            # Its own group, so that its workers end with it.
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
        # Checked first: another program may have taken the port meanwhile.
        assert process.poll() is None, f"the server ended with {process.returncode}"
        assert time.monotonic() < deadline, f"no answer within {_PATIENCE:g} seconds"
        time.sleep(0.05)
    assert process.poll() is None, f"the server ended with {process.returncode}"


def _answers(port: int) -> bool:
    """Whether an HTTP request is answered, with any status."""
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
    """End the server and all that it started: politely at first, then for certain."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
