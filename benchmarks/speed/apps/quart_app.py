"""The workloads on Quart."""

from __future__ import annotations

import asyncio
import typing as t

import quart

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


def make(*, key: str | None = KEY) -> quart.Quart:
    app = quart.Quart("shop", root_path=str(FILES))
    app.secret_key = key
    return app


def hello() -> quart.Quart:
    return hello_key(key=None)


def hello_key(key: str | None = KEY) -> quart.Quart:
    app = make(key=key)

    @app.get("/")
    async def index() -> str:
        return TEXT

    return app


def json() -> quart.Quart:
    app = make()

    @app.get("/items/<int:number>")
    async def show(number: int) -> quart.Response:
        limit = quart.request.args.get("limit", 10, type=int)
        return quart.jsonify(item(number, limit))

    return app


def template() -> quart.Quart:
    app = make()

    @app.get("/product/<int:number>")
    async def product(number: int) -> str:
        return str(number)

    @app.get("/")
    async def index() -> str:
        return await quart.render_template("page.html", user=USER, products=PRODUCTS)

    return app


def postjson() -> quart.Quart:
    app = make()

    @app.post("/orders")
    async def create() -> tuple[dict[str, t.Any], int]:
        given = await quart.request.get_json()
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        return order(given["customer"], lines), 201

    return app


def session() -> quart.Quart:
    app = make()

    @app.get("/")
    async def index() -> str:
        visits = quart.session.get("visits", 0) + 1
        quart.session["visits"] = visits
        return f"visit {visits}"

    return app


def bigapp() -> quart.Quart:
    app = make()
    for section in range(SECTIONS):
        app.register_blueprint(_section(section), url_prefix=f"/section-{section}")
    return app


def _section(section: int) -> quart.Blueprint:
    blueprint = quart.Blueprint(f"section_{section}", "shop", root_path=str(FILES))

    @blueprint.before_request
    async def begin() -> None:
        quart.g.section = section

    @blueprint.after_request
    async def end(response: quart.Response) -> quart.Response:
        response.headers["X-Section"] = str(quart.g.section)
        return response

    for page in range(PAGES):

        async def show(number: int, name: str, page: int = page) -> str:
            url = quart.url_for(f".page_{page + 1}", number=number + 1, name=name)
            return f'<a href="{url}">next</a>'

        rule = f"/page-{page}/<int:number>/<name>"
        blueprint.add_url_rule(rule, f"page_{page}", show)
    return blueprint


def in_async() -> quart.Quart:
    app = make()

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0)
        return TEXT

    return app


def errors() -> quart.Quart:
    app = make()

    @app.errorhandler(404)
    async def missing(error: Exception) -> tuple[str, int]:
        return f"nothing at {quart.request.path}", 404

    return app


def stream() -> quart.Quart:
    app = make()

    @app.get("/")
    async def index() -> quart.Response:
        async def chunks() -> t.AsyncIterator[str]:
            for chunk in CHUNKS:
                yield chunk

        return quart.Response(chunks())

    return app


def form() -> quart.Quart:
    app = make()

    @app.post("/login")
    async def login() -> t.Any:
        given = await quart.request.form
        quart.session["user"] = given["user"]
        quart.session["kept"] = given.get("remember") == "yes"
        return quart.redirect(given["next"], 303)

    return app


WSGI = named()
ASGI = named(
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
    static=make,
    **{"async": in_async},
)
