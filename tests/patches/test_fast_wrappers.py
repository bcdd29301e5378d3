"""Requests and responses take fewer steps, and read and send the same."""

from __future__ import annotations

import copy
import http

import flask
import pytest
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.datastructures import MultiDict
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.test import create_environ
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from counting import outcome
from counting import saved

REQUEST = """
import flask
from werkzeug.test import create_environ
environ = create_environ("/?a=1&b=2", headers={"Cookie": "a=b"})

def act():
    request = flask.Request(environ)
    return request.args, request.cookies, request.path
"""

#: What is different from the usual environ; ``None`` removes the key.
ENVIRONS = {
    "usual": {},
    "method": {"REQUEST_METHOD": "post"},
    "no method": {"REQUEST_METHOD": None},
    "no path": {"PATH_INFO": None},
    "empty path": {"PATH_INFO": ""},
    "slashes": {"PATH_INFO": "//a//b/", "SCRIPT_NAME": "/root//"},
    "UTF-8": {"PATH_INFO": "/\u00c3\u00a9", "SCRIPT_NAME": "/\u00c3\u00a9"},
    "not UTF-8": {"PATH_INFO": "/\u00ff", "SCRIPT_NAME": "/\u00ff"},
    "not latin1": {"PATH_INFO": "/\u20ac"},
    "no root": {"SCRIPT_NAME": None},
    "no query": {"QUERY_STRING": None},
    "empty query": {"QUERY_STRING": ""},
    "query": {"QUERY_STRING": "a=1&b=2&a=3&&c&=d&e=&f==g"},
    "plus": {"QUERY_STRING": "a+b=c+d"},
    "quoted": {"QUERY_STRING": "a%20b=%C3%A9&c=%ff"},
    "semicolon": {"QUERY_STRING": "a=1;b=2"},
    "raw UTF-8": {"QUERY_STRING": "a=\u00c3\u00a9"},
    "raw bytes": {"QUERY_STRING": "a=\u00ff"},
    "query not latin1": {"QUERY_STRING": "a=\u20ac"},
    "no scheme": {"wsgi.url_scheme": None},
    "no server": {"SERVER_NAME": None},
    "no port": {"SERVER_PORT": None},
    "port": {"SERVER_PORT": "x"},
    "socket": {"SERVER_NAME": "unix:/run/s", "SERVER_PORT": ""},
    "no host": {"HTTP_HOST": None},
    "odd host": {"HTTP_HOST": "a b"},
    "no address": {"REMOTE_ADDR": None},
    "cookies": {"HTTP_COOKIE": 'a=b; c="d\\073"; a=e; f; =g; h=\u00c3\u00a9'},
    "bad cookie": {"HTTP_COOKIE": ";;=;a"},
    "empty cookie": {"HTTP_COOKIE": ""},
    "headers": {"HTTP_X_A": "1", "CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "3"},
}
ATTRIBUTES = [
    *("method", "scheme", "server", "root_path", "path", "query_string", "remote_addr"),
    *("args", "cookies", "host", "url", "base_url", "full_path", "access_route"),
    *("content_type", "content_length", "is_json", "shallow", "values"),
]


def own_requests(base: type[Request]) -> list[type[Request]]:
    """Classes that change how a request is made."""

    class Storage(base):
        parameter_storage_class = MultiDict
        dict_storage_class = MultiDict

    class Init(base):
        def __init__(self, *args):
            super().__init__(*args)
            self.path = "/own"
            self.headers = Headers({"Cookie": "own=1"})

    class Property(base):
        path = "/class"

        @property
        def query_string(self):
            return b"own=1"

        @query_string.setter
        def query_string(self, value):
            pass

    class Mixin(SansIORequest):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.path += "/mixin"

    class Below(base, Mixin):
        pass

    return [base, Storage, Init, Property, Below]


@pytest.fixture(params=ENVIRONS)
def environ(request):
    found = create_environ("/path", "http://localhost:81/")
    for key, value in ENVIRONS[request.param].items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def test_requests_take_fewer_steps():
    assert saved(REQUEST, "request") > 0.4


@pytest.mark.parametrize("which", range(5))
def test_requests_read_the_same(environ, which):
    cls, theirs = own_requests(flask.Request)[which], own_requests(Request)[which]
    assert read(cls, environ) == read(theirs, environ)


def read(cls, environ):
    request = outcome(cls, dict(environ))
    if isinstance(request, tuple):
        return request
    found = {name: outcome(getattr, request, name) for name in ATTRIBUTES}
    found["headers"] = sorted(request.headers)
    assert request.environ["werkzeug.request"] is request
    return {name: repr(value) for name, value in found.items()}


def test_headers_are_kept_and_can_be_replaced():
    request = flask.Request(create_environ(headers={"Cookie": "a=1", "X-A": "1"}))
    assert request.headers is request.headers
    assert request.headers["X-A"] == "1"
    request.headers = Headers({"Cookie": "b=2"})
    assert dict(request.cookies) == {"b": "2"}


def test_classes_have_no_headers():
    assert not hasattr(flask.Request, "headers")
    assert not hasattr(flask.Request.__new__(flask.Request), "headers")


@pytest.mark.parametrize("shallow", [True, False])
@pytest.mark.parametrize("populate", [True, False])
def test_populate_and_shallow(shallow, populate):
    environ = create_environ()
    request = flask.Request(environ, populate, shallow=shallow)
    assert request.shallow is shallow
    assert ("werkzeug.request" in environ) is (populate and not shallow)


def test_an_init_replaced_at_run_time_is_called(monkeypatch):
    def replaced(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.path = "/replaced"

    original = SansIORequest.__init__
    monkeypatch.setattr(SansIORequest, "__init__", replaced)
    assert flask.Request(create_environ("/a")).path == "/replaced"


RESPONSE = """
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


def own_responses(base: type[Response]) -> list[type[Response]]:
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


def test_responses_take_fewer_steps():
    assert saved(RESPONSE, "response") > 0.4


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("which", range(8))
def test_responses_send_the_same(which, arguments, method):
    mine, theirs = own_responses(flask.Response)[which], own_responses(Plain)[which]
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
