"""Names that upstream removed are restored on request, and only then."""

from __future__ import annotations

import textwrap
import typing as t

import pytest

RunPython = t.Callable[..., str]

#: Each way to enable them for a whole program, before or after the imports.
FLASK = "import flaskfork.shim; flaskfork.shim.legacy()"
BOTH = "import flaskfork.shim; flaskfork.shim.legacy(werkzeug=True)"
VARIABLE = "import os; os.environ['FLASKFORK_LEGACY'] = {!r}; import flask"


@pytest.mark.parametrize("value", [None, "", "0"])
def test_off_by_default(run_python: RunPython, value: str | None) -> None:
    before = "import flask" if value is None else VARIABLE.format(value)
    code = """
        import sys
        import flask.views, flask.helpers, werkzeug, jinja2, itsdangerous
        for module, name in [
            (flask, "Markup"), (flask, "_app_ctx_stack"), (flask.json, "JSONEncoder"),
            (flask.helpers, "safe_join"), (flask.views, "MethodViewType"),
            (flask.Flask, "before_first_request"), (flask.Flask, "json_encoder"),
            (werkzeug, "cached_property"), (jinja2, "Markup"),
            (itsdangerous, "TimedJSONWebSignatureSerializer"),
        ]:
            assert not hasattr(module, name), name
        for name in ["flask.ext", "flask.ext.x", "flask._compat", "flask.scaffold"]:
            try:
                __import__(name)
            except ModuleNotFoundError:
                pass
            else:
                raise AssertionError(name)
        assert "flaskfork.legacy" not in sys.modules
        assert not [f for f in sys.meta_path if "legacy" in type(f).__module__]
        assert "__getattr__" not in vars(flask.helpers)
    """
    run_python("-c", before + "\n" + textwrap.dedent(code))


@pytest.mark.parametrize(
    ("switch", "of_werkzeug"),
    [
        (FLASK, False),
        (BOTH, True),
        (f"{BOTH}; flaskfork.shim.legacy()", True),
        (f"{FLASK}; flaskfork.shim.legacy(werkzeug=True)", True),
        (VARIABLE.format("1"), False),
        (VARIABLE.format("werkzeug"), True),
    ],
)
def test_switches(run_python: RunPython, switch: str, of_werkzeug: bool) -> None:
    code = f"""
        import warnings
        warnings.simplefilter("ignore")
        from flask import Markup, escape
        from flask.helpers import safe_join
        import jinja2, itsdangerous, markupsafe, werkzeug
        found = {{
            hasattr(module, name)
            for module, name in [
                (werkzeug, "cached_property"), (jinja2, "Markup"),
                (itsdangerous, "json"), (markupsafe, "soft_unicode"),
            ]
        }}
        assert found == {{{of_werkzeug}}}
    """
    run_python("-c", switch + "\n" + textwrap.dedent(code))


@pytest.mark.parametrize("value", ["2", "yes", "true", "Werkzeug", " 1", "flask"])
def test_a_value_that_means_nothing(run_python: RunPython, value: str) -> None:
    code = f"""
        import os
        os.environ["FLASKFORK_LEGACY"] = {value!r}
        try:
            import flask
        except Exception as e:
            assert type(e).__name__ == "ShimError"
            assert {f"FLASKFORK_LEGACY is {value!r}"!r} in str(e)
            assert "hint: set it to 1" in str(e)
        else:
            raise AssertionError
    """
    run_python("-c", code)


