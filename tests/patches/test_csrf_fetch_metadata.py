"""With a flag, requests that another site makes a browser send change nothing."""

from __future__ import annotations

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict

SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"]
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]
HOST = "shop.example"


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.config["CSRF_FETCH_METADATA"] = True
    app.add_url_rule("/", "index", lambda: "done", methods=SAFE[:2] + SAFE[3:] + UNSAFE)
    return app


def status(app, method="POST", site=None, origin=None, host=HOST, path="/"):
    headers = {"Host": host, "Sec-Fetch-Site": site, "Origin": origin}
    headers = {name: value for name, value in headers.items() if value is not None}
    return app.test_client().open(path, method=method, headers=headers).status_code


def test_the_default():
    assert flask.Flask.default_config["CSRF_FETCH_METADATA"] is False
    app = flask.Flask(__name__)
    app.post("/")(lambda: "done")
    assert status(app, site="cross-site", origin="https://evil.example") == 200


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if not key.startswith("CSRF_")
        )

    app = App(__name__)
    app.post("/")(lambda: "done")
    assert status(app, site="cross-site") == 200
    app.config["CSRF_FETCH_METADATA"] = True
    assert status(app, site="cross-site") == 403


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("same-origin", 200),
        ("none", 200),
        ("same-site", 403),
        ("cross-site", 403),
        ("", 403),
        ("nonsense", 403),
        ("same-origin, cross-site", 403),
        ("SAME-ORIGIN", 403),
    ],
)
def test_what_the_browser_says(app, method, site, expected):
    assert status(app, method, site=site) == expected


@pytest.mark.parametrize("method", SAFE)
def test_methods_that_change_nothing(app, method):
    assert status(app, method, site="cross-site", origin="https://evil.example") == 200


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, HOST, 200),
        (f"https://{HOST}", HOST, 200),
        (f"http://{HOST}", HOST, 200),
        (f"http://{HOST}:8000", f"{HOST}:8000", 200),
        (f"http://{HOST}", f"{HOST}:80", 200),
        (f"http://{HOST}:8000", HOST, 403),
        ("https://evil.example", HOST, 403),
        (f"https://{HOST}.evil.example", HOST, 403),
        (f"https://evil.example/{HOST}", HOST, 403),
        (f"https://sub.{HOST}", HOST, 403),
        ("null", HOST, 403),
        ("", HOST, 403),
        ("http://[", HOST, 403),
        (HOST, HOST, 403),
    ],
)
def test_older_browsers(app, origin, host, expected):
    assert status(app, origin=origin, host=host) == expected


def test_the_header_comes_before_the_origin(app):
    assert status(app, site="same-origin", origin="https://elsewhere.example") == 200
    assert status(app, site="cross-site", origin=f"https://{HOST}") == 403


@pytest.mark.parametrize(
    "trusted",
    [
        ["https://idp.example"],
        ("https://idp.example", "https://other.example"),
        {"https://idp.example"},
        "https://idp.example",
    ],
)
def test_trusted_origins(app, trusted):
    app.config["CSRF_TRUSTED_ORIGINS"] = trusted
    for site in ("cross-site", "same-site", None):
        assert status(app, site=site, origin="https://idp.example") == 200
        for other in ("https://idp", "http://idp.example", "https://idp.example:1"):
            assert status(app, site=site, origin=other) == 403
    assert status(app, site="cross-site") == 403
    assert status(app, site="cross-site", origin="") == 403


@pytest.mark.parametrize("trusted", [None, "", [], [None], [""]])
def test_no_trusted_origins(app, trusted):
    app.config["CSRF_TRUSTED_ORIGINS"] = trusted
    for origin in (None, "", "null", "https://idp.example"):
        assert status(app, site="cross-site", origin=origin) == 403


def test_trusted_origins_of_the_environment(app, monkeypatch):
    monkeypatch.setenv("SHOP_CSRF_TRUSTED_ORIGINS", '["https://idp.example"]')
    app.config.from_prefixed_env("SHOP")
    assert status(app, site="cross-site", origin="https://idp.example") == 200


def test_nothing_of_the_application_is_run_before(app):
    seen = []
    app.before_request(lambda: seen.append("before"))
    app.teardown_request(lambda error: seen.append("teardown"))

    @app.after_request
    def after(response):
        seen.append(response.status_code)
        return response

    assert status(app, site="cross-site") == 403
    assert seen == [403, "teardown"]


def test_the_error_can_be_handled(app):
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp")
    bp.post("/")(lambda: "done")
    bp.errorhandler(403)(lambda error: (error.description, 418))
    app.register_blueprint(bp)
    assert status(app, path="/bp/", site="cross-site") == 418
    assert status(app, path="/bp/", site="same-origin") == 200


def test_a_form_of_another_site_does_not_reach_the_session(app):
    app.secret_key = "secret"

    @app.post("/pay")
    def pay():
        flask.session["paid"] = True
        return "paid"

    client = app.test_client()
    attack = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.post("/pay", headers=attack).status_code == 403
    with client.session_transaction() as stored:
        assert "paid" not in stored
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post("/pay", headers=own).text == "paid"


texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
sites = st.none() | texts | st.sampled_from(["same-origin", "none", "cross-site"])
origins = st.none() | texts | st.sampled_from([f"http://{HOST}", "https://idp.example"])


@settings(deadline=None)
@given(st.sampled_from(SAFE + UNSAFE), sites, origins, st.booleans())
def test_every_combination(method, site, origin, trusts):
    app = flask.Flask("property")
    app.config["CSRF_FETCH_METADATA"] = True
    app.config["CSRF_TRUSTED_ORIGINS"] = ["https://idp.example"] if trusts else None
    app.add_url_rule("/", "index", lambda: "done", methods=SAFE + UNSAFE)
    found = status(app, method, site, origin)
    if method in SAFE or (trusts and origin == "https://idp.example"):
        assert found == 200
    elif site is not None:
        assert found == (200 if site in ("same-origin", "none") else 403)
    elif origin is None:
        assert found == 200
    else:
        assert found == (200 if origin.split("://")[1:] == [HOST] else 403)
