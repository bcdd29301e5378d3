"""Whole requests, played on applications of many configurations."""

from __future__ import annotations

import contextvars
import pathlib
import typing as t
import warnings
from random import Random

import applications
import clock
import environs
import flask
import seen

REQUESTS = 100
NAMES = list(applications.CONFIGURATIONS)
Environ = dict[str, t.Any]


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Play the requests of one application, and yield what is seen of each."""
    name = NAMES[chunk % len(NAMES)]
    clock.set_to(0)
    seen.begin(rng)
    application = applications.build(name, rng, folder)
    if rng.random() < 0.5:
        applications.connect(application.app, rng)
    try:
        for _ in range(REQUESTS):
            changed = ""
            if rng.random() < (0.3 if name == "late" else 0.04):
                changed = applications.change(application, rng)
            made = environs.environ(rng, application.paths, application.cookies)
            own = Random(rng.random())
            result = contextvars.copy_context().run(one, application, made, own)
            yield {"configuration": name, "changed": changed, **result}
            remember(application, result)
    finally:
        applications.disconnect(application.app)


def one(
    application: applications.Application, environ: Environ, rng: Random
) -> dict[str, t.Any]:
    """Play a request in a context of its own."""
    case = seen.begin(rng)
    do = {key: seen.text(environ[key]) for key in sorted(environ) if is_shown(key)}
    before = set(environ)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        got = answer(application.app, environ)
    got["contexts"] = [flask.has_request_context(), flask.has_app_context()]
    got["keys"] = sorted({*environ} ^ before)
    got["errors"] = seen.text(environ["wsgi.errors"].getvalue())
    got["warnings"] = [
        f"{each.category.__name__}: {seen.text(str(each.message))}"
        for each in warned
        if each.category is not ResourceWarning
    ]
    return {"do": do, "got": got, "events": case.events}


def is_shown(key: str) -> bool:
    return not key.startswith("wsgi.") or key == "wsgi.url_scheme"


def answer(app: t.Any, environ: Environ) -> dict[str, t.Any]:
    """Call a WSGI application and return all that a server sees."""
    got: dict[str, t.Any] = {}

    def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> t.Any:
        seen.note("start_response")
        got["status"] = status
        got["headers"] = [[name, value] for name, value in headers]

    try:
        body = app(environ, start_response)
    except BaseException as e:
        got["raised"] = seen.error(e)
        return got
    seen.note("returned")
    try:
        got["body"] = [seen.plain(chunk.decode("latin-1")) for chunk in body]
    except BaseException as e:
        got["body raised"] = seen.error(e)
    seen.note("ended")
    try:
        getattr(body, "close", lambda: None)()
    except BaseException as e:
        got["close raised"] = seen.error(e)
    return got


def remember(application: applications.Application, result: t.Any) -> None:
    """Keep the session cookies that were set, for later requests."""
    if "/static" in result["do"].get("PATH_INFO", ""):
        # The fork sets none there, and both have to send the same later.
        return
    for name, value in result["got"].get("headers", ()):
        if name == "Set-Cookie" and "Path" in value:
            application.cookies.append(value.partition(";")[0])
            del application.cookies[:-20]
