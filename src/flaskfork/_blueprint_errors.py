"""The patch blueprint-errors: the flag ``BLUEPRINT_ROUTING_ERRORS``."""

from __future__ import annotations

import typing as t

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound

from .globals import request
from .globals import request_ctx
from .helpers import _split_blueprint_path

if t.TYPE_CHECKING:
    from .sansio.app import App


def blueprints_for(app: App, e: Exception, blueprints: list[str]) -> list[str]:
    """Return the names of the blueprints whose handlers may handle an error.

    :param blueprints: those of the view, if a rule matched.
    """
    if (
        not request
        or e is not request.routing_exception
        or not isinstance(e, (NotFound, MethodNotAllowed))
    ):
        return blueprints

    # No rule matched, so it is not known which blueprint the URL is for.
    subdomain = getattr(request_ctx.url_adapter, "subdomain", None)
    return _find_blueprints(app, request.path, subdomain)


def _find_blueprints(app: App, path: str, subdomain: str | None) -> list[str]:
    """Return the names of the blueprints that would serve a path: the longest prefix
    first, and among equal ones the most nested blueprint.

    :param subdomain: ``None`` if the URL map matches hosts.
    """
    # Werkzeug's word for a host that isn't below the server's name.
    if subdomain == "<invalid>":
        return []

    found: list[tuple[int, int, str]] = []

    for name, (prefix, own) in app._blueprint_prefixes.items():
        if not _serves(subdomain, own or app.url_map.default_subdomain):
            continue

        prefix = _static_part(prefix)

        # Without a prefix, a blueprint's URLs are known only by its own subdomain.
        is_known = prefix or (own and subdomain)

        if is_known and f"{path}/".startswith(f"{prefix}/"):
            found.append((len(prefix), name.count("."), name))

    found.sort(key=lambda item: item[:2], reverse=True)
    names = [name for *_, name in found]
    parents = [parent for name in names for parent in _split_blueprint_path(name)]
    return list(dict.fromkeys(names + parents))


def _serves(subdomain: str | None, own: str) -> bool:
    """Whether a blueprint with its ``own`` subdomain serves this one."""
    return subdomain in (None, own) or bool(subdomain and "<" in own)


def _static_part(prefix: str) -> str:
    """The prefix up to the segment that has its first variable."""
    static, variable, _ = prefix.partition("<")
    return static.rpartition("/")[0] if variable else static.rstrip("/")
