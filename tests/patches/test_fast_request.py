"""Requests take fewer steps, and read the same from the same environ."""

from __future__ import annotations

import flask
import pytest
from werkzeug.datastructures import Headers
from werkzeug.datastructures import MultiDict
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.test import create_environ
from werkzeug.wrappers import Request

from counting import outcome
from counting import saved

PROGRAM = """
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


def own(base: type[Request]) -> list[type[Request]]:
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


def test_fewer_steps():
    assert saved(PROGRAM, "request") > 0.4


@pytest.mark.parametrize("which", range(5))
def test_same_as_werkzeug(environ, which):
    cls, theirs = own(flask.Request)[which], own(Request)[which]
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
    assert not hasattr(flask.Request, "server")
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
