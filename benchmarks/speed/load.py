"""A client that keeps a server busy over a few connections, and checks every answer.

Load generators with their own programs are not among Python's packages, and those that
are written in Python take several times the CPU time of the server, which has to share
the machine with them. This one does nothing but send, read and compare.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
import typing as t

from .driving import request_headers
from .workloads import Workload

CONNECTIONS = 8
#: Seconds without any answer, after which a server is given up.
PATIENCE = 30
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CLOSE = re.compile(rb"(?i)\r\nconnection: *close")


class LoadFailed(Exception):
    """A server did not answer, or not what it had to; the error has what it said."""


def load(address: tuple[str, int], workload: Workload, count: int) -> float:
    """The seconds of wall time in which ``count`` requests are answered.

    :raises LoadFailed: an answer is wrong, or does not come.
    """
    started = time.perf_counter()
    with selectors.DefaultSelector() as waiting:
        client = _Client(address, workload, count, waiting)
        try:
            for _ in range(CONNECTIONS):
                client.begin(None)
            while waiting.get_map():
                ready = waiting.select(timeout=PATIENCE)
                if not ready:
                    raise LoadFailed(f"no answer within {PATIENCE} seconds")
                for key, _ in ready:
                    client.read(key)
        finally:
            for key in [*waiting.get_map().values()]:
                client.close(key.fileobj)
    return time.perf_counter() - started


class _Client:
    def __init__(
        self,
        address: tuple[str, int],
        workload: Workload,
        count: int,
        waiting: selectors.BaseSelector,
    ) -> None:
        self.address = address
        self.workload = workload
        self.left = count
        self.waiting = waiting
        path = f"{workload.path}?{workload.query}".rstrip("?")
        headers = "".join(f"{k}: {v}\r\n" for k, v in request_headers(workload).items())
        start = f"{workload.method} {path} HTTP/1.1\r\n{headers}\r\n"
        self.request = start.encode() + workload.body

    def begin(self, kept: t.Any) -> None:
        """Send a request if one is left, over a new connection if none is kept."""
        if not self.left:
            if kept:
                self.close(kept)
            return
        self.left -= 1
        connection = kept or socket.create_connection(self.address, timeout=PATIENCE)
        if not kept:
            self.waiting.register(connection, selectors.EVENT_READ, bytearray())
        connection.sendall(self.request)

    def close(self, connection: t.Any) -> None:
        self.waiting.unregister(connection)
        connection.close()

    def read(self, key: selectors.SelectorKey) -> None:
        """Take what came; if it completes an answer, check it and send a request."""
        connection: t.Any = key.fileobj
        received = connection.recv(65536)
        key.data.extend(received)
        head, end, body = bytes(key.data).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or not length or len(body) < int(length[1]):
            if not received:
                raise LoadFailed(f"the answer ends early: {bytes(key.data)!r}")
            return
        status = int(head.split(None, 2)[1])
        if problem := self.workload.problem(status, [], body):
            raise LoadFailed(problem)
        key.data.clear()
        if _CLOSE.search(head):
            self.close(connection)
            connection = None
        self.begin(connection)
