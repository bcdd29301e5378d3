"""A streamed response is torn down once, when its stream ends."""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import gc
import sqlite3
import threading

import flask
import pytest
from flask import g
from flask import request
from flask import session
from flask import stream_with_context
from flask.globals import app_ctx
from flask.globals import request_ctx


class Seen(list):
    """The calls, in order; of an error, only its type."""

    def add(self, name, exc=None):
        self.append(name if exc is None else (name, type(exc)))

    def take(self):
        taken = self[:]
        self.clear()
        return taken


ONCE = ["request", "close", "app"]
ABANDONED = [("request", GeneratorExit), "close", ("app", GeneratorExit)]


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def app(seen):
    class Request(flask.Request):
        def close(self):
            seen.add("close")
            super().close()

    app = flask.Flask(__name__)
    app.secret_key = "secret"
    app.request_class = Request

    @app.teardown_request
    def teardown_request(exc):
        assert request.path
        seen.add("request", exc)

    @app.teardown_appcontext
    def teardown_appcontext(exc):
        assert not flask.has_request_context()
        assert app_ctx.app is app
        seen.add("app", exc)

    @app.get("/")
    def index():
        return g.get("user", "nobody")

    @app.get("/stream")
    def stream():
        g.user = session["user"] = "alice"
        mine = [app_ctx._get_current_object(), request_ctx._get_current_object()]

        def body():
            try:
                for chunk in ("1", "2", "3"):
                    assert app_ctx == mine[0]
                    assert request_ctx == mine[1]
                    assert flask.current_app.name == app.name
                    assert session["user"] == g.user == "alice"
                    yield chunk
                if "error" in request.args:
                    raise KeyError("error")
            finally:
                assert app_ctx == mine[0]
                assert request_ctx == mine[1]
                seen.add(f"finally {g.user}")

        return flask.Response(stream_with_context(body()))

    @app.get("/async")
    async def async_stream():
        return stream()

    return app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(params=["/stream", "/async"])
def call(request, app):
    """A function that calls the application as a server does, and returns the body."""

    def call(query="", method="GET"):
        environ = app.test_request_context(
            request.param, query_string=query, method=method
        ).request.environ
        return app(environ, lambda *args: None)

    return call


def in_a_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


def in_a_context(function, *args):
    contextvars.Context().run(function, *args)


def directly(function, *args):
    function(*args)


everywhere = pytest.mark.parametrize("run", [directly, in_a_thread, in_a_context])


def nothing_is_current():
    return not flask.has_app_context() and not flask.has_request_context()


def test_when_the_stream_ends(call, seen):
    body = call()
    chunks = []
    for chunk in body:
        chunks.append(chunk)
        assert nothing_is_current()
        assert seen == []
    assert chunks == [b"1", b"2", b"3"]
    assert seen == ["finally alice", *ONCE]
    body.close()
    assert seen == ["finally alice", *ONCE]


def test_when_the_stream_fails(call, seen):
    body = call("error=1")
    with pytest.raises(KeyError):
        b"".join(body)
    error = [("request", KeyError), "close", ("app", KeyError)]
    assert seen == ["finally alice", *error]
    body.close()
    assert len(seen) == 4
    assert nothing_is_current()


@everywhere
def test_when_the_stream_is_closed(call, seen, run):
    body = call()
    assert next(iter(body)) == b"1"
    run(body.close)
    assert seen == ["finally alice", *ABANDONED]
    assert nothing_is_current()
    body.close()
    assert len(seen) == 4


@everywhere
def test_when_the_stream_is_collected(call, seen, run):
    bodies = [call()]
    assert next(iter(bodies[0])) == b"1"
    run(bodies.clear)
    gc.collect()
    assert seen == ["finally alice", *ABANDONED]
    assert nothing_is_current()


@everywhere
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_when_the_stream_is_not_iterated(call, seen, run, method):
    body = call(method=method)
    assert seen == []
    run(body.close)
    assert seen == ONCE
    assert nothing_is_current()


def test_chunks_are_made_anywhere(call, seen):
    body = iter(call())
    chunks = []
    for run in directly, in_a_thread, in_a_context:
        run(lambda: chunks.append(next(body)))
    assert chunks == [b"1", b"2", b"3"]
    in_a_thread(list, body)
    assert seen == ["finally alice", *ONCE]


