"""A copied request context keeps its g where that is asked for."""

from __future__ import annotations

import gc
import inspect
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest
from flask import copy_current_request_context
from flask import g


class Resource:
    def __init__(self):
        self.closed = False

    def close(self):
        assert not self.closed
        self.closed = True


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.testing = True
    app.secret_key = "k"
    app.torn_down = []

    @app.before_request
    def load():
        g.user = flask.request.args.get("user", "nobody")

    # As in Flask's documentation.
    @app.teardown_appcontext
    def close(exc):
        app.torn_down.append(dict(vars(g._get_current_object())))
        if (resource := g.pop("resource", None)) is not None:
            resource.close()

    return app


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def resource():
    if "resource" not in g:
        g.resource = Resource()
    return g.resource


def in_view(app, f, path="/?user=alice"):
    app.add_url_rule("/", view_func=lambda: f() or "", endpoint="index")
    return app.test_client().get(path)


def keep(f):
    return copy_current_request_context(f, keep_g=True)


def decorated(f):
    @copy_current_request_context(keep_g=True)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("way", [keep, decorated])
def test_in_a_thread(app, pool, way):
    def work(*args, **kwargs):
        return (
            g.user,
            flask.request.path,
            flask.session["x"],
            flask.current_app.name,
            g._get_current_object(),
            (args, kwargs),
        )

    def view():
        flask.session["x"] = 1
        found = pool.submit(way(work), 1, a=2).result()
        own = g._get_current_object()
        assert found == ("alice", "/", 1, app.name, own, ((1,), {"a": 2}))

    assert in_view(app, view).status_code == 200


def test_the_default(app, pool):
    def view():
        for f in (
            copy_current_request_context(lambda: dict(vars(g._get_current_object()))),
            copy_current_request_context(keep_g=False)(lambda: list(g)),
            copy_current_request_context(lambda: list(g), keep_g=False),
        ):
            assert not pool.submit(f).result()

    in_view(app, view)


def test_what_it_looks_like():
    parameters = inspect.signature(copy_current_request_context).parameters
    assert [*parameters] == ["f", "keep_g"]
    assert parameters["keep_g"].default is False

    with flask.Flask(__name__).test_request_context():

        @copy_current_request_context(keep_g=True)
        def named():
            """With a docstring."""

        assert (named.__name__, named.__doc__) == ("named", "With a docstring.")


def test_outside_a_request(app):
    for f in (keep, decorated):
        with app.app_context(), pytest.raises(RuntimeError, match="request context"):
            f(print)


def test_what_is_written_is_shared(app, pool):
    def view():
        def work():
            g.written = "by the thread"
            del g.user

        pool.submit(keep(work)).result()
        assert g.written == "by the thread"
        assert "user" not in g

    in_view(app, view)


def test_what_is_written_after_copying_is_seen(app, pool):
    def view():
        work = keep(lambda: g.user)
        g.user = "bob"
        assert pool.submit(work).result() == "bob"

    in_view(app, view)


def test_requests_do_not_meet(app, pool):
    barrier = threading.Barrier(4)

    @app.get("/")
    def index():
        return pool.submit(keep(lambda: g.user)).result()

    def get(name):
        barrier.wait()
        client = app.test_client()
        return {client.get(f"/?user={name}").text for _ in range(10)}

    with ThreadPoolExecutor(4) as clients:
        assert [*clients.map(get, "abcd")] == [{"a"}, {"b"}, {"c"}, {"d"}]


def test_in_the_same_thread(app):
    def view():
        own = g._get_current_object()
        assert keep(lambda: g._get_current_object())() is own
        assert g._get_current_object() is own
        assert g.user == "alice"

    in_view(app, view)
    assert not flask.has_app_context()


def test_below_another_context_of_the_app(app, pool):
    """The one that is pushed in the thread keeps its own."""

    def view():
        work = keep(lambda: g.user)

        def run():
            with app.app_context():
                g.user = "somebody else"
                return work(), g.user

        assert pool.submit(run).result() == ("alice", "somebody else")

    in_view(app, view)


def test_below_a_context_of_another_app(app, pool):
    other = flask.Flask("other")

    def view():
        work = keep(lambda: (g.user, flask.current_app.name))

        def run():
            with other.app_context():
                return work(), flask.current_app.name

        assert pool.submit(run).result() == (("alice", app.name), "other")
        with other.app_context(), pytest.raises(RuntimeError, match="'other'"):
            keep(print)

    in_view(app, view)


def test_several_times(app, pool):
    def view():
        work = keep(lambda: g.user)
        assert [work(), work(), pool.submit(work).result()] == ["alice"] * 3

    in_view(app, view)


