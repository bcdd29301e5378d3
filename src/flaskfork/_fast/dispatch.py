"""The part ``dispatch`` of the patch fast-app: what is empty is not gone through."""

from __future__ import annotations

import typing as t
from inspect import CO_COROUTINE
from inspect import iscoroutinefunction as _iscoroutinefunction
from types import FunctionType

from ..globals import request_ctx as _request_ctx
from ._lean import Bodies

if t.TYPE_CHECKING:
    from inspect import iscoroutinefunction

    from .. import typing as ft
    from .._session_static import save_session
    from ..app import Flask
    from ..globals import _cv_request
    from ..globals import request_ctx
    from ..signals import appcontext_tearing_down
    from ..signals import request_tearing_down
    from ..wrappers import Response

bodies = Bodies("app")


@bodies.stand_for(
    "Flask.ensure_sync",
    "93da8bd89e2a20b7d3e41798422ab8914e970a39c3c57f41ab160aefb2560b90",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    plain_iscoroutinefunction = _iscoroutinefunction
    function, flag = FunctionType, CO_COROUTINE

    def ensure_sync(
        self: Flask, func: t.Callable[..., t.Any]
    ) -> t.Callable[..., t.Any]:
        # An attribute may mark a function as a coroutine function.
        if (
            type(func) is function
            and not func.__code__.co_flags & flag
            and not func.__dict__
            and iscoroutinefunction is plain_iscoroutinefunction
        ):
            return func

        return original(self, func)  # type: ignore[no-any-return]

    return ensure_sync


@bodies.stand_for(
    "Flask.preprocess_request",
    "20160044e35067616ba5694dd8e727a818b56d2464cc3969a32ec90f84f7d0e7",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    def preprocess_request(self: Flask) -> ft.ResponseReturnValue | None:
        if self.url_value_preprocessors or self.before_request_funcs:
            return original(self)  # type: ignore[no-any-return]

        return None

    return preprocess_request


@bodies.stand_for(
    "Flask.dispatch_request",
    "62c7e9d15772724aeb88c4791f5b935855709f153ec6d606b9b0c6966ccff1ff",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    plain_request_ctx = _request_ctx

    def dispatch_request(self: Flask) -> ft.ResponseReturnValue:
        ctx = _cv_request.get(None)

        if (
            ctx is None
            or ctx.request.routing_exception is not None
            or ctx.request.url_rule is None
            or ctx.request.method == "OPTIONS"
            or request_ctx is not plain_request_ctx
        ):
            return original(self)  # type: ignore[no-any-return]

        view = self.view_functions[ctx.request.url_rule.endpoint]
        return self.ensure_sync(view)(**ctx.request.view_args)  # type: ignore

    return dispatch_request


@bodies.stand_for(
    "Flask.make_response",
    "0988365afd60e42224e72cfc2948233d394d0c466b5d61bc5eedd875e464fcce",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    def make_response(self: Flask, rv: ft.ResponseReturnValue) -> Response:
        kind = type(rv)

        if kind is str or kind is bytes:
            return self.response_class(rv, status=None, headers=None)  # type: ignore

        if kind is self.response_class:
            return rv  # type: ignore[return-value]

        if kind is dict or kind is list:
            return self.json.response(rv)  # type: ignore[return-value]

        return original(self, rv)  # type: ignore[no-any-return]

    return make_response


@bodies.stand_for(
    "Flask.process_response",
    "47ea8e13eb80e7923da963aa35b0c5eadd2b43f01466f9a28a829da63e74c8a3",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    plain_request_ctx = _request_ctx

    def process_response(self: Flask, response: Response) -> Response:
        ctx = _cv_request.get(None)

        if ctx is None or request_ctx is not plain_request_ctx:
            return original(self, response)  # type: ignore[no-any-return]

        if ctx._after_request_functions or self.after_request_funcs:
            return original(self, response)  # type: ignore[no-any-return]

        opened = ctx._session

        if opened is not None and not self.session_interface.is_null_session(opened):
            save_session(self, ctx, response)

        return response

    return process_response


@bodies.stand_for(
    "Flask.do_teardown_request",
    "3061284b412f198f04b750bd1ac128c76844414d33f6db910bbb18d8536a4999",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    def do_teardown_request(self: Flask, exc: t.Any = None) -> None:
        if self.teardown_request_funcs or request_tearing_down.receivers:
            original(self, exc)

    return do_teardown_request


@bodies.stand_for(
    "Flask.do_teardown_appcontext",
    "1ac24cb86f62db068838b88615bb745209e6dbbf169180079e3043523d9911a8",
    part="dispatch",
)
def _(original: t.Any) -> t.Any:
    def do_teardown_appcontext(self: Flask, exc: t.Any = None) -> None:
        if self.teardown_appcontext_funcs or appcontext_tearing_down.receivers:
            original(self, exc)

    return do_teardown_appcontext
