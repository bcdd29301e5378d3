"""The patch fast-wrappers: responses that do not check again what they have made."""

from __future__ import annotations

import typing as t
from functools import lru_cache
from http import HTTPStatus
from itertools import chain

from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.sansio.response import Response as SansIOResponse
from werkzeug.urls import iri_to_uri
from werkzeug.utils import get_content_type
from werkzeug.wrappers import Response as _Response
from werkzeug.wsgi import ClosingIterator

from ._werkzeug import usable

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


class FastResponse(_Response):
    """Goes Werkzeug's way where a subclass has changed it, and where the headers or
    the body are not the usual ones.
    """

    def __init__(
        self,
        response: t.Any = None,
        status: int | str | HTTPStatus | None = None,
        headers: t.Mapping[str, str | t.Iterable[str]]
        | t.Iterable[tuple[str, str]]
        | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        kind = self.default_mimetype if mimetype is None else mimetype
        code = self.default_status if status is None else status

        if (
            headers is not None
            or content_type is not None
            or type(kind) is not str
            or type(code) is not int
            or not _is_made_plainly(type(self))
        ):
            super().__init__(
                response, status, headers, mimetype, content_type, direct_passthrough
            )
            return

        self.headers = Headers()
        values = self.headers._list
        values.append(("Content-Type", _content_type(kind)))
        self._status = f"{code} {HTTP_STATUS_CODES.get(code, 'UNKNOWN').upper()}"
        self._status_code = code
        self.direct_passthrough = direct_passthrough
        self._on_close = []

        if isinstance(response, (str, bytes, bytearray)):
            body = response.encode() if isinstance(response, str) else response
            self.response = [body]  # type: ignore[assignment]

            if self.automatically_set_content_length:
                values.append(("Content-Length", str(len(body))))
        else:
            self.response = [] if response is None else response

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> t.Iterable[bytes]:
        if (
            environ["REQUEST_METHOD"] == "HEAD"
            or not _is_sent_plainly(self)
            or (headers := self._plain_headers()) is None
        ):
            return super().__call__(environ, start_response)

        response = self.response

        if self.direct_passthrough:
            # The server may know it, and send the file by itself.
            start_response(self.status, headers)
            return response  # type: ignore[return-value]

        if type(response) is list and set(map(type, response)) == {bytes}:
            body = _Body(response)
            body.callbacks = (self.close,)
        else:
            encoded = self.iter_encoded()
            body = _Body(encoded)
            # It is a generator, unless a subclass returns something else.
            close = getattr(encoded, "close", None)
            body.callbacks = (close, self.close) if close else (self.close,)

        start_response(self.status, headers)
        return body

    def _plain_headers(self) -> list[tuple[str, str]] | None:
        """What :meth:`get_wsgi_headers` returns, as a list, or ``None`` if that would
        change the headers, but for adding the length.
        """
        code = self.status_code

        if code < 200 or code in {204, 304} or type(self.headers) is not Headers:
            return None

        headers = self.headers._list.copy()
        seen = set()

        for name, value in headers:
            if name == "Content-Type":
                continue

            lower = name.lower()

            if lower in {"location", "content-location"}:
                if lower in seen or name != name.title() or iri_to_uri(value) != value:
                    return None

                if self.autocorrect_location_header:
                    return None

            seen.add(lower)

        if (
            "content-length" not in seen
            and self.automatically_set_content_length
            and self.is_sequence
        ):
            length = sum(map(len, self.iter_encoded()))
            headers.append(("Content-Length", str(length)))

        return headers


class _Body(chain):  # type: ignore[type-arg]
    """The body of a response. The server has nothing else to call for each chunk."""

    __slots__ = ("callbacks",)

    callbacks: tuple[t.Callable[[], t.Any], ...]

    def close(self) -> None:
        for callback in self.callbacks:
            callback()


# Monitoring tools report what a server closes by its name.
for _named in (_Body, _Body.close):
    _named.__module__ = ClosingIterator.__module__
    _named.__qualname__ = _named.__qualname__.replace("_Body", "ClosingIterator")

_Body.__name__ = "ClosingIterator"


def _is_made_plainly(cls: type[_Response]) -> bool:
    """Whether a response is made by Werkzeug's own code alone."""
    mro = cls.__mro__
    at = mro.index(_Response)
    return (
        mro[at - 1] is FastResponse
        and mro[at + 1] is SansIOResponse
        and cls.status is _status
        and cls._clean_status is _clean_status
        and cls.set_data is _set_data
        and _Response.__init__ is _init
        and SansIOResponse.__init__ is _sansio_init
    )


def _is_sent_plainly(response: _Response) -> bool:
    """Whether a response is sent by Werkzeug's own code alone."""
    cls = type(response)
    return (
        cls.get_wsgi_response is _get_wsgi_response
        and cls.get_wsgi_headers is _get_wsgi_headers
        and cls.get_app_iter is _get_app_iter
        and cls.iter_encoded is _iter_encoded
        and _Response.__call__ is _call
        and vars(response).keys().isdisjoint(_METHODS)
    )


@lru_cache(64)
def _content_type(mimetype: str) -> str:
    value = get_content_type(mimetype, "utf-8")
    # Checks it as any header.
    return Headers([("Content-Type", value)])["Content-Type"]


_METHODS = ("get_wsgi_response", "get_wsgi_headers", "get_app_iter", "iter_encoded")
_init = _Response.__init__
_call = _Response.__call__
_set_data = _Response.set_data
_get_wsgi_response = _Response.get_wsgi_response
_get_wsgi_headers = _Response.get_wsgi_headers
_get_app_iter = _Response.get_app_iter
_iter_encoded = _Response.iter_encoded
_sansio_init = SansIOResponse.__init__
_status = SansIOResponse.status
_clean_status = SansIOResponse._clean_status

if t.TYPE_CHECKING:
    Response = _Response
else:
    Response = FastResponse if usable("response") else _Response
