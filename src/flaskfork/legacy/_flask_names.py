"""The table of names that Flask removed, by the module that had them.

Modules go by their public names, ``flask`` and not ``flaskfork``.
"""

from __future__ import annotations

from ._names import FORK
from ._names import Name
from ._names import Table
from ._names import unmoved

_MARKUP = {
    "Markup": Name("markupsafe:Markup", "Flask 3.0", "'markupsafe.Markup'"),
    "escape": Name("markupsafe:escape", "Flask 3.0", "'markupsafe.escape'"),
}
_STACKS = {
    "_app_ctx_stack": Name(
        ".contexts:app_ctx_stack", "Flask 3.0", "'flask.g' or 'flask.globals.app_ctx'"
    ),
    "_request_ctx_stack": Name(
        ".contexts:request_ctx_stack",
        "Flask 3.0",
        "'flask.g' or 'flask.globals.request_ctx'",
    ),
}
_INNER_STACKS = {name: stack.gone("Flask 2.2") for name, stack in _STACKS.items()}
_INNER_REQUEST_STACK = {"_request_ctx_stack": _INNER_STACKS["_request_ctx_stack"]}
_SIGNALS = Name(".values:YES", "Flask 3.0", "nothing: there are always signals")
_SAFE_JOIN = Name(".helpers:safe_join", "Flask 2.1", "'werkzeug.utils.safe_join'")
_SCAFFOLD = unmoved(
    "_endpoint_from_view_func find_package setupmethod",
    of=f"{FORK}.sansio.scaffold",
    since="Flask 3.0",
    instead="the same name of 'flask.sansio.scaffold'",
)
_WITH_METACLASS = Name(
    ".python2:with_metaclass", "Flask 2.0", "'class Name(Base, metaclass=Meta)'"
)


FLASK = Table(
    names={
        "flask": {
            **_MARKUP,
            **_STACKS,
            "json_available": Name(
                ".values:YES", "Flask 2.0", "nothing: there is always JSON"
            ),
            "safe_join": _SAFE_JOIN,
            "signals_available": _SIGNALS,
        },
        "flask.app": {**_INNER_REQUEST_STACK, **_SCAFFOLD},
        "flask.blueprints": {
            name: _SCAFFOLD[name]
            for name in ("_endpoint_from_view_func", "setupmethod")
        },
        "flask.ctx": _INNER_STACKS,
        "flask.globals": {
            **_STACKS,
            "_lookup_app_object": Name(
                ".contexts:lookup_app_object", "Flask 2.2", "'flask.globals.app_ctx'"
            ),
            "_lookup_req_object": Name(
                ".contexts:lookup_req_object",
                "Flask 2.2",
                "'flask.globals.request_ctx'",
            ),
        },
        "flask.helpers": {
            **_INNER_STACKS,
            **{
                name: _SCAFFOLD[name].gone("Flask 2.0")
                for name in ("_endpoint_from_view_func", "find_package")
            },
            "get_env": Name(
                ".environment:get_env", "Flask 2.3", "'flask.helpers.get_debug_flag'"
            ),
            "locked_cached_property": Name(
                ".helpers:locked_cached_property",
                "Flask 3.0",
                "'werkzeug.utils.cached_property', with a lock where one is needed",
            ),
            "safe_join": _SAFE_JOIN,
            "total_seconds": Name(
                ".helpers:total_seconds",
                "Flask 2.1",
                "'datetime.timedelta.total_seconds'",
            ),
            "url_quote": Name(".urls:url_quote", "Flask 2.2", "'urllib.parse.quote'"),
        },
        "flask.json": {
            "JSONDecoder": Name(
                ".json:JSONDecoder", "Flask 2.3", "'app.json', a JSON provider"
            ),
            "JSONEncoder": Name(
                ".json:JSONEncoder", "Flask 2.3", "'app.json', a JSON provider"
            ),
            "htmlsafe_dump": Name(
                ".json:htmlsafe_dump", "Flask 2.3", "'jinja2.utils.htmlsafe_json_dumps'"
            ),
            "htmlsafe_dumps": Name(
                ".json:htmlsafe_dumps",
                "Flask 2.3",
                "'jinja2.utils.htmlsafe_json_dumps'",
            ),
            "tojson_filter": Name(
                ".json:htmlsafe_dumps",
                "Flask 2.0",
                "'jinja2.utils.htmlsafe_json_dumps'",
            ),
        },
        "flask.signals": {"signals_available": _SIGNALS},
        "flask.templating": _INNER_STACKS,
        "flask.testing": {
            **_INNER_REQUEST_STACK,
            "make_test_environ_builder": Name(
                ".helpers:make_test_environ_builder",
                "Flask 2.0",
                "'flask.testing.EnvironBuilder'",
            ),
        },
        "flask.views": {
            "MethodViewType": Name(
                ".views:MethodViewType", "Flask 2.2", "'flask.views.MethodView'"
            ),
            "with_metaclass": _WITH_METACLASS,
        },
        "flask.wrappers": {
            "JSONMixin": Name(
                ".mixins:JSONMixin", "Flask 2.0", "'flask.Request' or 'flask.Response'"
            ),
        },
    },
    modules={
        "flask._compat": Name(".python2", "Flask 2.0", "what Python 3 has"),
        "flask.exthook": Name(
            ".exthook", "Flask 1.0", "the name of the extension itself"
        ),
        "flask.scaffold": Name(
            f"{FORK}.sansio.scaffold", "Flask 3.0", "'flask.sansio.scaffold'"
        ),
    },
    restorers={
        "flask.app": ".application:restore_flask",
        "flask.cli": ".environment:restore",
        "flask.config": ".application:restore_config",
        "flask.ctx": ".contexts:restore",
        "flask.helpers": ".environment:restore",
        "flask.json": ".json:restore_functions",
        "flask.json.provider": ".json:restore_provider",
        "flask.sansio.app": ".application:restore_app",
        "flask.sansio.blueprints": ".application:restore_blueprint",
    },
)
