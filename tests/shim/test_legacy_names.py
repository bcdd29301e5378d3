"""Every restored name: it is there, warns, is documented, and is still needed."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest

from flaskfork.legacy._flask_names import FLASK
from flaskfork.legacy._werkzeug_names import WERKZEUG

RunPython = t.Callable[..., str]

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "legacy.md"
BOTH = [FLASK, WERKZEUG]
#: Not a requirement of the fork; the test of Flask-Cache covers it.
ELSEWHERE = "cachelib"

#: Names that extensions were found to import, and names that the project promised,
#: independently of the table.
PROMISED = {
    "flask": """
        Markup escape safe_join json_available signals_available _app_ctx_stack
        _request_ctx_stack
        """,
    "flask.app": "_request_ctx_stack",
    "flask.blueprints": "_endpoint_from_view_func",
    "flask.globals": "_app_ctx_stack _request_ctx_stack _lookup_app_object",
    "flask.helpers": """
        safe_join total_seconds url_quote locked_cached_property get_env
        _endpoint_from_view_func
        """,
    "flask.json": "JSONEncoder JSONDecoder htmlsafe_dumps htmlsafe_dump",
    "flask.signals": "signals_available",
    "flask.testing": "make_test_environ_builder",
    "flask.views": "MethodViewType",
    "flask.wrappers": "JSONMixin",
    "flask._compat": "text_type string_types iteritems reraise with_metaclass PY2",
    "flask.exthook": "ExtDeprecationWarning",
    "flask.scaffold": "Scaffold",
    "werkzeug": """
        cached_property secure_filename import_string parse_options_header url_decode
        url_encode url_quote Headers FileStorage generate_password_hash Local
        LocalProxy MultiDict BaseResponse
        """,
    "werkzeug._compat": "to_unicode reraise text_type",
    "werkzeug._internal": "HTTP_STATUS_CODES",
    "werkzeug.contrib.fixers": "ProxyFix",
    "werkzeug.routing": "parse_rule",
    "werkzeug.security": "safe_str_cmp",
    "werkzeug.serving": "run_with_reloader",
    "werkzeug.urls": """
        url_quote url_quote_plus url_encode url_decode url_join url_unquote url_parse
        url_decode_stream
        """,
    "werkzeug.wrappers": "BaseRequest BaseResponse AcceptMixin ETagRequestMixin",
    "werkzeug.wrappers.json": "JSONMixin",
    "werkzeug.wsgi": "pop_path_info peek_path_info DispatcherMiddleware",
    "jinja2": """
        Markup escape contextfunction contextfilter evalcontextfilter environmentfilter
        """,
    "jinja2.ext": "autoescape with_",
    "itsdangerous": "constant_time_compare json TimedJSONWebSignatureSerializer",
    "markupsafe": "soft_unicode",
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised(run_python: RunPython, name: str) -> None:
    names = PROMISED[name].split()
    switch = "flaskfork.shim.legacy(werkzeug=True)"
    if name.startswith("flask"):
        switch = "flaskfork.shim.legacy()"
    code = f"""
        import warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        {switch}
        for n in {names!r}:
            space = {{}}
            exec(f"from {name} import {{n}}", space)
            import {name}
            assert getattr({name}, n) is space[n]
    """
    run_python("-c", code)


@pytest.mark.parametrize("name", sorted({*FLASK.names, *WERKZEUG.names} - {ELSEWHERE}))
def test_each_name_of_a_module(run_python: RunPython, name: str) -> None:
    names = next(table.names[name] for table in BOTH if name in table.names)
    expected = {n: [given.since, given.instead] for n, given in names.items()}
    code = f"""
        import importlib, warnings
        module = importlib.import_module({name!r})
        names = {expected!r}
        # Fails if the library has restored one, or still has it.
        assert not [n for n in names if hasattr(module, n)]
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        for n, (since, instead) in names.items():
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                exec(f"from {name} import {{n}}")
            assert [(w.category, w.filename) for w in found] == [
                (DeprecationWarning, "<string>")], (n, [str(w.message) for w in found])
            assert str(found[0].message) == (
                f"'{name}.{{n}}' was removed in {{since}}; flaskfork restores it for"
                f" old code. Use {{instead}} instead.")
    """
    run_python("-c", code)


@pytest.mark.parametrize(
    "name",
    [
        name
        for table in BOTH
        for name, given in table.modules.items()
        if given.target not in ("", ELSEWHERE)
    ],
)
def test_each_module(run_python: RunPython, name: str) -> None:
    code = f"""
        import importlib, sys, warnings
        try:
            importlib.import_module({name!r})
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError("it is there")
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            import {name} as module
            again = importlib.import_module({name!r})
        assert sys.modules[{name!r}] is module is again
        assert len(found) == 1, [str(w.message) for w in found]
        assert found[0].filename == "<string>"
        assert str(found[0].message).startswith("'{name}' was removed in")
        assert module.__spec__ is importlib.import_module(module.__name__).__spec__
        assert module.__spec__.name == module.__name__
    """
    run_python("-c", code)


def test_the_page_has_the_tables() -> None:
    documented = {
        (name, since, instead)
        for name, since, instead in re.findall(
            r"^\| `(\S+)` \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.M
        )
    }
    given = set()
    for table in BOTH:
        for module, names in table.names.items():
            given |= {row(f"{module}.{name}", names[name]) for name in names}
        given |= {row(n, g) for n, g in table.modules.items() if g.target}
    missing = "\n".join("| `{}` | {} | {} |".format(*r) for r in sorted(given))
    assert given <= documented, f"the rows that are required:\n{missing}"
    modules = {name for table in BOTH for name in [*table.names, *table.modules]}
    others = {r[0] for r in documented - given}
    assert not [name for name in others if name.rpartition(".")[0] in modules], others


def row(name: str, given: t.Any) -> tuple[str, str, str]:
    """A row of the page: the removed name, since when, and its replacement."""
    return name, given.since, given.instead.replace("'", "`")
