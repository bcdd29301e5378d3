"""A request takes fewer steps, and runs the same functions in the same order."""

from __future__ import annotations

import functools
import inspect
import sys

import flask
import flask.app
import pytest
from flask import signals
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter
from werkzeug.test import create_environ

from counting import outcome
from counting import saved

PROGRAM = """
import flask
app = flask.Flask(__name__)
environ = app.test_request_context("/a?b=c").request.environ

@app.route("/a")
def view():
    return "text"

def act():
    list(app(dict(environ), lambda status, headers: None))
"""
#: What is different from the usual environ; ``None`` removes the key.
ENVIRONS = {
    "usual": {},
    "no host": {"HTTP_HOST": None},
    "empty host": {"HTTP_HOST": ""},
    "odd host": {"HTTP_HOST": "a b"},
    "not ASCII": {"HTTP_HOST": "\u00e9.example"},
    "port": {"HTTP_HOST": "localhost:80"},
    "other port": {"HTTP_HOST": "localhost:81"},
    "subdomain": {"HTTP_HOST": "www.localhost"},
    "upper case": {"HTTP_HOST": "LOCALHOST"},
    "long label": {"HTTP_HOST": "a" * 64},
    "no scheme": {"wsgi.url_scheme": None},
    "https": {"wsgi.url_scheme": "https"},
    "websocket": {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"},
    "root": {"SCRIPT_NAME": "/root"},
    "root in UTF-8": {"SCRIPT_NAME": "/\u00c3\u00a9"},
    "no root": {"SCRIPT_NAME": None},
    "no path": {"PATH_INFO": None},
    "empty path": {"PATH_INFO": ""},
    "path in UTF-8": {"PATH_INFO": "/\u00c3\u00a9"},
    "path not in UTF-8": {"PATH_INFO": "/\u00ff"},
    "no query": {"QUERY_STRING": None},
    "query": {"QUERY_STRING": "a=\u00ff"},
    "method": {"REQUEST_METHOD": "post"},
    "no method": {"REQUEST_METHOD": None},
    "no server": {"SERVER_NAME": None},
    "socket": {"SERVER_NAME": "/run/socket", "SERVER_PORT": ""},
}
CONFIGS = {
    "usual": ({}, {}),
    "server": ({"SERVER_NAME": "localhost"}, {}),
    "server with a port": ({"SERVER_NAME": "localhost:81"}, {}),
    "subdomains": ({"SERVER_NAME": "localhost"}, {"subdomain_matching": True}),
    "subdomains alone": ({}, {"subdomain_matching": True}),
    "hosts": ({}, {"host_matching": True, "static_host": "localhost"}),
    "trusted": ({"TRUSTED_HOSTS": [".localhost"]}, {}),
}


class PlainApp(flask.Flask):
    """Has Werkzeug's map, which remembers nothing."""

    url_map_class = Map


def test_fewer_steps():
    assert saved(PROGRAM, "dispatch") > 0.1
    assert saved(PROGRAM, "adapters") > 0.1


@pytest.mark.filterwarnings("ignore:Current server name")
@pytest.mark.parametrize("environ", ENVIRONS)
@pytest.mark.parametrize("config", CONFIGS)
def test_adapters_are_the_same(config, environ):
    """The first time, and when they are remembered."""
    values, options = CONFIGS[config]
    apps = [
        cls("application", **options) for cls in (PlainApp, flask.Flask, flask.Flask)
    ]
    made = create_environ("/path", "http://localhost/")
    for key, value in ENVIRONS[environ].items():
        made[key] = value
        if value is None:
            del made[key]
    for app in apps:
        app.config.update(values)
    adapter(apps[2], {**made, "PATH_INFO": "/else", "QUERY_STRING": "other"})
    plain, first, second = (adapter(app, made) for app in apps)
    assert first == plain
    assert second == plain


def adapter(app, environ):
    request = app.request_class(dict(environ))
    found = outcome(app.create_url_adapter, request)
    if isinstance(found, MapAdapter):
        assert found.map is app.url_map
        found = {**vars(found), "map": None}
    return repr(found), vars(request).get("host")


def test_adapters_follow_the_configuration():
    app = flask.Flask("application")
    app.subdomain_matching = True
    environ = create_environ("/", "http://www.localhost/")
    for name, subdomain in (("localhost", "www"), ("www.localhost", ""), ("t", None)):
        app.config["SERVER_NAME"] = name
        for _ in range(2):
            request = app.request_class(environ)
            if subdomain is None:
                # Each time.
                with pytest.warns(UserWarning, match="Current server name"):
                    app.create_url_adapter(request)
            else:
                assert app.create_url_adapter(request).subdomain == subdomain
    app.config["TRUSTED_HOSTS"] = ["other"]
    with pytest.raises(Exception, match="400"):
        app.create_url_adapter(app.request_class(environ))


def test_few_hosts_are_remembered():
    app = flask.Flask("application")
    for number in range(1000):
        app.create_url_adapter(
            app.request_class(create_environ("/", f"http://h{number}/"))
        )
    assert 0 < len(app.url_map.adapters) <= 128


def test_a_replaced_get_host_is_called(monkeypatch):
    app = flask.Flask("application")
    request = app.request_class(create_environ())
    app.create_url_adapter(request)
    monkeypatch.setattr(flask.app, "get_host", lambda *args: "replaced")
    app.create_url_adapter(request)
    assert request.host == "replaced"


TABLES = [
    "url_value_preprocessors",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
]


@pytest.mark.parametrize("scope", [None, "bp"])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("table", TABLES)
def test_functions_are_called(table, late, scope):
    app, calls = flask.Flask("application"), []
    bp = flask.Blueprint("bp", "application")
    bp.add_url_rule("/", "view", lambda: "text")
    app.register_blueprint(bp)

    def function(*args):
        calls.append(table)
        return args[0] if table == "after_request_funcs" else None

    if late:
        app.test_client().get("/")
    getattr(app, table)[scope].append(function)
    assert app.test_client().get("/").text == "text"
    assert calls == [table]
    getattr(app, table)[scope].clear()
    app.test_client().get("/")
    assert calls == [table]


@pytest.mark.parametrize("late", [True, False])
def test_signals_are_received(late):
    app, names = flask.Flask("application"), []
    app.add_url_rule("/", "view", lambda: "text")
    if late:
        app.test_client().get("/")
    every = ["request_started", "request_finished", "request_tearing_down"]
    every += ["appcontext_pushed", "appcontext_tearing_down", "appcontext_popped"]

    def connected(name):
        return getattr(signals, name).connected_to(lambda *a, **k: names.append(name))

    receivers = [connected(name) for name in every]
    for receiver in receivers:
        receiver.__enter__()
    app.test_client().get("/")
    for receiver in receivers:
        receiver.__exit__(None, None, None)
    order = [every[3], every[0], every[1], every[2], every[4], every[5]]
    assert names == order


METHODS = [
    *("ensure_sync", "preprocess_request", "dispatch_request", "make_response"),
    *("process_response", "do_teardown_request", "do_teardown_appcontext"),
    *("create_url_adapter", "full_dispatch_request", "finalize_request", "app_context"),
]


@pytest.mark.parametrize("where", ["subclass", "class", "instance"])
@pytest.mark.parametrize("method", METHODS)
def test_replaced_methods_are_called(method, where, monkeypatch):
    class App(flask.Flask):
        pass

    calls = []
    original = getattr(flask.Flask, method)

    @functools.wraps(original)
    def replaced(*args, **kwargs):
        calls.append(method)
        return original(*args, **kwargs)

    app = App("application")
    app.add_url_rule("/", "view", lambda: "text")
    app.test_client().get("/")
    if where == "instance":
        setattr(app, method, functools.partial(replaced, app))
    else:
        monkeypatch.setattr(
            App if where == "subclass" else flask.Flask, method, replaced
        )
    assert app.test_client().get("/").text == "text"
    assert method in calls


class Callable:
    async def __call__(self):
        return "object"


async def coroutine(*args):
    return "coroutine"


def marked():
    return coroutine()


if sys.version_info >= (3, 12):
    inspect.markcoroutinefunction(marked)


def plain():
    return "plain"


def attributed():
    return "attributed"


attributed.attribute = 1


@pytest.mark.parametrize(
    ("function", "is_same"),
    [
        *((plain, True), (attributed, True), (coroutine, False)),
        *((functools.partial(coroutine), False), (functools.partial(plain), True)),
        *((len, True), (Callable(), True), (marked, sys.version_info < (3, 12))),
        *((Callable().__call__, False), ([].append, True), (Callable, True)),
    ],
)
def test_what_is_made_sync(function, is_same, monkeypatch):
    monkeypatch.setattr(flask.Flask, "async_to_sync", lambda self, func: "made sync")
    app = flask.Flask("application")
    expected = function if is_same else "made sync"
    assert app.ensure_sync(function) == expected


RESULTS = {
    "text": "text",
    "bytes": b"bytes",
    "list": [1],
    "dict": {"a": 1},
    "tuple": ("text", 201),
    "tuple of three": ("text", 201, {"X-A": "1"}),
    "headers": ("text", {"X-A": "1"}),
    "wrong tuple": ("text", 1, 2, 3),
    "none": None,
    "number": 7,
    "response": flask.Response("response"),
    "other response": flask.wrappers.ResponseBase("base", 202),
    "iterator": iter(["a", "b"]),
    "application": lambda environ, start: start("299 Odd", []) or [b"odd"],
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_of_views(name):
    """Those of a class that makes them itself are the same."""

    class Own(flask.Flask):
        class response_class(flask.Response):
            pass

    answers = []
    for cls in (flask.Flask, Own):
        app = cls("application")
        value = RESULTS[name]
        value = iter(["a", "b"]) if name == "iterator" else value
        app.add_url_rule("/", "view", lambda value=value: value)
        response = app.test_client().get("/")
        answers.append((response.status, [*response.headers], response.data))
    assert answers[0] == answers[1]


def test_a_response_class_gets_what_a_view_returns():
    """By the same names as before."""
    calls = []

    class Own(flask.Response):
        def __init__(self, *args, **kwargs):
            calls.append((args, kwargs))
            super().__init__(*args, **kwargs)

    app = flask.Flask("application")
    app.response_class = Own
    app.add_url_rule("/", "view", lambda: "text")
    app.test_client().get("/")
    assert calls[0] == (("text",), {"status": None, "headers": None})


def test_without_a_request():
    app = flask.Flask("application")
    for method, args in (("dispatch_request", ()), ("process_response", (None,))):
        with pytest.raises(RuntimeError, match="outside of request context"):
            getattr(app, method)(*args)


def test_a_proxy_of_the_request():
    """Some extensions pass that on."""
    app = flask.Flask("application")
    for _ in range(2):
        with app.test_request_context("/a"):
            assert app.create_url_adapter(flask.request).path_info == "/a"