def test_after_an_abandoned_stream(client, seen):
    client.get("/stream").close()
    seen.clear()
    for _ in range(2):
        assert client.get("/").text == "nobody"
        assert seen.take() == ONCE


def test_streams_side_by_side(app, call, seen):
    bodies = [call() for _ in range(3)]
    for row in zip(*bodies):
        assert row in [(b"1",) * 3, (b"2",) * 3, (b"3",) * 3]
        assert app.test_client().get("/").text == "nobody"
        assert seen.take() == ONCE
    assert seen.take() == ["finally alice", *ONCE]
    for body in bodies[1:]:
        body.close()
    assert seen.count("app") == 0
    assert seen.count("close") == 2


def test_the_database_of_the_documentation(app, client):
    opened = []

    def get_db():
        if "db" not in g:
            g.db = sqlite3.connect(":memory:", check_same_thread=False)
            g.db.executescript("create table t (n); insert into t values (1), (2);")
            opened.append(g.db)
        return g.db

    @app.teardown_appcontext
    def close_db(exc):
        g.pop("db").close()

    @app.get("/rows")
    def rows():
        cursor = get_db().execute("select n from t order by n")

        def body():
            for (n,) in cursor:
                (found,) = get_db().execute("select n * 10 from t where n = ?", [n])
                yield f"{found[0]} "

        return flask.Response(stream_with_context(body()))

    app.teardown_appcontext_funcs.pop(0)
    assert client.get("/rows").text == "10 20 "
    assert len(opened) == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("select 1")


def test_two_streams_of_a_request(app, client, seen):
    @app.get("/two")
    def two():
        g.n = 7
        first = stream_with_context(f"{c}{g.n}" for c in "aa")
        second = stream_with_context(f"{c}{g.n}" for c in "bb")

        def both():
            yield from first
            assert seen == []
            yield from second
            assert seen == ONCE

        return flask.Response(both())

    assert client.get("/two").text == "a7a7b7b7"
    assert seen == ONCE


def test_a_stream_that_the_view_uses_up(app, client, seen):
    @app.get("/used")
    def used():
        text = "".join(stream_with_context(c for c in request.path))
        assert seen == []
        assert flask.has_request_context()
        return text

    assert client.get("/used").text == "/used"
    assert seen == ONCE


def test_a_stream_in_a_stream(app, client, seen):
    @app.get("/nested")
    def nested():
        def inner():
            yield request.path

        def outer():
            yield "["
            yield from stream_with_context(inner())
            assert seen == []
            yield "]"

        return flask.Response(stream_with_context(outer()))

    assert client.get("/nested").text == "[/nested]"
    assert seen == ONCE


def test_a_stream_that_is_dropped(app, client, seen):
    @app.get("/dropped")
    def dropped():
        stream_with_context(iter(["never"]))
        return "text"

    assert client.get("/dropped").text == "text"
    assert seen == ONCE


@pytest.mark.parametrize("handled", [False, True])
def test_a_stream_of_a_view_that_fails(app, client, seen, handled):
    @app.get("/fails")
    def fails():
        stream = stream_with_context(iter(["never"]))
        raise KeyError(stream)

    @app.errorhandler(KeyError if handled else 500)
    def handler(error):
        return flask.Response(stream_with_context(request.path for _ in "1"))

    response = client.get("/fails")
    assert response.text == "/fails"
    del response
    gc.collect()
    if handled:
        assert seen == ONCE
    else:
        # As without streams, the teardown sees the error that nobody handled.
        assert seen == [("request", KeyError), "close", ("app", KeyError)]


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("code", [404, 418])
def test_a_stream_of_a_view_that_aborts(app, client, seen, code, begun):
    """Nobody sees the stream, not even through the error's traceback."""

    @app.get("/aborts")
    def aborts():
        stream = stream_with_context(iter(["never", "ever"]))
        if begun:
            next(stream)
        flask.abort(code)

    @app.errorhandler(418)
    def teapot(error):
        return "short", 418

    gc.disable()
    try:
        assert client.get("/aborts", buffered=True).status_code == code
        assert seen == ONCE
    finally:
        gc.enable()


