"""The stacks of contexts, of which only the top can still be read."""

from __future__ import annotations

import types
import typing as t

from .. import globals as _globals
from ._warn import NotRestored
from ._warn import warn


class Stack:
    """Stands for a stack of contexts, which no longer exists.

    :param name: its name in :mod:`flask`.
    :param variable: the context variable in :mod:`flask.globals` that replaced it.
    :param context: an expression that makes such a context, for the error's hint.
    """

    def __init__(self, name: str, variable: str, context: str) -> None:
        self._name = name
        self._variable = variable
        self._context = context

    def __repr__(self) -> str:
        return f"<flask.{self._name}, restored by flaskfork>"

    @property
    def top(self) -> t.Any:
        """The current context, or None. What is set on it lasts as long as it does."""
        return getattr(_globals, self._variable).get(None)

    @property
    def push(self) -> t.NoReturn:
        self._refuse("push")

    @property
    def pop(self) -> t.NoReturn:
        self._refuse("pop")

    def _refuse(self, method: str) -> t.NoReturn:
        raise NotRestored(
            f"flask.{self._name}.{method} cannot be restored: since Flask 2.2 a"
            " context is in a context variable and there is no stack",
            hint=f"use 'with {self._context}:', or 'push()' and 'pop()' of the context"
            " itself",
        )


app_ctx_stack = Stack("_app_ctx_stack", "_cv_app", "app.app_context()")
request_ctx_stack = Stack(
    "_request_ctx_stack", "_cv_request", "app.test_request_context()"
)


def lookup_app_object(name: str) -> t.Any:
    """Get an attribute of the application context.

    :raises RuntimeError: there is no such context.
    """
    return getattr(_globals.app_ctx, name)


def lookup_req_object(name: str) -> t.Any:
    """Get an attribute of the request context.

    :raises RuntimeError: there is no such context.
    """
    return getattr(_globals.request_ctx, name)


def restore(module: types.ModuleType) -> None:
    """Restore ``g`` of the request context."""
    if not hasattr(module.RequestContext, "g"):
        module.RequestContext.g = property(_get_g, _set_g)


def _get_g(context: t.Any) -> t.Any:
    _warn_of_g()
    return _globals.app_ctx.g


def _set_g(context: t.Any, value: t.Any) -> None:
    _warn_of_g()
    _globals.app_ctx.g = value


def _warn_of_g() -> None:
    warn("'RequestContext.g' was removed in Flask 2.2", instead="'flask.g'")
