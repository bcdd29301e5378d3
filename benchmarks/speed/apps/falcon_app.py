"""The workloads on Falcon, which has neither sessions nor the building of URLs."""

from __future__ import annotations

import asyncio
import typing as t

import falcon
import falcon.asgi
import jinja2

from ..workloads import CHUNKS
from ..workloads import FILES
from ..workloads import item
from ..workloads import order
from ..workloads import PAGES
from ..workloads import PRODUCTS
from ..workloads import SECTIONS
from ..workloads import TEXT
from ..workloads import USER
from . import named

Respond = t.Callable[..., None]


def app(path: str, respond: Respond, method: str = "get") -> falcon.App:
    made = falcon.App()
    made.add_route(
        path, type("Resource", (), {f"on_{method}": staticmethod(respond)})()
    )
    return made


def hello() -> t.Any:
    def index(req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = TEXT

    return app("/", index)


def json() -> t.Any:
    def show(req: falcon.Request, resp: falcon.Response, number: int) -> None:
        resp.media = item(number, req.get_param_as_int("limit", default=10))

    return app("/items/{number:int}", show)


def template() -> t.Any:
    loader = jinja2.FileSystemLoader(FILES / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)

    def url_for(endpoint: str, number: int) -> str:
        return f"/{endpoint}/{number}"

    def index(req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = environment.get_template("page.html").render(
            user=USER, products=PRODUCTS, url_for=url_for
        )

    return app("/", index)


def postjson() -> t.Any:
    def create(req: falcon.Request, resp: falcon.Response) -> None:
        given = req.get_media()
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        resp.status = falcon.HTTP_201
        resp.media = order(given["customer"], lines)

    return app("/orders", create, "post")


def bigapp() -> t.Any:
    made = falcon.App()
    for section in range(SECTIONS):
        for page in range(PAGES):
            rule = f"/section-{section}/page-{page}/{{number:int}}/{{name}}"
            made.add_route(rule, Page(section, page))
    return made


class Page:
    def __init__(self, section: int, page: int) -> None:
        self.section = section
        self.page = page

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, number: int, name: str
    ) -> None:
        url = f"/section-{self.section}/page-{self.page + 1}/{number + 1}/{name}"
        resp.set_header("X-Section", str(self.section))
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f'<a href="{url}">next</a>'


def in_async() -> t.Any:
    class Resource:
        async def on_get(self, req: t.Any, resp: t.Any) -> None:
            await asyncio.sleep(0)
            resp.content_type = falcon.MEDIA_TEXT
            resp.text = TEXT

    made = falcon.asgi.App()
    made.add_route("/", Resource())
    return made


def static() -> t.Any:
    made = falcon.App()
    made.add_static_route("/static", FILES / "static")
    return made


def errors() -> t.Any:
    def missing(req: falcon.Request, resp: falcon.Response, *rest: t.Any) -> None:
        resp.status = falcon.HTTP_404
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"nothing at {req.path}"

    made = falcon.App()
    made.add_error_handler(falcon.HTTPNotFound, missing)
    return made


def stream() -> t.Any:
    def index(req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = (chunk.encode() for chunk in CHUNKS)

    return app("/", index)


WSGI = named(hello, json, template, postjson, bigapp, static, errors, stream)
ASGI = named(**{"async": in_async})
