"""A shop: what monitoring tools look at in an application, in a few lines."""

from __future__ import annotations

import flask
import flask.views
from flask import abort
from flask import Blueprint
from flask import Flask
from flask import jsonify
from flask import render_template
from flask import render_template_string
from flask import request
from flask import session
from flask import url_for
from flask.signals import got_request_exception
from flask.signals import request_started
from flask.signals import template_rendered
from flask.views import MethodView

# What the application's own signal receivers received.
told: list[str] = []


class OutOfStockError(Exception):
    """The requested article is sold out."""


class Article(MethodView):
    init_every_request = False

    def get(self, number: int) -> str:
        return render_template("article.html", number=number)

    def post(self, number: int) -> flask.typing.ResponseReturnValue:
        session["article"] = number
        return jsonify(article=number, here=url_for("basket.show")), 201


class Terms(flask.views.View):
    def dispatch_request(self) -> str:
        return render_template_string("Terms of {{ request.path }}")


basket = Blueprint("basket", __name__, url_prefix="/basket")


@basket.before_request
def check_agent() -> None:
    if "robot" in request.headers.get("User-Agent", ""):
        abort(403)


@basket.route("/")
def show() -> flask.Response:
    @flask.after_this_request
    def mark(response: flask.Response) -> flask.Response:
        response.headers["X-Shop"] = "basket"
        return response

    return jsonify(article=session.get("article"))


@basket.route("/order")
def order() -> str:
    raise OutOfStockError("no more of it")


@basket.errorhandler(OutOfStockError)
def explain(error: OutOfStockError) -> tuple[str, int]:
    return str(error), 409


def create_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "the same on both"
    app.add_url_rule("/article/<int:number>", view_func=Article.as_view("article"))
    app.add_url_rule("/terms", view_func=Terms.as_view("terms"))
    app.register_blueprint(basket)

    @app.before_request
    def greet() -> None:
        flask.g.greeted = True

    @app.after_request
    def sign(response: flask.Response) -> flask.Response:
        response.headers["X-Shop"] = response.headers.get("X-Shop", "shop")
        return response

    @app.teardown_request
    def leave(error: BaseException | None) -> None:
        told.append(f"left after {type(error).__name__}")

    @app.context_processor
    def shop() -> dict[str, str]:
        return {"shop": "Corner"}

    @app.route("/")
    def index() -> str:
        return f"Welcome, {flask.g.greeted}"

    @app.route("/stream")
    def stream() -> flask.Response:
        # Without the context, which the fork and upstream tear down differently.
        part = request.args["part"]
        return flask.Response(f"{part} {n}\n" for n in range(2))

    @app.route("/broken")
    def broken() -> str:
        return str(1 // 0)

    @app.errorhandler(404)
    def lost(error: Exception) -> tuple[str, int]:
        return render_template("lost.html"), 404

    request_started.connect(note_request, app)
    template_rendered.connect(note_template, app)
    got_request_exception.connect(note_exception, app)
    return app


def note_request(sender: Flask, **extra: object) -> None:
    told.append(f"started {request.endpoint}")


def note_template(sender: Flask, template: object, **extra: object) -> None:
    told.append(f"rendered {getattr(template, 'name', None)}")


def note_exception(sender: Flask, exception: Exception, **extra: object) -> None:
    told.append(f"failed for {exception!r}")


def visit(path: str) -> list[object]:
    """The response that a visitor gets, without a server."""
    answer = app.test_client().get(path)
    return [path, answer.status_code, answer.text]


app = create_app()
