"""With a flag, errors that nothing handles are JSON, except for browsers."""

from __future__ import annotations

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import Unauthorized

PROBLEM = "application/problem+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.config["JSON_ERRORS"] = True

    @app.post("/post")
    def post():
        return ""

    @app.get("/error")
    def error():
        raise KeyError("secret")

    @app.get("/abort/<int:code>")
    def abort(code):
        flask.abort(code, flask.request.args.get("why"))

    return app


def get(app, path, accept=None, **kwargs):
    headers = {"Accept": accept} if accept else {}
    return app.test_client().get(path, headers=headers, **kwargs)


def test_the_default():
    assert flask.Flask.default_config["JSON_ERRORS"] is False
    app = flask.Flask(__name__)
    response = get(app, "/x", "application/json")
    assert response.mimetype == "text/html"
    assert not response.vary


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "JSON_ERRORS"
        )

    assert get(App(__name__), "/x").mimetype == "text/html"


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", PROBLEM, "text/html;q=0.5,*/*", "a/b"]
)
def test_clients_of_an_api(app, accept):
    response = get(app, "/x", accept)
    assert response.status_code == 404
    assert response.headers.getlist("Content-Type") == [PROBLEM]
    assert response.json.keys() == {"status", "title", "detail"}
    assert response.json["status"] == 404
    assert response.json["title"] == "Not Found"
    assert response.json["detail"].startswith("The requested URL was not found")
    assert list(response.vary) == ["Accept"]


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/*", "text/html, */*"])
def test_browsers(app, accept):
    response = get(app, "/x", accept)
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "<h1>Not Found</h1>" in response.text
    assert list(response.vary) == ["Accept"]


def test_an_error_of_the_server(app):
    response = get(app, "/error")
    assert response.status_code == 500
    assert response.json["title"] == "Internal Server Error"
    assert "secret" not in response.text
    assert get(app, "/error", BROWSER).mimetype == "text/html"


def test_errors_still_propagate(app):
    app.testing = True
    with pytest.raises(KeyError):
        get(app, "/error")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 418, 422, 429, 500, 503])
def test_what_abort_is_told(app, code):
    response = get(app, f"/abort/{code}?why=<b>because</b>")
    assert response.status_code == code
    assert response.json["status"] == code
    assert response.json["detail"] == "<b>because</b>"


def test_headers_of_the_error(app):
    @app.get("/in")
    def sign_in():
        raise Unauthorized(www_authenticate=WWWAuthenticate("basic"))

    response = get(app, "/post")
    assert response.status_code == 405
    assert sorted(response.allow) == ["OPTIONS", "POST"]
    assert "Basic" in get(app, "/in").headers["WWW-Authenticate"]


def test_head_has_no_body(app):
    response = app.test_client().head("/x")
    assert response.status_code == 404
    assert response.mimetype == PROBLEM
    assert response.data == b""


def test_handlers_come_first(app):
    app.register_error_handler(404, lambda e: ("own", 404))
    app.register_error_handler(HTTPException, lambda e: ("any", e.code))
    assert get(app, "/x").text == "own"
    assert get(app, "/error").text == "any"


def test_a_handler_that_returns_the_exception(app):
    app.register_error_handler(404, lambda e: e)
    assert get(app, "/x").mimetype == "text/html"


def test_an_error_with_a_response_or_a_page_of_its_own(app):
    class Own(HTTPException):
        code = 409

        def get_body(self, environ=None, scope=None):
            return "page"

    @app.get("/own")
    def own():
        raise Own

    @app.get("/response")
    def response():
        flask.abort(flask.Response("response", 418))

    assert get(app, "/own").text == "page"
    assert get(app, "/response").text == "response"


def test_redirects_are_none(app):
    app.add_url_rule("/slash/", "slash", lambda: "")
    assert get(app, "/slash").status_code == 308
    assert get(app, "/slash").mimetype == "text/html"


def test_the_text_may_be_lazy(app):
    class Lazy:
        def __str__(self):
            return "text"

        def __html__(self):
            return "html"

    @app.get("/lazy")
    def lazy():
        flask.abort(400, Lazy())

    assert get(app, "/lazy").json["detail"] == "text"


def test_the_provider_of_the_app(app):
    class Provider(flask.json.provider.DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return super().dumps({**obj, "by": "provider"}, **kwargs)

    app.json = Provider(app)
    assert get(app, "/x").json["by"] == "provider"


class WithResponse(BadRequest):
    def get_response(self, environ=None, scope=None):
        return flask.Response("own", 400)


class WithHeaders(BadRequest):
    def get_headers(self, environ=None, scope=None):
        return [("Content-Type", "a/b"), ("Content-Length", "3"), ("X-Own", "1")]


def with_body():
    error = BadRequest()
    error.get_body = lambda *args: "own"
    return error


@pytest.mark.parametrize("make", [WithResponse, with_body])
def test_an_exception_with_an_answer_of_its_own(app, make):
    @app.get("/own")
    def own():
        raise make()

    assert get(app, "/own").text == "own"


def test_an_exception_with_headers_of_its_own(app):
    @app.get("/own")
    def own():
        raise WithHeaders("it")

    response = get(app, "/own")
    assert response.json["detail"] == "it"
    assert response.headers["X-Own"] == "1"
    assert response.headers.getlist("Content-Type") == [PROBLEM]
    assert response.headers.getlist("Content-Length") == [str(len(response.data))]


def test_after_request_and_blueprints(app):
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp")
    bp.get("/abort")(lambda: flask.abort(400))
    bp.errorhandler(404)(lambda e: ("bp", 404))
    app.register_blueprint(bp)

    @app.after_request
    def mark(response):
        response.headers["X-Seen"] = "1"
        return response

    response = get(app, "/bp/abort")
    assert response.json["status"] == 400
    assert response.headers["X-Seen"] == "1"


def test_a_host_that_is_rejected(app):
    response = app.test_client().get("/", headers={"Host": "foo..bar"})
    assert response.status_code == 400
    assert response.json["status"] == 400
    assert "foo..bar" not in response.text


ranges = st.sampled_from(["*/*", "text/html", "text/*", "application/json", "a/b", "x"])
accepts = st.lists(
    st.tuples(ranges, st.sampled_from(["", ";q=0", ";q=0.3", ";q=1", ";q=x"])).map(
        "".join
    ),
    max_size=4,
).map(",".join)


@settings(deadline=None)
@given(st.one_of(accepts, st.text(st.characters(min_codepoint=32, max_codepoint=126))))
def test_whatever_a_client_accepts(accept):
    app = flask.Flask("property")
    app.config["JSON_ERRORS"] = True
    environ = app.test_request_context("/x").request.environ
    environ["HTTP_ACCEPT"] = accept
    seen = []
    body = b"".join(app(environ, lambda *args: seen.extend(args)))
    assert seen[0].startswith("404")
    kinds = {value for name, value in seen[1] if name == "Content-Type"}
    if kinds == {PROBLEM}:
        assert flask.json.loads(body)["status"] == 404
    else:
        assert kinds == {"text/html; charset=utf-8"}
        assert "html" in accept or "text" in accept
