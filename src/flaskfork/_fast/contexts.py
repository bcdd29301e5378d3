"""The patch fast-contexts: contexts that collect errors only when there are some."""

from __future__ import annotations

import sys
import typing as t

from werkzeug.wrappers import Request

from ._lean import Bodies
from .routing import first_match

if t.TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from .._cycles import clear_routing_exception
    from ..ctx import _sentinel
    from ..ctx import AppContext
    from ..ctx import RequestContext
    from ..globals import _cv_app
    from ..globals import _cv_request
    from ..signals import appcontext_popped
    from ..signals import appcontext_pushed

bodies = Bodies("ctx")
lean = bodies.put_in


@bodies.stand_for(
    "AppContext.push",
    "744ad6afc2b258f4b855af3fd7449fd42d03a596643707d30cd7011e7d541fdb",
    part="contexts",
)
def _(original: t.Any) -> t.Any:
    def push(self: AppContext) -> None:
        if appcontext_pushed.receivers:
            original(self)
        else:
            self._cv_tokens.append(_cv_app.set(self))

    return push


@bodies.stand_for(
    "AppContext.pop",
    "847057e2c2c94473141289e8802e2d68c829f6e2a5c328f91a04e01d96a26a1f",
    part="contexts",
)
def _(original: t.Any) -> t.Any:
    pop_torn_down = _pop_torn_down

    def pop(self: AppContext, exc: t.Any = None) -> None:
        if len(self._cv_tokens) != 1 or self._streams is not None:
            original(self, exc)
            return

        if exc is _sentinel:
            exc = sys.exc_info()[1]

        errors: list[BaseException] = []

        try:
            self.app.do_teardown_appcontext(exc)
        except BaseException as e:
            errors.append(e)

        if errors or appcontext_popped.receivers or _cv_app.get(None) is not self:
            pop_torn_down(original, self, exc, errors)
        else:
            _cv_app.reset(self._cv_tokens.pop())

    return pop


@bodies.stand_for(
    "RequestContext.match_request",
    "919ccbf8eafa1cce9c10473ad1d46e7884a55a5c1ed3e3dd347b708a1927c661",
    part="contexts",
)
def _(original: t.Any) -> t.Any:
    match = first_match

    def match_request(self: RequestContext) -> None:
        try:
            found = match(self.url_adapter)

            if found is None:
                original(self)
            else:
                self.request.url_rule, self.request.view_args = found  # type: ignore[assignment]
        except HTTPException as e:
            self.request.routing_exception = e

    return match_request


@bodies.stand_for(
    "RequestContext.pop",
    "9d9c04e92a2996d3faab8ebef66f95ace4de6e2229d831f8d9b3156be0e6e312",
    part="contexts",
)
def _(original: t.Any) -> t.Any:
    pop_torn_down, close = _pop_torn_down, _close

    def pop(self: RequestContext, exc: t.Any = None) -> None:
        if len(self._cv_tokens) != 1 or self._streams is not None:
            original(self, exc)
            return

        if exc is _sentinel:
            exc = sys.exc_info()[1]

        errors: list[BaseException] = []

        try:
            self.app.do_teardown_request(exc)
        except BaseException as e:
            errors.append(e)

        try:
            close(self.request)
        except BaseException as e:
            errors.append(e)

        ctx = _cv_request.get()
        ctx.request.environ["werkzeug.request"] = None

        if errors or ctx is not self:
            clear_routing_exception(ctx)
            pop_torn_down(original, self, exc, errors)
            return

        token, app_ctx = self._cv_tokens.pop()
        _cv_request.reset(token)
        clear_routing_exception(ctx)

        if app_ctx is not None:
            app_ctx.pop(exc)

    return pop


def _pop_torn_down(
    pop: t.Callable[..., None], ctx: t.Any, exc: t.Any, errors: list[BaseException]
) -> None:
    """Pop a context as Flask does, but for the teardown, which has been.

    :param errors: what the teardown has raised. The list is emptied.
    """
    from ..helpers import _CollectErrors

    collected = _CollectErrors(errors)
    errors.clear()
    # Of several, only the last pop tears a context down.
    ctx._cv_tokens.insert(0, ctx._cv_tokens[0])

    try:
        with collected:
            pop(ctx, exc)
    finally:
        del ctx._cv_tokens[0]

    if collected:
        collected.raise_any()


def _close(request: t.Any) -> None:
    """Close the files of a request, if there are any, or whatever is closed in Flask's
    place.
    """
    if type(request).close is _request_close and vars(request).keys().isdisjoint(
        _CLOSE
    ):
        return

    request_close = getattr(request, "close", None)

    if request_close is not None:
        request_close()


_CLOSE = ("files", "close")
_request_close = Request.close
