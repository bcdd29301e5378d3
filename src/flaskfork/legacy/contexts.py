"""The stacks of contexts, of which only the top is left to be read."""

from __future__ import annotations

import types
import typing as t

from .. import globals as _globals
from ._warn import NotGivenBack
from ._warn import warn


class Stack:
    """Stands for a stack of contexts, of which there is none any more.

    :param variable: the context variable in :mod:`flask.globals` that replaced it.
    """

    def __init__(self, name: str, variable: str, context: str) -> None:
        self._name = name
        self._variable = variable
        self._context = context

    def __repr__(self) -> str:
        return f"<flask.{self._name}, given back by flaskfork>"

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
        raise NotGivenBack(
            f"flask.{self._name}.{method} cannot be given back: since Flask 2.2 a"
            " context is kept in a context variable and there is no stack",
            mend=f"use 'with {self._context}:', or 'push()' and 'pop()' of the context"
            " itself",
        )


app_ctx_stack = Stack("_app_ctx_stack", "_cv_app", "app.app_context()")
request_ctx_stack = Stack(
    "_request_ctx_stack", "_cv_request", "app.test_request_context()"
)


def lookup_app_object(name: str) -> t.Any:
    """Get an attribute of the application context.

    :raises RuntimeError: there is none.
    """
    return getattr(_globals.app_ctx, name)


def lookup_req_object(name: str) -> t.Any:
    """Get an attribute of the request context.

    :raises RuntimeError: there is none.
    """
    return getattr(_globals.request_ctx, name)


def mend(module: types.ModuleType) -> None:
    """Put ``g`` back on the request context."""
    if not hasattr(module.RequestContext, "g"):
        module.RequestContext.g = property(_get_g, _set_g)


def _get_g(context: t.Any) -> t.Any:
    _warn_of_g()
    return _globals.app_ctx.g


def _set_g(context: t.Any, value: t.Any) -> None:
    _warn_of_g()
    _globals.app_ctx.g = value


def _warn_of_g() -> None:
    warn("'RequestContext.g' is gone since Flask 2.2", instead="'flask.g'")
