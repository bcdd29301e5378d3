"""Contexts take fewer steps, and are pushed and popped the same."""

from __future__ import annotations

import sys
from functools import partialmethod

import flask
import pytest
from flask import signals
from flask.globals import _cv_app
from flask.globals import _cv_request
from werkzeug.datastructures import FileStorage
from werkzeug.routing import BaseConverter
from werkzeug.routing import MapAdapter
from werkzeug.routing import ValidationError

from counting import saved

PROGRAM = """
import flask
app = flask.Flask(__name__)
app.add_url_rule("/a/<int:b>", "view", lambda b: "text")
environ = app.test_request_context("/a/7").request.environ

def act():
    with app.request_context(environ):
        pass
"""


@pytest.fixture(autouse=True)
def nothing_is_left():
    """What a test leaves pushed is gone after it."""
    yield
    for variable in (_cv_request, _cv_app):
        while ctx := variable.get(None):
            token = ctx._cv_tokens.pop()
            variable.reset(token[0] if isinstance(token, tuple) else token)


@pytest.fixture
def app():
    app = flask.Flask("application")
    app.add_url_rule("/", "view", lambda: "text")
    return app


def test_fewer_steps():
    assert saved(PROGRAM, "contexts") > 0.05


def raising(*errors):
    """Functions that raise each of some errors, and remember with what they ran."""

    def function(error):
        def raises(exc=None):
            seen.append(
                (type(exc), bool(_cv_request.get(None)), bool(_cv_app.get(None)))
            )
            raise error

        return raises

    seen = []
    return [function(error) for error in errors], seen


@pytest.mark.parametrize("exc", [None, ValueError("with")])
def test_an_error_of_one_teardown(app, exc):
    app.teardown_request_funcs[None], seen = raising(OSError("request"))
    ctx = app.test_request_context()
    ctx.push()
    with pytest.raises(OSError, match="request"):
        ctx.pop(exc)
    assert seen == [(type(exc), True, True)]
    assert not _cv_request.get(None)
    assert not _cv_app.get(None)
    assert ctx._cv_tokens == []
    assert ctx.request.environ["werkzeug.request"] is None


def test_errors_of_every_step(app):
    """All run, and all are raised."""
    app.teardown_request_funcs[None], first = raising(OSError("request"))
    app.teardown_appcontext_funcs, second = raising(KeyError("app"))
    ctx = app.test_request_context()
    ctx.push()
    [ctx.request.close], third = raising(ValueError("close"))

    def popped(*args, **kwargs):
        raise TypeError("popped")

    with signals.appcontext_popped.connected_to(popped):
        with pytest.raises(BaseException) as caught:  # noqa: PT011
            ctx.pop()
    assert [len(first), len(second), len(third)] == [1, 1, 1]
    error = caught.value
    if sys.version_info >= (3, 11):
        assert [type(e) for e in error.exceptions[:2]] == [OSError, ValueError]
        assert [type(e) for e in error.exceptions[2].exceptions] == [
            KeyError,
            TypeError,
        ]
    else:
        assert type(error) is OSError
        text = "".join(error.__notes__)
        assert all(name in text for name in ("ValueError", "KeyError", "TypeError"))
    assert not _cv_request.get(None)
    assert not _cv_app.get(None)
    assert ctx._cv_tokens == []


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_error_that_asks_to_exit(app, error):
    app.teardown_appcontext_funcs, _ = raising(error())
    with pytest.raises(error), app.app_context():
        pass
    assert not _cv_app.get(None)


def test_the_error_that_is_handled_is_passed_on(app):
    seen = []
    app.teardown_request(seen.append)
    app.teardown_appcontext(seen.append)
    ctx = app.test_request_context()
    ctx.push()
    error = ValueError()
    try:
        raise error
    except ValueError:
        ctx.pop()
    assert seen == [error, error]


@pytest.mark.parametrize("make", ["app_context", "test_request_context"])
def test_the_wrong_context(app, make):
    outer, inner = getattr(app, make)(), getattr(app, make)()
    outer.push()
    inner.push()
    with pytest.raises(AssertionError, match="Popped wrong"):
        outer.pop()


