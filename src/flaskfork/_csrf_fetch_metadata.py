"""The patch csrf-fetch-metadata: the flag ``CSRF_FETCH_METADATA``."""

from __future__ import annotations

import re
import typing as t

from werkzeug.exceptions import Forbidden

from .globals import request

if t.TYPE_CHECKING:
    from .app import Flask

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

# An origin as browsers write it (RFC 6454, section 6.2). Its host may have any
# character that the URL standard allows, which is more than Werkzeug accepts: service
# names of Docker Compose often have underscores.
_origin_re = re.compile(
    r"(https?)://((?:\[[0-9a-f:.]+\]|[!\"$&-.0-9;=_`a-z{}~]+)(?::[0-9]+)?)"
)


def check(app: Flask) -> None:
    """Refuse the current request if it may change something, and a page from another
    origin made the browser send it.

    :raises Forbidden: the request is refused.
    """
    origin = request.headers.get("Origin")

    if request.method in _SAFE_METHODS or _is_trusted(app, origin):
        return

    # Since 2023, all browsers send this to secure sites, and no page can change it
    # (https://www.w3.org/TR/fetch-metadata/).
    site = request.headers.get("Sec-Fetch-Site")

    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        # A client that sends neither is not a browser.
        allowed = origin is None or _is_own(origin)

    if not allowed:
        raise Forbidden("The request was sent from a page of another site.")


def _is_trusted(app: Flask, origin: str | None) -> bool:
    # Any page can send "null", from a sandboxed frame, so that is never trusted.
    if not origin or origin == "null":
        return False

    trusted = app.config.get("CSRF_TRUSTED_ORIGINS") or []
    # A single string, as from the environment, is compared as a whole.
    return origin in ([trusted] if isinstance(trusted, str) else trusted)


def _is_own(origin: str) -> bool:
    """Whether an origin is that of the current request.

    The ``Host`` header is compared as it is: ``request.host`` is empty if Werkzeug
    considers it invalid, and an empty host must not match anything.
    """
    match = _origin_re.fullmatch(origin)

    if match is None:
        return False

    scheme, netloc = match.groups()

    # An insecure page must not send to a secure site. The reverse is let through,
    # because a request may only seem insecure, behind a proxy that ends TLS.
    if scheme == "http" and request.is_secure:
        return False

    host = request.headers.get("Host")

    if host is None:
        host = request.host

    port = _DEFAULT_PORTS[scheme]
    return netloc.removesuffix(port) == host.lower().removesuffix(port)
