"""The workloads on Django, whose settings are those of the process.

An application is used until the next one is made.
"""

from __future__ import annotations

import asyncio
import json as stdlib_json
import typing as t

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseRedirect
from django.http import JsonResponse
from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.urls import reverse
from django.urls import set_urlconf
from django.views.static import serve

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

SESSIONS = ["django.contrib.sessions.middleware.SessionMiddleware"]
_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [FILES / "django"],
}
settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[],
    SECRET_KEY=KEY,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[_TEMPLATES],
    USE_I18N=False,
)
django.setup()


class Routes:
    def __init__(self, *urlpatterns: t.Any) -> None:
        self.urlpatterns = urlpatterns
        self.handler404 = missing


def app(*routes: t.Any, middleware: t.Sequence[str] = (), make: t.Any = None) -> t.Any:
    settings.MIDDLEWARE = [*middleware]
    settings.ROOT_URLCONF = Routes(*routes)
    set_urlconf(None)
    return (make or get_wsgi_application)()


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = f"nothing at {request.path}"
    return HttpResponse(text, status=404, content_type="text/plain")


def hello(middleware: t.Sequence[str] = ()) -> t.Any:
    return app(path("", lambda request: HttpResponse(TEXT)), middleware=middleware)


def json() -> t.Any:
    def show(request: HttpRequest, number: int) -> HttpResponse:
        return JsonResponse(item(number, int(request.GET.get("limit", 10))))

    return app(path("items/<int:number>", show))


def template() -> t.Any:
    def product(request: HttpRequest, number: int) -> HttpResponse:
        return HttpResponse(str(number))

    def index(request: HttpRequest) -> HttpResponse:
        return render(request, "page.html", {"user": USER, "products": PRODUCTS})

    return app(path("", index), path("product/<int:number>", product, name="product"))


def postjson() -> t.Any:
    def create(request: HttpRequest) -> HttpResponse:
        given = stdlib_json.loads(request.body)
        lines = [(line["amount"], line["price"]) for line in given["lines"]]
        return JsonResponse(order(given["customer"], lines), status=201)

    return app(path("orders", create))


def session() -> t.Any:
    def index(request: HttpRequest) -> HttpResponse:
        visits = request.session.get("visits", 0) + 1
        request.session["visits"] = visits
        return HttpResponse(f"visit {visits}")

    return app(path("", index), middleware=SESSIONS)


def bigapp() -> t.Any:
    routes = [_page(s, p) for s in range(SECTIONS) for p in range(PAGES)]
    return app(*routes)


def _page(section: int, page: int) -> t.Any:
    following = f"section_{section}_page_{page + 1}"

    def show(request: HttpRequest, number: int, name: str) -> HttpResponse:
        url = reverse(following, kwargs={"number": number + 1, "name": name})
        headers = {"X-Section": str(section)}
        return HttpResponse(f'<a href="{url}">next</a>', headers=headers)

    rule = f"section-{section}/page-{page}/<int:number>/<str:name>"
    return path(rule, show, name=f"section_{section}_page_{page}")


def in_async() -> t.Any:
    async def index(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse(TEXT)

    return app(path("", index), make=get_asgi_application)


def static() -> t.Any:
    folder = {"document_root": FILES / "static"}
    return app(path("static/<path:path>", serve, folder))


def stream() -> t.Any:
    def index(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(chunk for chunk in CHUNKS)

    return app(path("", index))


def form() -> t.Any:
    def login(request: HttpRequest) -> HttpResponse:
        given = request.POST
        request.session["user"] = given["user"]
        request.session["kept"] = given.get("remember") == "yes"
        response = HttpResponseRedirect(given["next"])
        response.status_code = 303
        return response

    return app(path("login", login), middleware=SESSIONS)


WSGI = named(
    hello,
    json,
    template,
    postjson,
    session,
    bigapp,
    static,
    stream,
    form,
    hello_key=lambda: hello(SESSIONS),
    errors=app,
)
ASGI = named(**{"async": in_async})
