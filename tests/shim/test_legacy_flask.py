"""Restored names of Flask work, and those that cannot be restored say so."""

from __future__ import annotations

import pathlib
import textwrap
import typing as t

import pytest

RunPython = t.Callable[..., str]


@pytest.fixture
def run_legacy(run_python: RunPython) -> t.Callable[[str], str]:
    """A function that runs code with Flask's names and without their warnings."""
    start = """
        import warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        flaskfork.shim.legacy()
        import flask
        from flask import Blueprint, Flask
    """
    return lambda code: run_python("-c", textwrap.dedent(start) + textwrap.dedent(code))


RunLegacy = t.Callable[[str], str]


@pytest.mark.parametrize(
    ("line", "real_name"),
    [
        ("import flask.ext.known as found", "flask_known"),
        ("from flask.ext import known as found", "flask_known"),
        ("from flask.ext.known import sub as found", "flask_known.sub"),
        ("import flask.ext.known.sub.deep as found", "flask_known.sub.deep"),
        ("from flaskfork.ext.known import sub as found", "flask_known.sub"),
        ("import flask.ext.older as found", "flaskext.older"),
        ("from flask.ext.older import inner as found", "flaskext.older.inner"),
        ("from flask.ext import known, older as found", "flaskext.older"),
    ],
)
@pytest.mark.parametrize("loaded", [False, True])
def test_extensions_by_flask_ext(
    run_legacy: RunLegacy,
    tmp_path: pathlib.Path,
    line: str,
    real_name: str,
    loaded: bool,
) -> None:
    write_extensions(tmp_path)
    code = f"""
        import importlib, importlib.util, sys
        sys.path.insert(0, ".")
        if {loaded}:
            importlib.import_module("{real_name}")
        {line}
        real = importlib.import_module("{real_name}")
        assert found is real is sys.modules["{real_name}"]
        assert found.__name__ == "{real_name}" == found.__spec__.name
        assert importlib.util.find_spec("{real_name}") is found.__spec__
        assert importlib.reload(found) is real
        # Each file has been executed only once, under any of its names.
        files = [getattr(m, "__file__", None) for m in {{*sys.modules.values()}}]
        files = [f for f in files if f and "known" in f or f and "older" in f]
        assert len(files) == len({{*files}}), files
    """
    run_legacy(code)


def test_an_extension_that_is_not_there(
    run_legacy: RunLegacy, tmp_path: pathlib.Path
) -> None:
    write_extensions(tmp_path)
    code = """
        import importlib, importlib.util, sys
        sys.path.insert(0, ".")
        for name in ["flask.ext.nope", "flask.ext.known.nope", "flask.ext.older.nope"]:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as e:
                assert e.name == name
                assert name in str(e)
            else:
                raise AssertionError
            assert importlib.util.find_spec(name) is None
        import flask.ext
        assert not hasattr(flask.ext, "nope")
        try:
            from flask.ext import nope
        except ImportError as e:
            assert "cannot import name 'nope' from 'flask.ext'" in str(e)
        # If one is there but lacks a dependency, the error names the dependency.
        try:
            import flask.ext.broken
        except ModuleNotFoundError as e:
            assert e.name == "not_installed"
        else:
            raise AssertionError
        assert "flask.ext.broken" not in sys.modules
    """
    run_legacy(code)


def test_finding_an_extension_imports_nothing(
    run_legacy: RunLegacy, tmp_path: pathlib.Path
) -> None:
    write_extensions(tmp_path)
    code = """
        import importlib.util, sys
        import flask.ext
        sys.path.insert(0, ".")
        before = dict(sys.modules)
        assert importlib.util.find_spec("flask.ext.known").name == "flask.ext.known"
        assert importlib.util.find_spec("flask.ext.older") is not None
        assert importlib.util.find_spec("flask._compat") is not None
        assert sys.modules == before
    """
    run_legacy(code)


