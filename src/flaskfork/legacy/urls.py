"""Werkzeug's functions for URLs, built on :mod:`urllib.parse`.

Where the two differ, these do what Werkzeug's did up to 2.3.
"""

from __future__ import annotations

import os
import posixpath
import re
import typing as t
import urllib.parse

from werkzeug.datastructures import iter_multi_items
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri
from werkzeug.urls import uri_to_iri

from .wsgi import make_chunk_iter

_Text = t.Union[str, bytes]
_PATH_FORMAT = "windows" if os.name == "nt" else "posix"
_LOCAL = ("", "127.0.0.1", "::1", "localhost")

#: What Werkzeug leaves unquoted, and what of it Python always leaves unquoted.
_SAFE = "-._~$!'()*+,;"
_UNRESERVED = "-._~"


class _Parts(t.NamedTuple):
    scheme: t.Any
    netloc: t.Any
    path: t.Any
    query: t.Any
    fragment: t.Any


class BaseURL(_Parts):
    """A URL in its parts."""

    __slots__ = ()

    def replace(self, **kwargs: t.Any) -> BaseURL:
        """The same URL with other parts."""
        return self._replace(**kwargs)

    def to_url(self) -> t.Any:
        return url_unparse(self)

    def join(self, *args: t.Any, **kwargs: t.Any) -> BaseURL:
        """Another URL resolved against this one, parsed."""
        return url_parse(url_join(self, *args, **kwargs))

    def decode_query(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """The query as a multi dict; takes what :func:`url_decode` takes."""
        return url_decode(self.query, *args, **kwargs)

    def to_uri_tuple(self) -> BaseURL:
        return url_parse(iri_to_uri(self._valid_url()))

    def to_iri_tuple(self) -> BaseURL:
        return url_parse(uri_to_iri(self._valid_url()))

    def decode_netloc(self) -> str:
        """The network location in readable form."""
        return self._netloc(self._decoded_host() or "", lambda text: text or "")

    def encode_netloc(self) -> t.Any:
        """The network location as it is sent."""
        return self._netloc(self.ascii_host or "", lambda text: quoted(text or ""))

    def get_file_location(
        self, pathformat: str | None = None
    ) -> tuple[str | None, str | None]:
        """Server and path of a ``file:`` URL."""
        if self.scheme != "file":
            return None, None
        server = None if self.netloc in _LOCAL else self.netloc
        path = url_unquote(self.path)
        if (pathformat or _PATH_FORMAT) != "windows":
            return server, posixpath.normpath(path)
        # A drive is /C: or /C| there.
        path = re.sub(r"^/([A-Za-z])[:|]", r"\1:", path)
        return server, path.replace("/", "\\")

    @property
    def host(self) -> t.Any:
        """The host, without port and brackets, or None."""
        host = self._host_and_port()[0]
        return host or None

    @property
    def ascii_host(self) -> str | None:
        """The host as it is sent, or None."""
        host = self.host
        if host is None:
            return None
        host = _as_str(host)
        try:
            return str(host.encode("idna").decode("ascii"))
        except UnicodeError:
            return str(host)

    @property
    def port(self) -> int | None:
        """The port, or None if there is no valid one."""
        try:
            port = int(_as_str(self._host_and_port()[1]))
        except ValueError:
            return None
        return port if 0 <= port <= 65535 else None

    @property
    def auth(self) -> t.Any:
        """The credentials before the host, or None."""
        auth, at, _ = self.netloc.rpartition(_like(self.netloc, "@"))
        return auth if at else None

    @property
    def raw_username(self) -> t.Any:
        return self._credentials()[0]

    @property
    def raw_password(self) -> t.Any:
        return self._credentials()[1]

    @property
    def username(self) -> str | None:
        raw = self.raw_username
        return None if raw is None else url_unquote(raw)

    @property
    def password(self) -> str | None:
        raw = self.raw_password
        return None if raw is None else url_unquote(raw)

    def _valid_url(self) -> str:
        netloc = _as_str(BaseURL.encode_netloc(self))
        return _as_str(self.replace(netloc=_like(self.netloc, netloc)).to_url())

    def _credentials(self) -> tuple[t.Any, t.Any]:
        if self.auth is None:
            return None, None
        name, colon, password = self.auth.partition(_like(self.auth, ":"))
        return name or None, password if colon else None

    def _host_and_port(self) -> tuple[t.Any, t.Any]:
        place = self.netloc.rpartition(_like(self.netloc, "@"))[2]
        if place.startswith(_like(place, "[")):
            host, bracket, port = place[1:].partition(_like(place, "]"))
            if bracket:
                return host, port[1:]
        host, _, port = place.partition(_like(place, ":"))
        return host, port

    def _decoded_host(self) -> str | None:
        host = self.ascii_host
        if host is None:
            return None
        try:
            return host.encode("ascii").decode("idna")
        except UnicodeError:
            return host

    def _netloc(self, host: str, show: t.Callable[[str | None], str]) -> str:
        netloc = f"[{host}]" if ":" in host else host
        if self.port is not None:
            netloc = f"{netloc}:{self.port}"
        auth = ":".join(filter(None, [show(self.username), show(self.password)]))
        return f"{auth}@{netloc}" if auth else netloc


class URL(BaseURL):
    """A URL of strings."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(self.to_url())

    def encode(self, charset: str = "utf-8", errors: str = "replace") -> BytesURL:
        return BytesURL(*(part.encode(charset, errors) for part in self))


class BytesURL(BaseURL):
    """A URL of bytes."""

    __slots__ = ()

    def encode_netloc(self) -> t.Any:
        return self.netloc

    def __str__(self) -> str:
        return str(self.to_url().decode("utf-8", "replace"))

    def decode(self, charset: str = "utf-8", errors: str = "replace") -> URL:
        return URL(*(part.decode(charset, errors) for part in self))


def url_parse(
    url: _Text, scheme: _Text | None = None, allow_fragments: bool = True
) -> BaseURL:
    """Take a URL apart.

    :param scheme: the scheme of a URL that names none.
    :raises ValueError: its brackets do not match.
    """
    if isinstance(url, bytes):
        parts = url_parse(
            url.decode("latin-1"), _as_str(scheme or "", "latin-1"), allow_fragments
        )
        return BytesURL(*(part.encode("latin-1") for part in parts))
    match = re.match(r"([a-zA-Z0-9+.-]+):(?!\d+$)(.*)", url, re.S)
    found, rest = match.groups() if match else (_as_str(scheme or ""), url)
    netloc = ""
    if rest[:2] == "//":
        netloc, rest = re.match(r"([^/?#]*)(.*)", rest[2:], re.S).groups()  # type: ignore[union-attr]
        if ("[" in netloc) != ("]" in netloc):
            raise ValueError("Invalid IPv6 URL")
    fragment = ""
    if allow_fragments:
        rest, _, fragment = rest.partition("#")
    path, _, query = rest.partition("?")
    return URL(found.lower(), netloc, path, query, fragment)


def url_unparse(components: t.Iterable[t.Any]) -> t.Any:
    """Put a URL together from its parts."""
    scheme, netloc, path, query, fragment = components
    like = scheme if scheme else path
    empty = _like(like, "")
    url = path
    if netloc or (scheme and path[:1] == _like(like, "/")):
        if path and path[:1] != _like(like, "/"):
            path = _like(like, "/") + path
        url = _like(like, "//") + (netloc or empty) + path
    if scheme:
        url = scheme + _like(like, ":") + url
    if query:
        url = url + _like(like, "?") + query
    if fragment:
        url = url + _like(like, "#") + fragment
    return url


def url_join(base: t.Any, url: t.Any, allow_fragments: bool = True) -> t.Any:
    """Resolve a URL against ``base``. Each may be a tuple of its parts."""
    base = url_unparse(base) if isinstance(base, tuple) else base
    url = url_unparse(url) if isinstance(url, tuple) else url
    if not base:
        return url
    if not url:
        return base
    of_base = url_parse(base, allow_fragments=allow_fragments)
    parts = url_parse(url, of_base.scheme, allow_fragments)
    if parts.scheme != of_base.scheme:
        return url
    if parts.netloc:
        return url_unparse(parts)

    query = parts.query
    slash = _like(base, "/")
    if not parts.path:
        segments = of_base.path.split(slash)
        query = query or of_base.query
    else:
        # Relative to the folder of the base, unless it starts with a slash.
        before = [] if parts.path[:1] == slash else of_base.path.split(slash)[:-1]
        segments = before + parts.path.split(slash)
    path = slash.join(_without_dots(segments, _like(base, ".")))
    return url_unparse((parts.scheme, of_base.netloc, path, query, parts.fragment))


def quoted(
    string: t.Any,
    charset: str = "utf-8",
    errors: str = "strict",
    safe: _Text = "",
    unsafe: _Text = "",
) -> str:
    """Quote what is not safe."""
    if not isinstance(string, (str, bytes, bytearray)):
        string = str(string)
    if isinstance(string, str):
        string = string.encode(charset, errors)
    allowed = {*_as_str(safe), *_SAFE} - {*_as_str(unsafe)}
    text = urllib.parse.quote(bytes(string), safe="".join(sorted(allowed)))
    for character in {*_as_str(unsafe)} & {*_UNRESERVED}:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def url_quote(
    string: t.Any,
    charset: str = "utf-8",
    errors: str = "strict",
    safe: _Text = "/:",
    unsafe: _Text = "",
) -> str:
    """Quote a part of a URL."""
    return quoted(string, charset, errors, safe, unsafe)


def url_quote_plus(
    string: t.Any, charset: str = "utf-8", errors: str = "strict", safe: _Text = ""
) -> str:
    """Quote a part of a query, in which a space is a plus sign."""
    text = quoted(string, charset, errors, _as_str(safe) + " ", "+")
    return text.replace(" ", "+")


def url_unquote(
    s: _Text,
    charset: str | None = "utf-8",
    errors: str = "replace",
    unsafe: _Text = "",
) -> t.Any:
    """Undo the quoting of a part of a URL; the characters of ``unsafe`` stay quoted."""
    data = s if isinstance(s, bytes) else s.encode("utf-8", "surrogatepass")
    kept = {*_as_str(unsafe).encode()}

    def unquoted(match: re.Match[bytes]) -> bytes:
        byte = int(match[1], 16)
        return match[0] if byte in kept else bytes([byte])

    data = re.sub(rb"%([0-9a-fA-F]{2})", unquoted, data)
    return data if charset is None else data.decode(charset, errors)


def url_unquote_plus(
    s: _Text, charset: str | None = "utf-8", errors: str = "replace"
) -> t.Any:
    """Undo the quoting of a part of a query, in which a plus sign is a space."""
    plus, space = _like(s, "+"), _like(s, " ")
    return url_unquote(s.replace(plus, space), charset, errors)


def url_fix(s: str, charset: str = "utf-8") -> str:
    """Correct a URL that a person typed."""
    text = _as_str(s, charset, "replace").replace("\\", "/")
    if text.startswith("file://") and re.match(r"[a-zA-Z]:/", text[7:]):
        text = f"file:///{text[7:]}"
    url = url_parse(text)
    path = quoted(url.path, charset, safe="/%+$!*'(),")
    query = url_quote_plus(url.query, charset, safe=":&%=+$!*'(),")
    fragment = url_quote_plus(url.fragment, charset, safe=":&%=+$!*'(),")
    parts = (url.scheme, url.encode_netloc(), path, query, fragment)
    return str(url_unparse(parts))


def url_decode(
    s: _Text,
    charset: str = "utf-8",
    include_empty: bool = True,
    errors: str = "replace",
    separator: _Text = "&",
    cls: t.Any = None,
    decode_keys: t.Any = None,
) -> t.Any:
    """Parse a query into a multi dict."""
    pairs = s.split(_like(s, _as_str(separator)))
    return (cls or MultiDict)(_decoded(pairs, charset, include_empty, errors))


def url_decode_stream(
    stream: t.IO[bytes],
    charset: str = "utf-8",
    include_empty: bool = True,
    errors: str = "replace",
    separator: _Text = b"&",
    cls: t.Any = None,
    limit: int | None = None,
    return_iterator: bool = False,
    decode_keys: t.Any = None,
) -> t.Any:
    """Parse a query that is read from a stream.

    :param return_iterator: whether to return the pairs instead of a multi dict.
    """
    pairs = make_chunk_iter(stream, separator, limit)
    decoded = _decoded(pairs, charset, include_empty, errors)
    return decoded if return_iterator else (cls or MultiDict)(decoded)


def url_encode(
    obj: t.Any,
    charset: str = "utf-8",
    sort: bool = False,
    key: t.Callable[[t.Any], t.Any] | None = None,
    separator: _Text = "&",
    encode_keys: t.Any = None,
) -> str:
    """Write a mapping, or pairs, as a query. Values of None are left out."""
    return _as_str(separator, "ascii").join(_encoded(obj, charset, sort, key))


def url_encode_stream(
    obj: t.Any,
    stream: t.IO[str] | None = None,
    charset: str = "utf-8",
    sort: bool = False,
    key: t.Callable[[t.Any], t.Any] | None = None,
    separator: _Text = "&",
    encode_keys: t.Any = None,
) -> t.Iterator[str] | None:
    """Write a query to a stream, or return an iterator over its pairs."""
    pairs = _encoded(obj, charset, sort, key)
    if stream is None:
        return pairs
    for i, pair in enumerate(pairs):
        stream.write(_as_str(separator, "ascii") * bool(i) + pair)
    return None


class Href:
    """Called with path segments and a query, makes a URL below a base.

    :param base: the URL that all of them are below.
    """

    def __init__(
        self,
        base: str = "./",
        charset: str = "utf-8",
        sort: bool = False,
        key: t.Callable[[t.Any], t.Any] | None = None,
    ) -> None:
        self.base = base or "./"
        self.charset = charset
        self.sort = sort
        self.key = key

    def __getattr__(self, name: str) -> Href:
        if name[:2] == "__":
            raise AttributeError(name)
        base = self.base if self.base[-1:] == "/" else f"{self.base}/"
        return Href(url_join(base, name), self.charset, self.sort, self.key)

    def __call__(self, *path: t.Any, **query: t.Any) -> str:
        if path and isinstance(path[-1], dict):
            if query:
                raise TypeError("keyword arguments and query-dicts can't be combined")
            *path, query = path  # type: ignore[assignment]
        elif query:
            query = {k[:-1] if k.endswith("_") else k: v for k, v in query.items()}
        segments = (quoted(p, self.charset, safe="/:") for p in path if p is not None)
        url = re.sub("/+", "/", "/".join(segments).strip("/"))
        result = self.base
        if url:
            base = result if result.endswith("/") else f"{result}/"
            result = url_join(base, f"./{url}")
        if query:
            result += f"?{url_encode(query, self.charset, self.sort, self.key)}"
        return result


def _without_dots(segments: list[t.Any], dot: t.Any) -> list[t.Any]:
    """The path without ``.`` and ``..`` segments."""
    empty = dot[:0]
    if segments[-1] == dot:
        segments[-1] = empty
    kept: list[t.Any] = []
    for segment in segments:
        if segment == dot:
            continue
        if segment == dot + dot and kept and kept[-1] not in (empty, dot + dot):
            kept.pop()
            continue
        kept.append(segment)
    while kept[:2] == [empty, dot + dot]:
        del kept[1]
    return kept


def _decoded(
    pairs: t.Iterable[t.Any], charset: str, include_empty: bool, errors: str
) -> t.Iterator[tuple[str, str]]:
    for pair in pairs:
        key, equals, value = pair.partition(_like(pair, "="))
        if pair and (equals or include_empty):
            yield (
                url_unquote_plus(key, charset, errors),
                url_unquote_plus(value, charset, errors),
            )


def _encoded(
    obj: t.Any, charset: str, sort: bool, key: t.Callable[[t.Any], t.Any] | None
) -> t.Iterator[str]:
    items = iter_multi_items(obj)
    for name, value in sorted(items, key=key) if sort else items:
        if value is not None:
            yield "=".join(url_quote_plus(part, charset) for part in (name, value))


def _like(reference: t.Any, literal: str) -> t.Any:
    """The literal, as bytes if the reference is bytes."""
    return literal if isinstance(reference, str) else literal.encode("latin-1")


def _as_str(value: t.Any, charset: str = "utf-8", errors: str = "strict") -> str:
    return value.decode(charset, errors) if isinstance(value, bytes) else str(value)
