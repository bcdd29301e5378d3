"""Responses take fewer steps, and send the same."""

from __future__ import annotations

import copy
import http

import flask
import pytest
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from counting import outcome
from counting import saved

PROGRAM = """
import flask

def act():
    response = flask.Response("text")
    body = response({"REQUEST_METHOD": "GET"}, lambda status, headers: None)
    list(body)
    body.close()
"""


class Encoded(str):
    pass


class OwnHeaders(Headers):
    def to_wsgi_list(self):
        return [*super().to_wsgi_list(), ("X-Own", "1")]


#: The arguments of a response.
ARGUMENTS = {
    "nothing": {},
    "text": {"response": "text"},
    "not ASCII": {"response": "\u00e9"},
    "surrogate": {"response": "\ud800"},
    "bytes": {"response": b"bytes"},
    "bytearray": {"response": bytearray(b"array")},
    "markup": {"response": Markup("<b>")},
    "subclass": {"response": Encoded("text")},
    "list": {"response": ["a", b"b"]},
    "empty list": {"response": []},
    "list of bytes": {"response": [b"a", b"b"]},
    "tuple": {"response": ("a", "b")},
    "wrong list": {"response": [1]},
    "status": {"status": 404},
    "enumeration": {"status": http.HTTPStatus.CREATED},
    "status text": {"status": "299 Odd"},
    "status digits": {"status": "404"},
    "status word": {"status": "odd"},
    "empty status": {"status": ""},
    "unknown status": {"status": 799},
    "no content": {"response": "x", "status": 204},
    "not modified": {"response": "x", "status": 304, "headers": {"Allow": "GET"}},
    "informational": {"response": "x", "status": 101},
    "zero": {"response": "x", "status": 0},
    "boolean status": {"status": True},
    "float status": {"status": 200.0},
    "mimetype": {"mimetype": "application/json"},
    "empty mimetype": {"mimetype": ""},
    "odd mimetype": {"mimetype": "image/svg+xml"},
    "mimetype with a newline": {"mimetype": "text/html\nX-A: 1"},
    "mimetype in bytes": {"mimetype": b"text/html"},
    "content type": {"content_type": "a/b; c=d"},
    "content type with a newline": {"content_type": "a/b\nX-A: 1"},
    "headers": {"headers": {"X-A": "1", "Content-Type": "x/y"}},
    "list of headers": {"headers": [("X-A", "1"), ("X-A", "2")]},
    "header with a newline": {"headers": {"X-A": "1\nX-B: 2"}},
    "empty headers": {"headers": {}},
    "own headers": {"headers": OwnHeaders([("X-A", "1")])},
    "length": {"response": "text", "headers": {"content-length": "9"}},
    "length of a list": {"response": [b"a"], "headers": {"Content-Length": "9"}},
    "location": {"headers": {"Location": "/a"}},
    "IRI": {"headers": {"Location": "/\u00e9 b"}},
    "two locations": {"headers": [("Location", "/a"), ("location", "/b")]},
    "location in lower case": {"headers": {"location": "/a"}},
    "content location": {"headers": {"Content-Location": "/\u00e9"}},
    "passthrough": {"response": [b"a"], "direct_passthrough": True},
}


def own(base: type[Response]) -> list[type[Response]]:
    """Classes that change how a response is made or sent."""

    class Defaults(base):
        default_mimetype = "text/x-own"
        default_status = 201
        automatically_set_content_length = False

    class NoMimetype(base):
        default_mimetype = None
        autocorrect_location_header = True

    class Made(base):
        def set_data(self, value):
            super().set_data(b"own")

        def _clean_status(self, value):
            return "299 Own", 299

    class Sent(base):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "1"
            return headers

    class Iterated(base):
        def iter_encoded(self):
            return iter([b"own"])

    class Closed(base):
        def close(self):
            super().close()
            self.response.append(b"closed")

    class Status(base):
        @property
        def status(self):
            return "298 Own"

        @status.setter
        def status(self, value):
            self._status, self._status_code = "298 Own", 298

    return [base, Defaults, NoMimetype, Made, Sent, Iterated, Closed, Status]


class Plain(Response):
    default_mimetype = "text/html"
    autocorrect_location_header = False


def test_fewer_steps():
    assert saved(PROGRAM, "response") > 0.4


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("which", range(8))
def test_same_as_werkzeug(which, arguments, method):
    mine, theirs = own(flask.Response)[which], own(Plain)[which]
    kwargs = ARGUMENTS[arguments]
    assert outcome(sent, mine, kwargs, method) == outcome(sent, theirs, kwargs, method)


def sent(cls, arguments, method="GET"):
    """What the server gets, and what is left of the response."""
    started = []
    response = cls(**copy.deepcopy(arguments))
    before = list(vars(response))
    body = response(create_environ(method=method), lambda *args: started.append(args))
    chunks = list(body)
    if hasattr(body, "close"):
        body.close()
    names = ("direct_passthrough", "_on_close", "status_code", "headers")
    left = {name: repr(getattr(response, name)) for name in names}
    return started, chunks, before, left, response.get_data()


def test_headers_changed_afterwards():
    response = flask.Response("text")
    response.headers["X-A"] = "1"
    response.headers.add("X-A", "2")
    response.set_cookie("a", "b")
    del response.headers["Content-Type"]
    started, chunks, *_ = sent(lambda: response, {})
    assert chunks == [b"text"]
    [(_, headers)] = started
    names = ["Content-Length", "X-A", "X-A", "Set-Cookie"]
    assert [name for name, _ in headers] == names
    headers.append(("X-B", "1"))
    assert "X-B" not in response.headers


def test_a_status_that_the_program_knows(monkeypatch):
    monkeypatch.setitem(HTTP_STATUS_CODES, 299, "odd")
    monkeypatch.setitem(HTTP_STATUS_CODES, 200, "fine")
    assert flask.Response(status=299).status == "299 ODD"
    assert flask.Response().status == "200 FINE"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stream_is_closed_once(count):
    calls = []

    def stream():
        try:
            for number in range(3):
                yield str(number)
        finally:
            calls.append("stream")

    response = flask.Response(stream())
    response.call_on_close(lambda: calls.append("response"))
    body = response(create_environ(), lambda *args: None)
    assert iter(body) is body
    assert [next(body) for _ in range(count)] == [b"0", b"1", b"2"][:count]
    body.close()
    # A generator that never began has nothing to clean up.
    assert calls == (["stream", "response"] if count else ["response"])


def test_an_error_in_a_stream():
    def stream():
        yield "a"
        raise OSError("stream")

    body = flask.Response(stream())(create_environ(), lambda *args: None)
    assert next(body) == b"a"
    with pytest.raises(OSError, match="stream"):
        next(body)
    body.close()


@pytest.mark.parametrize("name", ["get_wsgi_response", "get_app_iter", "iter_encoded"])
def test_a_method_replaced_at_run_time_is_called(monkeypatch, name):
    calls = []
    original = getattr(Response, name)

    def replaced(*args):
        calls.append(name)
        return original(*args)

    response = flask.Response("text")
    setattr(response, name, lambda *args: replaced(response, *args))
    sent(lambda: response, {})
    assert calls[:1] == [name]
    del calls[:]
    monkeypatch.setattr(Response, name, replaced)
    sent(flask.Response, {"response": "text"})
    assert calls[:1] == [name]