def test_code_for_two_pythons(run_legacy: RunLegacy) -> None:
    code = """
        from flask._compat import (
            PY2, StringIO, implements_to_string, integer_types, iteritems, iterkeys,
            itervalues, reraise, string_types, text_type, with_metaclass)
        assert (PY2, text_type, string_types, integer_types) == (
            False, str, (str,), (int,))
        d = {1: 2}
        assert [*iteritems(d)] == [(1, 2)]
        assert [*iterkeys(d)] == [1] and [*itervalues(d)] == [2]
        assert next(iteritems(d)) == (1, 2)
        assert StringIO("a").read() == "a"

        class Meta(type):
            def __new__(cls, name, bases, space):
                return type.__new__(cls, name, bases, dict(space, made=name))

        class Base:
            x = 1

        @implements_to_string
        class Made(with_metaclass(Meta, Base)):
            def __str__(self):
                return "made"

        assert type(Made) is Meta
        assert Made.__mro__ == (Made, Base, object)
        assert (Made.made, Made.x, str(Made())) == ("Made", 1, "made")

        import sys
        try:
            try:
                raise ValueError("first")
            except ValueError:
                info = sys.exc_info()
            reraise(*info)
        except ValueError as e:
            assert e is info[1]
            frames = []
            while e.__traceback__:
                frames.append(e.__traceback__)
                e.__traceback__ = e.__traceback__.tb_next
            assert frames[-1] is info[2] or info[2] in frames
        else:
            raise AssertionError
        from flask._compat import *
        assert range_type is range
    """
    run_legacy(code)


def test_helpers(run_legacy: RunLegacy) -> None:
    code = """
        import datetime, os, threading, time
        from werkzeug.exceptions import NotFound
        from flask import escape, Markup, safe_join
        from flask.helpers import get_env, locked_cached_property, total_seconds
        from flask.helpers import url_quote
        assert safe_join("/a", "b", "c") == "/a/b/c"
        for bad in ["../c", "/etc"]:
            try:
                safe_join("/a", bad)
            except NotFound:
                pass
            else:
                raise AssertionError
        assert total_seconds(datetime.timedelta(days=1, microseconds=9)) == 86400
        assert url_quote("a b/\\u2603?") == "a%20b/%E2%98%83%3F"
        assert escape("<") == Markup("&lt;")
        assert Markup("<b>%s</b>") % "<" == "<b>&lt;</b>"

        class Slow:
            computed = 0

            @locked_cached_property
            def value(self):
                "What it is."
                time.sleep(0.1)
                self.computed += 1
                return self.computed

        assert Slow.value.__doc__ == "What it is."
        slow = Slow()
        threads = [threading.Thread(target=lambda: slow.value) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (slow.value, slow.computed) == (1, 1)
        slow.value = 5
        assert slow.value == 5
        del slow.value
        assert slow.value == 2

        from flask.testing import make_test_environ_builder
        builder = make_test_environ_builder(Flask("x"), "/a", query_string={"b": "c"})
        assert builder.get_environ()["QUERY_STRING"] == "b=c"
        assert flask.json_available is True is flask.signals_available
        assert flask.signals.signals_available is True
        assert get_env() == "production"
        from flask import scaffold
        from flask.scaffold import Scaffold, setupmethod
        assert issubclass(Flask, Scaffold)
        assert scaffold is flask.sansio.scaffold
    """
    run_legacy(code)


def test_views_that_name_their_metaclass(run_legacy: RunLegacy) -> None:
    code = """
        from flask.views import MethodView, MethodViewType, View
        from flask._compat import with_metaclass

        class Own(View, metaclass=MethodViewType):
            def get(self): ...

        class More(with_metaclass(MethodViewType, Own)):
            def post(self): ...

        class Fixed(Own):
            methods = ["PUT"]

        class Both(MethodView, metaclass=MethodViewType):
            def dispatch_request(self):
                return "both"
            def delete(self): ...

        assert Own.methods == {"GET"}
        assert More.methods == {"GET", "POST"}
        assert Fixed.methods == ["PUT"]
        assert Both.methods == {"DELETE"}
        assert MethodViewType("None_", (View,), {}).methods is None
        app = Flask("x")
        app.add_url_rule("/", view_func=Both.as_view("both"))
        assert app.test_client().delete("/").text == "both"
        assert app.test_client().get("/").status_code == 405
    """
    run_legacy(code)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("where", ["instance", "class", "mixin"])
