"""The workloads on Bottle."""

from __future__ import annotations

import typing as t

import bottle
import jinja2

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


def hello() -> t.Any:
    app = bottle.Bottle()
    app.get("/", callback=lambda: TEXT)
    return app


def json() -> t.Any:
    app = bottle.Bottle()

    @app.get("/items/<number:int>")  # type: ignore[untyped-decorator]
    def show(number: int) -> dict[str, t.Any]:
        limit = bottle.request.query.get("limit", 10, type=int)
        return item(number, limit)

    return app


def template() -> t.Any:
    app = bottle.Bottle()
    app.get("/product/<number:int>", name="product", callback=str)
    # Its own adapter for Jinja compiles the layout again for each request.
    loader = jinja2.FileSystemLoader(FILES / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)

    @app.get("/")  # type: ignore[untyped-decorator]
    def index() -> str:
        return environment.get_template("page.html").render(
            user=USER, products=PRODUCTS, url_for=app.get_url
        )

    return app


def postjson() -> t.Any:
    app = bottle.Bottle()

    @app.post("/orders")  # type: ignore[untyped-decorator]
    def create() -> dict[str, t.Any]:
        given = bottle.request.json
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        bottle.response.status = 201
        return order(given["customer"], lines)

    return app


def session() -> t.Any:
    app = bottle.Bottle()

    @app.get("/")  # type: ignore[untyped-decorator]
    def index() -> str:
        visits = bottle.request.get_cookie("visits", 0, secret=KEY) + 1
        bottle.response.set_cookie("visits", visits, secret=KEY, httponly=True)
        return f"visit {visits}"

    return app


def bigapp() -> t.Any:
    app = bottle.Bottle()
    for section in range(SECTIONS):
        for page in range(PAGES):
            _add_page(app, section, page)
    return app


def _add_page(app: t.Any, section: int, page: int) -> None:
    rule = f"/section-{section}/page-{page}/<number:int>/<name>"
    following = f"section_{section}_page_{page + 1}"

    @app.get(rule, name=f"section_{section}_page_{page}")  # type: ignore[untyped-decorator]
    def show(number: int, name: str) -> str:
        bottle.response.set_header("X-Section", str(section))
        url = app.get_url(following, number=number + 1, name=name)
        return f'<a href="{url}">next</a>'


def static() -> t.Any:
    app = bottle.Bottle()
    folder = str(FILES / "static")
    app.get("/static/<name>", callback=lambda name: bottle.static_file(name, folder))
    return app


def errors() -> t.Any:
    app = bottle.Bottle()
    app.error(404)(lambda error: f"nothing at {bottle.request.path}")
    return app


def stream() -> t.Any:
    app = bottle.Bottle()
    app.get("/", callback=lambda: (chunk for chunk in CHUNKS))
    return app


def form() -> t.Any:
    app = bottle.Bottle()

    @app.post("/login")  # type: ignore[untyped-decorator]
    def login() -> None:
        given = bottle.request.forms
        kept = {"user": given["user"], "kept": given.get("remember") == "yes"}
        bottle.response.set_cookie("session", kept, secret=KEY, httponly=True)
        # Not its redirect(), which raises and makes the address absolute.
        bottle.response.status = 303
        bottle.response.set_header("Location", given["next"])

    return app


WSGI = named(
    hello, json, template, postjson, session, bigapp, static, errors, stream, form
)
ASGI = named()
