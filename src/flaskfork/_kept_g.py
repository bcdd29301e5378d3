"""The patch keep-g: copies of a request context that keep its ``g``."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from functools import update_wrapper

from .globals import _cv_app

if t.TYPE_CHECKING:
    from .ctx import AppContext
    from .ctx import RequestContext

F = t.TypeVar("F", bound=t.Callable[..., t.Any])


def copied(ctx: RequestContext, f: F) -> F:
    """Decorate a function to run in a copy of the request context with its ``g``.

    :param ctx: the current request context.
    :raises RuntimeError: the current ``g`` is that of another app.
    """
    ctx = ctx.copy()
    owner = _cv_app.get()

    if owner.app is not ctx.app:
        raise RuntimeError(
            "'keep_g' can only be used when the current app context is that of the"
            f" request to {ctx.app.name!r}, but it is that of {owner.app.name!r}."
        )

    kept_g = owner.g

    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        with _pushed(ctx, owner, kept_g):
            return ctx.app.ensure_sync(f)(*args, **kwargs)

    return update_wrapper(wrapper, f)  # type: ignore[return-value]


@contextmanager
def _pushed(ctx: RequestContext, owner: AppContext, kept_g: t.Any) -> t.Iterator[None]:
    """Push a copied request context, and an app context with the ``g`` of its owner.

    Teardown functions run for every copy, as some look for the app context. While the
    request or another copy still uses ``g``, they do not see it, so that they do not
    close what is in it.
    """
    # The owner may be the app context of a copy itself.
    first: AppContext = vars(owner).get("_g_owner", owner)
    copies: list[bool] = vars(first).setdefault("_g_copies", [])

    with ctx.app.app_context() as app_ctx:
        vars(app_ctx)["_g_owner"] = first
        own_g, app_ctx.g = app_ctx.g, kept_g

        with ctx:
            # Only the first item is true, so the last copy to end pops it.
            copies.append(not copies)

            try:
                yield
            finally:
                if not copies.pop() or _in_use(first):
                    app_ctx.g = own_g


def _in_use(app_ctx: AppContext) -> bool:
    """Whether an app context is pushed, or held by a stream."""
    return bool(app_ctx._cv_tokens) or vars(app_ctx).get("_streams") is not None
