"""The workloads on Flask, and on the fork, which is imported by the same name."""

from __future__ import annotations

import asyncio
import pathlib
import typing as t

import flask

from ..workloads import CHUNKS
from ..workloads import FILES
from ..workloads import item
from ..workloads import KEY
from ..workloads import order
from ..workloads import PAGES
from ..workloads import PRODUCTS
from ..workloads import SECTIONS
from ..workloads import TEXT
from ..workloads import USER
from . import named


def make(*, key: str | None = KEY, folder: pathlib.Path = FILES) -> flask.Flask:
    app = flask.Flask("shop", root_path=str(folder))
    app.secret_key = key
    return app


def hello() -> flask.Flask:
    return hello_key(key=None)


def hello_key(key: str | None = KEY) -> flask.Flask:
    app = make(key=key)

    @app.get("/")
    def index() -> str:
        return TEXT

    return app


def json() -> flask.Flask:
    app = make()

    @app.get("/items/<int:number>")
    def show(number: int) -> flask.Response:
        limit = flask.request.args.get("limit", 10, type=int)
        return flask.jsonify(item(number, limit))

    return app


def template() -> flask.Flask:
    app = make()

    @app.get("/product/<int:number>")
    def product(number: int) -> str:
        return str(number)

    @app.get("/")
    def index() -> str:
        return flask.render_template("page.html", user=USER, products=PRODUCTS)

    return app


def postjson() -> flask.Flask:
    app = make()

    @app.post("/orders")
    def create() -> tuple[dict[str, t.Any], int]:
        given = flask.request.get_json()
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        return order(given["customer"], lines), 201

    return app


def session() -> flask.Flask:
    app = make()

    @app.get("/")
    def index() -> str:
        visits = flask.session.get("visits", 0) + 1
        flask.session["visits"] = visits
        return f"visit {visits}"

    return app


def bigapp() -> flask.Flask:
    app = make()
    for section in range(SECTIONS):
        app.register_blueprint(_section(section), url_prefix=f"/section-{section}")
    return app


def _section(section: int) -> flask.Blueprint:
    blueprint = flask.Blueprint(f"section_{section}", "shop", root_path=str(FILES))

    @blueprint.before_request
    def begin() -> None:
        flask.g.section = section

    @blueprint.after_request
    def end(response: flask.Response) -> flask.Response:
        response.headers["X-Section"] = str(flask.g.section)
        return response

    for page in range(PAGES):

        def show(number: int, name: str, page: int = page) -> str:
            url = flask.url_for(f".page_{page + 1}", number=number + 1, name=name)
            return f'<a href="{url}">next</a>'

        rule = f"/page-{page}/<int:number>/<name>"
        blueprint.add_url_rule(rule, f"page_{page}", show)
    return blueprint


def in_async() -> flask.Flask:
    app = make()

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0)
        return TEXT

    return app


def errors() -> flask.Flask:
    app = make()

    @app.errorhandler(404)
    def missing(error: Exception) -> tuple[str, int]:
        return f"nothing at {flask.request.path}", 404

    return app


def stream() -> flask.Flask:
    app = make()

    @app.get("/")
    def index() -> flask.Response:
        return flask.Response(chunk for chunk in CHUNKS)

    return app


def form() -> flask.Flask:
    app = make()

    @app.post("/login")
    def login() -> t.Any:
        given = flask.request.form
        flask.session["user"] = given["user"]
        flask.session["kept"] = given.get("remember") == "yes"
        return flask.redirect(given["next"], 303)

    return app


def string(cached: int = 0) -> flask.Flask:
    app = make()
    app.config["TEMPLATE_STRING_CACHE"] = cached
    source = "<ul>{% for n in range(3) %}<li>{{ n }}{% endfor %}</ul>{{ user|upper }}"

    @app.get("/")
    def index() -> str:
        return flask.render_template_string(source, user="alice")

    return app


WSGI = named(
    hello,
    hello_key,
    json,
    template,
    postjson,
    session,
    bigapp,
    errors,
    stream,
    form,
    string,
    static=make,
    string_cached=lambda: string(cached=1),
    **{"async": in_async},
)
ASGI = named()
