# pyright: strict
"""Mistakes that a type checker finds, and some that it does not."""

from __future__ import annotations

import typing as t

import flask
import flask.nowhere
from flask import __getattr__
from flask import __version__
from flask import _request_ctx_stack
from flask import escape
from flask import Flask
from flask import globals as context
from flask import Markup
from flask import TYPE_CHECKING
from flask.app import AppContext
from flask.app import current_app
from flask.app import ImmutableDict
from flask.app import t as typing_of_app
from flask.blueprints import SansioBlueprint
from flask.cli import click
from flask.cli import ssl
from flask.ctx import nothing
from flask.globals import _app_ctx_err_msg
from flask.globals import _no_app_msg
from flask.globals import Flask as FlaskOfGlobals
from flask.helpers import _cv_request
from flask.json import JSONEncoder
from flask.sansio import app as sansio_app
from flask.sansio import nothing_either
from flask.sansio.app import _make_timedelta
from flask.sansio.app import Environment
from flask.sansio.app import T_shell_context_processor
from flask.sansio.scaffold import F
from flask.sansio.scaffold import Group
from flask.scaffold import Scaffold
from flask.signals import _signals
from flask.signals import Namespace
from flask.typing import Headers
from flask.typing import HeadersValue
from flask.typing import WSGIApplication
from flask.views import http_method_funcs
from flask.wrappers import HTTPException

app = Flask(1, static_folder=2, instance_relative="yes")
app.config.from_object()
app.run(port=[])
app.nothing
app.name = 3
app.json_encoder = object
app.before_first_request(print)
app.register_blueprint(app)
app.test_client().open(json=1).nothing
app.url_for()
app.session_interface = 3
app.secret_key = 1.5
app.jinja_options["x"].nothing

flask.request.nothing
flask.request.method = "GET"
flask.session.nothing
flask.session = {}
flask.g.anything.goes  # type: ignore[attr-defined]
flask.current_app.nothing  # type: ignore
flask.nothing
flask.nothing = 1
flask.Flask = 1
flask.Flask = app
flask.jsonify = print
flask.json.dumps = 3
flask.app.Flask = Flask
flask.app.nothing
flask.app.AppContext
flask.globals.request = None
flask.globals._cv_app.nothing
flask.views.View
flask.sansio.app
flask.testing.FlaskClient.nothing
flask.__version__
flask.__file__ + 1
flask.__name__ + 1
flask.__path__.nothing
flask.t
flask.TYPE_CHECKING
flask.typing.ResponseValue.nothing
flask.abort("404", 1)
flask.redirect(404)
flask.render_template()
flask.send_file()
flask.url_for(1)
flask.flash(None)
flask.make_response(nothing=1)
flask.stream_with_context(1)
flask.after_this_request(1)
flask.Config()
flask.Response(status=[])
flask.Blueprint("x")
flask.template_rendered.connect(1)
flask.got_request_exception.send(1, 2, 3)
del flask.Flask


@app.route("/", methods="GET", nothing=1)
def returns_a_set() -> set[str]:
    return {"x"}


@app.get("/", methods=["GET"])
def returns_a_number() -> int:
    return 1


@app.after_request
def takes_nothing() -> None:
    pass


@app.before_request
def returns_an_object() -> object:
    return object()


@app.errorhandler("x")
def handles(error: int) -> str:
    return ""


@app.teardown_appcontext
def tears(error: int, more: str) -> None:
    pass


@app.context_processor
def lists() -> list[str]:
    return []


@app.template_filter(1)
def filters(value):
    return value


class View(flask.views.MethodView):
    init_every_request = 3

    def dispatch_request(self, x: int) -> int:
        return x


class Provider(flask.json.provider.DefaultJSONProvider):
    def dumps(self, obj: t.Any) -> bytes:
        return b""

    ensure_ascii = "no"


class Sessions(flask.sessions.SessionInterface):
    def open_session(self, app: str, request: flask.Request) -> dict[str, str]:
        return {}


class Mixed(Flask, flask.Blueprint):
    json_provider_class = int
    test_client_class = Provider


def unreachable(found: flask.Flask) -> t.NoReturn:
    flask.abort(404)
    print("never")


def wrong(found: flask.Blueprint | flask.Flask) -> flask.Response:
    if isinstance(found, Flask):
        return found
    return found.import_name


def untyped(found):
    return found.nothing


typed: AppContext = app
number: int = flask.current_app
other: FlaskOfGlobals = flask.Blueprint("x", "y")
value: HeadersValue = 1
answer: flask.typing.ResponseReturnValue = 1
factory: t.Callable[[], flask.Flask] = Flask

for name in (
    *(__getattr__, __version__, _request_ctx_stack, escape, context, Markup),
    *(TYPE_CHECKING, AppContext, current_app, ImmutableDict),
    *(typing_of_app, SansioBlueprint, click, ssl, nothing, _app_ctx_err_msg),
    *(_no_app_msg, FlaskOfGlobals, _cv_request, JSONEncoder, sansio_app),
    *(nothing_either, _make_timedelta, Environment, T_shell_context_processor),
    *(F, Group, Scaffold, _signals, Namespace, Headers, HeadersValue),
    *(WSGIApplication, http_method_funcs, HTTPException),
):
    reveal_type(name)
reveal_type(context)
reveal_type(sansio_app)
reveal_type(Environment)
reveal_type(current_app)
reveal_type(typing_of_app)
