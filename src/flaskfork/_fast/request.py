"""The patch fast-wrappers: requests that read only what is asked for."""

from __future__ import annotations

import typing as t

from werkzeug.datastructures import EnvironHeaders
from werkzeug.sansio.http import parse_cookie
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.utils import cached_property
from werkzeug.wrappers import Request as _Request
from werkzeug.wsgi import _get_server

from ._werkzeug import usable

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import ImmutableMultiDict
    from werkzeug.datastructures import MultiDict


class _Headers:
    """The headers of a request, made when they are first asked for."""

    def __get__(self, request: t.Any, owner: type) -> EnvironHeaders:
        # Werkzeug's class has no such attribute, nor an instance before it is made.
        if request is None or "environ" not in vars(request):
            raise AttributeError("headers")

        headers = vars(request)["headers"] = EnvironHeaders(request.environ)
        return headers


class FastRequest(_Request):
    """Takes from the environ only what is asked for."""

    if not t.TYPE_CHECKING:
        headers = _Headers()

    def __init__(
        self,
        environ: WSGIEnvironment,
        populate_request: bool = True,
        shallow: bool = False,
    ) -> None:
        if not _is_plain(type(self)):
            super().__init__(environ, populate_request, shallow)
            return

        get = environ.get
        self.method = get("REQUEST_METHOD", "GET").upper()
        self.scheme = get("wsgi.url_scheme", "http")
        self.server = _get_server(environ)
        self.root_path = decoded(get("SCRIPT_NAME") or "").rstrip("/")
        self.path = f"/{decoded(get('PATH_INFO') or '').lstrip('/')}"
        self.query_string = get("QUERY_STRING", "").encode("latin1")
        self.remote_addr = get("REMOTE_ADDR")
        self.environ = environ
        self.shallow = shallow

        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    @cached_property
    def args(self) -> MultiDict[str, str]:
        query = self.query_string

        # Quoted characters, and what separates pairs before Python 3.9.2.
        if b"%" in query or b"+" in query or b";" in query:
            return _args(self)

        pairs = [pair.partition("=") for pair in query.decode().split("&") if pair]
        return self.parameter_storage_class([(key, value) for key, _, value in pairs])

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        headers = self.headers

        if type(headers) is not EnvironHeaders:
            return _cookies(self)

        # Without making a list of all headers to find this one.
        cookie = headers.environ.get("HTTP_COOKIE")
        return parse_cookie(cookie, cls=self.dict_storage_class)  # type: ignore


def _is_plain(cls: type) -> bool:
    """Whether nothing comes between the classes whose ``__init__`` is not called, nor
    replaces it.
    """
    mro = cls.__mro__
    at = mro.index(_Request)
    return (
        mro[at - 1] is FastRequest
        and mro[at + 1] is SansIORequest
        and _Request.__init__ is _init
        and SansIORequest.__init__ is _sansio_init
    )


def decoded(text: str) -> str:
    """What a string of the environ says, which holds bytes (:pep:`3333`)."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")


_init = _Request.__init__
_sansio_init = SansIORequest.__init__
_args: t.Callable[[t.Any], MultiDict[str, str]] = SansIORequest.args.fget  # type: ignore
_cookies: t.Callable[[t.Any], ImmutableMultiDict[str, str]]
_cookies = SansIORequest.cookies.fget  # type: ignore

if t.TYPE_CHECKING:
    Request = _Request
else:
    Request = FastRequest if usable("request") else _Request
