"""APPLICATION_ROOT always begins with exactly one slash."""

from __future__ import annotations

from urllib.parse import urljoin
from urllib.parse import urlsplit

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict

#: What is configured, where the app is, and the path of its cookie.
ROOTS = [
    ("/", "", "/"),
    ("/my", "/my", "/my"),
    ("/my/", "/my", "/my/"),
    ("/my/app", "/my/app", "/my/app"),
    ("my", "/my", "/my"),
    ("my/", "/my", "/my/"),
    ("my/app", "/my/app", "/my/app"),
    ("", "", "/"),
    (None, "", "/"),
    (" ", "", "/"),
    ("\n", "", "/"),
    (" my ", "/my", "/my"),
    ("\t/my\n", "/my", "/my"),
    ("//", "", "/"),
    ("//my", "/my", "/my"),
    ("///my/", "/my", "/my/"),
    ("\\my", "/my", "/my"),
    ("/\\my", "/my", "/my"),
    ("\\\\my", "/my", "/my"),
    ("evil.example", "/evil.example", "/evil.example"),
    ("//evil.example", "/evil.example", "/evil.example"),
    ("https://evil.example", "/https://evil.example", "/https://evil.example"),
    (":80", "/:80", "/:80"),
    ("@evil.example", "/@evil.example", "/@evil.example"),
]
each_root = pytest.mark.parametrize(("root", "mounted", "cookie"), ROOTS)


def make_app(root, **config):
    app = flask.Flask(__name__)
    app.testing = True
    app.config.update(SERVER_NAME="shop.example", SECRET_KEY="k")
    app.config.update(APPLICATION_ROOT=root, **config)
    app.add_url_rule("/p", "p", lambda: flask.session.update(a=1) or "")
    app.add_url_rule("/root", "root", lambda: flask.request.root_path)
    app.add_url_rule("/", "index", lambda: flask.url_for("p"))
    return app


@each_root
def test_urls_outside_a_request(root, mounted, cookie):
    app = make_app(root)
    with app.app_context():
        assert flask.url_for("p") == f"http://shop.example{mounted}/p"
        assert flask.url_for("p", _external=False) == f"{mounted}/p"
        assert flask.url_for("index") == f"http://shop.example{mounted}/"
        assert flask.url_for("static", filename="x") == (
            f"http://shop.example{mounted}/static/x"
        )
    assert app.url_for("p", _scheme="https") == f"https://shop.example{mounted}/p"


@each_root
def test_the_cookie(root, mounted, cookie):
    app = make_app(root)
    assert app.session_interface.get_cookie_path(app) == cookie
    response = app.test_client().get("/p")
    assert f"; Path={cookie}" in response.headers["Set-Cookie"] + ";"


@each_root
def test_the_client_keeps_the_cookie(root, mounted, cookie):
    app = make_app(root)
    app.add_url_rule("/a", view_func=lambda: {"a": flask.session.get("a")})
    client = app.test_client()
    client.get("/p")
    assert client.get("/a").json == {"a": 1}


@each_root
def test_the_client_is_below_it(root, mounted, cookie):
    app = make_app(root)
    for path in ("/root", "http://shop.example/root"):
        assert app.test_client().get(path).text.rstrip("/") == mounted.rstrip("/")
    assert app.test_client().get("/").text == f"{mounted}/p"
    with app.test_request_context("/p"):
        assert flask.url_for("p") == f"{mounted}/p"


@each_root
def test_a_path_of_the_cookie_takes_precedence(root, mounted, cookie):
    app = make_app(root, SESSION_COOKIE_PATH="/other")
    assert app.session_interface.get_cookie_path(app) == "/other"


@given(st.text("/\\. my:@\t", max_size=8))
def test_no_other_host(root):
    app = make_app(root)
    with app.app_context():
        url = flask.url_for("p", _external=False)
    assert url.startswith("/")
    assert urlsplit(urljoin("http://shop.example/x/y", url)).netloc == "shop.example"
    # As browsers read it.
    assert not url.replace("\\", "/").startswith("//")


@pytest.mark.parametrize("root", [5, 0, False, b"/my", ["/my"], object()])
def test_another_type_is_refused(root):
    app = make_app(root)
    match = "'APPLICATION_ROOT' must be a string or None, not an object of type"
    with pytest.raises(TypeError, match=match):
        app.url_for("p")
    with pytest.raises(TypeError, match=match):
        app.session_interface.get_cookie_path(app)
    with pytest.raises(TypeError, match=match):
        app.test_request_context()


def test_it_is_looked_at_each_time():
    app = make_app("my")
    assert app.url_for("p") == "http://shop.example/my/p"
    app.config["APPLICATION_ROOT"] = "other"
    assert app.url_for("p") == "http://shop.example/other/p"
    assert app.config["APPLICATION_ROOT"] == "other"


def test_an_app_class_whose_config_has_none():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "APPLICATION_ROOT"
        )

    app = App(__name__)
    assert app.session_interface.get_cookie_path(app) == "/"


def test_the_path_of_a_request_is_the_servers():
    app = make_app("my")
    environ = {"SCRIPT_NAME": "/served", "PATH_INFO": "/"}
    with app.test_request_context(environ_overrides=environ):
        assert flask.url_for("p") == "/served/p"
