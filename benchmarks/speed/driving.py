"""Requests to an application in this process, as a server would make them.

Nothing is sent over a socket, and all requests to an ASGI application are made on one
event loop, so that the frameworks are compared and not their servers.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import typing as t

from .workloads import Workload

#: What a browser sends.
HEADERS = {
    "Host": "shop.example",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Connection": "keep-alive",
}
CLIENT, SERVER = ("127.0.0.1", 50123), ("127.0.0.1", 8000)


class Answer(t.NamedTuple):
    """What an application answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def cookies(self) -> str:
        """The cookies that it set, as the next request sends them."""
        values = [v for name, v in self.headers if name.lower() == "set-cookie"]
        return "; ".join(value.partition(";")[0] for value in values)


class Driver(t.Protocol):
    """Makes the request of a workload."""

    def run(self, count: int) -> Answer:
        """Make it ``count`` times, and return the last answer."""

    def close(self) -> None:
        """Release what it holds; it cannot be used any more."""


def request_headers(workload: Workload, cookies: str = "") -> dict[str, str]:
    """All headers of the request."""
    headers = dict(HEADERS)
    if cookies:
        headers["Cookie"] = cookies
    if workload.body:
        headers["Content-Type"] = workload.content_type
        headers["Content-Length"] = str(len(workload.body))
    return headers


class OverWsgi:
    """A driver for a WSGI application."""

    def __init__(self, app: t.Any, workload: Workload, cookies: str = "") -> None:
        self.app = app
        self.body = workload.body
        headers = {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in request_headers(workload, cookies).items()
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            headers[name] = headers.pop(f"HTTP_{name}", "")
        self.environ = {
            "REQUEST_METHOD": workload.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": workload.path,
            "QUERY_STRING": workload.query,
            "RAW_URI": workload.path,
            "SERVER_NAME": SERVER[0],
            "SERVER_PORT": str(SERVER[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": CLIENT[0],
            "REMOTE_PORT": str(CLIENT[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **headers,
        }

    def run(self, count: int) -> Answer:
        app, environ, body = self.app, self.environ, self.body
        given: t.Any = None

        def start_response(status: str, headers: t.Any, error: t.Any = None) -> None:
            nonlocal given
            given = status, headers

        for _ in range(count):
            chunks = app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
            sent = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = given
        return Answer(int(status.partition(" ")[0]), headers, sent)

    def close(self) -> None:
        """Nothing is held."""


class OverAsgi:
    """A driver for an ASGI application."""

    def __init__(self, app: t.Any, workload: Workload, cookies: str = "") -> None:
        self.app = app
        self.body = workload.body
        self.loop = asyncio.new_event_loop()
        headers = request_headers(workload, cookies).items()
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": workload.method,
            "scheme": "http",
            "path": workload.path,
            "raw_path": workload.path.encode(),
            "query_string": workload.query.encode(),
            "root_path": "",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers],
            "client": CLIENT,
            "server": SERVER,
        }

    def run(self, count: int) -> Answer:
        return self.loop.run_until_complete(self._requests(count))

    def close(self) -> None:
        self.loop.close()

    async def _requests(self, count: int) -> Answer:
        app, scope = self.app, self.scope
        for _ in range(count):
            exchange = Exchange(self.body)
            made = {**scope, "headers": [*self.scope["headers"]], "state": {}}
            await app(made, exchange.receive, exchange.send)
        return exchange.answer()


class Exchange:
    """One request to an ASGI application, whose client then waits for the answer."""

    def __init__(self, body: bytes) -> None:
        self.body: bytes | None = body
        self.sent: list[t.Any] = []

    async def receive(self) -> t.Any:
        if self.body is None:
            # The client stays: whoever asks whether it left has to be cancelled.
            await asyncio.get_running_loop().create_future()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: t.Any) -> None:
        self.sent.append(message)

    def answer(self) -> Answer:
        start, *chunks = self.sent
        headers = [(k.decode(), v.decode()) for k, v in start.get("headers", ())]
        body = b"".join(chunk.get("body", b"") for chunk in chunks)
        return Answer(start["status"], headers, body)


def driver(apps: t.Any, workload: Workload) -> Driver | None:
    """A driver whose first answers are right, or ``None`` if there is no application.

    :param apps: a module of :mod:`speed.apps`.
    :raises WrongAnswer: an answer is not the one of the workload.
    """
    kind: type[OverWsgi] | type[OverAsgi] = OverWsgi
    make = apps.WSGI.get(workload.name)
    if make is None:
        kind, make = OverAsgi, apps.ASGI.get(workload.name)
    if make is None:
        return None
    app = make()
    cookies = ""
    if workload.cookie:
        with contextlib.closing(kind(app, workload)) as first:
            cookies = first.run(1).cookies
    made = kind(app, workload, cookies)
    for _ in range(2):
        if problem := workload.problem(*made.run(1)):
            raise WrongAnswer(problem)
    return made


class WrongAnswer(Exception):
    """An application does not answer what its workload asks for."""
