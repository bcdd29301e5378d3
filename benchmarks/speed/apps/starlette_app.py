"""The workloads on Starlette."""

from __future__ import annotations

import asyncio
import typing as t

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.responses import JSONResponse
from starlette.responses import PlainTextResponse
from starlette.responses import RedirectResponse
from starlette.responses import Response
from starlette.responses import StreamingResponse
from starlette.routing import Mount
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

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

SESSIONS = [Middleware(SessionMiddleware, secret_key=KEY)]


def app(*routes: t.Any, **options: t.Any) -> Starlette:
    return Starlette(routes=[*routes], **options)


async def text(request: Request) -> Response:
    return PlainTextResponse(TEXT)


def json() -> Starlette:
    async def show(request: Request) -> Response:
        limit = int(request.query_params.get("limit", 10))
        return JSONResponse(item(request.path_params["number"], limit))

    return app(Route("/items/{number:int}", show))


def template() -> Starlette:
    templates = Jinja2Templates(FILES / "templates")

    async def index(request: Request) -> Response:
        context = {"user": USER, "products": PRODUCTS, "url_for": made.url_path_for}
        return templates.TemplateResponse(request, "page.html", context)

    made = app(Route("/", index), Route("/product/{number:int}", text, name="product"))
    return made


def postjson() -> Starlette:
    async def create(request: Request) -> Response:
        given = await request.json()
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        return JSONResponse(order(given["customer"], lines), 201)

    return app(Route("/orders", create, methods=["POST"]))


def session() -> Starlette:
    async def index(request: Request) -> Response:
        visits = request.session.get("visits", 0) + 1
        request.session["visits"] = visits
        return PlainTextResponse(f"visit {visits}")

    return app(Route("/", index), middleware=SESSIONS)


def bigapp() -> Starlette:
    sections = []
    for section in range(SECTIONS):
        pages = [_page(section, page) for page in range(PAGES)]
        mount = Mount(f"/section-{section}", routes=pages, name=f"section_{section}")
        sections.append(mount)
    return app(*sections)


def _page(section: int, page: int) -> Route:
    following = f"section_{section}:page_{page + 1}"

    async def show(request: Request) -> Response:
        number, name = request.path_params["number"], request.path_params["name"]
        made = request.app.url_path_for(following, number=number + 1, name=name)
        headers = {"X-Section": str(section)}
        return HTMLResponse(f'<a href="{made}">next</a>', headers=headers)

    return Route(f"/page-{page}/{{number:int}}/{{name}}", show, name=f"page_{page}")


def in_async() -> Starlette:
    async def index(request: Request) -> Response:
        await asyncio.sleep(0)
        return PlainTextResponse(TEXT)

    return app(Route("/", index))


def static() -> Starlette:
    return app(Mount("/static", StaticFiles(directory=FILES / "static")))


def errors() -> Starlette:
    async def missing(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"nothing at {request.url.path}", 404)

    return app(exception_handlers={404: missing})


async def chunks() -> t.AsyncIterator[str]:
    for chunk in CHUNKS:
        yield chunk


def stream() -> Starlette:
    async def index(request: Request) -> Response:
        return StreamingResponse(chunks(), media_type="text/plain")

    return app(Route("/", index))


def form() -> Starlette:
    async def login(request: Request) -> Response:
        given = await request.form()
        request.session["user"] = given["user"]
        request.session["kept"] = given.get("remember") == "yes"
        return RedirectResponse(str(given["next"]), 303)

    return app(Route("/login", login, methods=["POST"]), middleware=SESSIONS)


WSGI = named()
ASGI = named(
    json,
    template,
    postjson,
    session,
    bigapp,
    static,
    errors,
    stream,
    form,
    hello=lambda: app(Route("/", text)),
    hello_key=lambda: app(Route("/", text), middleware=SESSIONS),
    **{"async": in_async},
)
