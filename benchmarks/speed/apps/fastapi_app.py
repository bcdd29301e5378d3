"""The workloads on FastAPI, with models of Pydantic where it is meant to have them.

Without the schema and its pages, which no request here asks for.
"""

import asyncio
import typing as t

from fastapi import APIRouter
from fastapi import FastAPI
from fastapi import Form
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import JSONResponse
from fastapi.responses import PlainTextResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

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


class Line(BaseModel):
    amount: int
    price: int


class Order(BaseModel):
    customer: str
    lines: list[Line]


def app(*, sessions: bool = False) -> FastAPI:
    made = FastAPI(openapi_url=None)
    if sessions:
        made.add_middleware(SessionMiddleware, secret_key=KEY)
    return made


def hello(sessions: bool = False) -> FastAPI:
    made = app(sessions=sessions)

    @made.get("/", response_class=PlainTextResponse)
    async def index() -> t.Any:
        return PlainTextResponse(TEXT)

    return made


def json() -> FastAPI:
    made = app()

    @made.get("/items/{number}")
    async def show(number: int, limit: int = 10) -> JSONResponse:
        # Quicker than a dict, which it would convert first.
        return JSONResponse(item(number, limit))

    return made


def template() -> FastAPI:
    made = app()
    templates = Jinja2Templates(FILES / "templates")

    @made.get("/product/{number}")
    async def product(number: int) -> int:
        return number

    @made.get("/", response_class=HTMLResponse)
    async def index(request: Request) -> t.Any:
        context = {"user": USER, "products": PRODUCTS, "url_for": made.url_path_for}
        return templates.TemplateResponse(request, "page.html", context)

    return made


def postjson() -> FastAPI:
    made = app()

    @made.post("/orders")
    async def create(given: Order) -> JSONResponse:
        lines = [(line.amount, line.price) for line in given.lines]
        return JSONResponse(order(given.customer, lines), 201)

    return made


def session() -> FastAPI:
    made = app(sessions=True)

    @made.get("/")
    async def index(request: Request) -> PlainTextResponse:
        visits = request.session.get("visits", 0) + 1
        request.session["visits"] = visits
        return PlainTextResponse(f"visit {visits}")

    return made


def bigapp() -> FastAPI:
    made = app()
    for section in range(SECTIONS):
        made.include_router(_section(section), prefix=f"/section-{section}")
    return made


def _section(section: int) -> APIRouter:
    router = APIRouter()
    for page in range(PAGES):
        _add_page(router, section, page)
    return router


def _add_page(router: APIRouter, section: int, page: int) -> None:
    following = f"section_{section}_page_{page + 1}"
    rule = f"/page-{page}/{{number}}/{{name}}"

    @router.get(rule, name=f"section_{section}_page_{page}")
    async def show(request: Request, number: int, name: str) -> HTMLResponse:
        url = request.app.url_path_for(following, number=number + 1, name=name)
        headers = {"X-Section": str(section)}
        return HTMLResponse(f'<a href="{url}">next</a>', headers=headers)


def in_async() -> FastAPI:
    made = app()

    @made.get("/")
    async def index() -> PlainTextResponse:
        await asyncio.sleep(0)
        return PlainTextResponse(TEXT)

    return made


def static() -> FastAPI:
    made = app()
    made.mount("/static", StaticFiles(directory=FILES / "static"))
    return made


def errors() -> FastAPI:
    made = app()

    @made.exception_handler(404)
    async def missing(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"nothing at {request.url.path}", 404)

    return made


def stream() -> FastAPI:
    made = app()

    async def chunks() -> t.AsyncIterator[str]:
        for chunk in CHUNKS:
            yield chunk

    @made.get("/")
    async def index() -> StreamingResponse:
        return StreamingResponse(chunks(), media_type="text/plain")

    return made


def form() -> FastAPI:
    made = app(sessions=True)

    @made.post("/login")
    async def login(
        request: Request,
        user: t.Annotated[str, Form()],
        password: t.Annotated[str, Form()],
        following: t.Annotated[str, Form(alias="next")],
        remember: t.Annotated[str, Form()] = "no",
    ) -> RedirectResponse:
        request.session["user"] = user
        request.session["kept"] = remember == "yes"
        return RedirectResponse(following, 303)

    return made


WSGI = named()
ASGI = named(
    hello,
    json,
    template,
    postjson,
    session,
    bigapp,
    static,
    errors,
    stream,
    form,
    hello_key=lambda: hello(sessions=True),
    **{"async": in_async},
)
