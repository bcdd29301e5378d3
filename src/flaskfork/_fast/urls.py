"""The part ``urls`` of the patches fast-app and fast-url-for: URLs are built by the
first rule that Werkzeug would try.
"""

from __future__ import annotations

import typing as t

from werkzeug.routing import MapAdapter
from werkzeug.routing import Rule
from werkzeug.routing import ValidationError

from ._lean import Bodies
from ._werkzeug import usable

if t.TYPE_CHECKING:
    from werkzeug.routing import BuildError

    from ..app import Flask
    from ..globals import _cv_app
    from ..globals import _cv_request
    from ..globals import current_app

bodies = Bodies("app")
scaffold = Bodies("sansio.app")
helpers = Bodies("helpers")
lean = helpers.put_in


@helpers.stand_for(
    "url_for",
    "ddb2de1a68354df31940ecc4c1dfceef27b91e86bb5319245c9080df0b628719",
    part="urls",
)
def _(original: t.Any) -> t.Any:
    from ..globals import current_app as proxy

    def url_for(
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: t.Any,
    ) -> str:
        context = _cv_app.get(None)
        # Outside of a context, the proxy raises the error.
        app = (
            current_app if context is None or current_app is not proxy else context.app
        )
        return app.url_for(
            endpoint,
            _anchor=_anchor,
            _method=_method,
            _scheme=_scheme,
            _external=_external,
            **values,
        )

    return url_for


@scaffold.relies_on(
    "App.inject_url_defaults",
    "4614e20c46e2beb1bc13683e6c9a992c057859667ed5175b7189f64b19d6d631",
)
@bodies.stand_for(
    "Flask.url_for",
    "143a26da93962332398f2c1618a416d8e1587ffb5183b26fb452b8314bb26fd9",
    part="urls",
)
def _(original: t.Any) -> t.Any:
    if not usable("urls"):
        return original

    from ..sansio.app import App
    from ..wrappers import Request

    build, plain_inject, blueprint = _build, App.inject_url_defaults, Request.blueprint

    def url_for(
        self: Flask,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: t.Any,
    ) -> str:
        context = _cv_request.get(None)

        if (
            context is None
            or _external
            or _scheme is not None
            or _anchor is not None
            or context.url_adapter is None
            or type(endpoint) is not str
        ):
            return original(  # type: ignore[no-any-return]
                self,
                endpoint,
                _anchor=_anchor,
                _method=_method,
                _scheme=_scheme,
                _external=_external,
                **values,
            )

        request = context.request

        if endpoint[:1] == ".":
            name = request.blueprint
            endpoint = endpoint[1:] if name is None else f"{name}{endpoint}"
        elif type(request).blueprint is not blueprint:
            request.blueprint  # noqa: B018

        if _external is None:
            _external = False

        inject = self.inject_url_defaults

        if (
            self.url_default_functions
            or getattr(inject, "__func__", None) is not plain_inject
        ):
            inject(endpoint, values)

        try:
            return build(context.url_adapter, endpoint, values, _method, _external)
        except BuildError as error:
            values.update(
                _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external
            )
            return self.handle_url_build_error(error, endpoint, values)

    return url_for


def _build(
    adapter: t.Any,
    endpoint: str,
    values: dict[str, t.Any],
    method: str | None,
    external: bool | None,
) -> str:
    """Build a URL that needs no host, as the adapter does."""
    given = values

    for value in values.values():
        if value is None:
            given = {name: v for name, v in values.items() if v is not None}
            break

    rule = _first_rule(adapter, endpoint, given, method)

    if rule is not None and rule.subdomain == adapter.subdomain and not rule.websocket:
        try:
            domain, path = rule._build_unknown(**given)
        except ValidationError:
            # Werkzeug then tries other rules.
            pass
        else:
            if domain == adapter.subdomain:
                return f"{adapter.script_name.rstrip('/')}/{path.lstrip('/')}"

    return adapter.build(  # type: ignore[no-any-return]
        endpoint, values, method=method, url_scheme=None, force_external=external
    )


def _first_rule(
    adapter: t.Any, endpoint: str, values: dict[str, t.Any], method: str | None
) -> t.Any:
    """The rule that Werkzeug would build with, or ``None`` if it has to say."""
    url_map = adapter.map

    try:
        if (
            adapter.build.__func__ is not _adapter_build
            or adapter._partial_build.__func__ is not _partial_build
            or adapter.get_host.__func__ is not _get_host
            or url_map.host_matching
        ):
            return None

        url_map.update()
        rules = url_map._rules_by_endpoint.get(endpoint, ())

        for rule in rules:
            if (
                rule.defaults
                or rule.build.__func__ is not _rule_build
                or rule.suitable_for.__func__ is not _suitable_for
            ):
                return None
    except AttributeError:
        return None

    # The only rule of an endpoint can be for another method.
    if method is None and len(rules) > 1:
        method = adapter.default_method

    for rule in rules:
        is_for = method is None or rule.methods is None or method in rule.methods

        if is_for and rule.arguments <= values.keys():
            return rule

    return None


_adapter_build = MapAdapter.build
_partial_build = MapAdapter._partial_build
_get_host = MapAdapter.get_host
_rule_build = Rule.build
_suitable_for = Rule.suitable_for
