"""The patch session-static: static files set no session cookie."""

from __future__ import annotations

import typing as t

from .sessions import SecureCookieSessionInterface

if t.TYPE_CHECKING:
    from .app import Flask
    from .ctx import RequestContext
    from .wrappers import Response

# A monitoring tool may put another one in its place later.
_save_session = SecureCookieSessionInterface.save_session


def save_session(app: Flask, ctx: RequestContext, response: Response) -> None:
    """Save the session, without a cookie if the response is a static file and nothing
    has used the session. A cookie would keep the file from being cached.
    """
    save = app.session_interface.save_session

    if _is_static_without_session(app, ctx):
        if _saves_only_a_cookie(save):
            return

        # It may be kept elsewhere too, or the interface may hold a lock until then.
        response = app.response_class()

    save(app, ctx._session, response)  # type: ignore[arg-type]


def _is_static_without_session(app: Flask, ctx: RequestContext) -> bool:
    endpoint = ctx.request.endpoint

    if endpoint is None or not endpoint.endswith("static"):
        return False

    name, _, endpoint = endpoint.rpartition(".")
    owner = app.blueprints.get(name) if name else app
    return (
        endpoint == "static"
        and owner is not None
        and owner.has_static_folder
        and not getattr(ctx._session, "accessed", True)
        and not getattr(ctx._session, "modified", True)
    )


def _saves_only_a_cookie(save: t.Callable[..., t.Any]) -> bool:
    return getattr(save, "__func__", None) is _save_session