def test_json_classes(run_python: RunPython, early: bool, where: str) -> None:
    code = f"""
        import datetime, json, warnings
        warnings.simplefilter("ignore")
        import flask
        from flask import Flask, jsonify, request, session
        if not {early}:
            import flaskfork.shim
            flaskfork.shim.legacy()

        class Point:
            def __init__(self, x):
                self.x = x

        def default(self, o):
            if isinstance(o, Point):
                return {{"x": o.x}}
            return super(type(self), self).default(o)

        def make(encoder, decoder):
            if "{where}" == "instance":
                app = Flask("x")
                app.json_encoder, app.json_decoder = encoder, decoder
                return app
            space = {{"json_encoder": encoder, "json_decoder": decoder}}
            if "{where}" == "class":
                return type("App", (Flask,), space)("x")
            return type("App", (type("Mixin", (), space), Flask), {{}})("x")

        if {early}:
            app = Flask("x") if "{where}" == "instance" else None
            import flaskfork.shim
            flaskfork.shim.legacy()

        from flask.json import JSONDecoder, JSONEncoder

        class Encoder(JSONEncoder):
            def default(self, o):
                if isinstance(o, Point):
                    return {{"x": o.x}}
                return super().default(o)

        class Decoder(JSONDecoder):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, object_hook=self.hook, **kwargs)
            def hook(self, d):
                return Point(d["x"]) if set(d) == {{"x"}} else d

        assert Flask("y").json_encoder is JSONEncoder is Flask.json_encoder
        assert Flask("y").json_decoder is JSONDecoder
        if {early} and "{where}" == "instance":
            app.json_encoder, app.json_decoder = Encoder, Decoder
        else:
            app = make(Encoder, Decoder)
        assert app.json_encoder is Encoder
        assert app.json_decoder is Decoder
        app.secret_key = "k"
        when = datetime.date(2020, 1, 2)
        app.add_url_rule("/", "one", lambda: jsonify(p=Point(1), when=when))
        app.add_url_rule("/dict", "two", lambda: {{"p": Point(2)}})

        @app.route("/echo", methods=["POST"])
        def echo():
            sent = request.get_json()
            session["p"] = Point(3)
            return flask.json.dumps(sent["p"].x)

        client = app.test_client()
        # The client decodes with the application's class, too.
        found = client.get("/").json
        assert (found["p"].x, found["when"]) == (1, "Thu, 02 Jan 2020 00:00:00 GMT")
        assert client.get("/dict").text.strip() == '{{"p":{{"x":2}}}}'
        assert client.post("/echo", json={{"p": Point(7)}}).text == "7"
        with app.app_context():
            assert flask.json.dumps(Point(4)) == '{{"x": 4}}'
            assert flask.json.loads('{{"x": 5}}').x == 5
            rendered = flask.render_template_string("{{{{ p|tojson }}}}", p=Point(6))
            assert rendered == '{{"x": 6}}'
            assert flask.json.htmlsafe_dumps("<") == '"\\\\u003c"'
        # Outside a context, by passing the application or the class.
        assert flask.json.dumps(Point(8), app=app) == '{{"x": 8}}'
        assert flask.json.loads('{{"x": 9}}', app=app).x == 9
        assert flask.json.dumps(Point(1), cls=Encoder) == '{{"x": 1}}'
        assert Flask("plain").json.dumps(datetime.date(2020, 1, 2)).startswith('"Thu')
        try:
            Flask("plain").json.dumps(Point(1))
        except TypeError as e:
            assert str(e) == "Object of type Point is not JSON serializable"
        else:
            raise AssertionError
    """
    run_python("-c", code)


def test_an_encoder_that_is_pythons(run_legacy: RunLegacy) -> None:
    code = """
        import datetime, json

        class Own(json.JSONEncoder):
            def default(self, o):
                return "own"

        class Indented(json.JSONEncoder):
            def __init__(self, **kwargs):
                super().__init__(**dict(kwargs, indent=1))

        app = Flask("x")
        app.json_encoder = Own
        assert app.json.dumps([{1}, datetime.date(2020, 1, 2)]) == '["own", "own"]'
        assert app.json.dumps({1}, default=lambda o: "mine") == '"mine"'
        # An encoder without a default() uses the provider's, and sorts as it does.
        app.json_encoder = Indented
        assert app.json.dumps([datetime.date(2020, 1, 2)]).startswith('[\\n "Thu')
        app.json_encoder = None
        assert app.json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'
        del app.json_encoder
        assert app.json_encoder is flask.json.JSONEncoder
    """
    run_legacy(code)


