"""An application that streams, and counts what it opens, closes and finds left over."""

from __future__ import annotations

import collections
import sqlite3
import typing as t

import flask
from flask import g
from flask import request

app = flask.Flask(__name__)
count: collections.Counter[str] = collections.Counter()
wsgi_app = app.wsgi_app


def watch(environ: t.Any, start_response: t.Any) -> t.Any:
    if flask.has_app_context() or flask.has_request_context():
        count["left behind"] += 1
    return wsgi_app(environ, start_response)


app.wsgi_app = watch


def get_db() -> sqlite3.Connection:
    if "db" not in g:
        # Servers may close a stream in any thread.
        g.db = sqlite3.connect(":memory:", check_same_thread=False)
        count["opened"] += 1
    return g.db


@app.teardown_appcontext
def close_db(error: BaseException | None) -> None:
    count["app torn down"] += 1
    if (db := g.pop("db", None)) is not None:
        db.close()
        count["closed"] += 1


@app.teardown_request
def leave(error: BaseException | None) -> None:
    count["request torn down"] += 1


@app.before_request
def enter() -> None:
    count["requests"] += 1
    if "user" in g:
        count["another's g"] += 1


@app.get("/")
def index() -> str:
    return "nobody"


@app.get("/counts")
def counts() -> dict[str, int]:
    return count


def rows(user: str) -> t.Iterator[str]:
    try:
        for n in range(100):
            [row] = get_db().execute("select ?", [f"{user} {n} ".ljust(16_000, ".")])
            if not g.user == request.args["user"] == user:
                count["another's g"] += 1
            yield row[0]
    finally:
        count["ended"] += 1
        if g.user != user:
            count["another's g"] += 1


@app.get("/rows")
def stream() -> flask.Response:
    g.user = request.args["user"]
    get_db()
    return flask.Response(flask.stream_with_context(rows(g.user)))


@app.get("/async")
async def async_stream() -> flask.Response:
    return stream()