def test_a_stream_that_fails_to_close_when_its_view_failed(app, client, seen):
    """The view's error takes precedence."""
    errors = []

    @app.get("/fails")
    def fails():
        streams = [stream_with_context(body()) for _ in "12"]
        for stream in streams:
            next(stream)
        raise KeyError(streams)

    def body():
        try:
            yield "1"
        finally:
            raise ValueError("finally")

    app.errorhandler(500)(lambda error: repr(error.original_exception)[:8])
    app.log_exception = lambda info: errors.append(info[0])
    assert client.get("/fails").text == "KeyError"
    assert sorted(map(str, errors)) == sorted(map(str, [ValueError] * 2 + [KeyError]))
    assert seen == [("request", KeyError), "close", ("app", KeyError)]


def test_many_streams_of_a_request(app, client):
    """They are forgotten when they end."""

    @app.get("/many")
    def many():
        def body():
            for n in range(1000):
                yield from stream_with_context(iter([str(n % 10)]))
            yield f" {len(request_ctx._streams)}"

        return flask.Response(stream_with_context(body()))

    assert client.get("/many").text == "0123456789" * 100 + " 1"


def test_contexts_that_do_not_call_the_base_class(app, seen):
    class AppContext(flask.ctx.AppContext):
        def __init__(self, app):
            self.app = app
            self.url_adapter = None
            self.g = app.app_ctx_globals_class()
            self._cv_tokens = []

    app.app_context = lambda: AppContext(app)
    assert app.test_client().get("/stream", buffered=True).text == "123"
    assert seen == ["finally alice", *ONCE]


def test_an_iterator_that_is_no_generator(app, client, seen):
    class Body:
        chunks = iter("ab")

        def __iter__(self):
            return self

        def __next__(self):
            return f"{next(self.chunks)}{request.path}"

        def close(self):
            seen.add(f"close {request.path}")

    @app.get("/iterator")
    def iterator():
        return flask.Response(stream_with_context(Body()))

    assert client.get("/iterator").text == "a/iteratorb/iterator"
    assert seen.take() == ["close /iterator", *ONCE]
    client.head("/iterator")
    assert seen.take() == ["close /iterator", *ONCE]


def test_contexts_that_the_generator_pushes(app, client):
    inner = contextvars.ContextVar("inner", default="outside")

    @app.get("/pushes")
    def pushes():
        def body():
            token = inner.set("inside")
            with app.test_request_context("/other"):
                yield request.path + inner.get()
                yield request.path + inner.get()
            inner.reset(token)
            yield request.path + inner.get()

        return flask.Response(stream_with_context(body()))

    body = iter(client.get("/pushes").response)
    chunks = []
    for run in directly, in_a_thread, in_a_context:
        run(lambda: chunks.append(next(body)))
        assert nothing_is_current()
    assert chunks == [b"/otherinside", b"/otherinside", b"/pushesoutside"]


def test_an_app_context_around_the_request(app, client, seen):
    with app.app_context():
        g.user = "the outer one"
        body = client.get("/stream", buffered=False)
        assert g.user == "alice"
        assert body.text == "123"
        assert seen.take() == ["finally alice", "request", "close"]
    assert seen.take() == ["app"]

    with app.app_context():
        body = client.get("/stream", buffered=False)
    assert seen.take() == []
    assert body.text == "123"
    assert seen.take() == ["finally alice", *ONCE]


@pytest.mark.parametrize("inside", [True, False])
def test_a_client_that_keeps_the_contexts(client, seen, inside):
    with client:
        response = client.get("/stream")
        assert g.user == "alice"
        if inside:
            assert response.text == "123"
            assert seen.take() == ["finally alice"]
            assert g.user == "alice"
    if not inside:
        assert seen.take() == []
        assert response.text == "123"
        assert seen.pop(0) == "finally alice"
    assert seen == ONCE
    assert nothing_is_current()


def test_a_decorated_generator(app, client, seen):
    @app.get("/decorated")
    def decorated():
        @stream_with_context
        def body(name):
            yield f"{name} {request.path}"

        assert body.__name__ == "body"
        return body("hello")

    assert client.get("/decorated").text == "hello /decorated"
    assert seen == ONCE


def test_outside_of_a_request(app, seen):
    for context in app.app_context(), contextlib.nullcontext():
        with context, pytest.raises(RuntimeError, match="'stream_with_context' can"):
            stream_with_context(iter("ab"))
    assert seen == ["app"]


