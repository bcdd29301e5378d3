"""The workloads: what is requested, and what every framework has to answer."""

from __future__ import annotations

import dataclasses
import html
import json
import pathlib
import re
import typing as t

FILES = pathlib.Path(__file__).parent / "files"
#: The key of every signed session.
KEY = "a key that is only used to measure"
TEXT = "Hello, World!"
STYLE = (FILES / "static" / "style.css").read_text()

#: How many blueprints the application with many routes has, and routes in each.
SECTIONS, PAGES = 25, 20
#: What the stream is made of.
CHUNKS = [f"chunk {number}\n" for number in range(100)]
#: What the template shows; one name has to be escaped.
USER = "Alice <alice@example.com>"
PRODUCTS = [{"id": n, "name": f"Tea & cup {n}", "price": 3 * n} for n in range(1, 11)]


def item(number: int, limit: int) -> dict[str, t.Any]:
    """The JSON of an item with ``limit`` parts."""
    parts = [
        {"id": n, "name": f"part {n}", "price": n / 4, "tags": ["new", "blue"]}
        for n in range(limit)
    ]
    return {"id": number, "name": f"item {number}", "stocked": True, "parts": parts}


def order(name: str, lines: list[tuple[int, int]]) -> dict[str, t.Any]:
    """The JSON that confirms an order, given the amount and price of each line."""
    total = sum(amount * price for amount, price in lines)
    return {"customer": name, "lines": len(lines), "total": total, "accepted": True}


def page() -> str:
    """The page that the template makes."""
    rows = "".join(
        f'<li><a href="/product/{product["id"]}">'
        f"{html.escape(str(product['name']))}</a> {product['price']}</li>"
        for product in PRODUCTS
    )
    return (
        "<!doctype html><title>Shop</title><header>Hello,"
        f" {html.escape(USER)}</header><ul>{rows}</ul><footer>10 products</footer>"
    )


@dataclasses.dataclass(frozen=True)
class Workload:
    """A request, and the answer that is right.

    :param name: what it is called on the command line.
    :param content: the body of the answer; for a redirect its path.
    :param kind: how the body is compared: ``text``, ``json``, ``html`` or ``redirect``.
    :param headers: what the headers of the answer contain.
    :param cookie: whether the request sends the cookie that the first answer set.
    """

    name: str
    content: t.Any
    method: str = "GET"
    path: str = "/"
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    status: int = 200
    kind: str = "text"
    headers: tuple[tuple[str, str], ...] = ()
    cookie: bool = False

    def problem(self, status: int, headers: list[tuple[str, str]], body: bytes) -> str:
        """What is wrong with an answer, or an empty string."""
        if status != self.status:
            return f"{self.name}: the status is {status} instead of {self.status}"
        given = {name.lower(): value for name, value in headers}
        for name, value in self.headers:
            if value not in given.get(name, ""):
                return f"{self.name}: no {value!r} in the header {name}"
        content = self.read(given, body)
        if content != self.content:
            return f"{self.name}: {content!r} instead of {self.content!r}"
        return ""

    def read(self, headers: dict[str, str], body: bytes) -> t.Any:
        """The content of an answer, in a form that is equal across frameworks."""
        if self.kind == "redirect":
            return headers.get("location", "")
        text = body.decode()
        if self.kind == "json":
            return json.loads(text)
        if self.kind == "html":
            # Engines escape quotes and break lines in their own ways.
            text = re.sub(r"\s*\n\s*", "", text)
        return text


_ORDER = {"customer": "Alice", "lines": [{"amount": n, "price": 7} for n in (1, 2, 3)]}
_FORM = "application/x-www-form-urlencoded"
_COOKIE = (("set-cookie", "="),)

ALL = {
    workload.name: workload
    for workload in (
        Workload("hello", TEXT),
        Workload("hello_key", TEXT),
        Workload("json", item(42, 5), path="/items/42", query="limit=5", kind="json"),
        Workload("template", page(), kind="html"),
        Workload(
            "postjson",
            order("Alice", [(1, 7), (2, 7), (3, 7)]),
            method="POST",
            path="/orders",
            body=json.dumps(_ORDER).encode(),
            content_type="application/json",
            status=201,
            kind="json",
        ),
        Workload("session", "visit 2", headers=_COOKIE, cookie=True),
        Workload(
            "bigapp",
            '<a href="/section-17/page-14/43/blue">next</a>',
            path="/section-17/page-13/42/blue",
            headers=(("x-section", "17"),),
        ),
        Workload("async", TEXT),
        Workload("static", STYLE, path="/static/style.css"),
        Workload("errors", "nothing at /missing", path="/missing", status=404),
        Workload("stream", "".join(CHUNKS)),
        Workload(
            "form",
            "/account",
            method="POST",
            path="/login",
            body=b"user=alice&password=secret+word&remember=yes&next=%2Faccount",
            content_type=_FORM,
            status=303,
            kind="redirect",
            headers=_COOKIE,
        ),
    )
}
#: Only Flask's: a template from a string, and the same that the fork keeps compiled.
STRINGS = {
    name: Workload(name, "<ul><li>0<li>1<li>2</ul>ALICE")
    for name in ("string", "string_cached")
}


class UnknownName(ValueError):
    """A name on the command line is not one of those that there are."""


def chosen(names: t.Sequence[str]) -> list[Workload]:
    """The workloads with these names, or all twelve.

    :raises UnknownName: there is no such workload.
    """
    known = {**ALL, **STRINGS}
    return [known[name] for name in pick("workload", names, known)] or [*ALL.values()]


def pick(kind: str, names: t.Sequence[str], known: t.Iterable[str]) -> list[str]:
    """``names``, each of which has to be in ``known``.

    :raises UnknownName: one is not; the error names the ones that there are.
    """
    known = [*known]
    for name in names:
        if name not in known:
            there = ", ".join(known)
            raise UnknownName(f"there is no {kind} {name!r}; there are: {there}")
    return [*names]
