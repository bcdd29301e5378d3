"""Applications of many configurations, made from random choices."""

from __future__ import annotations

import datetime
import logging
import pathlib
import typing as t
from dataclasses import dataclass
from random import Random

import clock
import flask
import seen
import views
from flask import g
from flask import request
from flask import session
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from werkzeug import exceptions
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import ValidationError

FILES = {
    "static/style.css": b"p { color: red }\n" * 20,
    "static/data.bin": bytes(range(256)),
    "static/empty.txt": b"",
    "bp_static/inner.js": b"1;\n",
    "templates/page.html": b"""\
<p>{{ value }} {{ request.method }} {{ url_for('index') }} {{ extra }} {{ g.x }}
{% for message in get_flashed_messages(with_categories=true) %}{{ message }}{% endfor %}
<a href="{{ url_for('static', filename='style.css') }}">{{ session.n }}</a>
{{ value|tojson }} {{ config['TESTING'] }}{% include 'plain.txt' %}
""",
    "templates/child.html": b"{% extends 'page.html' %}{% set a = 1 %}",
    "templates/plain.txt": b"{{ value }} <plain>",
    "templates/undefined.html": b"{{ missing.attribute }}",
    "templates/broken.html": b"{% if %}",
    "templates/macro.html": b"{% macro hello(x) %}{{ x }}{{ extra }}{% endmacro %}",
}
RULES: list[tuple[str, dict[str, t.Any]]] = [
    ("/n/<int:n>", {}),
    ("/n/<int(min=3, max=50):n>/more", {}),
    ("/s/<name>", {"methods": ["GET", "POST"]}),
    ("/s/<string(length=2):name>/two", {}),
    ("/p/<path:rest>", {}),
    ("/p/<path:rest>/end", {}),
    ("/f/<float(signed=True):x>", {}),
    ("/any/<any(a, 'b c', d):x>", {}),
    ("/u/<uuid:x>", {}),
    ("/slash/", {}),
    ("/slash/<name>/", {"strict_slashes": False}),
    ("/bare", {"methods": ["POST", "PUT", "DELETE"]}),
    ("/default/", {"defaults": {"n": 1}}),
    ("/old/<name>", {"redirect_to": "/s/<name>"}),
    ("/no-options", {"provide_automatic_options": False}),
    ("/merge//slashes", {"merge_slashes": False}),
    ("/a/<x>/b/<q>", {}),
    ("/a/x/b/<q>", {}),
    ("/\u00fc/<name>", {}),
]
PATHS = [
    *("/", "/text", "/n/5", "/n/007", "/n/-1", "/n/9/more", "/n/99/more", "/s/abc"),
    *("/s/ab/two", "/s/abc/two", "/p/a/b/c", "/p/a/end", "/p/end/end", "/f/1.5"),
    *("/f/-1.5", "/f/1", "/any/a", "/any/b c", "/any/x", "/slash/", "/slash"),
    *("/u/00000000-0000-0000-0000-000000000007", "/u/7", "/slash/x", "/bare"),
    *("/default/", "/old/x", "/no-options", "/merge//slashes", "/a/1/b/2", "/a/x/b/2"),
    *("/\xc3\xbc/x", "/bp/", "/bp/read", "/bp/inner/", "/bp/inner/x", "/bp/broken"),
    *("/static/style.css", "/static/data.bin", "/static/missing", "/static/../x"),
    *("/static/style.css", "/static/empty.txt", "/bp/static/inner.js", "/late"),
    *("/lang/de/x", "/even/4", "/even/5", "/sub", "/websocket", "/static/"),
]
#: Sessions and static files depend on each other.
OFTEN = ["/v/session_write", "/v/session_read", "/static/style.css"]
METHODS = [None, ["POST"], ["DELETE", "PATCH"]]
CONFIGURATIONS: dict[str, dict[str, t.Any]] = {
    "plain": {},
    "key": {"SECRET_KEY": "key"},
    "debug": {"DEBUG": True, "SECRET_KEY": b"key"},
    "testing": {"TESTING": True, "SECRET_KEY": "key"},
    "propagate": {"PROPAGATE_EXCEPTIONS": True},
    "server_name": {"SERVER_NAME": "shop.example", "SECRET_KEY": "key"},
    "subdomains": {"SERVER_NAME": "shop.example:8080", "SECRET_KEY": "key"},
    "hosts": {"SECRET_KEY": "key"},
    "root": {"APPLICATION_ROOT": "/app", "SECRET_KEY": "key"},
    "classes": {"SECRET_KEY": "key"},
    "functions": {"SECRET_KEY": "key"},
    "handlers": {"PROPAGATE_EXCEPTIONS": False, "SECRET_KEY": "key"},
    "cookies": {
        "SECRET_KEY": "new",
        "SECRET_KEY_FALLBACKS": ["old", "older"],
        "SESSION_COOKIE_NAME": "s",
        "SESSION_COOKIE_DOMAIN": "shop.example",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_PARTITIONED": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": 60,
    },
    "limits": {
        "MAX_CONTENT_LENGTH": 40,
        "MAX_FORM_MEMORY_SIZE": 10,
        "MAX_FORM_PARTS": 1,
        "TRUSTED_HOSTS": ["localhost", ".shop.example"],
        "TRAP_BAD_REQUEST_ERRORS": True,
        "SEND_FILE_MAX_AGE_DEFAULT": 60,
        "USE_X_SENDFILE": False,
    },
    "traps": {"TRAP_HTTP_EXCEPTIONS": True, "SECRET_KEY": "key"},
    "late": {"SECRET_KEY": "key"},
}
SETTINGS: dict[str, list[t.Any]] = {
    "DEBUG": [True, False],
    "TESTING": [True, False],
    "PROPAGATE_EXCEPTIONS": [True, False, None],
    "SECRET_KEY": ["key", "other", None, b"bytes"],
    "SECRET_KEY_FALLBACKS": [None, ["key", "other"], []],
    "SESSION_COOKIE_NAME": ["session", "sid"],
    "SESSION_COOKIE_PATH": [None, "/x"],
    "SESSION_COOKIE_HTTPONLY": [True, False],
    "SESSION_COOKIE_SECURE": [True, False],
    "SESSION_COOKIE_SAMESITE": [None, "Strict"],
    "SESSION_COOKIE_DOMAIN": [None, "shop.example"],
    "SESSION_REFRESH_EACH_REQUEST": [True, False],
    "PERMANENT_SESSION_LIFETIME": [60, datetime.timedelta(days=2)],
    "MAX_CONTENT_LENGTH": [None, 3, 1000],
    "MAX_FORM_MEMORY_SIZE": [None, 3, 500_000],
    "MAX_COOKIE_SIZE": [4093, 50, 0],
    "SERVER_NAME": [None, "shop.example", "shop.example:8080"],
    "PREFERRED_URL_SCHEME": ["http", "https"],
    "TRUSTED_HOSTS": [None, ["localhost"], [".shop.example", "localhost"]],
    "SEND_FILE_MAX_AGE_DEFAULT": [None, 5, datetime.timedelta(minutes=1)],
    "TRAP_HTTP_EXCEPTIONS": [True, False],
    "TRAP_BAD_REQUEST_ERRORS": [True, False, None],
    "USE_X_SENDFILE": [True, False],
    "TEMPLATES_AUTO_RELOAD": [True, False],
    "PROVIDE_AUTOMATIC_OPTIONS": [True, False],
}


