"""The patch session-lazy: the flag ``SESSION_LAZY``."""

from __future__ import annotations

import typing as t
from contextlib import nullcontext
from threading import RLock

if t.TYPE_CHECKING:
    from .ctx import RequestContext
    from .sessions import SessionMixin


def open_lazily(ctx: RequestContext) -> None:
    """Open the session of a request context, once for all copies of it."""
    if not ctx.app.config.get("SESSION_LAZY"):
        return

    owner = vars(ctx).get("_copied_from", ctx)

    with vars(owner).get("_session_lock") or nullcontext():
        if owner._session is None:
            owner._session = _opened(owner)

    ctx._session = owner._session


def _opened(ctx: RequestContext) -> SessionMixin:
    interface = ctx.app.session_interface
    session = interface.open_session(ctx.app, ctx.request)
    return interface.make_null_session(ctx.app) if session is None else session


def copied(ctx: RequestContext, copy: RequestContext) -> RequestContext:
    """Have a copy of a request context share the session that will be opened. Several
    threads may use the copies.
    """
    if ctx.app.config.get("SESSION_LAZY"):
        owner = vars(ctx).get("_copied_from", ctx)
        vars(copy)["_copied_from"] = owner
        vars(owner).setdefault("_session_lock", RLock())

    return copy
