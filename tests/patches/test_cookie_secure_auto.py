"""On request, the session's cookie is as secure as the request that sets it."""

from __future__ import annotations

import flask
import pytest
from flask import session
from werkzeug.middleware.proxy_fix import ProxyFix


def make_app(**config):
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY="secret", **config)

    @app.get("/in")
    def sign_in():
        session["user"] = "alice"
        return session["user"]

    @app.get("/out")
    def sign_out():
        session.clear()
        return session.get("user", "nobody")

    @app.get("/")
    def index():
        return session.get("user", "nobody")

    return app


def attributes(response):
    """The cookie's attributes, without its name and value."""
    [cookie] = response.headers.getlist("Set-Cookie")
    return {part.strip() for part in cookie.split(";")[1:]}


def get(app, path, scheme):
    return app.test_client().get(path, base_url=f"{scheme}://localhost")


def test_over_https():
    app = make_app(SESSION_COOKIE_SECURE="auto")
    found = attributes(get(app, "/in", "https"))
    assert found == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_over_http():
    app = make_app(SESSION_COOKIE_SECURE="auto")
    found = attributes(get(app, "/in", "http"))
    assert found == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_behind_a_proxy():
    app = make_app(SESSION_COOKIE_SECURE="auto")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1)
    client = app.test_client()
    for scheme in ("https", "http"):
        response = client.get("/in", headers={"X-Forwarded-Proto": scheme})
        assert ("Secure" in attributes(response)) is (scheme == "https")


def test_the_same_session_over_both():
    client = make_app(SESSION_COOKIE_SECURE="auto").test_client()
    client.get("/in", base_url="http://localhost")
    assert client.get("/", base_url="https://localhost").text == "alice"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_removed_as_it_was_set(scheme):
    client = make_app(SESSION_COOKIE_SECURE="auto").test_client()
    base_url = f"{scheme}://localhost"
    client.get("/in", base_url=base_url)
    found = attributes(client.get("/out", base_url=base_url))
    assert "Max-Age=0" in found
    assert ("Secure" in found) is (scheme == "https")
    assert "SameSite=Lax" in found
    assert client.get("/", base_url=base_url).text == "nobody"


@pytest.mark.parametrize("samesite", ["Strict", "None", "Lax"])
def test_a_samesite_of_its_own(samesite):
    app = make_app(SESSION_COOKIE_SECURE="auto", SESSION_COOKIE_SAMESITE=samesite)
    assert f"SameSite={samesite}" in attributes(get(app, "/in", "https"))


@pytest.mark.parametrize("secure", [True, False, None, "yes", "AUTO"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_other_values_are_as_ever(secure, scheme):
    app = make_app(SESSION_COOKIE_SECURE=secure)
    found = attributes(get(app, "/in", scheme))
    assert any(part.startswith("Secure") for part in found) is bool(secure)
    assert not any(part.startswith("SameSite") for part in found)


def test_the_default():
    assert flask.Flask.default_config["SESSION_COOKIE_SECURE"] is False
    assert attributes(get(make_app(), "/in", "https")) == {"HttpOnly", "Path=/"}


def test_from_the_environment(monkeypatch):
    monkeypatch.setenv("FLASK_SESSION_COOKIE_SECURE", "auto")
    app = make_app()
    app.config.from_prefixed_env()
    assert "Secure" in attributes(get(app, "/in", "https"))
    assert "Secure" not in attributes(get(app, "/in", "http"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_outside_of_a_request(scheme):
    app = make_app(SESSION_COOKIE_SECURE="auto", PREFERRED_URL_SCHEME=scheme)
    interface = app.session_interface
    assert interface.get_cookie_secure(app) is (scheme == "https")
    with app.app_context():
        assert interface.get_cookie_secure(app) is (scheme == "https")


def test_a_transaction_of_a_test():
    app = make_app(SESSION_COOKIE_SECURE="auto")
    client = app.test_client()
    with client.session_transaction(base_url="https://localhost") as stored:
        stored["user"] = "bob"
    assert client.get_cookie("session").secure
    assert client.get("/", base_url="https://localhost").text == "bob"
