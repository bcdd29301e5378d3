"""A client in a ``with`` block keeps the last request, and tears it down once."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest
from flask import g
from flask import request
from flask import session


@pytest.fixture
def torn_down():
    """The requests and app contexts that were torn down, by the user of each."""
    return []


@pytest.fixture
def app(torn_down):
    app = flask.Flask(__name__)
    app.secret_key = "secret"

    @app.teardown_request
    def teardown_request(exc):
        torn_down.append(("request", request.args.get("user"), exc and type(exc)))

    @app.teardown_appcontext
    def teardown_appcontext(exc):
        torn_down.append(("app", g.get("user"), exc and type(exc)))

    @app.get("/")
    def index():
        found = g.get("user", "nobody")
        g.user = session["user"] = request.args["user"]
        return found

    @app.get("/redirect")
    def redirect():
        g.user = request.args["user"]
        return flask.redirect(flask.url_for("index", user="bob"))

    @app.get("/error")
    def error():
        g.user = request.args["user"]
        raise KeyError("error")

    return app


def once(user, exc=None):
    return [("request", user, exc), ("app", user, exc)]


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert not flask.has_app_context()
    assert not flask.has_request_context()


def test_once_at_the_end_of_the_block(app, torn_down):
    with app.test_client() as client:
        assert client.get("/?user=alice").text == "nobody"
        assert torn_down == []
        assert g.user == session["user"] == request.args["user"] == "alice"
        assert flask.current_app == app
    assert torn_down == once("alice")


def test_once_at_the_next_request(app, torn_down):
    with app.test_client() as client:
        client.get("/?user=alice")
        assert client.get("/?user=bob").text == "nobody"
        assert torn_down == once("alice")
        assert g.user == request.args["user"] == "bob"
    assert torn_down == once("alice") + once("bob")


def test_at_the_end_of_the_request_without_a_block(app, torn_down):
    client = app.test_client()
    client.get("/?user=alice")
    assert torn_down == once("alice")
    assert not flask.has_app_context()


def test_an_error_in_the_block(app, torn_down):
    def visit():
        with app.test_client() as client:
            client.get("/?user=alice")
            raise ValueError("of the test")

    with pytest.raises(ValueError, match="of the test"):
        visit()
    assert torn_down == once("alice")


@pytest.mark.parametrize("testing", [False, True])
def test_an_error_in_the_view(app, torn_down, testing):
    app.testing = testing
    with app.test_client() as client:
        if testing:
            with pytest.raises(KeyError):
                client.get("/error?user=alice")
        else:
            assert client.get("/error?user=alice").status_code == 500
        assert torn_down == []
        assert g.user == "alice"
    assert torn_down == once("alice", KeyError)


def test_an_error_in_the_teardown(app, torn_down):
    @app.teardown_request
    def fails(exc):
        raise KeyError(request.args["user"])

    with app.test_client() as client:
        client.get("/?user=alice")
        with pytest.raises(KeyError, match="alice"):
            client.get("/?user=bob")
        assert not flask.has_app_context()
        client.get("/?user=carol")
        with pytest.raises(KeyError, match="carol"):
            client.__exit__(None, None, None)
        client.__enter__()
    assert [user for kind, user, _ in torn_down if kind == "app"] == ["alice", "carol"]


def test_redirects(app, torn_down):
    with app.test_client() as client:
        response = client.get("/redirect?user=alice", follow_redirects=True)
        assert response.text == "nobody"
        assert torn_down == once("alice")
        assert g.user == request.args["user"] == "bob"
    assert torn_down == once("alice") + once("bob")


def test_clients_side_by_side(app, torn_down):
    with app.test_client() as first, app.test_client() as second:
        assert first.get("/?user=a1").text == "nobody"
        assert second.get("/?user=b1").text == "nobody"
        assert g.user == session["user"] == "b1"
        assert torn_down == []
        assert first.get("/?user=a2").text == "nobody"
        assert g.user == session["user"] == "a2"
        assert torn_down == once("a1")
        assert second.get("/?user=b2").text == "nobody"
        assert torn_down == once("a1") + once("b1")
    assert torn_down == once("a1") + once("b1") + once("b2") + once("a2")


def test_a_client_whose_block_ends_first(app, torn_down):
    first, second = app.test_client(), app.test_client()
    first.__enter__()
    second.__enter__()
    first.get("/?user=alice")
    second.get("/?user=bob")
    first.__exit__(None, None, None)
    assert torn_down == once("alice")
    assert g.user == "bob"
    second.__exit__(None, None, None)
    assert torn_down == once("alice") + once("bob")


def test_a_client_without_a_block_in_anothers(app, torn_down):
    with app.test_client() as client:
        client.get("/?user=alice")
        assert app.test_client().get("/?user=bob").text == "nobody"
        assert torn_down == once("bob")
        assert g.user == session["user"] == "alice"
    assert torn_down == once("bob") + once("alice")


def test_clients_of_two_applications(app, torn_down):
    other = flask.Flask("other")

    @other.get("/")
    def index():
        return "other"

    with app.test_client() as first, other.test_client() as second:
        first.get("/?user=alice")
        assert second.get("/").text == "other"
        assert flask.current_app == other
        first.get("/?user=bob")
        assert flask.current_app == app
    assert torn_down == once("alice") + once("bob")


def test_an_app_context_around_the_block(app, torn_down):
    with app.app_context():
        g.user = "the test"
        with app.test_client() as client:
            # The request runs in the context that the test has pushed.
            assert client.get("/?user=alice").text == "the test"
            assert g.user == "alice"
        assert torn_down == once("alice")[:1]
        assert g.user == "alice"
        assert not flask.has_request_context()
    assert torn_down == once("alice")


def test_a_context_that_is_pushed_in_the_block(app, torn_down):
    with app.test_client() as client:
        client.get("/?user=alice")
        with app.test_request_context("/?user=test"):
            assert request.args["user"] == "test"
            client.get("/?user=bob")
            assert request.args["user"] == "test"
        assert once("alice")[0] in torn_down
    assert [user for kind, user, _ in torn_down if kind == "request"] == [
        "alice",
        "test",
        "bob",
    ]


def test_session_transaction(app, torn_down):
    with app.test_client() as client:
        client.get("/?user=alice")
        with client.session_transaction() as stored:
            assert stored["user"] == "alice"
            stored["more"] = 1
        assert g.user == session["user"] == "alice"
        client.get("/?user=bob")
        assert session["more"] == 1
    assert torn_down.count(once("alice")[0]) == 1
    assert torn_down.count(once("alice")[1]) == 1


def test_a_block_after_a_block(app, torn_down):
    client = app.test_client()
    for user in ("alice", "bob"):
        with client:
            assert client.get(f"/?user={user}").text == "nobody"
    assert torn_down == once("alice") + once("bob")
    with pytest.raises(RuntimeError, match="nest"), client, client:
        pass


def test_clients_in_threads(app, torn_down):
    found = []
    barrier = threading.Barrier(2)

    def visit(user):
        with app.test_client() as client:
            for _ in range(20):
                barrier.wait()
                found.append(client.get(f"/?user={user}").text)
                barrier.wait()
                found.append(g.user == user)

    threads = [threading.Thread(target=visit, args=[user]) for user in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("nobody") == found.count(True) == 40
    for each in once("a") + once("b"):
        assert torn_down.count(each) == 20


def test_the_stream_of_the_last_request(app, torn_down):
    @app.get("/stream")
    def stream():
        g.user = request.args["user"]
        return flask.stream_with_context(c for c in g.user)

    with app.test_client() as client:
        response = client.get("/stream?user=alice")
        assert response.text == "alice"
        assert torn_down == []
        response = client.get("/stream?user=bob")
        assert torn_down == once("alice")
    assert torn_down == once("alice")
    response.close()
    assert torn_down[2:] == once("bob", GeneratorExit)


def test_an_app_context_that_is_popped_before_the_block_ends(app, torn_down):
    """As with two fixtures that end in the order in which they began."""
    client, pushed = app.test_client(), app.app_context()
    with client:
        pushed.push()
        client.get("/?user=alice")
        assert request.args["user"] == "alice"
        pushed.pop()
        assert request.args["user"] == "alice"
    assert not flask.has_request_context()
    assert not flask.has_app_context()
    with client:
        client.get("/?user=bob")
        assert request.args["user"] == g.user == "bob"
    assert not flask.has_request_context()
    assert [user for kind, user, _ in torn_down if kind == "request"] == [
        "alice",
        "bob",
    ]


def test_clients_in_copies_of_the_context(app, torn_down):
    def visit(user):
        with app.test_client() as client:
            client.get(f"/?user={user}")
            return g.user

    with app.test_client() as client:
        client.get("/?user=alice")
        for run in (contextvars.copy_context().run, in_a_thread):
            assert run(visit, "bob") == "bob"
            assert run(lambda: client.get("/?user=alice").text) == "nobody"
            assert g.user == request.args["user"] == "alice"
    assert not flask.has_request_context()
    assert not flask.has_app_context()


def test_tasks_after_a_request(app):
    async def visit(user):
        with app.test_client() as client:
            client.get(f"/?user={user}")
            await asyncio.sleep(0)
            client.get(f"/?user={user}{user}")
            await asyncio.sleep(0)
            return g.user

    async def visit_all():
        app.test_client().get("/?user=first")
        return await asyncio.gather(*map(visit, "abc"))

    assert asyncio.run(visit_all()) == ["aa", "bb", "cc"]


def test_a_request_that_fails_before_it_has_a_request_context(app, torn_down):
    def fail(sender):
        flask.appcontext_pushed.disconnect(fail)
        raise OSError("failed")

    flask.appcontext_pushed.connect(fail)
    with app.test_client() as client:
        with contextlib.suppress(OSError, LookupError):
            client.get("/?user=alice")
        # A context whose push failed is never popped, on plain Flask either.
        flask.globals.app_ctx.pop()
        client.get("/?user=bob")
        assert request.args["user"] == g.user == "bob"
    assert torn_down[1:] == once("bob")


def in_a_thread(function, *args):
    with ThreadPoolExecutor() as pool:
        return pool.submit(contextvars.copy_context().run, function, *args).result()


@pytest.mark.parametrize("times", [2, 3])
def test_a_middleware_that_calls_the_application_again(app, torn_down, times):
    wsgi_app = app.wsgi_app

    def again(environ, start_response):
        for i in range(1, times):
            body = wsgi_app({**environ, "QUERY_STRING": f"user={i}"}, start_response)
            body.close()
        return wsgi_app(environ, start_response)

    app.wsgi_app = again
    with app.test_client() as client:
        client.get("/?user=last")
        assert (request.args["user"], g.user) == ("last", "last")
    users = [str(i) for i in range(1, times)] + ["last"]
    expected = [entry for user in users for entry in once(user)]
    assert sorted(torn_down) == sorted(expected)
    assert not flask.has_request_context()


def test_each_request_of_a_middleware_is_torn_down(app, torn_down):
    wsgi_app = app.wsgi_app

    @app.teardown_request
    def fail(exc):
        raise KeyError(request.args["user"])

    def again(environ, start_response):
        wsgi_app({**environ, "QUERY_STRING": "user=1"}, start_response).close()
        return wsgi_app(environ, start_response)

    app.wsgi_app = again
    with contextlib.suppress(Exception), app.test_client() as client:
        client.get("/?user=2")
    assert sorted(torn_down) == sorted(once("1") + once("2"))
    assert not flask.has_app_context()