@pytest.mark.parametrize(
    ("setting", "data"),
    [
        ("pass", r"""{"a":"\u00e9","b":1}|application/json"""),
        ("c['JSON_SORT_KEYS'] = False", r"""{"b":1,"a":"\u00e9"}|application/json"""),
        ("c['JSON_AS_ASCII'] = False", """{"a":"é","b":1}|application/json"""),
        ("c['JSONIFY_MIMETYPE'] = 'x/y'", r"""{"a":"\u00e9","b":1}|x/y"""),
        (
            "c['JSONIFY_PRETTYPRINT_REGULAR'] = True",
            """{ "a": "\\u00e9", "b": 1}|application/json""",
        ),
        ("app.json.sort_keys = False", r"""{"b":1,"a":"\u00e9"}|application/json"""),
        (
            "c['JSON_SORT_KEYS'] = False; app.json.sort_keys = True",
            r"""{"a":"\u00e9","b":1}|application/json""",
        ),
    ],
)
def test_json_settings(run_legacy: RunLegacy, setting: str, data: str) -> None:
    code = f"""
        app = Flask("x")
        c = app.config
        {setting}
        with app.app_context():
            response = flask.jsonify(b=1, a="\\u00e9")
        text = " ".join(response.get_data(as_text=True).split()).replace(" }}", "}}")
        assert f"{{text}}|{{response.mimetype}}" == {data!r}, (text, response.mimetype)
        assert type(app.json).sort_keys is True
    """
    run_legacy(code)


def test_a_json_setting_warns_once_for_a_line(run_legacy: RunLegacy) -> None:
    code = """
        app = Flask("x")
        app.config["JSON_SORT_KEYS"] = False
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("default")
            with app.app_context():
                for _ in range(3):
                    flask.jsonify(a=1)
        assert [w.filename for w in found] == ["<string>"]
        assert "'JSON_SORT_KEYS' was removed in Flask 2.3" in str(found[0].message)
    """
    run_legacy(code)


def test_before_the_first_request(run_legacy: RunLegacy) -> None:
    code = """
        import threading, time
        app, blueprint = Flask("x"), Blueprint("b", "b")
        events = []

        @app.before_first_request
        def first():
            events.append("first")
            time.sleep(0.3)
            # It may still add routes, and even send a request.
            app.add_url_rule("/late", "late", lambda: "late")
            assert app.test_client().get("/late").text == "late"
            time.sleep(0.2)
            events.append("first done")
            return "ignored"

        @blueprint.before_app_first_request
        def second():
            events.append("second")

        app.before_request(lambda: events.append(flask.request.path))
        app.register_blueprint(blueprint)
        app.before_first_request_funcs.append(lambda: events.append("third"))
        app.add_url_rule("/", view_func=lambda: "ok")
        assert first.__name__ == "first" and second.__name__ == "second"
        assert not app.got_first_request

        seen = []
        def visit():
            seen.append(app.test_client().get("/").text)
        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert seen == ["ok"] * 8
        assert events == [
            "first", "/late", "first done", "second", "third", *["/"] * 8], events
        assert app.got_first_request
        app.test_client().get("/")
        assert events.count("first") == 1
        try:
            app.before_first_request(print)
        except AssertionError as e:
            assert "before_first_request" in str(e)
        else:
            raise SystemExit("no error")

        # Each application has its own first request.
        other = Flask("other")
        other.before_first_request(lambda: events.append("other"))
        other.try_trigger_before_first_request_functions()
        other.try_trigger_before_first_request_functions()
        assert events.count("other") == 1
        assert other.got_first_request
    """
    run_legacy(code)