@pytest.mark.parametrize(
    "first",
    [
        "pass",
        "import flask",
        "import flaskfork",
        "import flaskfork.views, flaskfork.testing, flaskfork.cli",
        "import flask.views, flask.testing, flask.cli",
        "import werkzeug, jinja2, itsdangerous, markupsafe",
        "import werkzeug.routing, werkzeug.security, jinja2.ext, jinja2.filters",
    ],
)
@pytest.mark.parametrize("then", ["pass", "import flask.views, werkzeug.routing"])
def test_whatever_is_imported_first(
    run_python: RunPython, first: str, then: str
) -> None:
    code = f"""
        import warnings
        warnings.simplefilter("ignore")
        {first}
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        {then}
        from flask import Markup, _request_ctx_stack
        from flask.views import MethodViewType
        from flask.testing import make_test_environ_builder
        from flask.json import JSONEncoder
        from flaskfork.json import JSONEncoder as again
        assert JSONEncoder is again
        from werkzeug import secure_filename, Headers
        from werkzeug.security import safe_str_cmp
        from werkzeug.routing import parse_rule
        from jinja2 import contextfilter
        from jinja2.ext import autoescape
        from itsdangerous import JSONWebSignatureSerializer
        from markupsafe import soft_unicode
        import flask, flaskfork
        assert flask is flaskfork
        assert flask.views is flaskfork.views
        assert flask.Flask("x").env == "production"
    """
    run_python("-c", code)


def test_again_changes_nothing(run_python: RunPython) -> None:
    code = """
        import sys
        import flask, flaskfork.shim
        def state():
            dispatch = flask.Flask.full_dispatch_request
            encode = type(flask.Flask("x").json).dumps
            return (
                [type(f).__module__ for f in sys.meta_path],
                dispatch, dispatch.__wrapped__, encode, encode.__wrapped__,
                flask.json.dumps, flask.helpers.get_debug_flag,
            )
        flaskfork.shim.legacy()
        before = state()
        for _ in range(3):
            flaskfork.shim.legacy(werkzeug=True)
        assert state() == before
        assert not hasattr(before[2], "__wrapped__")
        assert not hasattr(before[4], "__wrapped__")
    """
    run_python("-c", code)


def test_nothing_shows(run_python: RunPython) -> None:
    code = """
        import sys
        import flask.views, flask.testing, flask.cli
        import jinja2.ext, jinja2.filters, itsdangerous, markupsafe
        import werkzeug.routing, werkzeug.security, werkzeug.serving, werkzeug.urls
        import werkzeug.utils, werkzeug.wrappers, werkzeug.wsgi, werkzeug.http
        before = {
            name: (dir(module), set(vars(module)), getattr(module, "__all__", None))
            for name, module in sys.modules.copy().items()
            if name.partition(".")[0]
            in ("flaskfork", "werkzeug", "jinja2", "itsdangerous", "markupsafe")
            and not name.startswith("flaskfork.shim")
        }
        stars = {}
        for name in before:
            if not name.endswith("__main__"):
                exec(f"from {name} import *", stars.setdefault(name, {}))
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        for name, (names, space, all_) in before.items():
            module = sys.modules[name]
            new = {"__getattr__"} if "__getattr__" not in space else set()
            assert set(dir(module)) - set(names) <= new, name
            assert set(vars(module)) - space <= new, name
            assert getattr(module, "__all__", None) == all_, name
            if not name.endswith("__main__"):
                space = {}
                exec(f"from {name} import *", space)
                assert set(space) == set(stars[name]), name
        # Not even after it has been used.
        import warnings
        warnings.simplefilter("ignore")
        from flask import Markup, _app_ctx_stack
        from flask.json import JSONEncoder
        assert "Markup" not in vars(flask)
        assert "Markup" not in dir(flask)
        assert "JSONEncoder" not in dir(flask.json)
    """
    run_python("-c", code)


