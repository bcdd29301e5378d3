"""With a flag, requests that another site makes a browser send change nothing."""

from __future__ import annotations

import typing as t

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import EnvironBuilder
from werkzeug.test import run_wsgi_app

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
        (f"http://{HOST}", HOST.upper(), 200),
        (f"http://{HOST}:8000", f"{HOST}:8000", 200),
        (f"http://{HOST}", f"{HOST}:80", 200),
        (f"https://{HOST}", f"{HOST}:443", 200),
        (f"http://{HOST}.", f"{HOST}.", 200),
        ("http://127.0.0.1:5000", "127.0.0.1:5000", 200),
        ("http://[::1]:5000", "[::1]:5000", 200),
        ("http://[::1]", "[::1]", 200),
        ("http://xn--bcher-kva.example", "xn--bcher-kva.example", 200),
        (f"http://{HOST}:8000", HOST, 403),
        (f"http://{HOST}", f"{HOST}:443", 403),
        (f"https://{HOST}", f"{HOST}:80", 403),
        (f"http://{HOST}", f"{HOST}.", 403),
        ("https://evil.example", HOST, 403),
        (f"https://{HOST}.evil.example", HOST, 403),
        (f"https://evil.example/{HOST}", HOST, 403),
        (f"https://evil.example#://{HOST}", HOST, 403),
        (f"https://evil.example@{HOST}", HOST, 403),
        (f"https://{HOST}@evil.example", HOST, 403),
        (f"https://sub.{HOST}", HOST, 403),
        (f"http://{HOST}/", HOST, 403),
        (f"http://{HOST} http://evil.example", HOST, 403),
        (f"http://{HOST}, http://evil.example", HOST, 403),
        (f"http://{HOST},http://{HOST}", HOST, 403),
        (f"http://{HOST}\t", HOST, 403),
        (f"HTTP://{HOST}", HOST, 403),
        (f"ftp://{HOST}", HOST, 403),
        (f"chrome-extension://{HOST}", HOST, 403),
        (f"://{HOST}", HOST, 403),
        (f"//{HOST}", HOST, 403),
        ("null", HOST, 403),
        ("NULL", HOST, 403),
        ("null", "null", 403),
        ("http://null", "null", 200),
        ("file://", HOST, 403),
        ("about:blank", HOST, 403),
        ("", HOST, 403),
        ("http://", HOST, 403),
        ("http://[", HOST, 403),
        (HOST, HOST, 403),
    ],
)
def test_older_browsers(app, origin, host, expected):
    assert status(app, origin=origin, host=host) == expected


#: Names that Werkzeug takes for invalid, so that ``request.host`` is empty.
INVALID = ["flask_app", "my_app:8000", "web_1.project_default", "a b", "", "é"]
#: Those that a browser can have in its address.
NAMES = INVALID[:3]
ODD = ["null", "", "://", "http://", "https://", "http:///", "file://", "data:", "//"]


@pytest.mark.parametrize("host", INVALID)
def test_hosts_that_werkzeug_rejects(app, host):
    for origin in [*ODD, "http://evil.example", "https://evil.example", "http://a"]:
        assert status(app, origin=origin, host=host) in (400, 403)
    own = status(app, origin=f"http://{host}", host=host)
    assert own == 200 if host in NAMES else own in (400, 403)
    assert status(app, origin=f"http://x{host}", host=host) == 403
    assert status(app, site="same-origin", origin="null", host=host) == 200
    assert status(app, site="cross-site", origin=f"http://{host}", host=host) == 403


def test_a_request_without_a_host(app):
    def answer(origin):
        environ = EnvironBuilder(
            method="POST", headers={"Origin": origin}
        ).get_environ()
        environ.update(SERVER_NAME="shop.example", SERVER_PORT="8000")
        del environ["HTTP_HOST"]
        return run_wsgi_app(app, environ)[1]

    assert answer("http://shop.example:8000").startswith("200")
    for origin in [*ODD, "http://shop.example", "http://evil.example"]:
        assert answer(origin).startswith("403")


class Sent(t.NamedTuple):
    """What a browser sends with a POST, and what is to become of it."""

    what: str
    to: str
    origin: str | None
    site: str | None
    expected: int


#: Fetch Metadata is sent to HTTPS and to the own machine only.
BROWSERS = [
    Sent("form", "https", f"https://{HOST}", "same-origin", 200),
    Sent("form, no-referrer", "https", "null", "same-origin", 200),
    Sent("form of a sandboxed frame", "https", "null", "cross-site", 403),
    Sent("form of a data: page", "https", "null", "cross-site", 403),
    Sent("form of a file", "https", "null", "cross-site", 403),
    Sent("form of another site", "https", "https://evil.example", "cross-site", 403),
    Sent("the same, no-referrer", "https", "null", "cross-site", 403),
    Sent("form of a subdomain", "https", f"https://x.{HOST}", "same-site", 403),
    Sent("form of another port", "https", f"https://{HOST}:444", "same-site", 403),
    Sent("form of the HTTP site", "https", f"http://{HOST}", "cross-site", 403),
    Sent("form, redirected by another", "https", "null", "cross-site", 403),
    Sent("reload of an answer", "https", f"https://{HOST}", "same-origin", 200),
    Sent("typed, resubmitted", "https", "null", "none", 200),
    Sent("old browser: form", "https", f"https://{HOST}", None, 200),
    Sent("old browser: another site", "https", "https://evil.example", None, 403),
    Sent("old browser: HTTP site", "https", f"http://{HOST}", None, 403),
    Sent("old browser: sandbox", "https", "null", None, 403),
    Sent("form", "http", f"http://{HOST}", None, 200),
    Sent("form of the HTTPS site", "http", "null", None, 403),
    Sent("form of another site", "http", "http://evil.example", None, 403),
    Sent("form of a sandboxed frame", "http", "null", None, 403),
    Sent("webhook", "https", None, None, 200),
    Sent("webhook", "http", None, None, 200),
]


