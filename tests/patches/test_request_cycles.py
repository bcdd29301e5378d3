"""What a request has made is gone after it, without the cyclic collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import threading
import weakref

import flask
import pytest
from flask import signals
from werkzeug.exceptions import NotFound
from werkzeug.routing import UnicodeConverter
from werkzeug.test import create_environ

HAS_ASGIREF = importlib.util.find_spec("asgiref") is not None
# What a stream raises when it is collected is not raised.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

#: What of the application raises.
SITES = [
    "nothing",
    "open_session",
    "save_session",
    "converter",
    "url_value_preprocessor",
    "url_defaults",
    "context_processor",
    "template",
    "template_global",
    "before_request",
    "before_request of the blueprint",
    "view",
    "handler",
    "handler of 500",
    "handler of 404",
    "after_this_request",
    "after_request",
    "after_request of the blueprint",
    "teardown_request",
    "teardown_request of the blueprint",
    "teardown_appcontext",
    "close",
    "make_response",
    "request_started",
    "request_finished",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_popped",
    "got_request_exception",
    "template_rendered",
    "before_render_template",
    "message_flashed",
    "several teardowns",
    "stream at once",
    "stream",
    "stream at its end",
    "teardown of a stream",
]
#: Those that differ in how a request ends.
SOME = ["nothing", "view", "handler", "after_request", "teardown_request"]
SOME += ["several teardowns", "request_tearing_down", "stream", "teardown of a stream"]
#: What an application answers with, by the path.
PATHS = ["/", "/stream", "/begun", "/error", "/handled", "/abort", "/abort-response"]
PATHS += ["/missing", "/bp/x", "/post", "/slash"]
PATHS += ["/async", "/async-error"] if HAS_ASGIREF else []

SIGNALS = {name for name in SITES if hasattr(signals, name)}


class Marker:
    """Something that a weak reference can follow, in what it cannot follow."""


class Error(Exception):
    pass


class ViewError(Exception):
    pass


class Environ(dict):
    pass


class Alive(list):
    """Weak references to what a request has made."""

    def follow(self, thing):
        self.append(weakref.ref(thing))
        return thing

    def now(self):
        return sorted({type(ref()).__name__ for ref in self if ref() is not None})


@pytest.fixture
def alive():
    return Alive()


def failing(app, alive, site, kind):
    """A function that raises if ``site`` is the one that it is called with."""

    def step(name):
        local = alive.follow(Marker())
        request = flask.has_request_context() and flask.request._get_current_object()
        if site == name and (local or request):
            raise alive.follow(kind(name))

    return step


def make(alive, site, kind=Error):
    class Own:
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            alive.follow(self)

    class Request(Own, flask.Request):
        def close(self):
            super().close()
            step("close")

    class Response(Own, flask.Response):
        pass

    class Globals(Own, flask.ctx._AppCtxGlobals):
        pass

    class Interface(flask.sessions.SecureCookieSessionInterface):
        def open_session(self, app, request):
            step("open_session")
            return alive.follow(super().open_session(app, request))

        def save_session(self, app, session, response):
            step("save_session")
            super().save_session(app, session, response)

    class Flask(flask.Flask):
        request_class = Request
        response_class = Response
        app_ctx_globals_class = Globals
        session_interface = Interface()

        def request_context(self, environ):
            return alive.follow(super().request_context(environ))

        def app_context(self):
            return alive.follow(super().app_context())

        def make_response(self, rv):
            step("make_response")
            return super().make_response(rv)

    class Converter(UnicodeConverter):
        def to_python(self, value):
            step("converter")
            return value

    app = Flask("cycles")
    app.logger.disabled = True
    step = failing(app, alive, site, kind)
    app.secret_key = "secret"
    app.url_map.converters["own"] = Converter
    app.jinja_env.globals["fail"] = lambda: step("template_global") or ""
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp")

    @app.before_request
    def before_request():
        step("before_request")
        flask.g.connection = alive.follow(Marker())
        flask.session["user"] = "alice"

    @app.after_request
    def after_request(response):
        step("after_request")
        return response

    app.url_value_preprocessor(lambda *args: step("url_value_preprocessor"))
    app.url_defaults(lambda *args: step("url_defaults"))
    app.context_processor(lambda: step("context_processor") or {})
    app.teardown_request(lambda exc: step("teardown_request"))
    app.teardown_appcontext(lambda exc: step("teardown_appcontext"))
    bp.before_request(lambda: step("before_request of the blueprint"))
    bp.teardown_request(lambda exc: step("teardown_request of the blueprint"))

    @bp.after_request
    def after_request_of_bp(response):
        step("after_request of the blueprint")
        return response

    for _ in range(2):
        app.teardown_request(lambda exc: step("several teardowns"))
        app.teardown_appcontext(lambda exc: step("several teardowns"))

    @app.errorhandler(ViewError)
    def handler(error):
        step("handler")
        return "handled"

    if site.startswith("handler of"):
        code = int(site[-3:])

        @app.errorhandler(code)
        def handler_of_code(error):
            step(f"handler of {code}")

    source = "{{ fail() }}" + "{{ 1 / 0 }}" * (site == "template")

    def index(name="x"):
        local = alive.follow(Marker())
        flask.after_this_request(lambda r: step("after_this_request") or r)
        flask.flash("message")
        flask.url_for("bp.index", name="x")
        step("view")
        return local and flask.render_template_string(source)

    @bp.get("/<own:name>", endpoint="index")
    def of_blueprint(name):
        return index()

    app.get("/")(index)

    def body():
        local = alive.follow(Marker())
        step("stream at once")
        yield "1"
        step("stream")
        yield "2"
        step("stream at its end")
        assert local

    @app.get("/stream")
    def stream():
        if site == "teardown of a stream":
            app.teardown_request_funcs[None].append(lambda exc: step(site))
        return flask.stream_with_context(body())

    @app.get("/begun")
    def begun():
        streamed = flask.stream_with_context(body())
        next(streamed)
        raise alive.follow(Error(streamed))

    @app.get("/error")
    def error():
        request = flask.request._get_current_object()
        raise alive.follow(Error(request))

    @app.get("/handled")
    def handled():
        raise alive.follow(ViewError())

    @app.get("/abort")
    def abort():
        request = flask.request._get_current_object()
        raise alive.follow(NotFound(request.path))

    @app.get("/abort-response")
    def abort_response():
        flask.abort(app.response_class("no"))

    @app.post("/post")
    def post():
        return ""

    @app.get("/slash/")
    def slash():
        return ""

    @app.get("/async")
    async def async_view():
        return index()

    @app.get("/async-error")
    async def async_error():
        raise alive.follow(Error())

    app.register_blueprint(bp)
    app.receivers = []
    for name in SIGNALS:

        def receiver(sender, name=name, **kwargs):
            step(name)

        app.receivers.append(receiver)
        getattr(signals, name).connect(receiver, app)
    return app


def by_wsgi(app, alive, path):
    environ = alive.follow(Environ(create_environ(path)))
    body = app.wsgi_app(environ, lambda *args: None)
    try:
        b"".join(body)
    finally:
        body.close()


def by_client(app, alive, path):
    marked = {"marker": alive.follow(Marker())}
    with app.test_client().get(path, environ_overrides=marked) as response:
        alive.follow(response)
        response.get_data()


def by_client_in_a_block(app, alive, path):
    marked = {"marker": alive.follow(Marker())}
    with app.test_client() as client:
        response = client.get(path, environ_overrides=marked)
        response.get_data()
        response.close()


def abandoned(app, alive, path):
    environ = alive.follow(Environ(create_environ(path)))
    body = app.wsgi_app(environ, lambda *args: None)
    next(iter(body), None)
    body.close()


def dropped(app, alive, path):
    environ = alive.follow(Environ(create_environ(path)))
    next(iter(app.wsgi_app(environ, lambda *args: None)), None)


@pytest.fixture(autouse=True)
def without_collector(monkeypatch):
    # pytest's own keeps the errors.
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: None)
    if HAS_ASGIREF:
        # What only the first call in a process keeps does not add up.
        flask.Flask("first").ensure_sync(asyncio.sleep)(0)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left(app, alive, paths=PATHS, call=by_wsgi):
    """What requests to the paths have left, by path."""
    found = {}
    for path in paths:
        alive.clear()
        with contextlib.suppress(BaseException):
            call(app, alive, path)
        assert len(alive) > 3
        if alive.now():
            found[path] = alive.now()
    return found


@pytest.mark.parametrize("propagate", [False, True])
@pytest.mark.parametrize("site", SITES)
def test_nothing_is_left(alive, site, propagate):
    app = make(alive, site)
    app.config["PROPAGATE_EXCEPTIONS"] = propagate
    assert left(app, alive) == {}


@pytest.mark.parametrize("call", [by_client, by_client_in_a_block, abandoned, dropped])
@pytest.mark.parametrize("site", SOME)
def test_nothing_is_left_of_other_calls(alive, site, call):
    assert left(make(alive, site), alive, call=call) == {}


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("site", SOME)
def test_nothing_is_left_of_an_exit(alive, site, kind):
    assert left(make(alive, site, kind), alive) == {}


def test_a_request_that_a_copy_outlives(alive):
    """What a copied context refers to goes with it."""
    app = make(alive, "nothing")
    copies = []

    @app.get("/copy")
    def copy():
        copies.append(flask.copy_current_request_context(lambda: flask.request.path))
        return ""

    by_wsgi(app, alive, "/copy")
    assert copies[0]() == "/copy"
    copies.clear()
    assert alive.now() == []


def called():
    flask.copy_current_request_context(lambda: flask.request.path)()


def called_in_a_thread():
    thread = threading.Thread(target=flask.copy_current_request_context(int))
    thread.start()
    thread.join()


def called_with_g():
    flask.copy_current_request_context(int, keep_g=True)()


def pushed():
    with flask.globals.request_ctx.copy():
        pass


def copied_again():
    with flask.globals.request_ctx.copy():
        called()
        called()


def streamed():
    @flask.copy_current_request_context
    def stream():
        return list(flask.stream_with_context(iter("ab")))

    assert stream() == ["a", "b"]


COPIES = [called, called_in_a_thread, called_with_g, pushed, copied_again, streamed]


@pytest.mark.parametrize("use_copy", COPIES)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/missing", 404), ("POST", "/", 405), ("GET", "/slash", 308)],
)
def test_a_copy_that_ends_during_the_request(alive, use_copy, method, path, status):
    """The request is still to be answered with its error."""
    app = make(alive, "nothing")
    app.before_request(use_copy)
    response = app.test_client().open(path, method=method)
    assert response.status_code == status
    del response
    assert alive.now() == []


@pytest.mark.parametrize("use_copy", COPIES)
def test_a_copy_that_ends_after_the_request(alive, use_copy):
    app = make(alive, "nothing")
    copies = []

    @app.before_request
    def copy():
        copies.append(flask.copy_current_request_context(use_copy))

    by_wsgi(app, alive, "/missing")
    copies.pop()()
    assert alive.now() == []


def test_a_teardown_function_that_logs_the_error(alive):
    """As an extension does that closes a connection."""
    app = make(alive, "nothing")
    seen = []

    @app.teardown_request
    def log(error):
        seen.append(type(error))
        with contextlib.suppress(Error):
            raise alive.follow(Error()) from error

    assert left(app, alive) == {}
    assert seen.count(Error) == 2 + HAS_ASGIREF