def test_a_teardown_that_fails_is_not_called_again(app, client, seen):
    @app.teardown_request
    def fails(exc):
        seen.add("fails")
        raise KeyError("teardown")

    response = client.get("/stream")
    with pytest.raises(KeyError, match="teardown"):
        response.get_data()
    response.close()
    assert seen.count("fails") == seen.count("app") == 1
    assert nothing_is_current()


def test_many_streams_end_in_threads_while_requests_end(app):
    """Whichever comes last tears down; never both, never neither."""
    ended = []
    barrier = threading.Barrier(2)

    @app.get("/race")
    def race():
        stream = stream_with_context(iter("abc"))

        def consume():
            barrier.wait()
            list(stream)

        threading.Thread(target=consume).start()
        barrier.wait()
        return ""

    app.teardown_appcontext_funcs[:] = [lambda exc: ended.append("app")]
    app.teardown_request_funcs[None][:] = [lambda exc: ended.append("request")]
    for _ in range(300):
        assert app.test_client().get("/race").status_code == 200
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)
    assert ended.count("app") == ended.count("request") == 300


def test_a_stream_that_a_thread_is_at_when_the_view_fails(app, client, seen):
    reached, go = threading.Event(), threading.Event()
    threads = []

    @app.get("/thread")
    def thread():
        def body():
            reached.set()
            assert go.wait(60)
            yield request.path

        stream = stream_with_context(body())
        threads.append(threading.Thread(target=list, args=[stream]))
        threads[0].start()
        assert reached.wait(60)
        raise KeyError("view")

    assert client.get("/thread").status_code == 500
    assert seen == []
    go.set()
    threads[0].join()
    assert seen == [("request", KeyError), "close", ("app", KeyError)]


def talkative(log):
    got = None
    while got != "end":
        try:
            got = yield f"got {got}"
        except (KeyError, StopIteration) as e:
            got = repr(e)
        except GeneratorExit:
            log.append("exit")
            raise
        finally:
            log.append("step")


def stubborn(log):
    try:
        yield 1
    except GeneratorExit:
        yield 2


def failing_to_close(log):
    try:
        yield 1
    finally:
        raise OSError("close")


def returning(log):
    yield 1
    return 2


class Iterator:
    """Without ``send``, ``throw`` and ``close``."""

    def __init__(self, log):
        self.rest = iter([1, 2, 3])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.rest)


class Throwing(Iterator):
    """It has ``throw``, but not ``send``."""

    def __init__(self, log):
        super().__init__(log)
        self.log = log

    def throw(self, *args):
        self.log.append(f"throw {args[-1]!r}")
        return "caught"


class Own(collections.abc.Generator):
    def __init__(self, log):
        self.log = log

    def send(self, value):
        self.log.append(f"send {value}")
        return value

    def throw(self, *args):
        self.log.append(f"throw {args[-1]!r}")
        raise args[-1] if isinstance(args[-1], BaseException) else args[-1]()


def delegating(gen):
    """What ``stream_with_context`` makes on plain Flask, without contexts."""

    def generator():
        yield None
        try:
            yield from gen
        finally:
            if hasattr(gen, "close"):
                gen.close()

    wrapped = generator()
    next(wrapped)
    return wrapped


def said_to(stream, steps):
    """What the stream answers to each step, which is a method and its arguments."""
    said = []
    for name, *args in steps:
        try:
            said.append(getattr(stream, name)(*args))
        except BaseException as e:
            said.append((type(e), str(e), type(e.__cause__)))
    return said


NEXT, CLOSE = ("__next__",), ("close",)