def test_the_wrong_context_after_an_error(app):
    app.teardown_appcontext_funcs, seen = raising(OSError("app"))
    outer, inner = app.app_context(), app.app_context()
    outer.push()
    inner.push()
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        outer.pop()
    assert len(seen) == 1
    errors = getattr(caught.value, "exceptions", [caught.value])
    assert type(errors[0]) is OSError
    if sys.version_info >= (3, 11):
        assert "Popped wrong app context" in str(errors[1])


@pytest.mark.parametrize("make", ["app_context", "test_request_context"])
def test_a_context_that_is_not_current(app, make):
    ctx = getattr(app, make)()
    with pytest.raises((LookupError, IndexError)):
        ctx.pop()


def test_a_context_that_is_pushed_twice(app):
    seen = []
    app.teardown_request(lambda exc: seen.append("request"))
    app.teardown_appcontext(lambda exc: seen.append("app"))
    with app.app_context() as app_ctx, app_ctx, app.test_request_context() as ctx:
        with ctx:
            pass
        assert seen == []
        assert flask.request._get_current_object() is ctx.request
    assert seen == ["request", "app"]


def test_a_teardown_that_leaves_a_context(app):
    other = app.app_context()
    app.teardown_appcontext(
        lambda exc: other.push() if other._cv_tokens == [] else None
    )
    ctx = app.app_context()
    ctx.push()
    with pytest.raises(AssertionError, match="Popped wrong app context"):
        ctx.pop()


def test_files_are_closed(app):
    class File(FileStorage):
        def close(self):
            closed.append(self)

    closed = []
    with app.test_request_context(
        method="POST", data={"file": (__file__, "file")}
    ) as ctx:
        [value] = ctx.request.files.values()
        value.stream.close()
        value.__class__ = File
    assert closed == [value]


@pytest.mark.parametrize("where", ["class", "subclass", "instance"])
def test_what_closes_a_request_in_its_place(app, monkeypatch, where):
    closed = []

    class Own(flask.Request):
        pass

    app.request_class = Own
    ctx = app.test_request_context()
    target = {"class": flask.Request, "subclass": Own, "instance": ctx.request}[where]
    monkeypatch.setattr(target, "close", lambda *args: closed.append(where))
    with ctx:
        pass
    assert closed == [where]


class Odd(BaseConverter):
    def to_python(self, value):
        calls.append(value)
        if len(value) % 2 == 0:
            raise ValidationError
        return value


calls = []
RULES = [
    ("/a", {"methods": ["GET"]}),
    ("/b/", {}),
    ("/c/<odd:x>", {}),
    ("/d", {"redirect_to": "/a"}),
    ("/e", {"websocket": True}),
    ("/f", {"defaults": {"x": 1}, "endpoint": "f"}),
    ("/f/<int:x>", {"endpoint": "f"}),
    ("/g", {"alias": True, "endpoint": "f"}),
    ("/<path:x>/h", {}),
]
PATHS = ["/a", "/b", "/b/", "/c/x", "/c/xx", "/d", "/e", "/f", "/f/1", "/f/2", "/g"]
PATHS += ["", "/", "/c//a", "/a/", "/x/y/h", "/none", "/c//x", "/%2f"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "get", "HEAD"])
def test_rules_are_matched_the_same(path, method, monkeypatch):
    app = flask.Flask("application")
    app.url_map.converters["odd"] = Odd
    for number, (rule, options) in enumerate(RULES):
        app.add_url_rule(rule, **{"endpoint": f"e{number}", **options})
    results = []
    for _ in range(2):
        del calls[:]
        ctx = app.test_request_context(path, method=method, query_string="q=1")
        ctx.request.environ["REQUEST_METHOD"] = method
        ctx.url_adapter = app.create_url_adapter(ctx.request)
        ctx.match_request()
        request = ctx.request
        error = request.routing_exception
        results.append(
            (
                request.url_rule,
                request.view_args,
                (type(error), str(error), getattr(error, "new_url", None)),
                sorted(getattr(error, "valid_methods", None) or ()),
                calls[:],
            )
        )
        # A class that is not Werkzeug's is called the way it was before.
        monkeypatch.setattr(MapAdapter, "match", partialmethod(MapAdapter.match))
    assert results[0] == results[1]
