# pyright: strict
"""Both names in one program: each accepts what the other returns."""

from __future__ import annotations

import flask
import flask.views
import flaskfork.views
import typing_extensions as te
from flask import Blueprint as AliasBlueprint
from flask.ctx import AppContext as AliasContext
from flask.globals import _cv_app as alias_cv_app  # pyright: ignore[reportPrivateUsage]
from flask.json.provider import JSONProvider
from flask.typing import ResponseReturnValue
from flaskfork.ctx import AppContext
from flaskfork.json.provider import DefaultJSONProvider
from flaskfork.sansio.app import App  # pyright: ignore[reportMissingTypeStubs]
from flaskfork.typing import ResponseReturnValue as ForkReturnValue

import flaskfork
from flaskfork import Blueprint

te.assert_type(flask.Flask("x"), flaskfork.Flask)
te.assert_type(flaskfork.Flask("x"), flask.Flask)
te.assert_type(flask.app.Flask("x"), flaskfork.app.Flask)
te.assert_type(flask.current_app, flaskfork.Flask)
te.assert_type(flaskfork.request, flask.Request)
te.assert_type(flask.jsonify(1), flaskfork.Response)
te.assert_type(alias_cv_app.get(), AppContext)
te.assert_type(flask.g, flaskfork.ctx._AppCtxGlobals)  # pyright: ignore[reportPrivateUsage]
same: type[flask.Flask] = flaskfork.Flask
context: type[AliasContext] = AppContext


class Board(AliasBlueprint):
    """A blueprint under one name."""


class Listing(flaskfork.views.MethodView):
    """A view under the other."""

    def get(self) -> ForkReturnValue:
        return flask.Response("")


class Garden(flaskfork.Flask):
    """Use parts of both."""

    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    response_class = flask.Response

    def dispatch_request(self) -> ResponseReturnValue:
        return super().dispatch_request()


def compose(app: flask.Flask, forks: flaskfork.Flask) -> None:
    """Hand one to the other."""
    forks.register_blueprint(Board("board", __name__))
    app.register_blueprint(Blueprint("board", __name__))
    view: type[flask.views.View] = Listing
    app.add_url_rule("/", view_func=view.as_view("listing"))
    flaskfork.request_started.connect(print, app)
    compose(forks, app)


def tell(found: flask.Flask | AliasBlueprint | None) -> str:
    """Narrow with the class of the other name."""
    if isinstance(found, flaskfork.Flask):
        te.assert_type(found, flask.Flask)
        return found.import_name
    if isinstance(found, Blueprint):
        return te.assert_type(found, AliasBlueprint).name
    te.assert_type(found, None)
    return ""


def of_sansio(app: App) -> flask.Flask | None:
    """Narrow with a base class of both."""
    return app if isinstance(app, flask.Flask) else None
