"""The part ``templating`` of the patches fast-app and fast-templating: templates are
rendered without preparing for what is seldom there.
"""

from __future__ import annotations

import typing as t
from collections import ChainMap
from types import BuiltinFunctionType
from types import FunctionType
from types import MethodType

import jinja2.environment
from jinja2 import Template as _Template
from jinja2.runtime import Context as _Context
from jinja2.utils import internalcode

from ._jinja import usable
from ._lean import Bodies

if t.TYPE_CHECKING:
    from ..app import Flask
    from ..signals import before_render_template
    from ..signals import template_rendered

T = t.TypeVar("T")
bodies = Bodies("app")
templating = Bodies("templating")


def lean(target: T) -> T:
    """Decorate a function of the module, or its class of environments."""
    if isinstance(target, type):
        if usable("templating"):
            target.template_class = _Usually(target, "template_class", Template)  # type: ignore[attr-defined]
            target.context_class = _Usually(target, "context_class", Context)  # type: ignore[attr-defined]

        return target

    return templating.put_in(target)


class _Usually:
    """A class attribute that has another value where that of the next class, to which
    a subclass may add bases, is Jinja's own.
    """

    def __init__(self, owner: type, name: str, value: type) -> None:
        self.owner, self.name, self.value = owner, name, value
        self.plain = value.__bases__[0]

    def __get__(self, environment: t.Any, cls: type) -> t.Any:
        found = getattr(super(self.owner, cls), self.name)
        return self.value if found is self.plain else found


class Context(_Context):
    """Calls a function that cannot ask for the context without looking for that."""

    @internalcode
    def call(__self, __obj: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        __traceback_hide__ = True
        kind = type(__obj)
        function = __obj.__func__ if kind is MethodType else __obj

        # An attribute may ask for the context.
        if (
            kind is not BuiltinFunctionType
            and (type(function) is not FunctionType or function.__dict__)
        ) or _Context.call is not _call:
            return super().call(__obj, *args, **kwargs)

        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)

        try:
            return __obj(*args, **kwargs)
        except StopIteration:
            # Jinja says what such a value is.
            return super().call(_stop)


class Template(_Template):
    """Makes contexts from its globals as one dictionary."""

    def new_context(
        self,
        vars: dict[str, t.Any] | None = None,  # noqa: A002
        shared: bool = False,
        locals: t.Mapping[str, t.Any] | None = None,  # noqa: A002
    ) -> _Context:
        environment = self.environment
        names = self.globals

        if (
            shared
            or locals
            or type(names) is not ChainMap
            or len(names.maps) != 2
            or type(names.maps[0]) is not dict
            or type(names.maps[1]) is not dict
            or jinja2.environment.new_context is not _new_context  # type: ignore[attr-defined]
            or _Template.new_context is not _template_new_context
            or _Context.__init__ is not _init
            or environment.context_class is not Context
        ):
            return super().new_context(vars, shared, locals)

        own, flat = names.maps

        if own:
            flat = {**flat, **own}

        parent = dict(flat, **vars) if vars else dict(flat)
        return Context(environment, parent, self.name, self.blocks, flat)


def _stop() -> t.NoReturn:
    raise StopIteration


_call = _Context.call
_init = _Context.__init__
_template_new_context = _Template.new_context
_new_context = jinja2.environment.new_context  # type: ignore[attr-defined]


@bodies.stand_for(
    "Flask.update_template_context",
    "bc4baeae46decd20f8c33eea927cf92ec205e9a3711f83f7fa2eba0793f9e8ef",
    part="templating",
)
def _(original: t.Any) -> t.Any:
    def update_template_context(self: Flask, context: dict[str, t.Any]) -> None:
        processors = self.template_context_processors

        # Only those of the app are independent of the request.
        if len(processors) != 1 or None not in processors:
            original(self, context)
            return

        given = context.copy()

        for function in processors[None]:
            context.update(self.ensure_sync(function)())

        context.update(given)

    return update_template_context


@templating.stand_for(
    "_render",
    "3c16b14b783d7adab1f739e58f091e35f0d151dd164aa8fbc1947d7ac7b182d9",
    part="templating",
)
def _(original: t.Any) -> t.Any:
    def _render(
        app: Flask, template: jinja2.Template, context: dict[str, t.Any]
    ) -> str:
        app.update_template_context(context)

        if before_render_template.receivers:
            before_render_template.send(
                app, _async_wrapper=app.ensure_sync, template=template, context=context
            )

        rv = template.render(context)

        if template_rendered.receivers:
            template_rendered.send(
                app, _async_wrapper=app.ensure_sync, template=template, context=context
            )

        return rv

    return _render
