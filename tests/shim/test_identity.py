"""``flask`` and ``flaskfork`` are one and the same, no matter what is done to them."""

from __future__ import annotations

import json
import typing as t

import pytest

RunPython = t.Callable[..., str]

# Given the names of all modules, imports each under both names.
IMPORT_ALL = """
import importlib
import json
import sys
import types

names = json.loads(sys.argv[1])

def import_all(top):
    return {name: importlib.import_module(top + name) for name in names}

def check():
    aliases = {n for n in sys.modules if (n + ".").startswith("flask.")}
    assert len(aliases) >= len(names)
    for alias in aliases:
        assert sys.modules[alias] is sys.modules["flaskfork" + alias[5:]], alias
        assert type(sys.modules[alias]) is types.ModuleType, alias
"""


@pytest.mark.parametrize("first", ["flask", "flaskfork"])
def test_one_module_whichever_name_comes_first(
    run_python: RunPython, module: str, first: str
) -> None:
    second = "flaskfork" if first == "flask" else "flask"
    code = f"""
        import importlib, types
        one = importlib.import_module("{first}{module}")
        assert importlib.import_module("{second}{module}") is one
        assert type(one) is types.ModuleType
        assert one.__name__ == "flaskfork{module}"
        assert one.__spec__.name == "flaskfork{module}"
        import flask, flaskfork
        assert flask is flaskfork
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
def test_all_modules_are_one(
    run_python: RunPython, all_modules: list[str], first: str
) -> None:
    code = f"""{IMPORT_ALL}
import {first}
import_all("flask")
import_all("flaskfork")
check()
"""
    run_python("-c", code, json.dumps(all_modules))


def test_walking_the_packages_makes_no_second_module(
    run_python: RunPython, all_modules: list[str]
) -> None:
    code = f"""{IMPORT_ALL}
import pkgutil
import flask

def fail(name):
    raise

walked = [m.name for m in pkgutil.walk_packages(flask.__path__, "flask.", fail)]
assert {{"flask.app", "flask.json.provider"}} <= set(walked)
for name in walked:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
import_all("flask")
check()
"""
    run_python("-c", code, json.dumps(all_modules))


def test_the_modules_own_attributes_stay(
    run_python: RunPython, all_modules: list[str]
) -> None:
    code = f"""{IMPORT_ALL}
KEYS = ["__name__", "__spec__", "__loader__", "__path__", "__file__", "__package__"]

def attributes():
    fork = import_all("flaskfork")
    return {{n: [getattr(m, key, None) for key in KEYS] for n, m in fork.items()}}

def texts():
    return {{n: repr(v) for n, v in attributes().items()}}

before, before_texts = attributes(), texts()
import_all("flask")
after = attributes()
assert all(a is b for n in names for a, b in zip(after[n], before[n]))
assert texts() == before_texts
"""
    run_python("-c", code, json.dumps(all_modules))


def test_reload_keeps_both_names_equal(run_python: RunPython) -> None:
    code = """
        import importlib
        import flask.app, flaskfork.app
        before = flask.app.Flask
        assert importlib.reload(flask.app) is flaskfork.app
        assert flask.app is flaskfork.app
        assert flask.app.Flask is flaskfork.app.Flask
        assert flask.app.Flask is not before
        assert importlib.reload(flask) is flaskfork
        assert importlib.import_module("flask") is flaskfork
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
def test_deleting_both_from_sys_modules(
    run_python: RunPython, all_modules: list[str], first: str
) -> None:
    code = f"""{IMPORT_ALL}
import flask
before = flask.Flask
for _ in range(3):
    for name in [n for n in sys.modules if n.startswith("flask")]:
        del sys.modules[name]
    import {first}
    import_all("flask")
    import_all("flaskfork")
    check()
    finders = [f for f in sys.meta_path if "flaskfork" in repr(f)]
    assert len(finders) == 1, finders
import flask
assert flask.Flask is not before
assert flask.Flask is importlib.import_module("flaskfork.app").Flask
"""
    run_python("-c", code, json.dumps(all_modules))