@pytest.mark.parametrize(
    "steps",
    [
        [NEXT, ("send", "a"), ("send", None), ("send", "end"), NEXT],
        [("send", None), ("send", "a"), CLOSE, CLOSE, NEXT],
        [("send", "ignored"), ("send", "end"), ("send", "a")],
        [NEXT, ("throw", KeyError("a")), ("throw", KeyError("b")), ("send", "c")],
        [NEXT, ("throw", ValueError("a")), NEXT],
        [NEXT, ("throw", GeneratorExit()), NEXT],
        [NEXT, ("throw", KeyboardInterrupt()), NEXT],
        [("throw", KeyError("a")), NEXT],
        [NEXT, CLOSE, ("throw", KeyError("a")), ("send", 1)],
        [CLOSE, NEXT],
        [NEXT, NEXT, NEXT, NEXT, NEXT, CLOSE],
    ],
)
@pytest.mark.parametrize(
    "kind",
    [talkative, stubborn, failing_to_close, returning, Iterator, Throwing, Own],
)
def test_the_generator_gets_what_yield_from_passes_on(app, seen, kind, steps):
    logs = [], []
    with app.test_request_context():
        stream = stream_with_context(kind(logs[0]))
    assert said_to(stream, steps) == said_to(delegating(kind(logs[1])), steps)
    stream.close()
    if steps[0][0] not in ("close", "throw"):
        # An iterator that is closed early was closed twice.
        assert list(dict.fromkeys(logs[0])) == list(dict.fromkeys(logs[1]))
    assert [name if isinstance(name, str) else name[0] for name in seen] == ONCE


# An iterator without `throw` is left out: since 3.12, Python takes this for its end.
@pytest.mark.parametrize("kind", [talkative, stubborn, returning, Throwing, Own])
def test_a_stop_that_is_passed_on(app, kind):
    steps = [NEXT, ("throw", StopIteration("a")), NEXT]
    with app.test_request_context():
        stream = stream_with_context(kind([]))
    assert said_to(stream, steps) == said_to(delegating(kind([])), steps)


@pytest.mark.parametrize("step", [("send", "x"), ("throw", KeyError("x")), CLOSE])
def test_what_is_passed_on_runs_in_the_contexts(app, step):
    paths = []

    def body():
        try:
            yield
            paths.append(request.path)
        finally:
            paths.append(request.path)
            assert session == {}
        yield

    with app.test_request_context("/here"):
        stream = stream_with_context(body())
    next(stream)
    with contextlib.suppress(KeyError):
        getattr(stream, step[0])(*step[1:])
    assert set(paths) == {"/here"}
    assert nothing_is_current()


@pytest.mark.parametrize("error", [KeyError("teardown"), SystemExit(3)])
@pytest.mark.parametrize("end", ["empty", "end", "error", "close", "dropped"])
def test_a_teardown_that_raises(app, seen, end, error, recwarn):
    """The server gets the error, with the chunk that it asks for or when it closes."""
    unraisable = []

    @app.teardown_request
    def fails(exc):
        raise error

    @app.get("/body")
    def view():
        def generate():
            yield from ["1"] * (end != "empty")
            if end == "error":
                raise ValueError("stream")

        return flask.Response(stream_with_context(generate()))

    environ = app.test_request_context("/body").request.environ
    body = app(environ, lambda *args: None)
    chunks = iter(body)
    if end != "empty":
        assert next(chunks) == b"1"
    if end == "dropped":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "sys.unraisablehook", lambda e: unraisable.append(e.exc_value)
            )
            del body, chunks
        assert unraisable == [error]
    else:
        with pytest.raises(type(error)) as caught:
            body.close() if end == "close" else next(chunks)
        assert caught.value is error
        if end == "error":
            assert isinstance(error.__context__, ValueError)
        body.close()
    assert seen.count("close") == 1
    assert [name for name, *_ in seen if name == "app"] or "app" in seen
    assert nothing_is_current()


def test_a_context_that_is_pushed_again_while_a_stream_holds_it(app, seen):
    app.teardown_appcontext_funcs[:] = [lambda exc: seen.add("app", exc)]
    ctx = app.test_request_context("/again")
    with ctx:
        stream = stream_with_context(iter("12"))
    with ctx:
        assert next(stream) == "1"
    assert seen == ["app"]
    assert list(stream) == ["2"]
    assert seen.take() == ["app", *ONCE]
    with ctx:
        stream = stream_with_context(iter("12"))
    with ctx:
        assert list(stream) == ["1", "2"]
    assert [*seen].count("close") == 1
    seen.clear()
    with ctx:
        assert request.path == "/again"
    assert seen == ONCE


def test_a_stream_that_ends_in_another_request_does_not_see_it(app, seen):
    with app.test_request_context("/mine"):
        stream = stream_with_context(iter("ab"))
    next(stream)
    with app.test_request_context("/other"):
        stream.close()
        assert request.path == "/other"
        assert seen == ABANDONED
