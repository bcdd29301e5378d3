"""A session that is not used costs nothing, and static files set no cookie."""

from __future__ import annotations

import threading
import time

import flask
import pytest
from flask import session
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionMixin
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter


class Interface(SecureCookieSessionInterface):
    """Records what is done with the session."""

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

    @app.get("/out")
    def out():
        session.clear()
        return "out"

    bp.register_blueprint(inner)
    app.register_blueprint(bp)
    return app


@pytest.fixture
def lazy(app):
    app.config["SESSION_LAZY"] = True
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


# Without the flag.


def test_the_default():
    assert flask.Flask.default_config["SESSION_LAZY"] is False


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
    # It may hold a lock from opening to saving.
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


# With the flag.


def test_what_is_not_used_is_not_opened(lazy, interface):
    client = lazy.test_client()
    client.get("/in")
    interface.take()
    for url in ("/", "/missing", *static_urls(lazy)):
        response = client.get(url, buffered=True)
        assert cookies(response) == []
        assert "Cookie" not in response.vary
        assert interface.take() == []
    assert client.get("/user").text == "alice"


def test_what_is_used_is_opened_once(lazy, interface):
    client = lazy.test_client()
    response = client.get("/in")
    assert interface.take() == ["open", "save"]
    assert len(cookies(response)) == 1
    response = client.get("/user")
    assert response.text == "alice"
    assert "Cookie" in response.vary
    assert interface.take() == ["open", "save"]
    client.get("/out")
    assert client.get_cookie("session") is None
    assert client.get("/user").text == "nobody"


@pytest.mark.parametrize(
    "use",
    [
        lambda: bool(session),
        lambda: "user" in session,
        lambda: session.modified,
        lambda: request_ctx.session,
        lambda: flask.get_flashed_messages(),
        lambda: flask.render_template_string("{{ session.user }}"),
    ],
)
def test_what_is_a_use(lazy, interface, use):
    @lazy.get("/use")
    def view():
        use()
        use()
        return ""

    response = lazy.test_client().get("/use")
    assert interface.take() == ["open", "save"]
    assert "Cookie" in response.vary


def test_a_template_that_does_not_use_it(lazy, interface):
    @lazy.get("/template")
    def template():
        return flask.render_template_string("{{ request.path }} {{ g }}")

    assert lazy.test_client().get("/template").status_code == 200
    assert interface.take() == []


def test_where_the_session_is_used(lazy, interface):
    for number, register in enumerate(
        (lazy.before_request, lazy.after_request, lazy.url_value_preprocessor)
    ):

        def use(*args, number=number):
            session[str(number)] = number
            return args[0] if args and isinstance(args[0], flask.Response) else None

        register(use)
    client = lazy.test_client()
    client.get("/")
    assert interface.take() == ["open", "save"]
    with client.session_transaction() as stored:
        assert stored == {"0": 0, "1": 1, "2": 2}


def test_a_converter_and_an_error_handler(lazy):
    class Own(BaseConverter):
        def to_python(self, value):
            return value + session["user"]

    lazy.url_map.converters["own"] = Own

    @lazy.get("/own/<own:name>")
    def own(name):
        return name

    @lazy.errorhandler(404)
    def not_found(error):
        return session["user"], 404

    client = lazy.test_client()
    client.get("/in")
    assert client.get("/own/x-").text == "x-alice"
    assert client.get("/missing").text == "alice"


def test_a_null_session(lazy):
    lazy.secret_key = None
    client = lazy.test_client()
    assert client.get("/").status_code == 200
    assert client.get("/user").text == "nobody"
    lazy.testing = True
    with pytest.raises(RuntimeError, match="secret key"):
        client.get("/in")


def test_a_session_that_is_assigned(lazy, interface):
    class Own(dict, SessionMixin):
        pass

    saved = []
    interface.save_session = lambda app, session, response: saved.append(session)

    @lazy.get("/assign")
    def assign():
        request_ctx.session = own = Own(user="bob")
        assert session == own
        return ""

    lazy.test_client().get("/assign")
    assert saved == [{"user": "bob"}]
    assert interface.take() == []


@pytest.mark.parametrize("first", ["request", "copy"])
def test_a_copied_context_shares_the_session(lazy, interface, first):
    @lazy.get("/copy")
    def copy():
        @flask.copy_current_request_context
        def write():
            session["copy"] = True

        if first == "request":
            session["request"] = True
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        session["request"] = True
        return dict(session)

    client = lazy.test_client()
    assert client.get("/copy").json == {"copy": True, "request": True}
    assert interface.take() == ["open", "save"]
    with client.session_transaction() as stored:
        assert stored == {"copy": True, "request": True}


def test_copied_contexts_in_threads(lazy, interface):
    open_session = interface.open_session
    barrier = threading.Barrier(3)

    def slowly(app, request):
        time.sleep(0.1)
        return open_session(app, request)

    interface.open_session = slowly

    @lazy.get("/copies")
    def copies():
        def write(key):
            barrier.wait()
            session[key] = True

        copied = [flask.copy_current_request_context(write) for _ in "ab"]
        threads = [
            threading.Thread(target=write, args=[key])
            for write, key in zip(copied, "ab")
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        session["c"] = True
        for thread in threads:
            thread.join()
        return "".join(sorted(session))

    assert lazy.test_client().get("/copies").text == "abc"
    assert interface.take() == ["open", "save"]


def test_a_copied_context_that_does_not_use_it(lazy, interface):
    @lazy.get("/copy")
    def copy():
        return flask.copy_current_request_context(lambda: flask.request.path)()

    assert lazy.test_client().get("/copy").text == "/copy"
    assert interface.take() == []


def test_a_stream(lazy, interface):
    @lazy.get("/stream")
    def stream():
        return flask.stream_with_context(session["user"] for _ in "12")

    client = lazy.test_client()
    client.get("/in")
    interface.take()
    response = client.get("/stream")
    assert response.text == "alicealice"
    assert interface.take() == ["open"]


def test_a_test_looks_into_the_session(lazy):
    with lazy.test_client() as client:
        client.get("/in")
        assert session["user"] == "alice"
        client.get("/")
        assert session["user"] == "alice"
        with client.session_transaction() as stored:
            stored["user"] = "bob"
        assert client.get("/user").text == "bob"
    with lazy.test_request_context():
        assert session == {}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), json, max_size=3), max_size=4))
def test_both_ways_give_the_same_sessions(writes):
    clients = []
    for lazily in (False, True):
        app = flask.Flask("property")
        app.config.update(SECRET_KEY="secret", SESSION_LAZY=lazily, MAX_COOKIE_SIZE=0)

        @app.get("/<int:number>")
        def write(number):
            session.update(writes[number])
            return ""

        @app.get("/")
        def unused():
            return ""

        clients.append(app.test_client())
    for number in range(len(writes)):
        stored = []
        for client in clients:
            client.get("/")
            client.get(f"/{number}")
            with client.session_transaction() as opened:
                stored.append(dict(opened))
        assert stored[0] == stored[1]
        assert {k: v for w in writes[: number + 1] for k, v in w.items()} == stored[0]
