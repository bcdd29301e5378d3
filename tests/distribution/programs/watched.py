"""Serves the shop to a visitor while a monitoring tool looks on.

    python watched.py TOOL STEP...

A step is ``start`` or ``attach``, functions of the tool's module, or the name of a
module to import. Prints, as JSON, what the visitor and the application's own receivers
got, and what the tool recorded.
"""

from __future__ import annotations

import http.client
import importlib
import json
import sys
import threading
import typing as t

VISITS = [
    ("GET", "/"),
    ("GET", "/article/3"),
    ("POST", "/article/3"),
    ("DELETE", "/article/3"),
    ("GET", "/terms"),
    ("GET", "/basket/"),
    ("GET", "/basket/order"),
    ("GET", "/broken"),
    ("GET", "/stream?part=a"),
    ("GET", "/static/none.css"),
    ("GET", "/nowhere"),
]


def main(tool: t.Any, *steps: str) -> None:
    for step in steps:
        if step in {"start", "attach"}:
            getattr(tool, step)()
        else:
            importlib.import_module(step)
    tool.watch()

    # Only now, since the caller decides what comes first.
    import shop

    seen = serve(shop.app)
    print(json.dumps({"seen": seen, "told": shop.told, "recorded": tool.recorded()}))


def serve(app: t.Any) -> list[t.Any]:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        return [visit(server.port, *one) for one in VISITS]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def visit(port: int, method: str, path: str) -> list[t.Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request(method, path, headers={"User-Agent": "visitor"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return [path, answer.status, answer.headers.get("X-Shop"), body]


if __name__ == "__main__":
    main(importlib.import_module(f"with_{sys.argv[1]}"), *sys.argv[2:])
