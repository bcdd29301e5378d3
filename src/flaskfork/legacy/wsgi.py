"""Functions on WSGI's ``SCRIPT_NAME`` and ``PATH_INFO``, and on input streams."""

from __future__ import annotations

import contextlib
import typing as t
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit

from werkzeug.wsgi import get_current_url
from werkzeug.wsgi import LimitedStream

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def get_query_string(environ: WSGIEnvironment) -> str:
    """The query string, quoted for use in a URL."""
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    return quote(query, safe="!$%&'()*+,:;=")


def get_script_name(
    environ: WSGIEnvironment, charset: str = "utf-8", errors: str = "replace"
) -> str:
    """The path that leads to the application."""
    return _decoded(environ.get("SCRIPT_NAME", ""), charset, errors)


def pop_path_info(
    environ: WSGIEnvironment, charset: str = "utf-8", errors: str = "replace"
) -> str | None:
    """Move the next segment of the path to ``SCRIPT_NAME``.

    :return: the segment, or None if there is none.
    """
    path = environ.get("PATH_INFO")
    if not path:
        return None
    rest = path.lstrip("/")
    slashes = "/" * (len(path) - len(rest))
    segment, slash, after = rest.partition("/")
    environ["PATH_INFO"] = slash + after
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + slashes + segment
    return _decoded(segment, charset, errors)


def peek_path_info(
    environ: WSGIEnvironment, charset: str = "utf-8", errors: str = "replace"
) -> str:
    """The next segment of the path, or an empty string."""
    path = environ.get("PATH_INFO", "").lstrip("/")
    return _decoded(path.partition("/")[0], charset, errors)


def extract_path_info(
    environ_or_baseurl: WSGIEnvironment | str,
    path_or_url: str,
    charset: str = "utf-8",
    errors: str = "strict",
    collapse_http_schemes: bool = True,
) -> str | None:
    """The path of a URL below that of an application.

    :param environ_or_baseurl: the application's environment, or its URL.
    :param path_or_url: what may be below it.
    :param collapse_http_schemes: whether HTTP and HTTPS are the same.
    :return: the path, or None if the URL is not below the application.
    """
    base = (
        get_current_url(environ_or_baseurl, root_only=True)
        if isinstance(environ_or_baseurl, dict)
        else environ_or_baseurl
    )
    base_scheme, base_host, base_path = _place(base)
    folder = base_path.rpartition("/")[0]
    scheme, host, path = _place(path_or_url, base_scheme, base_host, folder)
    if host != base_host:
        return None
    if not collapse_http_schemes:
        if scheme != base_scheme:
            return None
    elif not {scheme, base_scheme} <= {"http", "https"}:
        return None
    root = base_path.rstrip("/")
    if not path.startswith(root):
        return None
    return "/" + path[len(root) :].lstrip("/")


def make_line_iter(
    stream: t.Any,
    limit: int | None = None,
    buffer_size: int = 10 * 1024,
    cap_at_buffer: bool = False,
) -> t.Iterator[t.Any]:
    """Yield the lines of a stream, with their line endings.

    :param cap_at_buffer: whether a line longer than the buffer is yielded in parts.
    """
    rest = None
    for data in _read(stream, limit, buffer_size):
        *lines, rest = _lines(data if rest is None else rest + data)
        yield from lines
        while cap_at_buffer and len(rest) >= buffer_size:
            yield rest[:buffer_size]
            rest = rest[buffer_size:]
    if rest:
        yield rest


def make_chunk_iter(
    stream: t.Any,
    separator: str | bytes,
    limit: int | None = None,
    buffer_size: int = 10 * 1024,
    cap_at_buffer: bool = False,
) -> t.Iterator[t.Any]:
    """Yield what a separator divides a stream into, without the separator.

    :param cap_at_buffer: whether a chunk longer than the buffer is yielded in parts.
    """
    rest = None
    for data in _read(stream, limit, buffer_size):
        if isinstance(separator, str) and not isinstance(data, str):
            separator = separator.encode("latin-1")
        *chunks, rest = (data if rest is None else rest + data).split(separator)
        for chunk in chunks:
            while cap_at_buffer and len(chunk) > buffer_size:
                yield chunk[:buffer_size]
                chunk = chunk[buffer_size:]
            yield chunk
        while cap_at_buffer and len(rest) >= buffer_size:
            yield rest[:buffer_size]
            rest = rest[buffer_size:]
    if rest is not None:
        yield rest


def _decoded(path: str, charset: str, errors: str) -> str:
    # WSGI's strings hold bytes, decoded as Latin-1.
    return path.encode("latin-1").decode(charset, errors)


def _place(
    url: str, scheme: str = "", host: str = "", folder: str = ""
) -> tuple[str, str, str]:
    """Scheme, host with any non-default port, and path of a URL."""
    parts = urlsplit(url)
    scheme = parts.scheme or scheme
    if parts.netloc:
        host = parts.netloc.rpartition("@")[2].lower()
        name, _, port = host.rpartition(":")
        if name and (scheme, port) in (("http", "80"), ("https", "443")):
            host = name
        with contextlib.suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")
    path = unquote(parts.path)
    if not parts.netloc and not path.startswith("/"):
        path = f"{folder}/{path}"
    return scheme, host, path


def _read(stream: t.Any, limit: int | None, buffer_size: int) -> t.Iterator[t.Any]:
    """The data of a stream, or of any iterable, in parts."""
    if not hasattr(stream, "read"):
        yield from filter(None, stream)
        return
    if limit is not None and not isinstance(stream, LimitedStream):
        stream = LimitedStream(stream, limit)
    while data := stream.read(buffer_size):
        yield data


def _lines(data: t.Any) -> list[t.Any]:
    """The complete lines, and what follows the last one."""
    lines: list[t.Any] = data.splitlines(keepends=True)
    # A carriage return at the end may be half of the end of a line.
    complete = lines and lines[-1].endswith("\n" if isinstance(data, str) else b"\n")
    return [*lines, data[:0]] if complete else lines or [data]