def test_before_the_first_request_something_fails(run_legacy: RunLegacy) -> None:
    code = """
        app = Flask("x")
        app.logger.disabled = True
        ran = []
        app.before_first_request(lambda: ran.append("one"))

        @app.before_first_request
        def fails():
            ran.append("two")
            if len(ran) < 6:
                raise ValueError("not yet")

        app.before_first_request(lambda: ran.append("three"))
        app.errorhandler(ValueError)(lambda e: ("handled", 418))
        app.errorhandler(500)(lambda e: (f"500 {e.original_exception}", 500))
        app.add_url_rule("/", view_func=lambda: "ok")
        client = app.test_client()
        # As in 2.2: it is not a view's error, and the next request starts over.
        assert client.get("/").text == "500 not yet"
        app.testing = True
        try:
            client.get("/")
        except ValueError as e:
            assert str(e) == "not yet"
        else:
            raise AssertionError
        assert not app.got_first_request
        assert client.get("/").text == "ok"
        assert ran == ["one", "two", "one", "two", "one", "two", "three"]
        assert client.get("/").text == "ok"
        assert len(ran) == 7
    """
    run_legacy(code + "\n")


def test_before_the_first_request_with_async(run_legacy: RunLegacy) -> None:
    code = """
        app = Flask("x")
        ran = []
        app.ensure_sync = lambda f: (lambda: ran.append(f.__name__))

        @app.before_first_request
        async def first(): ...

        app.try_trigger_before_first_request_functions()
        assert ran == ["first"]
    """
    run_legacy(code)


def test_settings_as_attributes(run_legacy: RunLegacy) -> None:
    code = """
        from datetime import timedelta
        app = Flask("x")
        assert app.session_cookie_name == "session"
        app.session_cookie_name = "other"
        assert app.config["SESSION_COOKIE_NAME"] == "other"
        assert app.send_file_max_age_default is None
        app.send_file_max_age_default = 60
        assert app.send_file_max_age_default == timedelta(minutes=1)
        app.send_file_max_age_default = timedelta(1)
        assert app.config["SEND_FILE_MAX_AGE_DEFAULT"] == timedelta(1)
        assert app.use_x_sendfile is False
        assert (app.propagate_exceptions, app.templates_auto_reload) == (False, False)
        app.debug = True
        assert (app.propagate_exceptions, app.templates_auto_reload) == (True, True)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.templates_auto_reload = False
        assert (app.propagate_exceptions, app.templates_auto_reload) == (False, False)
        assert app.env == app.config["ENV"] == "production"
        app.env = "testing"
        assert app.config["ENV"] == "testing"
        assert app.config["JSON_SORT_KEYS"] is None

        import json, pathlib
        pathlib.Path("c.json").write_text(json.dumps({"A": 1}))
        app.config.root_path = "."
        assert app.config.from_json("c.json") is True
        assert app.config["A"] == 1
        assert app.config.from_json("none.json", silent=True) is False
    """
    run_legacy(code)


@pytest.mark.parametrize(
    ("variables", "env", "debug"),
    [
        ({}, "production", False),
        ({"FLASK_ENV": "development"}, "development", True),
        ({"FLASK_ENV": "development", "FLASK_DEBUG": "0"}, "development", False),
        ({"FLASK_ENV": "testing", "FLASK_DEBUG": "1"}, "testing", True),
    ],
)
def test_flask_env(
    run_legacy: RunLegacy, variables: dict[str, str], env: str, debug: bool
) -> None:
    code = f"""
        import os
        os.environ.update({variables})
        app = Flask("x")
        assert (app.env, app.debug) == ({env!r}, {debug})
        from flask.cli import ScriptInfo
        assert ScriptInfo(create_app=lambda: Flask("y")).load_app().debug is {debug}
        assert flask.helpers.get_debug_flag() is {debug}
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            Flask("z")
        assert [w.filename for w in found] == (
            ["<string>"] if {debug and "FLASK_DEBUG" not in variables} else [])
    """
    run_legacy(code)


