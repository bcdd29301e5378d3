"""The workloads on Werkzeug alone, with Jinja and itsdangerous where Flask has them."""

from __future__ import annotations

import json as stdlib_json
import typing as t

import jinja2
from itsdangerous import BadSignature
from itsdangerous import URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.routing import Map
from werkzeug.routing import MapAdapter
from werkzeug.routing import Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

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

View = t.Callable[..., Response]
_signer = URLSafeTimedSerializer(KEY, salt="session")


def app(*rules: Rule, **views: View) -> t.Any:
    """An application that calls the view that is named like the rule's endpoint."""
    url_map = Map([*rules])

    def serve(environ: t.Any, start_response: t.Any) -> t.Iterable[bytes]:
        request = Request(environ)
        adapter = url_map.bind_to_environ(environ)
        try:
            endpoint, values = adapter.match()
            response = views[endpoint](request, adapter, **values)
        except NotFound:
            response = Response(f"nothing at {request.path}", 404)
        except HTTPException as error:
            return error(environ, start_response)
        return response(environ, start_response)

    return serve


def hello() -> t.Any:
    return app(Rule("/", endpoint="index"), index=lambda *args: Response(TEXT))


def json() -> t.Any:
    def show(request: Request, adapter: MapAdapter, number: int) -> Response:
        limit = request.args.get("limit", 10, type=int)
        return _json(item(number, limit))

    return app(Rule("/items/<int:number>", endpoint="show"), show=show)


def _json(content: t.Any, status: int = 200) -> Response:
    text = stdlib_json.dumps(content)
    return Response(text, status, mimetype="application/json")


def template() -> t.Any:
    loader = jinja2.FileSystemLoader(FILES / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)

    def index(request: Request, adapter: MapAdapter) -> Response:
        def url_for(endpoint: str, **values: t.Any) -> str:
            return adapter.build(endpoint, values)

        text = environment.get_template("page.html").render(
            user=USER, products=PRODUCTS, url_for=url_for
        )
        return Response(text, mimetype="text/html")

    rules = (
        Rule("/", endpoint="index"),
        Rule("/product/<int:number>", endpoint="product"),
    )
    return app(*rules, index=index)


def postjson() -> t.Any:
    def create(request: Request, adapter: MapAdapter) -> Response:
        given = request.get_json()
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        return _json(order(given["customer"], lines), 201)

    return app(Rule("/orders", endpoint="create", methods=["POST"]), create=create)


def session() -> t.Any:
    def index(request: Request, adapter: MapAdapter) -> Response:
        kept = _load(request)
        kept["visits"] = visits = kept.get("visits", 0) + 1
        response = Response(f"visit {visits}")
        _save(response, kept)
        return response

    return app(Rule("/", endpoint="index"), index=index)


def _load(request: Request) -> dict[str, t.Any]:
    try:
        return dict(_signer.loads(request.cookies.get("session", "")))
    except BadSignature:
        return {}


def _save(response: Response, kept: dict[str, t.Any]) -> None:
    response.vary.add("Cookie")
    response.set_cookie("session", t.cast(str, _signer.dumps(kept)), httponly=True)


def bigapp() -> t.Any:
    rules, views = [], {}
    for section in range(SECTIONS):
        for page in range(PAGES):
            name = f"section_{section}_page_{page}"
            rule = f"/section-{section}/page-{page}/<int:number>/<name>"
            rules.append(Rule(rule, endpoint=name))
            views[name] = _page(section, page)
    return app(*rules, **views)


def _page(section: int, page: int) -> View:
    following = f"section_{section}_page_{page + 1}"

    def show(request: Request, adapter: MapAdapter, number: int, name: str) -> Response:
        url = adapter.build(following, {"number": number + 1, "name": name})
        response = Response(f'<a href="{url}">next</a>', mimetype="text/html")
        response.headers["X-Section"] = str(section)
        return response

    return show


def static() -> t.Any:
    return SharedDataMiddleware(app(), {"/static": str(FILES / "static")})


def stream() -> t.Any:
    def index(request: Request, adapter: MapAdapter) -> Response:
        return Response(chunk for chunk in CHUNKS)

    return app(Rule("/", endpoint="index"), index=index)


def form() -> t.Any:
    def login(request: Request, adapter: MapAdapter) -> Response:
        given = request.form
        response = redirect(given["next"], 303)
        kept = {"user": given["user"], "kept": given.get("remember") == "yes"}
        _save(response, {**_load(request), **kept})
        return response

    return app(Rule("/login", endpoint="login", methods=["POST"]), login=login)


WSGI = named(
    hello, json, template, postjson, session, bigapp, static, stream, form, errors=app
)
ASGI = named()
