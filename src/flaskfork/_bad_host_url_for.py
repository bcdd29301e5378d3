"""The patch bad-host-url-for: build URLs in the error page for a rejected host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from werkzeug.routing import MapAdapter

from .globals import request

if t.TYPE_CHECKING:
    from .app import Flask

# Stands in for the host of a request whose own was rejected (RFC 6761).
_HOST = "host.invalid"


def bind(app: Flask) -> MapAdapter:
    """Make an adapter for the current request that uses ``SERVER_NAME``, or no host,
    in place of the request's own.
    """
    url_map = app.url_map
    server_name = app.config["SERVER_NAME"]

    if server_name is not None:
        return url_map.bind(
            server_name, script_name=request.root_path, url_scheme=request.scheme
        )

    return _WithoutHost(
        url_map,
        _HOST,
        script_name=request.root_path,
        subdomain=None if url_map.host_matching else url_map.default_subdomain,
        url_scheme=request.scheme,
        path_info="/",
        default_method="GET",
    )


class _WithoutHost(MapAdapter):
    def build(self, *args: t.Any, **kwargs: t.Any) -> str:
        """Build a URL.

        :raises RuntimeError: the URL would need the host.
        """
        rv = super().build(*args, **kwargs)

        if urlsplit(rv).netloc.endswith(_HOST):
            raise RuntimeError(
                "Unable to build URLs with a host without 'SERVER_NAME' configured,"
                " because the host of the request was rejected."
            )

        return rv