@pytest.mark.parametrize(
    "line",
    [
        "from flask import Markup",
        "from flask import Markup as _",
        "flask.Markup",
        "getattr(flask, 'Markup')",
        "hasattr(flask, 'Markup')",
        "from flask.helpers import safe_join",
        "flask.helpers.safe_join",
        "from flask.json import JSONEncoder",
        "from flaskfork.json import JSONEncoder",
        "import flask._compat",
        "from flask._compat import text_type",
        "importlib.import_module('flask._compat')",
        "app.before_first_request(print)",
        "app.json_encoder",
        "app.json_encoder = None",
        "app.env",
        "app.session_cookie_name = 'x'",
        "app.got_first_request",
        "blueprint.before_app_first_request(print)",
        "app.config.from_json('x', silent=True)",
        "flask.__version__",
        "itsdangerous.json",
        "from werkzeug import cached_property",
        "from werkzeug.urls import url_parse",
        "from werkzeug.contrib.fixers import ProxyFix",
        "jinja2.contextfilter",
        "markupsafe.soft_unicode",
    ],
)
def test_one_warning_at_the_line_that_uses_it(run_python: RunPython, line: str) -> None:
    # In its own file: the line number must be the user's, not that of an exec.
    code = f"""
        import pathlib, warnings
        pathlib.Path("user.py").write_text(
            "import importlib, flask, jinja2, itsdangerous, markupsafe, werkzeug\\n"
            "import flask.helpers\\n"
            "app, blueprint = flask.Flask('x'), flask.Blueprint('b', 'b')\\n"
            "def use():\\n"
            "    pass\\n"
            {("    " + line + chr(10))!r}
        )
        import sys
        sys.path.insert(0, ".")
        import user
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            user.use()
        for warning in found:
            assert warning.category is DeprecationWarning
            assert pathlib.Path(warning.filename).name == "user.py", warning
            assert warning.lineno == 6, warning
        assert len(found) == 1, [str(w.message) for w in found]
        text = str(found[0].message)
        assert "was removed in" in text or "will be removed" in text, text
        assert "instead" in text, text

        # As an error, it is also raised there.
        for name in ("flask._compat", "werkzeug.contrib.fixers"):
            sys.modules.pop(name, None)
        warnings.simplefilter("error")
        try:
            user.use()
        except DeprecationWarning as e:
            lines = []
            while e.__traceback__:
                lines.append((e.__traceback__.tb_frame.f_code.co_filename,
                              e.__traceback__.tb_lineno))
                e.__traceback__ = e.__traceback__.tb_next
            assert {{n for f, n in lines if f.endswith("user.py")}} == {{6}}, lines
        else:
            raise AssertionError("no error")
    """
    run_python("-c", code)


def test_each_line_warns_once_by_default(run_python: RunPython) -> None:
    code = """
        import warnings
        import flaskfork.shim
        flaskfork.shim.legacy()
        import flask
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("default")
            for _ in range(3):
                flask.Markup
            flask.Markup
            from flask import Markup, escape
        texts = [str(w.message).split()[0] for w in found]
        assert texts == ["'flask.Markup'"] * 3 + ["'flask.escape'"], texts
        assert "Use 'markupsafe.Markup' instead." in str(found[0].message)
        assert "was removed in Flask 3.0" in str(found[0].message)
    """
    run_python("-c", code)


def test_names_that_nobody_knows(run_python: RunPython) -> None:
    code = """
        import importlib
        import flask, flask.helpers, itsdangerous, jinja2, markupsafe, werkzeug.utils
        modules = [flask, flask.helpers, flask.json, itsdangerous, jinja2, markupsafe,
                   werkzeug, werkzeug.utils]
        def errors():
            found = []
            for module in modules:
                assert not hasattr(module, "nope")
                assert getattr(module, "nope", 1) == 1
                for line in ["module.nope", f"from {module.__name__} import nope"]:
                    try:
                        exec(line, {"module": module})
                    except (AttributeError, ImportError) as e:
                        found.append((type(e), str(e), getattr(e, "name", None)))
            return found
        before = errors()
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        assert errors() == before
        assert len(before) == 2 * len(modules)
    """
    run_python("-c", code)


def test_the_version_is_there_with_and_without(run_python: RunPython) -> None:
    code = """
        import importlib.metadata, warnings
        import flask, flaskfork.shim
        def version():
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                version = flask.__version__
                from flask import __version__
            assert version == __version__ == importlib.metadata.version("flaskfork")
            assert {(w.filename, w.category) for w in found} == {
                ("<string>", DeprecationWarning)}
        version()
        flaskfork.shim.legacy()
        version()
    """
    run_python("-c", code)


