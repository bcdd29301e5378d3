"""``request_ctx.session`` can be assigned, as it could until Flask 3.1.2."""

from __future__ import annotations

import flask
import pytest
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionMixin


class Session(dict, SessionMixin):
    pass


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.secret_key = "secret"

    @app.get("/")
    def index():
        return dict(flask.session)

    return app


def test_the_proxies_return_the_assigned_session(app):
    with app.test_request_context() as ctx:
        request_ctx.session = assigned = Session(user="alice")
        assert flask.session._get_current_object() is assigned
        assert request_ctx.session is ctx.session is assigned
        assert flask.session["user"] == "alice"


def test_assigning_is_no_access_but_reading_is(app):
    with app.test_request_context() as ctx:
        ctx.session = assigned = Session(user="alice")
        assert not assigned.accessed
        assert flask.session["user"] == "alice"
        assert assigned.accessed


@pytest.mark.parametrize("read", [False, True])
def test_vary_depends_on_whether_the_assigned_session_was_read(app, read):
    @app.get("/assign")
    def assign():
        request_ctx.session = SecureCookieSession({"user": "alice"})
        return flask.session["user"] if read else "unread"

    response = app.test_client().get("/assign")
    assert response.status_code == 200
    assert ("Cookie" in response.vary) is read
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("kind", [Session, dict])
def test_the_assigned_session_is_saved_in_place_of_the_opened_one(app, kind):
    @app.get("/assign")
    def assign():
        flask.session["lost"] = True
        request_ctx.session = kind(user="alice")
        flask.session["seen"] = True
        return ""

    client = app.test_client()
    client.get("/assign")
    assert client.get("/").json == {"user": "alice", "seen": True}


def test_the_session_interface_saves_the_very_object(app):
    saved = []

    class Interface(SecureCookieSessionInterface):
        def save_session(self, app, session, response):
            saved.append(session)

    app.session_interface = Interface()
    assigned = Session()

    @app.get("/assign")
    def assign():
        request_ctx.session = assigned
        return ""

    app.test_client().get("/assign")
    assert len(saved) == 1
    assert saved[0] is assigned


@pytest.mark.parametrize("kind", [Session, dict])
def test_an_empty_session_removes_the_cookie(app, kind):
    @app.get("/sign-in")
    def sign_in():
        flask.session["user"] = "alice"
        return ""

    @app.get("/sign-out")
    def sign_out():
        request_ctx.session = kind()
        return ""

    client = app.test_client()
    client.get("/sign-in")
    assert client.get("/").json == {"user": "alice"}
    client.get("/sign-out")
    assert client.get_cookie("session") is None


def test_a_plain_dict_makes_a_session(app):
    with app.test_request_context() as ctx:
        ctx.session = {"user": "alice"}
        assert isinstance(flask.session._get_current_object(), SessionMixin)
        assert flask.session == {"user": "alice"}
        assert flask.session.modified
        flask.session.permanent = True


def test_none_leaves_the_session_unopened_until_the_next_push(app):
    with app.test_request_context() as ctx:
        ctx.session["user"] = "alice"
        ctx.session = None
        with pytest.raises(AssertionError, match="not yet been opened"):
            flask.session["user"]
        with ctx:
            assert flask.session == {}


def test_with_none_nothing_is_saved(app):
    @app.get("/none")
    def none():
        flask.session["user"] = "alice"
        request_ctx.session = None
        return "done"

    response = app.test_client().get("/none")
    assert response.text == "done"
    assert "Set-Cookie" not in response.headers


def test_a_session_that_is_assigned_before_the_push_is_kept(app):
    ctx = app.test_request_context()
    ctx.session = assigned = Session()
    with ctx:
        assert flask.session._get_current_object() is assigned


def test_a_copied_context_has_the_assigned_session(app):
    with app.test_request_context() as ctx:
        ctx.session = assigned = Session()

        @flask.copy_current_request_context
        def get_session():
            return flask.session._get_current_object()

    assert get_session() is assigned


def test_an_extension_keeps_one_session_over_many_contexts(app):
    """Flask-SocketIO before 5.6.1 gives each event of a connection its session."""
    environ = {}

    def handle_event(name):
        with app.test_request_context():
            saved = environ.setdefault("saved_session", Session(flask.session))
            request_ctx._get_current_object().session = saved
            flask.session.setdefault("events", []).append(name)
            return list(flask.session["events"])

    handle_event("connect")
    assert handle_event("message") == ["connect", "message"]


def test_without_assignment_the_session_is_opened_and_saved_as_before(app):
    @app.get("/count")
    def count():
        flask.session["count"] = flask.session.get("count", 0) + 1
        return ""

    @app.get("/unused")
    def unused():
        return ""

    client = app.test_client()
    client.get("/count")
    client.get("/count")
    response = client.get("/")
    assert response.json == {"count": 2}
    assert "Cookie" in response.vary
    assert "Cookie" not in client.get("/unused").vary