def test_a_copy_of_a_copy(app, pool):
    def view():
        own = g._get_current_object()
        inner = keep(lambda: g._get_current_object())

        def work():
            return pool.submit(keep(inner)).result()

        assert pool.submit(keep(work)).result() is own

    in_view(app, view)


def test_an_async_function(app, pool):
    pytest.importorskip("asgiref")

    async def work():
        return g.user

    def view():
        assert pool.submit(keep(work)).result() == "alice"

    in_view(app, view)


def test_an_error_is_raised(app, pool):
    def fail():
        g.failed = True
        raise KeyError("x")

    def view():
        with pytest.raises(KeyError):
            pool.submit(keep(fail)).result()
        assert g.failed
        return "done"

    assert in_view(app, view).text == "done"


def test_a_class_of_its_own(app, pool):
    class Globals(flask.ctx._AppCtxGlobals):
        __slots__ = ()

    app.app_ctx_globals_class = Globals

    def view():
        assert type(pool.submit(keep(lambda: g._get_current_object())).result()) is (
            Globals
        )

    in_view(app, view)


def test_what_the_request_uses_is_not_closed(app, pool):
    def view():
        own = resource()
        assert pool.submit(keep(resource)).result() is own
        assert resource() is own
        assert not own.closed
        app.own = own

    assert in_view(app, view).status_code == 200
    assert app.own.closed
    # The teardown function of the copy has run, but had nothing to close.
    assert [names.get("user") for names in app.torn_down] == [None, "alice"]


def test_what_the_copy_opens_is_closed_by_the_request(app, pool):
    def view():
        app.own = pool.submit(keep(resource)).result()
        assert not app.own.closed

    in_view(app, view)
    assert app.own.closed


def test_a_copy_that_outlives_the_request(app, pool):
    ended, done = threading.Event(), []

    def view():
        own = resource()

        def work():
            assert ended.wait(10)
            # The teardown of the request has closed its own.
            assert own.closed
            assert resource() is not own
            return g.user, g.resource

        done.append(pool.submit(keep(work)))

    in_view(app, view)
    ended.set()
    user, opened = done[0].result(10)
    pool.shutdown()
    assert user == "alice"
    assert opened.closed


def test_copies_that_outlive_the_request(app, pool):
    started, ended, slow = threading.Barrier(2), threading.Event(), threading.Event()
    futures = []

    def first():
        assert ended.wait(10)
        started.wait(10)
        return resource()

    def second():
        assert ended.wait(10)
        started.wait(10)
        assert slow.wait(10)
        return resource()

    def view():
        futures.extend(pool.submit(keep(f)) for f in (first, second))

    in_view(app, view)
    ended.set()
    opened = futures[0].result(10)
    assert not opened.closed
    slow.set()
    assert futures[1].result(10) is opened
    pool.shutdown()
    assert opened.closed


def test_a_copy_of_a_copy_that_ends_last(app, pool):
    ended = threading.Event()
    futures = []

    def inner():
        assert ended.wait(10)
        return resource()

    def view():
        pool.submit(keep(lambda: futures.append(pool.submit(keep(inner))))).result()

    in_view(app, view)
    ended.set()
    opened = futures[0].result(10)
    pool.shutdown()
    assert opened.closed


def test_what_a_copy_of_a_copy_leaves_alone(app, pool):
    """The first copy has ended, but the request has not."""

    def view():
        own = resource()
        work = pool.submit(keep(lambda: keep(lambda: g.resource))).result()
        assert pool.submit(work).result() is own
        assert not own.closed

    assert in_view(app, view).status_code == 200


def test_what_a_stream_uses_is_not_closed(app, pool):
    @app.get("/")
    def index():
        own = resource()
        work = keep(lambda: g.resource)

        @flask.stream_with_context
        def generate():
            yield "1"
            assert pool.submit(work).result() is own
            yield "closed" if own.closed else "open"

        app.own = own
        return generate()

    response = app.test_client().get("/", buffered=False)
    assert response.text == "1open"
    response.close()
    assert app.own.closed


def test_teardown_of_the_request(app, pool):
    seen = []
    app.teardown_request(lambda exc: seen.append("user" in g))

    def view():
        pool.submit(keep(lambda: None)).result()

    in_view(app, view)
    assert seen == [False, True]


def test_nothing_stays_alive(app, pool):
    references = []

    def view():
        references.append(weakref.ref(g._get_current_object()))
        references.append(weakref.ref(flask.globals.app_ctx._get_current_object()))
        pool.submit(keep(lambda: keep(lambda: g.user)())).result()

    gc.collect()
    gc.disable()
    try:
        in_view(app, view)
        pool.shutdown()
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


def test_nothing_stays_current(app, pool):
    def view():
        pool.submit(keep(lambda: None)).result()

    in_view(app, view)
    for has in (flask.has_app_context, flask.has_request_context):
        assert not has()
        assert not pool.submit(has).result()
