"""Servers, and clients that disconnect in the middle of a stream."""

from __future__ import annotations

import asyncio
import json
import pathlib
import random
import shutil
import socket
import struct
import time
import urllib.request

import pytest

import servers
from forkkit.base import venv
from forkkit.base.venv import Environment

# A thousand clients connect to each of six servers.
pytestmark = pytest.mark.sampled

PROGRAM = pathlib.Path(__file__).with_name("programs") / "streaming.py"
STREAMS = 1000
AT_ONCE = 20

A2WSGI = "from a2wsgi import WSGIMiddleware as Bridge"
ASGIREF = "from asgiref.wsgi import WsgiToAsgi as Bridge"
SERVERS = {
    "gunicorn-sync": "gunicorn streaming:app -b {at} --worker-class sync",
    "gunicorn-gthread": "gunicorn streaming:app -b {at} --worker-class gthread",
    "gunicorn-gevent": "gunicorn streaming:app -b {at} --worker-class gevent",
    "waitress": "waitress-serve --listen {at} streaming:app",
    "uvicorn-a2wsgi": "uvicorn bridge:app --host {host} --port {port}",
    "uvicorn-asgiref": "uvicorn bridge:app --host {host} --port {port}",
}


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    return venv.create(
        tmp_path_factory.mktemp("streaming") / "venv",
        *(fork_wheel, shim_wheel),
        *("asgiref", "a2wsgi", "gunicorn[gevent]", "uvicorn", "waitress"),
    )


@pytest.mark.parametrize("server", SERVERS)
def test_clients_that_leave(
    environment: Environment, tmp_path: pathlib.Path, server: str
) -> None:
    shutil.copy(PROGRAM, tmp_path)
    bridge = ASGIREF if server.endswith("asgiref") else A2WSGI
    tmp_path.joinpath("bridge.py").write_text(
        f"import streaming\n{bridge}\napp = Bridge(streaming.app)\n"
    )
    port = servers.free_port()
    values = {"host": servers.HOST, "port": port, "at": f"{servers.HOST}:{port}"}
    name, *options = SERVERS[server].format(**values).split()
    with servers.serving(
        *(environment.program(name), *options),
        port=port,
        log=tmp_path / "log",
        env={"PYTHONPATH": str(tmp_path)},
    ) as address:
        # Greenlets share a thread, and asgiref needs one per event loop.
        paths = ["/rows"] if server.endswith("gevent") else ["/rows", "/async"]
        whole = asyncio.run(visit(port, paths))
        assert 0 < whole < STREAMS
        found = settled(f"{address}/counts")
    assert found["opened"] == found["closed"] == found["ended"] == STREAMS
    # The request for the counts is not torn down yet when it is answered.
    torn_down = {found["request torn down"], found["app torn down"]}
    assert torn_down == {found["requests"] - 1}
    assert found.keys().isdisjoint({"left behind", "another's g"})
    assert "Traceback" not in said_by_flask(tmp_path / "log")


async def visit(port: int, paths: list[str]) -> int:
    """Open all streams, and abandon most; return how many were read to the end."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> bool:
        async with free:
            return await read(port, paths[number % len(paths)], number)

    return sum(await asyncio.gather(*map(one, range(STREAMS))))


async def read(port: int, path: str, number: int) -> bool:
    """Read a stream for a while, or to its end.

    :param number: the user's number.
    :return: whether it was read to the end.
    """
    chance = random.Random(number)
    reader, writer = await asyncio.open_connection(servers.HOST, port)
    writer.write(
        f"GET {path}?user={number} HTTP/1.1\r\nHost: here\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    whole = chance.random() < 0.1
    if whole:
        body = (await reader.read(-1)).decode()
        assert f"{number} 99 ." in body
        assert all(f"{number} {n} ." in body for n in range(100))
    else:
        await reader.readexactly(chance.choice([1, 300, 20_000, 200_000]))
        if chance.random() < 0.5:
            # A reset instead of an orderly end.
            connection = writer.get_extra_info("socket")
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    return whole


def settled(url: str) -> dict[str, int]:
    """The counts, once every request but the one for the counts is torn down.

    After ten minutes, they are returned anyway, so that the test says what is missing.
    """
    deadline = time.monotonic() + 600
    while True:
        with urllib.request.urlopen(url) as answer:
            found: dict[str, int] = json.load(answer)
        ends = [found.get(name, 0) for name in ("closed", "ended")]
        downs = [found.get(f"{name} torn down", 0) for name in ("request", "app")]
        if min(*ends) >= STREAMS and min(downs) >= found["requests"] - 1:
            return found
        if time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def said_by_flask(log: pathlib.Path) -> str:
    """The log's lines about errors in the application, not about lost connections."""
    lines = log.read_text("utf-8", "replace").split("\n")
    return "\n".join(line for line in lines if "flaskfork" in line)