def test_deleting_the_alias_only(run_python: RunPython, all_modules: list[str]) -> None:
    code = f"""{IMPORT_ALL}
import flask.testing
before = flask
for name in [n for n in sys.modules if (n + ".").startswith("flask.")]:
    del sys.modules[name]
import_all("flask")
import_all("flaskfork")
check()
import flask
assert flask is before
"""
    run_python("-c", code, json.dumps(all_modules))


@pytest.mark.parametrize("deleted", ["flaskfork", "flaskfork.", "flaskfork.views"])
@pytest.mark.parametrize("first", ["flask", "flaskfork"])
def test_deleting_by_the_name_of_the_fork_only(
    run_python: RunPython, deleted: str, first: str
) -> None:
    code = f"""
        import sys
        import flask.app, flask.views
        old = [flask, flask.app, flask.views]
        for name in [n for n in sys.modules if n.startswith("{deleted}")]:
            del sys.modules[name]
        import {first}.app, {first}.testing, {first}.views
        import flask.app, flask.testing, flask.views
        import flaskfork.app, flaskfork.testing, flaskfork.views
        for name in ["", ".app", ".testing", ".views"]:
            assert sys.modules["flask" + name] is sys.modules["flaskfork" + name], name
        assert sys.modules["flask.views"] is not old[2] or {first == "flask"}
        assert flask.Flask is flaskfork.Flask
        assert flask.app.Flask is flaskfork.app.Flask
        assert flask.views.MethodView is flaskfork.views.MethodView
    """
    run_python("-c", code)


def test_deleting_the_package_by_the_name_of_the_fork_only(
    run_python: RunPython,
) -> None:
    code = """
        import sys
        import flask
        old = flask
        del sys.modules["flaskfork"]
        import flaskfork
        assert sys.modules["flask"] is flaskfork is not old
        import importlib
        assert importlib.reload(flaskfork) is flaskfork is sys.modules["flask"]
    """
    run_python("-c", code)


@pytest.mark.parametrize("name", ["flask", "flaskfork"])
def test_patching_one_name_shows_under_both(run_python: RunPython, name: str) -> None:
    code = f"""
        from unittest import mock
        import flask.helpers, flaskfork.helpers
        real = flask.helpers.url_for
        with mock.patch("{name}.helpers.url_for") as fake:
            assert flask.helpers.url_for is fake
            assert flaskfork.helpers.url_for is fake
        assert flask.helpers.url_for is real
        with mock.patch("{name}.url_for") as fake:
            assert flask.url_for is flaskfork.url_for is fake
        with mock.patch.dict("sys.modules"):
            import flask.views
        import flaskfork.views
        import flask.views
        assert flask.views is flaskfork.views
    """
    run_python("-c", code)


def test_contexts_and_signals_are_the_same(run_python: RunPython) -> None:
    code = """
        import flask.globals, flask.signals
        import flaskfork.globals, flaskfork.signals
        for name in ["_cv_app", "g", "current_app", "request", "session"]:
            one = vars(flask.globals)[name]
            assert vars(flaskfork.globals)[name] is one, name
        signals = [n for n in vars(flask.signals) if not n.startswith("_")]
        assert "request_started" in signals
        for name in signals:
            assert vars(flask.signals)[name] is vars(flaskfork.signals)[name], name
        app = flaskfork.Flask("x")
        with app.test_request_context("/?a=b"):
            assert flask.current_app == app
            assert flask.request.args["a"] == "b"
    """
    run_python("-c", code)


def test_pickles_of_upstream_load(run_python: RunPython) -> None:
    code = """
        import pickle
        # As plain Flask pickles flask.Flask and flask.json.provider.JSONProvider.
        app = pickle.loads(b"cflask.app\\nFlask\\n.")
        provider = pickle.loads(b"cflask.json.provider\\nJSONProvider\\n.")
        import flask.json.provider
        assert app is flask.Flask
        assert provider is flask.json.provider.JSONProvider
        assert pickle.loads(pickle.dumps(flask.Flask)) is flask.Flask
    """
    run_python("-c", code)