class EvenConverter(BaseConverter):
    regex = r"\d+"

    def to_python(self, value: str) -> int:
        seen.note("to_python", value)
        if int(value) % 2:
            raise exceptions.NotFound("odd") if value == "7" else ValidationError
        return int(value)

    def to_url(self, value: t.Any) -> str:
        return str(int(value) * 2 // 2)


class SilentConverter(EvenConverter):
    """Converts without notes, for rules that are built as well."""

    def to_python(self, value: str) -> int:
        return int(value)


class OwnRule(Rule):
    def get_converter(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return super().get_converter(*args, **kwargs)


class OwnMap(Map):
    def bind(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        seen.note("bind", kwargs.get("url_scheme"))
        return super().bind(*args, **kwargs)

    def bind_to_environ(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        seen.note("bind_to_environ", sorted(kwargs))
        return super().bind_to_environ(*args, **kwargs)


class OwnRequest(flask.Request):
    user_agent_class = flask.Request.user_agent_class

    @property
    def want_form_data_parsed(self) -> bool:
        return super().want_form_data_parsed or self.method == "DELETE"

    def on_json_loading_failed(self, e: t.Any) -> t.Any:
        seen.note("on_json_loading_failed", type(e).__name__)
        return {"failed": True}

    def close(self) -> None:
        seen.note("request closed")
        super().close()


class OwnResponse(flask.Response):
    default_mimetype = "text/plain"
    default_status = 202
    charset = "utf-8"

    def get_wsgi_headers(self, environ: t.Any) -> t.Any:
        headers = super().get_wsgi_headers(environ)
        headers["X-Own"] = "1"
        return headers

    @classmethod
    def force_type(cls, response: t.Any, environ: t.Any = None) -> t.Any:
        seen.note("force_type", type(response).__name__)
        return super().force_type(response, environ)


class OwnProvider(DefaultJSONProvider):
    mimetype = "application/x-own"
    compact = True

    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        seen.note("dumps empty" if obj == {} else "dumps", sorted(kwargs))
        return super().dumps(obj, **kwargs)


class OwnSession(SecureCookieSession):
    def __getitem__(self, key: str) -> t.Any:
        seen.note("session key", key)
        return super().__getitem__(key)


class OwnInterface(SecureCookieSessionInterface):
    salt = "own"
    session_class = OwnSession

    def get_cookie_path(self, app: flask.Flask) -> str:
        return "/own"

    def should_set_cookie(self, app: flask.Flask, session: t.Any) -> bool:
        return super().should_set_cookie(app, session)


class OwnFlask(flask.Flask):
    request_class = OwnRequest
    response_class = OwnResponse
    url_rule_class = OwnRule
    url_map_class = OwnMap
    json_provider_class = OwnProvider
    session_interface = OwnInterface()
    jinja_options: t.ClassVar[dict[str, t.Any]] = {"trim_blocks": True}

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return 7 if filename and filename.endswith(".css") else None

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        return filename is None or filename.endswith((".html", ".txt"))


@dataclass
class Application:
    """An application and what it is known for.

    :param cookies: the session cookies that it has sent so far.
    """

    app: flask.Flask
    paths: list[str]
    cookies: list[str]


class Log(logging.Handler):
    """Adds what is logged to what happened."""

    def emit(self, record: logging.LogRecord) -> None:
        exc = record.exc_info and record.exc_info[1]
        seen.note("log", record.levelname, record.getMessage(), exc and seen.error(exc))


def write_files(folder: pathlib.Path) -> None:
    """Write the static files and templates that all applications share."""
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def build(name: str, rng: Random, folder: pathlib.Path) -> Application:
    """Build an application.

    :param name: one of the configurations.
    :param folder: where :func:`write_files` has written.
    """
    kind = OwnFlask if name == "classes" else flask.Flask
    options: dict[str, t.Any] = {}
    if name == "hosts":
        options = {"host_matching": True, "static_host": "shop.example"}
    if name == "subdomains":
        options = {"subdomain_matching": True}
    app = kind("application", root_path=str(folder), **options)
    app.config.update(CONFIGURATIONS[name])
    for setting in rng.sample(sorted(SETTINGS), rng.choice([0, 0, 1, 2])):
        if setting not in CONFIGURATIONS[name]:
            app.config[setting] = rng.choice(SETTINGS[setting])
    app.logger.handlers[:] = [Log()]
    app.logger.propagate = False
    add_rules(app, name, rng)
    add_blueprints(app, rng)
    if name in ("functions", "late") or rng.random() < 0.15:
        add_functions(app, rng)
    if name == "functions" or rng.random() < 0.1:
        add_url_functions(app)
    if name == "handlers" or rng.random() < 0.15:
        add_handlers(app, rng)
    if rng.random() < 0.7:
        app.teardown_request(lambda exc: seen.note("teardown_request", exc))
        app.teardown_appcontext(lambda exc: seen.note("teardown_appcontext", exc))
    if rng.random() < 0.3:
        app.context_processor(lambda: {"extra": "extra"})
    paths = [f"/v/{view.__name__}" for view in views.VIEWS]
    return Application(app, [*PATHS, *OFTEN * 6, *paths], [])


def add_rules(app: flask.Flask, name: str, rng: Random) -> None:
    hosts: dict[str, t.Any] = {"host": "localhost"} if name == "hosts" else {}
    app.url_map.converters["even"] = EvenConverter
    app.url_map.converters["silent"] = SilentConverter
    app.add_url_rule("/", "index", views.plain_text, **hosts)
    app.add_url_rule("/text", "text", views.plain_text, **hosts)
    for view in views.VIEWS:
        path = f"/v/{view.__name__}"
        where = hosts
        if name == "hosts" and rng.random() < 0.5:
            where = {"host": rng.choice(["shop.example", "<sub>.shop.example"])}
        if name == "subdomains" and rng.random() < 0.5:
            where = {"subdomain": rng.choice(["api", "<sub>", "www"])}
        methods = ["GET", "POST", "PUT"] if rng.random() < 0.8 else rng.choice(METHODS)
        endpoint = f"v_{view.__name__}"
        app.add_url_rule(path, endpoint, view, methods=methods, **where)
    rules = [*RULES, ("/even/<even:n>", {}), ("/silent/<silent:n>", {})]
    for n, (rule, options) in enumerate(rules):
        view = rng.choice(views.VIEWS)
        app.add_url_rule(rule, f"rule_{n}", view, **options, **hosts)
    app.add_url_rule("/websocket", "websocket", views.plain_text, websocket=True)
    if name == "subdomains":
        app.add_url_rule("/sub", "sub", views.read_attributes, subdomain="<sub>")


def add_blueprints(app: flask.Flask, rng: Random) -> None:
    """Add a blueprint in another one, with functions of their own."""
    outer = flask.Blueprint(
        "bp", "bp", static_folder="bp_static", url_prefix="/bp", root_path=app.root_path
    )
    inner = flask.Blueprint("inner", "inner", url_prefix="/inner")
    outer.add_url_rule("/", "index", views.url_fors)
    outer.add_url_rule("/read", "read", views.read_attributes)
    outer.add_url_rule("/broken", "broken", views.raises)
    inner.add_url_rule("/", "index", views.url_fors, methods=["GET", "POST"])
    inner.add_url_rule("/<name>", "named", rng.choice(views.VIEWS))
    for blueprint in (outer, inner):
        name = blueprint.name
        blueprint.before_request(Noted(f"before {name}"))
        blueprint.after_request(Marked(f"X-After-{name}"))
        blueprint.teardown_request(lambda exc, name=name: seen.note("teardown", name))
        if rng.random() < 0.5:
            blueprint.errorhandler(views.Refused)(Handler(f"refused by {name}"))
            blueprint.errorhandler(404)(Handler(f"404 by {name}"))
        if rng.random() < 0.3:
            blueprint.context_processor(lambda name=name: {"extra": name})
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


class Noted:
    """A function before a request, which may answer, raise or change something."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> t.Any:
        seen.note(self.name, request.endpoint)
        choice = seen.case().rng.random()
        if choice < 0.05:
            return f"answered by {self.name}"
        if choice < 0.08:
            raise views.Broken(self.name)
        if choice < 0.1:
            flask.abort(403)
        if choice < 0.2:
            g.x = session.get("n")
        return None


class Marked:
    """A function after a request, which may raise or return another response."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, response: t.Any) -> t.Any:
        choice = seen.case().rng.random()
        seen.note("after", self.name, response.status)
        if choice < 0.04:
            raise views.Broken(self.name)
        if choice < 0.1:
            return flask.Response(f"replaced by {self.name}", 203)
        if choice < 0.2:
            session["after"] = seen.case().rng.randrange(3)
        response.headers.add(self.name, "1")
        return response


class Handler:
    """An error handler, which may return different things or raise again."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, exc: BaseException) -> t.Any:
        original = getattr(exc, "original_exception", None)
        seen.note("handler", self.name, seen.error(exc), type(original).__name__)
        if seen.case().rng.random() < 0.3:
            views.url_for(seen.case().rng)
        choice = seen.case().rng.random()
        if choice < 0.1:
            raise exc
        if choice < 0.15:
            raise views.Broken(self.name)
        if choice < 0.3 and isinstance(exc, exceptions.HTTPException):
            return exc
        if choice < 0.5:
            return {"handled": self.name}, 422
        return f"handled by {self.name}", 200


def add_functions(app: flask.Flask, rng: Random) -> None:
    for n in range(rng.choice([1, 2])):
        app.before_request(Noted(f"before {n}"))
        app.after_request(Marked(f"X-After-{n}"))
    if rng.random() < 0.3:

        @app.before_request
        async def before() -> None:
            seen.note("async before", request.path)

        @app.after_request
        async def after(response: t.Any) -> t.Any:
            seen.note("async after", response.status)
            return response

    if rng.random() < 0.3:

        @app.teardown_request
        def raising(exc: BaseException | None) -> None:
            seen.note("teardown that may raise", exc)
            streams = views.STREAMS in seen.case().events
            if seen.case().rng.random() < 0.1 and not streams:
                seen.note("teardown raises")
                raise views.Broken("in teardown")

    if rng.random() < 0.3:
        app.before_request(lambda: setattr(session, "permanent", True))


def add_url_functions(app: flask.Flask) -> None:
    @app.url_value_preprocessor
    def pull(endpoint: str | None, values: dict[str, t.Any] | None) -> None:
        seen.note("url values", endpoint, values)
        g.lang = (values or {}).pop("lang", "en")

    @app.url_defaults
    def push(endpoint: str, values: dict[str, t.Any]) -> None:
        if app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values.setdefault("lang", g.get("lang", "en"))

    app.add_url_rule("/lang/<lang>/x", "lang", views.url_fors)

    @app.url_build_error_handlers.append
    def external(error: Exception, endpoint: str, values: t.Any) -> str | None:
        seen.note("build error", endpoint, sorted(values))
        return "http://elsewhere/" if endpoint == "missing" else None


def add_handlers(app: flask.Flask, rng: Random) -> None:
    kinds: list[t.Any] = [
        *(404, 405, 500, 418, 400, views.Refused, views.Broken, ValueError, Exception),
        *(exceptions.HTTPException, exceptions.NotFound, KeyError, LookupError),
        *(exceptions.InternalServerError, exceptions.BadRequest),
    ]
    for kind in rng.sample(kinds, rng.choice([2, 5, 8])):
        app.register_error_handler(
            kind, Handler(f"for {getattr(kind, '__name__', kind)}")
        )


def change(application: Application, rng: Random) -> str:
    """Change the application between two requests; return what was changed."""
    app = application.app
    action = rng.randrange(10)
    if action < 3:
        name = rng.choice(sorted(SETTINGS))
        app.config[name] = rng.choice(SETTINGS[name])
        return f"config {name} {app.config[name]}"
    if action == 3:
        return connect(app, rng)
    if action == 4:
        endpoint = f"late_{len(app.view_functions)}"
        rule = rng.choice(["/late", "/late/<x>", "/text", "/n/<int:n>"])
        app.url_map.add(app.url_rule_class(rule, endpoint=endpoint, methods={"GET"}))
        app.view_functions[endpoint] = rng.choice(views.VIEWS)
        return f"rule {rule}"
    if action == 5:
        app.before_request_funcs.setdefault(None, []).append(Noted("late before"))
        app.after_request_funcs.setdefault(None, []).append(Marked("X-Late"))
        return "functions"
    if action == 6:
        endpoint = rng.choice(sorted(app.view_functions))
        app.view_functions[endpoint] = rng.choice(views.VIEWS)
        return f"view of {endpoint}"
    if action == 7:
        app.response_class = rng.choice([OwnResponse, flask.Response])
        app.request_class = rng.choice([OwnRequest, flask.Request])
        return "classes"
    if action == 8:
        app.json.sort_keys = rng.choice([True, False])
        app.json.compact = rng.choice([True, False, None])
        app.jinja_env.globals["extra"] = rng.choice(["late", 1])
        return "json and templates"
    app.session_interface = rng.choice([OwnInterface(), SecureCookieSessionInterface()])
    clock.set_to(rng.choice([0, 30, 100, 86400 * 40]))
    return "session interface and time"


SIGNALS = [
    *(flask.request_started, flask.request_finished, flask.got_request_exception),
    *(flask.request_tearing_down, flask.appcontext_pushed, flask.appcontext_popped),
    *(flask.appcontext_tearing_down, flask.message_flashed, flask.template_rendered),
    flask.before_render_template,
]


class Receiver:
    """Notes a signal and what was sent with it."""

    def __init__(self, signal: t.Any) -> None:
        self.signal = signal

    def __call__(self, sender: t.Any, **kwargs: t.Any) -> None:
        shown = [
            f"{name}={value.status if name == 'response' else type(value).__name__}"
            for name, value in kwargs.items()
        ]
        seen.note("signal", self.signal.name, type(sender).__name__, *shown)


def connect(app: flask.Flask, rng: Random) -> str:
    """Connect some signals of an application, as long as the application lives."""
    chosen = rng.sample(SIGNALS, rng.choice([1, 3, 10]))
    for signal in chosen:
        receiver = Receiver(signal)
        signal.connect(receiver, app, weak=False)
        app.extensions.setdefault("receivers", []).append((signal, receiver))
    return f"signals {sorted(signal.name for signal in chosen)}"


def disconnect(app: flask.Flask) -> None:
    """Disconnect what was connected, so that the signals have no receivers again."""
    for signal, receiver in app.extensions.pop("receivers", []):
        signal.disconnect(receiver, app)