def test_the_top_of_the_stacks(run_legacy: RunLegacy) -> None:
    code = """
        from flask import _app_ctx_stack, _request_ctx_stack, g
        from flask.globals import _lookup_app_object, _lookup_req_object
        from flask.globals import _app_ctx_stack as again
        from werkzeug.local import LocalProxy
        assert again is _app_ctx_stack
        assert _app_ctx_stack.top is None is _request_ctx_stack.top
        db = LocalProxy(lambda: getattr(_app_ctx_stack.top, "sqlite_db", None))
        user = LocalProxy(lambda: getattr(_request_ctx_stack.top, "user", None))

        app = Flask("x")
        closed = []

        @app.before_request
        def connect():
            _app_ctx_stack.top.sqlite_db = [flask.request.path]
            _request_ctx_stack.top.user = flask.request.args.get("user")

        @app.teardown_appcontext
        def close(error):
            closed.append(getattr(_app_ctx_stack.top, "sqlite_db", None))

        @app.route("/<name>")
        def view(name):
            top = _request_ctx_stack.top
            assert top.request is flask.request._get_current_object()
            assert top.app is app and top.session is not None
            assert _lookup_req_object("request") is top.request
            assert _lookup_app_object("app") is app
            g.x = 1
            assert top.g.x == 1
            with app.app_context():
                assert not hasattr(_app_ctx_stack.top, "sqlite_db")
                _app_ctx_stack.top.sqlite_db = "inner"
            return f"{db[0]} {user}"

        client = app.test_client()
        assert client.get("/a?user=me").text == "/a me"
        assert client.get("/b").text == "/b None"
        assert closed == ["inner", ["/a"], "inner", ["/b"]]
        assert _app_ctx_stack.top is None
        for look_up in [_lookup_app_object, _lookup_req_object]:
            try:
                look_up("app")
            except RuntimeError as e:
                assert "Working outside of" in str(e)
            else:
                raise AssertionError
        with app.test_request_context() as context:
            assert _request_ctx_stack.top is context
            assert _app_ctx_stack.top.app is app
    """
    run_legacy(code)


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        ("flask._app_ctx_stack.push(1)", "flask._app_ctx_stack.push", "with app.app_"),
        ("flask._app_ctx_stack.pop()", "flask._app_ctx_stack.pop", "with app.app_"),
        (
            "flask._request_ctx_stack.push(1)",
            "flask._request_ctx_stack.push",
            "with app.test_request_context()",
        ),
        (
            "flask._request_ctx_stack.pop()",
            "flask._request_ctx_stack.pop",
            "with app.test_request_context()",
        ),
        ("blueprint.json_encoder = dict", "Blueprint.json_encoder", "the application"),
        ("blueprint.json_decoder", "Blueprint.json_decoder", "the application"),
        (
            "type('B', (Blueprint,), {'json_encoder': dict})",
            "Blueprint.json_encoder",
            "the application",
        ),
        (
            "app.preserve_context_on_exception",
            "Flask.preserve_context_on_exception",
            "test client in a 'with' block",
        ),
        (
            "app.preserve_context_on_exception = True",
            "Flask.preserve_context_on_exception",
            "test client in a 'with' block",
        ),
    ],
)
def test_what_is_not_given_back(
    run_legacy: RunLegacy, line: str, what: str, hint: str
) -> None:
    code = f"""
        app, blueprint = Flask("x"), Blueprint("b", "b")
        try:
            {line}
        except AttributeError as e:
            assert str(e).startswith({what + " cannot be restored: since Flask 2."!r})
            assert "hint: " in str(e)
            assert {hint!r} in str(e).partition("hint: ")[2]
        else:
            raise AssertionError
        assert not hasattr(app, "preserve_context_on_exception")
        assert getattr(blueprint, "json_encoder", 1) == 1
        assert not hasattr(flask._app_ctx_stack, "push")
        class Fine(Blueprint): ...
        assert not flask.Flask("x").blueprints
    """
    run_legacy(code)


def test_a_class_attribute_warns_at_the_class(run_legacy: RunLegacy) -> None:
    code = """
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            class Plain(Flask):
                pass
            class Chosen(Flask):
                json_encoder = dict
        assert [w.filename for w in found] == ["<string>"]
        assert "'Flask.json_encoder' was removed in Flask 2.3" in str(found[0].message)
    """
    run_legacy(code)


def write_extensions(folder: pathlib.Path) -> None:
    """Extensions: a separate one, one in the shared package, and a broken one."""
    files = {
        "flask_known/__init__.py": "",
        "flask_known/sub/__init__.py": "",
        "flask_known/sub/deep.py": "",
        "flaskext/older/__init__.py": "",
        "flaskext/older/inner.py": "",
        "flask_broken.py": "import not_installed",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
