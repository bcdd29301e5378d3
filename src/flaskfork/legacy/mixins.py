"""Parts of request and response classes, which now have all of this built in.

They are empty bases: the other base of a class provides the rest.
"""

from __future__ import annotations

import types
import typing as t

from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from ._warn import warn

BaseRequest = Request
BaseResponse = Response


class AcceptMixin: ...


class AuthorizationMixin: ...


class CORSRequestMixin: ...


class CORSResponseMixin: ...


class CommonRequestDescriptorsMixin: ...


class CommonResponseDescriptorsMixin: ...


class ETagRequestMixin: ...


class ETagResponseMixin: ...


class JSONMixin: ...


class ResponseStreamMixin: ...


class UserAgentMixin: ...


class WWWAuthenticateMixin: ...


class StreamOnlyMixin:
    """Leaves the body of a request unparsed, to be read from its stream."""

    want_form_data_parsed = False


class PlainRequest(StreamOnlyMixin, Request):
    """A request whose body is not parsed."""


def restore_request(module: types.ModuleType) -> None:
    """Restore ``is_xhr`` of requests."""
    if not hasattr(module.Request, "is_xhr"):
        module.Request.is_xhr = property(_is_xhr)


def _is_xhr(request: t.Any) -> bool:
    """Whether a JavaScript library says that it sent the request."""
    warn(
        "'Request.is_xhr' was removed in Werkzeug 1.0",
        instead="'request.headers', although few libraries set one for that",
    )
    return bool(request.headers.get("X-Requested-With", "").lower() == "xmlhttprequest")
