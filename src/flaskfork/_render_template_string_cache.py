"""The patch render-template-string-cache: the flag ``TEMPLATE_STRING_CACHE``."""

from __future__ import annotations

import typing as t
from types import CodeType

from jinja2 import Environment as BaseEnvironment
from jinja2 import nodes
from jinja2 import Template
from jinja2.compiler import CodeGenerator
from jinja2.utils import LRUCache

from .templating import Environment

_MAX_LENGTH = 10_000


class _CodeGenerator(CodeGenerator):
    """Evaluates no expression. Jinja calls filters and tests on constants while it
    compiles, but what they return may depend on the request.
    """

    def _output_child_to_const(self, node: nodes.Expr, *args: t.Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible

        return super()._output_child_to_const(node, *args)

    def visit_EvalContextModifier(
        self, node: nodes.EvalContextModifier, *args: t.Any
    ) -> None:
        # Then whether to escape is decided while rendering.
        if not all(isinstance(option.value, nodes.Const) for option in node.options):
            args[0].eval_ctx.volatile = True

        super().visit_EvalContextModifier(node, *args)


def from_string(
    env: Environment,
    source: str | nodes.Template,
    globals: t.MutableMapping[str, t.Any] | None = None,  # noqa: A002
    template_class: type[Template] | None = None,
) -> Template:
    """Make a template from a string. Only its code, which never changes, is kept for
    the next call.
    """
    if not _can_be_kept(env, source):
        return BaseEnvironment.from_string(env, source, globals, template_class)

    # The code depends on autoescaping too, which the app decides on each call.
    key = source, bool(nodes.EvalContext(env).autoescape)
    codes = _codes(env)
    code: CodeType | None = codes.get(key)

    if code is None:
        code = codes[key] = _compile(env, source)

    cls = template_class or env.template_class
    return cls.from_code(env, code, env.make_globals(globals), None)


def _can_be_kept(env: Environment, source: str | nodes.Template) -> bool:
    """Whether compiling a source runs nothing but Jinja's code: no tag of another
    extension, for example.
    """
    return (
        type(source) is str
        and len(source) <= _MAX_LENGTH
        and type(env) is Environment
        and env.code_generator_class is CodeGenerator
        and all(e.__module__.startswith("jinja2.") for e in env.extensions.values())
    )


def _codes(env: Environment) -> LRUCache:
    """Get the codes that were compiled with the current settings of an environment."""
    size = env.app.config["TEMPLATE_STRING_CACHE"]
    registered = env.filters, env.tests, env.policies, env.extensions
    settings = [env, size, *vars(env).values(), *map(dict, registered)]
    kept = vars(env.app).get("_template_string_codes")

    if kept is None or kept[0] != settings:
        kept = env.app._template_string_codes = settings, LRUCache(size)  # type: ignore[attr-defined]

    return kept[1]


def _compile(env: Environment, source: str | nodes.Template) -> CodeType:
    overlay = env.overlay(optimized=False)
    overlay.code_generator_class = _CodeGenerator
    return overlay.compile(source)
