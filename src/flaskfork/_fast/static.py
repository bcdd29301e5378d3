"""Static files: while a file is the same, what was sent with it is sent again."""

from __future__ import annotations

import mimetypes
import os
import time
import typing as t
from functools import lru_cache
from operator import attrgetter
from operator import is_
from stat import S_ISREG

from werkzeug import utils
from werkzeug.http import http_date
from werkzeug.security import safe_join
from werkzeug.wsgi import wrap_file

from .. import helpers as _helpers
from ..globals import current_app as _current_app
from ..globals import request as _request
from ._lean import Bodies
from .response import _is_made_plainly
from .response import FastResponse

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..app import Flask
    from ..globals import current_app
    from ..globals import request
    from ..helpers import send_from_directory
    from ..wrappers import Response

    Kind = tuple[t.Optional[str], t.Optional[str]]

bodies = Bodies("app")
helpers = Bodies("helpers")
#: How many files are remembered, before it begins again.
KEPT = 256


class _Sent(t.NamedTuple):
    """What was sent with a file, and all that it depended on but the path."""

    path: str
    name: str
    changed: int
    size: int
    kind: Kind
    max_age: int | None
    headers: list[tuple[str, str]]
    date_at: int
    expires_at: int | None


@helpers.relies_on(
    "send_from_directory",
    "1637293f284aaf36a9b8acb008af70308742b2159732191d7cd986720322b9a7",
)
@helpers.relies_on(
    "_prepare_send_file_kwargs",
    "ba7d07afd1d3875d5d4d4427efd870e8be161b871633887725968382703ddd61",
)
@bodies.stand_for(
    "Flask.send_static_file",
    "b8a8513d61c32b8674d24b7bf3311f6edab95bb94ad059c92df070433ae65799",
    part="static",
)
def _(original: t.Any) -> t.Any:
    known, is_plain, is_same = _known, _is_plain, _is_same
    send_again, remember, send = _send_again, _remember, _helpers.send_from_directory
    plain_app, plain_request, asks_plainly = _current_app, _request, _asks_plainly

    def send_static_file(self: Flask, filename: str) -> Response:
        if (
            not self.has_static_folder
            or send_from_directory is not send
            or current_app is not plain_app
            or request is not plain_request
            or not asks_plainly()
        ):
            return original(self, filename)  # type: ignore[no-any-return]

        app = current_app._get_current_object()  # type: ignore[attr-defined]
        environ = request.environ

        if app.config["USE_X_SENDFILE"] or not is_plain(app.response_class, environ):
            return original(self, filename)  # type: ignore[no-any-return]

        max_age = self.get_send_file_max_age(filename)
        folder: str = self.static_folder  # type: ignore[assignment]
        place = (app.root_path, folder, filename)
        sent = known.get(place)

        if sent is not None and is_same(sent):
            if max_age is None:
                max_age = app.get_send_file_max_age(sent.path)

            if max_age == sent.max_age and type(max_age) is type(sent.max_age):
                return send_again(sent, app.response_class, environ)  # type: ignore

        response = send_from_directory(folder, filename, max_age=max_age)
        remember(place, response)
        return response

    return send_static_file


def _is_plain(cls: t.Any, environ: WSGIEnvironment) -> bool:
    """Whether a response depends on nothing else in the request, and is made and given
    its headers by Werkzeug's code alone.
    """
    return (
        environ["REQUEST_METHOD"] == "GET"
        and _CONDITIONS.isdisjoint(environ)
        and isinstance(cls, type)
        and issubclass(cls, FastResponse)
        and _is_made_plainly(cls)
        and _methods(cls) == _METHODS
    )


def _asks_plainly() -> bool:
    """Whether nothing has taken the place of what Flask asks on the way to Werkzeug,
    or of what that does. Proxies are equal to what they stand for.
    """
    return all(map(is_, (*_asked(_helpers), *_sends(utils)), _ASKED))


def _is_same(sent: _Sent) -> bool:
    try:
        stat = os.stat(sent.path)
    except (OSError, ValueError):
        return False

    return (
        stat.st_mtime_ns == sent.changed
        and stat.st_size == sent.size
        and S_ISREG(stat.st_mode)
        and mimetypes.guess_type(sent.name) == sent.kind
    )


def _send_again(
    sent: _Sent, cls: type[FastResponse], environ: WSGIEnvironment
) -> FastResponse:
    file = wrap_file(environ, open(sent.path, "rb"))  # noqa: SIM115
    response = cls(file, mimetype=_mimetype(sent.kind), direct_passthrough=True)
    headers = sent.headers.copy()
    now = time.time()
    headers[sent.date_at] = ("Date", _date(int(now)))

    if sent.expires_at is not None and sent.max_age is not None:
        headers[sent.expires_at] = ("Expires", _date(int(now + sent.max_age)))

    response.headers._list[:] = headers
    return response


def _remember(place: tuple[str, str, str], response: t.Any) -> None:
    """Remember a response, if it says by its headers what it depended on."""
    root, folder, filename = place
    joined = safe_join(folder, filename) if {*map(type, place)} == {str} else None

    if joined is None or response.status_code != 200:
        return

    path = os.path.join(root, joined)
    name = os.path.basename(path)

    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return

    kind = mimetypes.guess_type(name)
    headers = [*response.headers]
    names = [header for header, _ in headers]
    max_age = response.cache_control.max_age

    if (
        response.mimetype == _mimetype(kind)
        and response.headers.get("Content-Encoding") == kind[1]
        and response.headers.get("Etag", "").startswith(
            f'"{stat.st_mtime}-{stat.st_size}-'
        )
        and names.count("Date") == 1
        and names.count("Expires") == (max_age is not None)
    ):
        if len(_known) >= KEPT:
            _known.clear()

        _known[place] = _Sent(
            path,
            name,
            stat.st_mtime_ns,
            stat.st_size,
            kind,
            max_age,
            headers,
            names.index("Date"),
            None if max_age is None else names.index("Expires"),
        )


def _mimetype(kind: Kind) -> str:
    return kind[0] or "application/octet-stream"


_date: t.Callable[[int], str] = lru_cache(8)(http_date)
_known: dict[tuple[str, str, str], _Sent] = {}
_CONDITIONS = frozenset(
    f"HTTP_{name}"
    for name in (
        *("RANGE", "IF_RANGE", "IF_MATCH", "IF_NONE_MATCH"),
        *("IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE"),
    )
)
_methods = attrgetter(
    *("__init__", "make_conditional", "_process_range_request", "set_etag"),
    "_is_range_request_processable",
    *("content_length", "last_modified", "cache_control", "expires"),
)
_METHODS = _methods(FastResponse)
_asked = attrgetter("current_app", "request", "_prepare_send_file_kwargs", "werkzeug")
_sends = attrgetter("send_from_directory", "send_file")
_ASKED = (*_asked(_helpers), *_sends(utils))
