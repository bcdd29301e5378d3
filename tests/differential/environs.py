"""Random WSGI requests, most of them valid, many of them odd."""

from __future__ import annotations

import io
import typing as t
from random import Random

HOSTS = [
    *("localhost",) * 20,
    *("shop.example", "shop.example:8080") * 4,
    *("api.shop.example", "www.shop.example"),
    *("SHOP.example", "shop.example.", "a.b.shop.example", "[::1]", "[::1]:80"),
    *("127.0.0.1:5000", "b\xfccher.example", "xn--bcher-kva.example", "", "a b"),
    *("shop.example:x", "shop.example/../", "evil.example@shop.example", ":80"),
]
METHODS = [
    *("GET",) * 30,
    *("POST",) * 8,
    *("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "BREW", ""),
]
QUERIES = [
    *("",) * 6,
    *("a=1", "a=1&a=2&b=", "q=%C3%BC+x", "=", "&&", "a", "a=%zz", "a=\xc3\xbc", "?"),
    *("next=/x%2Fy", "a[]=1", "n=1;m=2", "a=%00", "a=1#b", "a=" + "x" * 300),
]
TYPES = [
    *("application/json", "application/x-www-form-urlencoded") * 3,
    *("text/plain", "application/json; charset=utf-8", "application/vnd.api+json"),
    *("multipart/form-data; boundary=x", "multipart/form-data", "", ";", "nonsense"),
    "APPLICATION/JSON",
]
BODIES = [
    *(b"", b"{}", b'{"a": [1, 2, {"b": null}]}', b"{", b"a=1&b=2&a=3", b"\xff\xfe"),
    *(b"a=%C3%BC", b"[1,", b'"text"', b"x" * 2000, b"null", b"NaN"),
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nfile\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue',
]
LENGTHS = ["0", "1", "-1", "x", "", " 5", "+3", "999999", "1e3", "\u0665"]
HEADERS: t.Mapping[str, t.Sequence[str]] = {
    "HTTP_ACCEPT": ["*/*", "text/html,application/json;q=0.9", "", ";;", "a/b;q=x"],
    "HTTP_ACCEPT_LANGUAGE": ["de,en;q=0.5", "x"],
    "HTTP_ACCEPT_ENCODING": ["gzip, br", "identity;q=0"],
    "HTTP_AUTHORIZATION": [
        *("Basic YTpi", "Basic x", "Bearer t", "Digest a=b", "", "Basic"),
    ],
    "HTTP_CACHE_CONTROL": ["no-cache", "max-age=0"],
    "HTTP_IF_MODIFIED_SINCE": [
        *("Fri, 15 Jan 2100 08:00:00 GMT", "Fri, 15 Jan 1999 08:00:00 GMT", "x"),
    ],
    "HTTP_IF_NONE_MATCH": ["*", '"x"', 'W/"x"', "x", '"answer", "b"'],
    "HTTP_IF_MATCH": ['"x"', "*"],
    "HTTP_IF_RANGE": ['"x"', "Fri, 15 Jan 2100 08:00:00 GMT"],
    "HTTP_IF_UNMODIFIED_SINCE": ["Fri, 15 Jan 1999 08:00:00 GMT"],
    "HTTP_ORIGIN": ["https://shop.example", "null"],
    "HTTP_RANGE": ["bytes=0-3", "bytes=-2", "bytes=5-", "bytes=9-1", "x=1", "bytes=a"],
    "HTTP_REFERER": ["http://shop.example/a"],
    "HTTP_SEC_FETCH_SITE": ["same-origin", "cross-site"],
    "HTTP_TRANSFER_ENCODING": ["chunked"],
    "HTTP_USER_AGENT": ["agent/1", ""],
    "HTTP_X_FORWARDED_FOR": ["1.2.3.4, 5.6.7.8", "x", ""],
    "HTTP_X_FORWARDED_HOST": ["proxy.example"],
    "HTTP_X_FORWARDED_PREFIX": ["/prefix"],
    "HTTP_X_FORWARDED_PROTO": ["https", "x"],
    "HTTP_X_ODD": ["caf\xe9", "a,b", " padded "],
    "HTTP_X_HTTP_METHOD_OVERRIDE": ["PUT"],
    "REMOTE_ADDR": ["10.0.0.1", ""],
    "REMOTE_USER": ["alice"],
    "REQUEST_URI": ["/raw?x=1"],
    "RAW_URI": ["/raw"],
}
COOKIES = [
    *("a=1", "a=1; b=2", 'a="x y"; b', "=", ";;", "session=", "a=\xfc", "a=1; a=2"),
    *("session=x.y.z", "csrf=%20; b=\\073", "a" * 300),
]
SCRIPTS = [*("",) * 40, "/app", "/app/", "app", "/\xc3\xbc", "//x"]
SCHEMES = [*("http",) * 16, "https", "ws", "wss", "HTTP", ""]
KEYS = [
    *("PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "SERVER_PROTOCOL", "HTTP_HOST"),
    *("SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "REQUEST_METHOD", "wsgi.input"),
]


class FileWrapper:
    """A server's own iterator over a file."""

    def __init__(self, file: t.Any, size: int = 8192) -> None:
        self.file, self.size = file, size

    def __iter__(self) -> t.Iterator[bytes]:
        yield from iter(lambda: self.file.read(self.size), b"")

    def close(self) -> None:
        self.file.close()


def environ(
    rng: Random, paths: t.Sequence[str], cookies: t.Sequence[str]
) -> dict[str, t.Any]:
    """The environ of a request.

    :param paths: the paths that the application knows.
    :param cookies: the session cookies that it has sent.
    """
    method = rng.choice(METHODS)
    made: dict[str, t.Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": rng.choice(SCRIPTS),
        "PATH_INFO": path(rng, paths),
        "QUERY_STRING": rng.choice(QUERIES),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": rng.choice([*["80"] * 12, "443", "8080", "x", ""]),
        "SERVER_PROTOCOL": rng.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]),
        "HTTP_HOST": rng.choice(HOSTS),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": rng.choice(SCHEMES),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if method in ("POST", "PUT", "PATCH") or rng.random() < 0.05:
        add_body(rng, made)
    for name in rng.sample(sorted(HEADERS), rng.choice([0, 0, 1, 2, 4])):
        made[name] = rng.choice(HEADERS[name])
    add_cookies(rng, made, cookies)
    if rng.random() < 0.02:
        made["HTTP_UPGRADE"] = rng.choice(["websocket", "WebSocket", "h2c"])
        made["HTTP_CONNECTION"] = rng.choice(["Upgrade", "upgrade, close"])
    if rng.random() < 0.1:
        made["wsgi.file_wrapper"] = FileWrapper
    if rng.random() < 0.06:
        del made[rng.choice(KEYS)]
    return made


def path(rng: Random, paths: t.Sequence[str]) -> str:
    """A path that is known to the application, or nearly."""
    chosen = rng.choice(paths)
    change = rng.random()
    if change > 0.2:
        return chosen
    if change > 0.15:
        return chosen.rstrip("/") if chosen.endswith("/") else f"{chosen}/"
    if change > 0.1:
        return f"/{chosen}" if change > 0.12 else chosen.replace("/", "//", 2)
    if change > 0.06:
        return rng.choice(["", "x", "/missing", "/\xc3\xbc", "/\xff", "/a%2Fb", "/../"])
    at = rng.randrange(len(chosen) + 1)
    return chosen[:at] + rng.choice("/x.% \xe9|:?") + chosen[at:]


def add_body(rng: Random, made: dict[str, t.Any]) -> None:
    body = rng.choice(BODIES)
    made["wsgi.input"] = io.BytesIO(body)
    made["CONTENT_TYPE"] = rng.choice(TYPES)
    made["CONTENT_LENGTH"] = str(len(body))
    if rng.random() < 0.15:
        made["CONTENT_LENGTH"] = rng.choice(LENGTHS)
    if rng.random() < 0.05:
        del made[rng.choice(["CONTENT_TYPE", "CONTENT_LENGTH"])]
    if rng.random() < 0.05:
        made["wsgi.input_terminated"] = True


def add_cookies(rng: Random, made: dict[str, t.Any], cookies: t.Sequence[str]) -> None:
    chance = rng.random()
    if cookies and chance < 0.4:
        kept = rng.choice(cookies)
        if chance < 0.05:
            at = rng.randrange(len(kept))
            kept = kept[:at] + rng.choice("abz.-_=;") + kept[at + 1 :]
        made["HTTP_COOKIE"] = kept
        if chance < 0.1:
            made["HTTP_COOKIE"] += f"; {rng.choice(COOKIES)}"
    elif chance < 0.6:
        made["HTTP_COOKIE"] = rng.choice(COOKIES)