class Proxy(t.NamedTuple):
    """A way to the application: what it makes of scheme and host.

    :param knows: whether the application knows the scheme that the browser used.
    """

    what: str
    headers: dict[str, str]
    fix: dict[str, int] | None
    knows: bool


PROXIES = [
    Proxy("none", {"Host": "{host}"}, None, True),
    Proxy("TLS ends there", {"Host": "{host}"}, None, False),
    Proxy("TLS ends there, X-Forwarded ignored", {"Host": "{host}"}, None, False),
    Proxy(
        "ProxyFix",
        {"Host": "app:8000", "X-Forwarded-Host": "{host}", "X-Forwarded-Proto": "{to}"},
        {"x_proto": 1, "x_host": 1},
        True,
    ),
    Proxy(
        "ProxyFix, from an upstream that is not a host",
        {"Host": "my_app", "X-Forwarded-Host": "{host}", "X-Forwarded-Proto": "{to}"},
        {"x_proto": 1, "x_host": 1},
        True,
    ),
    Proxy(
        "ProxyFix with the port",
        {
            "Host": "{host}",
            "X-Forwarded-Proto": "{to}",
            "X-Forwarded-Port": "{port}",
        },
        {"x_proto": 1, "x_port": 1},
        True,
    ),
]


def send(app, proxy, sent, host):
    """Send as through a proxy; the scheme is lost if it does not pass it on."""
    port = {"http": "80", "https": "443"}[sent.to]
    headers = {
        name: value.format(host=host, to=sent.to, port=port)
        for name, value in proxy.headers.items()
    }
    headers |= {"Origin": sent.origin} if sent.origin is not None else {}
    headers |= {"Sec-Fetch-Site": sent.site} if sent.site is not None else {}
    direct = proxy.knows and proxy.fix is None
    app.wsgi_app = ProxyFix(
        app.wsgi_app, x_for=0, **(proxy.fix or dict.fromkeys(FIX, 0))
    )
    environ = {"wsgi.url_scheme": sent.to if direct else "http"}
    client = app.test_client()
    return client.post("/", headers=headers, environ_overrides=environ).status_code


FIX = ["x_proto", "x_host", "x_port", "x_prefix"]


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.what)
@pytest.mark.parametrize("sent", BROWSERS, ids=lambda sent: f"{sent.what}, {sent.to}")
def test_what_browsers_send(app, sent, proxy):
    expected = sent.expected
    if not proxy.knows and sent.what == "old browser: HTTP site":
        # Cannot be told apart from the site's own form.
        expected = 200
    assert send(app, proxy, sent, HOST) == expected


@pytest.mark.parametrize("host", [f"{HOST}:8443", "flask_app", "[::1]:5000"])
@pytest.mark.parametrize("proxy", PROXIES[:5], ids=lambda proxy: proxy.what)
def test_other_hosts_of_the_site(app, host, proxy):
    for scheme in ("http", "https"):
        own = Sent("form", scheme, f"{scheme}://{host}", None, 200)
        assert send(app, proxy, own, host) == 200
        for origin in (*ODD, f"{scheme}://{HOST}", f"{scheme}://{host}0"):
            other = Sent("other", scheme, origin, None, 403)
            assert send(app, proxy, other, host) == 403


def test_a_proxy_that_hides_the_host(app):
    """nginx sends the name of its upstream by default: the origin has to be listed."""
    proxy = Proxy("nginx", {"Host": "flask_app"}, None, False)
    own = Sent("form", "http", f"http://{HOST}", None, 403)
    assert send(app, proxy, own, HOST) == 403
    app.config["CSRF_TRUSTED_ORIGINS"] = [f"http://{HOST}"]
    assert send(app, proxy, own, HOST) == 200
    assert send(app, proxy, own._replace(origin="null"), HOST) == 403
    secure = Sent("form", "https", f"https://{HOST}", "same-origin", 200)
    assert send(app, proxy, secure, HOST) == 200


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


@pytest.mark.parametrize("host", [HOST, "flask_app", ""])
@pytest.mark.parametrize("trusted", ["null", ["null"], ["", "null", None], {"null"}])
def test_what_every_page_can_send_is_never_trusted(app, trusted, host):
    app.config["CSRF_TRUSTED_ORIGINS"] = trusted
    for site in ("cross-site", "same-site", None):
        for origin in ("null", ""):
            assert status(app, site=site, origin=origin, host=host) == 403


def test_an_odd_origin_can_be_listed(app):
    """Such as that of the site's own mobile application."""
    app.config["CSRF_TRUSTED_ORIGINS"] = ["capacitor://localhost"]
    for site in ("cross-site", None):
        assert status(app, site=site, origin="capacitor://localhost") == 200
        assert status(app, site=site, origin="capacitor://localhost.evil") == 403


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
        assert found == (
            200 if origin in (f"http://{HOST}", f"https://{HOST}") else 403
        )
