"""The patch blueprint-templates: the flag ``BLUEPRINT_TEMPLATES_FIRST``."""

from __future__ import annotations

import typing as t
import weakref

from jinja2 import BaseLoader
from jinja2 import Template
from jinja2 import TemplateNotFound

from .globals import _cv_request

if t.TYPE_CHECKING:
    from .ctx import RequestContext
    from .sansio.scaffold import Scaffold
    from .templating import Environment

Own = list[tuple["Scaffold", BaseLoader]]


def load(
    environment: Environment, name: str, variables: t.MutableMapping[str, t.Any] | None
) -> Template | None:
    """Load a template as Jinja does, but from the blueprints of the current request
    first. Return ``None`` if none of them has templates.

    All templates that such a request uses are cached per blueprint: even a template of
    the app depends on it, since it may import or extend the blueprint's, and Jinja
    keeps what was imported.

    :param variables: the ``globals`` of :meth:`jinja2.Environment.get_template`.
    :raises jinja2.TemplateNotFound: there is no such template.
    """
    ctx = _cv_request.get(None)

    if ctx is None or not ctx.app.config.get("BLUEPRINT_TEMPLATES_FIRST"):
        return None

    own = _own_loaders(environment, ctx)

    if not own:
        return None

    loaders = (environment.loader, *(loader for _, loader in own))
    # The first two items are Jinja's own key.
    key: t.Any = (weakref.ref(loaders[0]), name, *map(weakref.ref, loaders[1:]))
    cache = environment.cache
    template: Template | None = None if cache is None else cache.get(key)

    if template is None or (environment.auto_reload and not template.is_up_to_date):
        template = _find(environment, own, name, environment.make_globals(variables))

        if cache is not None:
            cache[key] = template
    elif variables:
        template.globals.update(variables)

    return template


def _own_loaders(environment: Environment, ctx: RequestContext) -> Own:
    """The blueprints that handle a request, the most nested one first, with their
    loaders.
    """
    # During the request, another app's context may have been pushed.
    if (
        getattr(environment, "app", None) is not ctx.app
        or environment.loader is None
        or environment.loader is not _root(environment).loader
    ):
        return []

    own = []

    for name in ctx.request.blueprints:
        # An endpoint of the app may contain a dot as well.
        blueprint = ctx.app.blueprints.get(name)
        loader = None if blueprint is None else blueprint.jinja_loader

        if loader is not None:
            own.append((blueprint, loader))

    return own


def _root(environment: t.Any) -> t.Any:
    """The environment that this one overlays. If that has another loader, this one
    was made to load other templates.
    """
    while environment.overlayed:
        environment = environment.linked_to

    return environment


def _find(environment: Environment, own: Own, name: str, variables: t.Any) -> Template:
    """Load a template from the first blueprint that has it, or else from the app."""
    attempts: list[t.Any] = []

    for blueprint, loader in own:
        try:
            template = loader.load(environment, name, variables)
        except TemplateNotFound:
            attempts.append((loader, blueprint, None))
            continue

        if environment.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            from .debughelpers import explain_template_loading_attempts

            attempts.append((loader, blueprint, ("", template.filename, None)))
            explain_template_loading_attempts(environment.app, name, attempts)

        return template

    loader = t.cast(BaseLoader, environment.loader)
    return loader.load(environment, name, variables)
