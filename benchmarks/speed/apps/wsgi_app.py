"""The workloads as bare WSGI, with the standard library: no framework can do less."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.cookies
import json as stdlib_json
import mimetypes
import typing as t
import urllib.parse

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

PLAIN = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


def answer(
    start_response: t.Any,
    body: bytes,
    kind: str = PLAIN,
    status: str = "200 OK",
    *more: tuple[str, str],
) -> list[bytes]:
    length = ("Content-Length", str(len(body)))
    start_response(status, [("Content-Type", kind), length, *more])
    return [body]


def hello() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        return answer(start_response, TEXT.encode())

    return serve


def json() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        number = int(environ["PATH_INFO"].removeprefix("/items/"))
        query = urllib.parse.parse_qs(environ["QUERY_STRING"])
        text = stdlib_json.dumps(item(number, int(query["limit"][0])))
        return answer(start_response, text.encode(), "application/json")

    return serve


def template() -> t.Any:
    loader = jinja2.FileSystemLoader(FILES / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)

    def url_for(endpoint: str, number: int) -> str:
        return f"/{endpoint}/{number}"

    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        text = environment.get_template("page.html").render(
            user=USER, products=PRODUCTS, url_for=url_for
        )
        return answer(start_response, text.encode(), HTML)

    return serve


def postjson() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        given = stdlib_json.loads(_body(environ))
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        body = stdlib_json.dumps(order(given["customer"], lines)).encode()
        return answer(start_response, body, "application/json", "201 Created")

    return serve


def _body(environ: t.Any) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return body


def session() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        cookies = http.cookies.SimpleCookie(environ.get("HTTP_COOKIE", ""))
        kept = _load(cookies["session"].value) if "session" in cookies else {}
        kept["visits"] = visits = kept.get("visits", 0) + 1
        body = f"visit {visits}".encode()
        return answer(start_response, body, PLAIN, "200 OK", _save(kept))

    return serve


def _load(value: str) -> dict[str, t.Any]:
    text, _, signature = value.partition(".")
    if not hmac.compare_digest(signature, _sign(text)):
        return {}
    kept: dict[str, t.Any] = stdlib_json.loads(base64.urlsafe_b64decode(text))
    return kept


def _save(kept: dict[str, t.Any]) -> tuple[str, str]:
    text = base64.urlsafe_b64encode(stdlib_json.dumps(kept).encode()).decode()
    return "Set-Cookie", f"session={text}.{_sign(text)}; HttpOnly; Path=/"


def _sign(text: str) -> str:
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def bigapp() -> t.Any:
    pages = {
        (f"section-{s}", f"page-{p}") for s in range(SECTIONS) for p in range(PAGES)
    }

    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        _, section, page, number, name = environ["PATH_INFO"].split("/")
        if (section, page) not in pages:
            return answer(start_response, b"", PLAIN, "404 Not Found")
        following = f"page-{int(page.removeprefix('page-')) + 1}"
        url = f"/{section}/{following}/{int(number) + 1}/{name}"
        text = f'<a href="{url}">next</a>'
        header = "X-Section", section.removeprefix("section-")
        return answer(start_response, text.encode(), HTML, "200 OK", header)

    return serve


def static() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        name = environ["PATH_INFO"].removeprefix("/static/")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = (FILES / "static" / name).read_bytes()
        return answer(start_response, body, kind)

    return serve


def errors() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        body = f"nothing at {environ['PATH_INFO']}".encode()
        return answer(start_response, body, PLAIN, "404 Not Found")

    return serve


def stream() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> t.Iterable[bytes]:
        start_response("200 OK", [("Content-Type", PLAIN)])
        return (chunk.encode() for chunk in CHUNKS)

    return serve


def form() -> t.Any:
    def serve(environ: t.Any, start_response: t.Any) -> list[bytes]:
        given = dict(urllib.parse.parse_qsl(_body(environ).decode()))
        kept = {"user": given["user"], "kept": given.get("remember") == "yes"}
        location = "Location", given["next"]
        more = location, _save(kept)
        return answer(start_response, b"", PLAIN, "303 See Other", *more)

    return serve


WSGI = named(
    hello, json, template, postjson, session, bigapp, static, errors, stream, form
)
ASGI = named()
