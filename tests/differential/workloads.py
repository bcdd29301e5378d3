"""The requests whose calls are logged, and the application that answers them."""

from __future__ import annotations

import io
import logging
import typing as t

import flask
from flask import g
from flask import request
from flask import session

Environ = dict[str, t.Any]
FORM = "application/x-www-form-urlencoded"
#: The name, method, path and extra variables of each request.
REQUESTS: list[tuple[str, str, str, Environ]] = [
    ("text", "GET", "/text", {}),
    ("head", "HEAD", "/text", {}),
    ("options", "OPTIONS", "/text", {}),
    ("query", "GET", "/query/5", {"QUERY_STRING": "a=1&b=2"}),
    ("json", "GET", "/json", {}),
    ("template", "GET", "/template", {}),
    ("string", "GET", "/string", {}),
    ("post json", "POST", "/echo", {"CONTENT_TYPE": "application/json"}),
    ("form", "POST", "/form", {"CONTENT_TYPE": FORM}),
    ("no session", "GET", "/session", {}),
    ("session", "GET", "/session/write", {}),
    ("permanent", "GET", "/session/permanent", {"HTTP_COOKIE": "session=x.y.z"}),
    ("flash", "GET", "/flash", {}),
    ("static", "GET", "/static/style.css", {}),
    ("no static", "GET", "/static/missing", {}),
    ("range", "GET", "/static/style.css", {"HTTP_RANGE": "bytes=0-3"}),
    ("not found", "GET", "/missing", {}),
    ("not allowed", "POST", "/text", {}),
    ("abort", "GET", "/abort", {}),
    ("handled", "GET", "/handled", {}),
    ("error", "GET", "/error", {}),
    ("error for 500", "GET", "/bp/error", {}),
    ("bad key", "POST", "/key", {"CONTENT_TYPE": FORM}),
    ("stream", "GET", "/stream", {}),
    ("redirect", "GET", "/redirect", {}),
    ("slash", "GET", "/slash", {}),
    ("cookies", "GET", "/cookies", {"HTTP_COOKIE": "a=1; b=2"}),
    ("blueprint", "GET", "/bp/urls", {}),
    ("response", "GET", "/response", {}),
    ("tuple", "GET", "/tuple", {}),
    ("async", "GET", "/async", {}),
    ("file", "GET", "/file", {"HTTP_IF_NONE_MATCH": "*"}),
    ("bad host", "GET", "/text", {"HTTP_HOST": "a b"}),
    ("globals", "GET", "/globals", {}),
]


def environ(method: str, path: str, extra: Environ) -> Environ:
    body = b'{"a": 1}' if "json" in extra.get("CONTENT_TYPE", "") else b"a=1&b=2"
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)) if "CONTENT_TYPE" in extra else "",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **extra,
    }


class Handled(Exception):
    """Has a handler."""


def add_views(app: flask.Flask) -> None:
    """Add what answers the requests."""
    app.secret_key = "key"
    app.logger.handlers[:] = [logging.NullHandler()]
    app.logger.propagate = False
    for method, rule, view in VIEWS:
        app.add_url_rule(rule, rule.split("/")[1] or "index", view, methods=[method])
    app.add_url_rule("/session/write", view_func=write)
    app.add_url_rule("/session/permanent", view_func=permanent)
    app.errorhandler(Handled)(lambda e: ("handled", 400))
    app.register_blueprint(blueprint())


def blueprint() -> flask.Blueprint:
    made = flask.Blueprint("bp", __name__, url_prefix="/bp")
    made.add_url_rule("/urls", "urls", urls)
    made.add_url_rule("/error", "error", fail)
    made.errorhandler(ZeroDivisionError)(lambda e: ("divided", 500))
    made.before_request(lambda: None)
    made.after_request(lambda response: response)
    return made


def urls() -> str:
    return f"{flask.url_for('.urls')} {flask.url_for('index', a=1)}"


def query(n: int) -> str:
    return f"{n} {request.args['a']} {request.args.get('b')} {request.url}"


def write() -> str:
    session["n"] = session.get("n", 0) + 1
    return "written"


def permanent() -> str:
    session.permanent = True
    return "permanent"


def flash() -> str:
    flask.flash("saved")
    return repr(flask.get_flashed_messages())


def cookies() -> flask.Response:
    made = flask.make_response(repr(sorted(request.cookies.items())))
    made.set_cookie("c", "3")
    made.delete_cookie("a")
    return made


def response() -> flask.Response:
    made = flask.Response("made", 202, {"X-A": "1"}, mimetype="text/x")
    made.headers["X-B"] = "2"

    @flask.after_this_request
    def change(response: t.Any) -> t.Any:
        response.headers["X-C"] = "3"
        return response

    return made


def use_globals() -> str:
    g.x = 1
    return f"{g.get('x')} {flask.current_app.name} {'y' in g} {request.endpoint}"


async def asynchronous() -> str:
    return f"async {request.path}"


def fail() -> str:
    return str(1 // 0)


def fail_handled() -> str:
    raise Handled


#: The method, rule and function of each view; its endpoint is the first word.
VIEWS: list[tuple[str, str, t.Callable[..., t.Any]]] = [
    ("GET", "/", lambda: "index"),
    ("GET", "/text", lambda: "text"),
    ("GET", "/query/<int:n>", query),
    ("GET", "/json", lambda: {"a": [1, None]}),
    ("GET", "/template", lambda: flask.render_template("page.html", value="<")),
    ("GET", "/string", lambda: flask.render_template_string("{{ request.path }}")),
    ("POST", "/echo", lambda: flask.jsonify(request.get_json())),
    ("POST", "/form", lambda: request.form["a"] + request.values["b"]),
    ("POST", "/key", lambda: request.form["missing"]),
    ("GET", "/session", lambda: str(session.get("n"))),
    ("GET", "/flash", flash),
    ("GET", "/abort", lambda: flask.abort(418)),
    ("GET", "/handled", fail_handled),
    ("GET", "/error", fail),
    ("GET", "/stream", lambda: flask.Response(iter(["a", "b"]))),
    ("GET", "/redirect", lambda: flask.redirect(flask.url_for("index"))),
    ("GET", "/slash/", lambda: "slash"),
    ("GET", "/cookies", cookies),
    ("GET", "/response", response),
    ("GET", "/tuple", lambda: ("made", 201, {"X-A": "1"})),
    ("GET", "/async", asynchronous),
    ("GET", "/file", lambda: flask.send_from_directory("static", "style.css")),
    ("GET", "/globals", use_globals),
]


def answer(app: t.Any, made: Environ) -> str:
    """Send a request to a WSGI application, and say what came in short."""
    got: list[str] = []
    try:
        body = app(made, lambda status, headers, exc_info=None: got.append(status))
        size = sum(map(len, body))
        getattr(body, "close", lambda: None)()
    except Exception as e:
        return f"{got} {type(e).__name__}"
    return f"{got} {size}"