@pytest.mark.parametrize("name", ["flask", "flask.json", "flask.globals", "werkzeug"])
def test_after_a_reload(run_python: RunPython, name: str) -> None:
    code = f"""
        import importlib, warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        import flask, werkzeug
        module = importlib.import_module("{name}")
        given = {{
            "flask": "Markup", "flask.json": "JSONEncoder",
            "flask.globals": "_app_ctx_stack", "werkzeug": "cached_property",
        }}["{name}"]
        loader = module.__loader__
        for _ in range(2):
            assert importlib.reload(module) is module
            assert hasattr(module, given)
            assert not hasattr(module, "nope")
            assert type(module.__loader__) is type(loader)
        if module is flask:
            assert flask.__version__
    """
    run_python("-c", code)


def test_classes_made_anew(run_python: RunPython) -> None:
    code = """
        import importlib, sys, warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        flaskfork.shim.legacy()
        import flask.sansio.app, flask.app, flask.blueprints, flask.sansio.blueprints
        for module in [flask.sansio.app, flask.sansio.blueprints, flask.app,
                       flask.blueprints]:
            importlib.reload(module)
        app = flask.app.Flask("x")
        ran = []
        app.before_first_request(lambda: ran.append(1))
        app.add_url_rule("/", view_func=lambda: "")
        for _ in range(2):
            app.test_client().get("/")
        assert ran == [1]
        assert app.env == "production"
        assert hasattr(flask.blueprints.Blueprint, "before_app_first_request")
    """
    run_python("-c", code)


def test_after_the_modules_are_thrown_away(run_python: RunPython) -> None:
    code = """
        import os, sys, warnings
        warnings.simplefilter("ignore")
        os.environ["FLASKFORK_LEGACY"] = "werkzeug"
        for _ in range(3):
            from flask import Markup
            from flask.json import JSONEncoder
            from werkzeug import cached_property
            import flask
            ran = []
            app = flask.Flask("x")
            app.before_first_request(lambda: ran.append(1))
            app.test_client().get("/")
            app.test_client().get("/")
            assert ran == [1]
            finders = [type(f).__module__ for f in sys.meta_path]
            assert len([f for f in finders if "legacy" in f]) == 1, finders
            for name in list(sys.modules):
                if name.partition(".")[0] in ("flask", "flaskfork"):
                    del sys.modules[name]
    """
    run_python("-c", code)


def test_by_many_threads(run_python: RunPython) -> None:
    code = """
        import sys, threading, warnings
        warnings.simplefilter("ignore")
        sys.setswitchinterval(1e-6)
        import flaskfork.shim
        together = threading.Barrier(8)
        failed = []
        def use(number):
            try:
                together.wait()
                flaskfork.shim.legacy(werkzeug=number % 2 == 0)
                together.wait()
                space = {}
                exec("from flask import Markup, _app_ctx_stack\\n"
                     "from flask.views import MethodViewType\\n"
                     "from flask._compat import text_type\\n"
                     "from flask.ext.known import KNOWN\\n"
                     "import flask.scaffold\\n"
                     "from werkzeug.contrib.fixers import ProxyFix\\n"
                     "from werkzeug import secure_filename, url_quote\\n", space)
                assert space["text_type"] is str
                assert space["flask"].scaffold.Scaffold
            except BaseException as e:
                failed.append(repr(e))
                together.abort()
        import pathlib
        sys.path.insert(0, ".")
        pathlib.Path("flask_known.py").write_text("import flask\\nKNOWN = 1\\n")
        threads = [threading.Thread(target=use, args=[i]) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(t.is_alive() for t in threads), "deadlock"
        assert not failed, failed
        import flask_known, flask.ext.known, flask.scaffold, flask.sansio.scaffold
        assert flask.ext.known is flask_known is sys.modules["flask.ext.known"]
        assert flask.scaffold is flask.sansio.scaffold
        assert flask_known.__spec__.name == "flask_known"
        assert flask.sansio.scaffold.__spec__.name == "flaskfork.sansio.scaffold"
    """
    for _ in range(5):
        run_python("-c", code)


