"""The patch cookie-secure-auto: the value ``"auto"`` of ``SESSION_COOKIE_SECURE``."""

from __future__ import annotations

import typing as t

from .globals import request

if t.TYPE_CHECKING:
    from .app import Flask


def is_secure(app: Flask) -> bool:
    """Whether the current request is secure or, outside of a request, whether URLs
    are by default.
    """
    if request:
        return request.is_secure

    return bool(app.config["PREFERRED_URL_SCHEME"] == "https")
