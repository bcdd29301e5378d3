"""The part ``adapters`` of the patch fast-app: URL adapters remembered by host."""

from __future__ import annotations

import typing as t

from werkzeug.routing import MapAdapter
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.wsgi import get_host as _get_host

from ._lean import Bodies
from .request import decoded
from .routing import FastMap

if t.TYPE_CHECKING:
    from werkzeug.wsgi import get_host

    from ..app import Flask
    from ..wrappers import Request

bodies = Bodies("app")
#: How many hosts a map remembers, before it begins again.
KEPT = 128


@bodies.stand_for(
    "Flask.create_url_adapter",
    "295e37ad03cc60cabf6017399b0bfaba31a285c5bb7f32b77e26d94a79738ea5",
    part="adapters",
)
def _(original: t.Any) -> t.Any:
    plain_get_host, is_plain, remember = _get_host, _is_plain, _remember
    decode, new = decoded, MapAdapter.__new__

    def create_url_adapter(self: Flask, request: Request | None) -> MapAdapter | None:
        url_map: t.Any = self.url_map

        if (
            request is None
            or not is_plain(url_map, request)
            or get_host is not plain_get_host
            or self.config["TRUSTED_HOSTS"] is not None
        ):
            return original(self, request)  # type: ignore[no-any-return]

        environ = request.environ
        get = environ.get
        key = (
            get("wsgi.url_scheme"),
            get("HTTP_HOST"),
            get("SERVER_NAME"),
            get("SERVER_PORT"),
            get("SCRIPT_NAME"),
            self.config["SERVER_NAME"],
            self.subdomain_matching,
            url_map.host_matching,
            url_map.default_subdomain,
        )
        known = url_map.adapters.get(key)

        if known is None:
            adapter = original(self, request)
            remember(url_map, key, adapter, request)
            return adapter  # type: ignore[no-any-return]

        host, values = known
        vars(request)["host"] = host
        adapter = new(MapAdapter)
        vars(adapter).update(values, map=url_map)
        path = get("PATH_INFO")
        adapter.path_info = "/" if path is None else decode(path)
        adapter.default_method = environ["REQUEST_METHOD"]
        query = get("QUERY_STRING")
        adapter.query_args = None if query is None else decode(query)
        return adapter

    return create_url_adapter


def _is_plain(url_map: t.Any, request: Request) -> bool:
    """Whether only Werkzeug's own code would bind the map to the request."""
    return (
        type(url_map) is FastMap
        and FastMap.bind_to_environ is _bind_to_environ
        and FastMap.bind is _bind
        and vars(url_map).keys().isdisjoint(("bind", "bind_to_environ"))
        and getattr(type(request), "host", None) is _host
        and request.trusted_hosts is None
        and "HTTP_UPGRADE" not in request.environ
    )


def _remember(
    url_map: t.Any, key: tuple[t.Any, ...], adapter: t.Any, request: Request
) -> None:
    # Werkzeug warns each time about a host that is not below SERVER_NAME.
    if type(adapter) is not MapAdapter or adapter.subdomain == "<invalid>":
        return

    if len(url_map.adapters) >= KEPT:
        url_map.adapters.clear()

    values = {**vars(adapter), "map": None}
    url_map.adapters[key] = request.host, values


_bind = FastMap.bind
_bind_to_environ = FastMap.bind_to_environ
_host = SansIORequest.host
