"""Static files set no session cookie."""

from __future__ import annotations

import flask
import pytest
from flask import session
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface


class Interface(SecureCookieSessionInterface):
    """Says what is done with the session."""

    def __init__(self):
        self.seen = []

    def open_session(self, app, request):
        self.seen.append("open")
        return super().open_session(app, request)

    def save_session(self, app, session, response):
        self.seen.append("save")
        super().save_session(app, session, response)

    def take(self):
        seen, self.seen = self.seen, []
        return seen


@pytest.fixture
def app(tmp_path):
    tmp_path.joinpath("style.css").write_text("p {}")
    app = flask.Flask(__name__, static_folder=tmp_path)
    app.secret_key = "secret"
    app.session_interface = Interface()
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp", static_folder=tmp_path)
    inner = flask.Blueprint("in", __name__, url_prefix="/in", static_folder=tmp_path)

    @app.get("/")
    def index():
        return "text"

    @app.get("/in")
    def sign_in():
        session.permanent = True
        session["user"] = "alice"
        return "in"

    @app.get("/user")
    def user():
        return session.get("user", "nobody")

    bp.register_blueprint(inner)
    app.register_blueprint(bp)
    return app


@pytest.fixture
def interface(app):
    return app.session_interface


def static_urls(app):
    with app.test_request_context():
        return [
            flask.url_for(endpoint, filename="style.css")
            for endpoint in ("static", "bp.static", "bp.in.static")
        ]


def cookies(response):
    return response.headers.getlist("Set-Cookie")


def test_static_files_have_no_cookie(app):
    client = app.test_client()
    client.get("/in")
    for url in static_urls(app):
        response = client.get(url, buffered=True)
        assert response.status_code == 200
        assert cookies(response) == []
        assert "Cookie" not in response.vary
        for headers in ({"If-None-Match": response.headers["ETag"]}, {}):
            again = client.head(url, headers=headers, buffered=True)
            assert again.status_code == (304 if headers else 200)
            assert cookies(again) == []
    assert client.get("/user").text == "alice"


def test_a_static_file_that_is_not_there_has_none(app):
    client = app.test_client()
    client.get("/in")
    url = static_urls(app)[0].replace("style", "missing")
    assert client.get(url, buffered=True).status_code == 404
    assert cookies(client.get(url, buffered=True)) == []


def test_other_answers_refresh_the_cookie_as_ever(app, interface):
    client = app.test_client()
    client.get("/in")
    assert cookies(client.get("/")) != []
    assert cookies(client.get("/missing")) != []
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert cookies(client.get("/")) == []


@pytest.mark.parametrize("lazily", [False, True])
def test_a_static_file_whose_request_used_the_session(app, lazily):
    app.config["SESSION_LAZY"] = lazily

    @app.before_request
    def count():
        session["count"] = session.get("count", 0) + 1

    client = app.test_client()
    for url in static_urls(app):
        response = client.get(url, buffered=True)
        assert cookies(response) != []
        assert "Cookie" in response.vary
    with client.session_transaction() as stored:
        assert stored["count"] == 3


def test_an_endpoint_that_only_has_the_name(interface):
    app = flask.Flask(__name__, static_folder=None)
    app.secret_key = "secret"
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp")
    for owner in (app, bp):
        owner.add_url_rule("/", "static", lambda: "page")
    app.register_blueprint(bp)

    @app.get("/in")
    def sign_in():
        session.permanent = True
        return ""

    client = app.test_client()
    client.get("/in")
    assert cookies(client.get("/")) != []
    assert cookies(client.get("/bp/")) != []


def test_the_session_is_opened_and_saved_as_ever(app, interface):
    client = app.test_client()
    for url in ("/", "/missing"):
        client.get(url, buffered=True)
        assert interface.take() == ["open", "save"]
    # It may hold a lock from the one to the other.
    url = static_urls(app)[0]
    interface.take()
    client.get(url, buffered=True)
    assert interface.take() == ["open", "save"]


def test_a_session_that_was_changed_when_it_was_opened(app, interface):
    def open_session(app, request):
        opened = SecureCookieSession({"new": True})
        opened.modified = True
        return opened

    interface.open_session = open_session
    for url in static_urls(app):
        response = app.test_client().get(url, buffered=True)
        assert response.headers["Set-Cookie"].startswith("session=")


def test_a_session_that_does_not_say_whether_it_was_used(app, interface):
    class Bare(dict):
        pass

    interface.open_session = lambda app, request: Bare()
    interface.save_session = lambda *args: interface.seen.append("save")
    client = app.test_client()
    for url in ("/", *static_urls(app)):
        interface.take()
        assert client.get(url, buffered=True).status_code == 200
        assert interface.take() == ["save"]


@pytest.mark.parametrize("url", [0, 1, 2])
def test_with_the_interface_that_flask_has(app, url):
    app.session_interface = SecureCookieSessionInterface()
    client = app.test_client()
    client.get("/in")
    assert cookies(client.get(static_urls(app)[url], buffered=True)) == []
    assert cookies(client.get("/user")) != []


def test_a_function_in_its_place_is_called(app, monkeypatch):
    """On the class, which is where a monitoring tool puts it."""
    called = []

    def save(self, app, session, response):
        called.append(response.status)

    monkeypatch.setattr(SecureCookieSessionInterface, "save_session", save)
    app.session_interface = SecureCookieSessionInterface()
    app.test_client().get(static_urls(app)[0], buffered=True)
    assert called == ["200 OK"]
