"""An error is gone after its request, without the cyclic collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import traceback
import weakref

import flask
import pytest
from jinja2 import DictLoader
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import NotFound
from werkzeug.test import create_environ

pytest.importorskip("asgiref")


#: Seconds to wait for a thread. Once one does not end, no other is waited for.
patience = [10]


class Error(Exception):
    pass


@pytest.fixture
def errors():
    """Weak references to the errors that were raised, and to their requests."""
    return []


@pytest.fixture
def app(errors, monkeypatch):
    def follow(thing):
        errors.append(weakref.ref(thing))
        return thing

    def fail(kind=Error):
        follow(flask.request._get_current_object())
        # A function that has the error in a variable would keep it.
        raise follow(kind("on purpose"))

    app = flask.Flask(__name__)
    app.logger.disabled = True
    app.fail = fail
    app.jinja_env.globals["fail"] = fail
    app.add_url_rule("/error", "error", fail)
    app.add_url_rule("/abort", "abort", lambda: fail(NotFound))
    # What only the first call in a process keeps does not add up.
    app.ensure_sync(asyncio.sleep)(0)
    gc.collect()
    gc.disable()
    yield app
    gc.enable()


def left(app, errors, path):
    """What is left of a request that fails."""
    others = set(threading.enumerate())
    with contextlib.suppress(Exception):
        body = app.wsgi_app(create_environ(path), lambda *args: None)
        with contextlib.closing(body):
            b"".join(body)
    assert errors
    # The thread in which asgiref has run the loop is about to end.
    for thread in set(threading.enumerate()) - others:
        thread.join(patience[-1])
        if thread.is_alive():
            patience.append(0)
    return [ref() for ref in errors if ref() is not None]


@pytest.fixture(params=[False, True], autouse=True)
def propagate(request, app):
    app.config["PROPAGATE_EXCEPTIONS"] = request.param
    return request.param


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Error, "/error"),
        (Exception, "/error"),
        (500, "/error"),
        (InternalServerError, "/error"),
        (404, "/abort"),
        (NotFound, "/abort"),
        (Exception, "/abort"),
    ],
)
def test_a_handler_that_raises_the_error_again(app, errors, kind, path):
    @app.errorhandler(kind)
    def handler(error):
        raise

    assert left(app, errors, path) == []


def test_the_handler_of_a_blueprint(app, errors):
    bp = flask.Blueprint("bp", __name__)
    bp.get("/bp")(lambda: app.fail())

    @bp.errorhandler(Error)
    def handler(error):
        raise

    app.register_blueprint(bp)
    assert left(app, errors, "/bp") == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ fail() }}",
        "\n{% for n in [1] %}\n{{ fail() }}{% endfor %}",
        "{% extends 'base' %}{% block b %}{{ fail() }}{% endblock %}",
        "{% include 'failing' %}",
        "{% import 'failing' as failing with context %}",
        "{{ 1 | failing }}",
    ],
)
@pytest.mark.parametrize("render", ["render", "stream"])
def test_a_template_that_fails(app, errors, source, render):
    app.jinja_loader = DictLoader(
        {"base": "{% block b %}{% endblock %}", "failing": "{{ fail() }}", "it": source}
    )
    app.add_template_filter(lambda value: app.fail(), "failing")

    @app.get("/template")
    def template():
        if render == "render":
            return flask.render_template("it")
        return "".join(flask.stream_template("it"))

    assert left(app, errors, "/template") == []


def test_the_lines_of_the_template_are_in_the_traceback(app, errors, propagate):
    app.jinja_loader = DictLoader({"it": "\n\n{{ fail() }}"})
    found = []

    @app.errorhandler(Error)
    def handler(error):
        for entry in traceback.extract_tb(error.__traceback__):
            found.append((entry.name, entry.lineno))
        return ""

    app.get("/template")(lambda: flask.render_template("it"))
    assert left(app, errors, "/template") == []
    assert ("top-level template code", 3) in found


@pytest.mark.parametrize("site", ["view", "before", "after", "handler", "teardown"])
def test_an_async_function_that_fails(app, errors, site):
    async def fail(*args):
        await asyncio.sleep(0)
        app.fail()

    async def view():
        await asyncio.sleep(0)
        return "text"

    app.add_url_rule("/async", "async", fail if site == "view" else view)
    if site in ("before", "after"):
        getattr(app, f"{site}_request")(fail)
    elif site == "handler":
        app.errorhandler(Error)(fail)
    elif site == "teardown":
        app.teardown_request(fail)
        app.teardown_appcontext(fail)
    app.config["PROPAGATE_EXCEPTIONS"] |= site == "teardown"
    path = "/error" if site == "handler" else "/async"
    assert left(app, errors, path) == []


def test_an_async_handler_that_answers(app, errors, propagate):
    """asgiref raises the error in the event loop, where it is the current one."""
    found = []

    @app.errorhandler(Error)
    async def handler(error):
        assert sys.exc_info()[1] is error
        return "answer"

    @app.teardown_request
    async def teardown(error):
        found.append(error)

    @app.after_request
    async def after(response):
        return response

    assert left(app, errors, "/error") == []
    assert found == [None]


@pytest.mark.parametrize("kind", [Error, SystemExit, asyncio.CancelledError])
def test_an_async_function_raises_the_very_error(app, errors, kind):
    error = kind("on purpose")

    async def fail(*args, **kwargs):
        assert (args, kwargs) == ((1,), {"a": 2})
        raise error

    with pytest.raises(kind) as caught:
        app.ensure_sync(fail)(1, a=2)
    assert caught.value is error
    names = [entry.name for entry in traceback.extract_tb(error.__traceback__)]
    assert names[-1] == "fail"
    assert error.__context__ is None
    errors.append(None)


def test_the_traceback_of_the_error_that_is_handled_stays(app, errors):
    async def nothing():
        return 1

    def handling():
        try:
            raise Error
        except Error as e:
            before = traceback.extract_tb(e.__traceback__)
            app.ensure_sync(nothing)()
            return before, traceback.extract_tb(e.__traceback__)

    before, after = handling()
    assert before == after