def test_children_inherit_the_variable(run_python: RunPython) -> None:
    code = """
        import multiprocessing, os, pathlib, subprocess, sys
        os.environ["FLASKFORK_LEGACY"] = "1"
        pathlib.Path("child.py").write_text(
            "import warnings\\n"
            "def work():\\n"
            "    warnings.simplefilter('ignore')\\n"
            "    from flask import Markup, _request_ctx_stack\\n"
            "    return str(Markup('<b>')), _request_ctx_stack.top\\n"
        )
        sys.path.insert(0, ".")
        if __name__ == "__main__":
            import child
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                assert pool.apply(child.work) == ("<b>", None)
            program = "import child; print(child.work())"
            done = subprocess.run([sys.executable, "-c", program], text=True,
                                  capture_output=True, check=True)
            assert done.stdout == "('<b>', None)\\n"
    """
    run_python("-c", code)


def test_in_another_interpreter_of_the_process(run_python: RunPython) -> None:
    code = """
        import os, sys
        os.environ["FLASKFORK_LEGACY"] = "1"
        if sys.version_info < (3, 13):
            import _xxsubinterpreters as interpreters
        else:
            import _interpreters as interpreters
        import flask
        program = "import warnings; warnings.simplefilter('ignore');"
        program += "from flask import Markup, escape; print('ran')"
        # MarkupSafe's C part does not support interpreters with their own GIL.
        legacy = sys.version_info >= (3, 13)
        number = interpreters.create("legacy") if legacy else interpreters.create()
        failed = (interpreters.exec if legacy else interpreters.run_string)(
            number, program)
        assert failed is None, failed
        interpreters.destroy(number)
    """
    assert run_python("-W", "default", "-c", code) == "ran\n"


@pytest.mark.parametrize(
    "line",
    ["from flask import Markup", "from flask.json import JSONEncoder", "import flask"],
)
def test_pickles_and_copies(run_python: RunPython, line: str) -> None:
    code = f"""
        import copy, pickle, warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
        {line}
        import flask.views, flask.wrappers, werkzeug.wrappers, werkzeug.urls, jinja2
        import flask.helpers, itsdangerous
        for kind in [
            flask.Markup, flask.json.JSONEncoder, flask.json.JSONDecoder,
            flask.views.MethodViewType, flask.wrappers.JSONMixin,
            flask.helpers.locked_cached_property, werkzeug.wrappers.BaseRequest,
            werkzeug.wrappers.AcceptMixin, werkzeug.urls.Href,
            itsdangerous.JSONWebSignatureSerializer, jinja2.Markup,
        ]:
            assert pickle.loads(pickle.dumps(kind)) is kind
            assert copy.deepcopy(kind) is kind
        url = werkzeug.urls.url_parse("http://x/y?z")
        assert pickle.loads(pickle.dumps(url)) == url == copy.copy(url)
        assert pickle.loads(pickle.dumps(flask.Markup("a"))) == flask.Markup("a")
        encoder = pickle.loads(pickle.dumps(flask.json.JSONEncoder(indent=3)))
        assert encoder.indent == 3
    """
    run_python("-c", code)


def test_switched_on_in_the_midst_of_an_import(run_python: RunPython) -> None:
    code = """
        import os, sys, warnings
        from importlib.machinery import ModuleSpec, PathFinder
        warnings.simplefilter("ignore")
        os.environ["FLASKFORK_LEGACY"] = "1"

        class Hook:
            # As in tools that patch a module after its import.
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name != "flaskfork.templating":
                    return None
                spec = PathFinder.find_spec(name, path)
                execute = spec.loader.exec_module
                def exec_module(module):
                    execute(module)
                    import flaskfork.shim
                spec.loader.exec_module = exec_module
                return spec

        sys.meta_path.insert(0, Hook)
        import flaskfork
        assert type(flaskfork.__spec__) is ModuleSpec
        assert not flaskfork.__spec__._initializing
        from flask import Markup, _request_ctx_stack
        from flask.json import JSONEncoder
        from flask.app import find_package
        import flask
        assert flask is flaskfork
        app = flask.Flask("x")
        ran = []
        app.before_first_request(lambda: ran.append(app.env))
        app.test_client().get("/")
        assert ran == ["production"]
        app.json_encoder = type("E", (JSONEncoder,), {"default": lambda s, o: "E"})
        assert app.json.dumps({1}) == '"E"'
    """
    run_python("-c", code)
