"""The page for a rejected host can build URLs, none of which has that host."""

from __future__ import annotations

import string

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.exceptions import SecurityError

BAD = ["foo..bar", "a" * 300, "."]
TRUSTED = "good.example"


def make_app(**kwargs):
    app = flask.Flask(__name__, **kwargs)
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp", static_folder="/")

    @bp.get("/page")
    def page():
        return flask.url_for(".page")

    @app.get("/", endpoint="index")
    @app.get("/<int:number>", endpoint="number")
    def index(number=0):
        return flask.url_for("static", filename="style.css")

    @app.errorhandler(400)
    def bad_request(error):
        return flask.url_for("static", filename="style.css"), 400

    app.register_blueprint(bp)
    return app


def get(app, host, path="/", **kwargs):
    return app.test_client().get(path, headers={"Host": host}, **kwargs)


def in_the_error_page(app, host, build):
    """The result of ``build`` while a 400 for this host is handled."""
    built = []

    @app.errorhandler(400)
    def bad_request(error):
        built.append(build())
        return "", 400

    assert get(app, host).status_code == 400
    return built[0]


@pytest.mark.parametrize("host", BAD)
def test_a_host_that_is_none(host):
    response = get(make_app(), host)
    assert response.status_code == 400
    assert response.text == "/static/style.css"


@pytest.mark.parametrize("host", [*BAD, "evil.example", "evil.example:80", ""])
def test_a_host_that_is_not_trusted(host):
    app = make_app()
    app.config["TRUSTED_HOSTS"] = [TRUSTED]
    response = get(app, host)
    assert response.status_code == 400
    assert response.text == "/static/style.css"
    assert get(app, TRUSTED).status_code == 200


def test_the_error_is_the_one_of_the_host():
    app = make_app()
    app.config["TRUSTED_HOSTS"] = [TRUSTED]

    @app.errorhandler(SecurityError)
    def handler(error):
        return flask.url_for("index"), error.code

    assert get(app, "evil.example").text == "/"


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: flask.url_for("number", number=5, q=1, _anchor="a"), "/5?q=1#a"),
        (lambda: flask.url_for("bp.page"), "/bp/page"),
        (lambda: flask.url_for(".index"), "/"),
        (lambda: flask.url_for("index", _external=False), "/"),
        (lambda: flask.current_app.url_for("index"), "/"),
        (lambda: flask.redirect(flask.url_for("index")).location, "/"),
        (lambda: flask.render_template_string("{{ url_for('bp.page') }}"), "/bp/page"),
    ],
)
def test_paths(build, expected):
    assert in_the_error_page(make_app(), "foo..bar", build) == expected


@pytest.mark.parametrize("root", ["/root", "/root/", ""])
def test_the_script_name(root):
    app = make_app()
    app.config["APPLICATION_ROOT"] = "/for/cli/only"
    found = get(app, "foo..bar", environ_overrides={"SCRIPT_NAME": root})
    assert found.text == f"{root.rstrip('/')}/static/style.css"


@pytest.mark.parametrize("values", [{"_external": True}, {"_scheme": "https"}])
def test_external_urls_need_a_server_name(values):
    def build():
        with pytest.raises(RuntimeError, match="without 'SERVER_NAME' configured"):
            flask.url_for("index", **values)

    in_the_error_page(make_app(), "foo..bar", build)


def test_external_urls_have_the_server_name():
    app = make_app()
    app.config.update(SERVER_NAME="own.example:8000", TRUSTED_HOSTS=[TRUSTED])

    def build():
        return [
            flask.url_for("index", _external=True),
            flask.url_for("index", _external=True, _scheme="https"),
            flask.url_for("index"),
        ]

    expected = ["http://own.example:8000/", "https://own.example:8000/", "/"]
    assert in_the_error_page(app, "evil.example", build) == expected


@pytest.mark.parametrize("server_name", [None, "own.example"])
def test_a_rule_of_a_subdomain(server_name):
    app = make_app(subdomain_matching=True)
    app.config.update(SERVER_NAME=server_name, TRUSTED_HOSTS=[TRUSTED])
    app.add_url_rule("/", endpoint="sub", subdomain="sub")

    def build():
        assert flask.url_for("index") == "/"
        if server_name:
            assert flask.url_for("sub") == "http://sub.own.example/"
        else:
            with pytest.raises(RuntimeError, match="without 'SERVER_NAME' configured"):
                flask.url_for("sub")

    in_the_error_page(app, "evil.example", build)


def test_a_rule_of_a_host():
    app = make_app(host_matching=True, static_host="static.example")
    app.config["TRUSTED_HOSTS"] = [TRUSTED]

    def build():
        return flask.url_for("static", filename="a.css"), flask.url_for("of", name="b")

    app.add_url_rule("/", endpoint="of", host="<name>.example")
    expected = "http://static.example/static/a.css", "http://b.example/"
    assert in_the_error_page(app, "evil.example", build) == expected


def test_an_endpoint_that_is_not_there():
    app = make_app()
    app.url_build_error_handlers.append(lambda error, endpoint, values: endpoint)
    build = lambda: flask.url_for("missing")  # noqa: E731
    assert in_the_error_page(app, "foo..bar", build) == "missing"


@pytest.mark.parametrize("host", ["good.example", "host.invalid", "localhost:5000"])
def test_a_host_that_is_accepted(host):
    app = make_app()

    @app.get("/external")
    def external():
        return flask.url_for("index", _external=True)

    assert get(app, host, "/external").text == f"http://{host}/"


headers = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=300),
    st.text(string.ascii_letters + string.digits + "-._:[]@/%", max_size=80),
    st.lists(st.sampled_from(["a", "xn--", ".", "..", ":", "80", "[", "]", "é"])).map(
        "".join
    ),
)


@settings(deadline=None, max_examples=300)
@given(header=headers, trusted=st.booleans(), matching=st.sampled_from([0, 1, 2]))
def test_no_header_is_an_error_of_the_server(header, trusted, matching):
    host_matching = {"host_matching": True, "static_host": TRUSTED}
    app = make_app(**[{}, {"subdomain_matching": True}, host_matching][matching])
    if trusted:
        app.config["TRUSTED_HOSTS"] = [TRUSTED]
    environ = app.test_request_context("/").request.environ
    environ["HTTP_HOST"] = header
    app.logger.disabled = True
    status, text = [], []
    text = b"".join(app(environ, lambda *args: status.extend(args[:2]))).decode()
    assert status[0].split()[0] in {"200", "400", "404", "308"}
    if status[0].startswith("400"):
        own = f"http://{TRUSTED}" if matching == 2 else ""
        assert text == f"{own}/static/style.css"
        assert not any(header and header == value for _, value in status[1])
