"""Building a URL takes fewer steps, and gives the same URL or error."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from counting import AS_FLASK
from counting import saved

PROGRAM = """
import flask

app = flask.Flask(__name__)
app.add_url_rule("/item/<int:n>", "item", lambda n: "")
app.test_request_context("/item/1").push()

def act():
    return {}
"""

#: Prints what url_for returns, or the error that it raises, for each case.
CASES = """
import json
import flask
from werkzeug.routing import BaseConverter, BuildError, MapAdapter, Rule
from werkzeug.routing import ValidationError

class Short(BaseConverter):
    def to_url(self, value):
        if len(value) > 3:
            raise ValidationError
        return value

class Names(BaseConverter):
    def to_url(self, value):
        return flask.url_for("gone")

class Equal:
    def __eq__(self, other):
        raise RuntimeError("compared")

    def __repr__(self):
        return "equal"

def make(**options):
    class App(flask.Flask):
        def handle_url_build_error(self, error, endpoint, values):
            if values.get("handled"):
                return f"{endpoint} {sorted(values.items())}"
            return super().handle_url_build_error(error, endpoint, values)

    app = App(__name__, **options)
    app.url_map.converters.update(short=Short, names=Names)
    blueprint = flask.Blueprint("b", __name__, url_prefix="/b")
    inner = flask.Blueprint("c", __name__, url_prefix="/c")
    for target in (app, blueprint, inner):
        def view(**values):
            return ""
        target.add_url_rule("/plain", "plain", view)
        target.add_url_rule("/item/<int:n>", "item", view)
        target.add_url_rule("/é/<x>/<path:y>", "two", view)
        target.add_url_rule("/post", "post", view, methods=["POST"])
        target.add_url_rule("/m/get", "methods", view, methods=["GET"])
        target.add_url_rule("/m/put", "methods", view, methods=["PUT"])
        target.add_url_rule("/several", "several", view)
        target.add_url_rule("/several/<x>", "several", view)
        target.add_url_rule("/several/<x>/<y>", "several", view)
        target.add_url_rule("/pages", "pages", view, defaults={"n": 1})
        target.add_url_rule("/pages/<int:n>", "pages", view)
        target.add_url_rule("/d/post/<x>", "mixed", view, methods=["POST"])
        target.add_url_rule("/d/get", "mixed", view, defaults={"z": 1})
        target.add_url_rule("/short/<short:x>", "short", view)
        target.add_url_rule("/longer/<x>", "short", view)
        target.add_url_rule("/only/<short:x>", "only", view)
        target.add_url_rule("/names/<names:x>", "names", view)
        target.add_url_rule("/any/<any(a,b):x>", "any", view)
        target.add_url_rule("/sub", "sub", view, subdomain="sub")
        target.add_url_rule("/sub", "var", view, subdomain="<x>")
        target.add_url_rule("/ws", "ws", view, websocket=True)
        target.add_url_rule("/alias", "alias", view, alias=True)
        target.add_url_rule("/alias/<x>", "alias", view)
        target.add_url_rule("/build", "build", view, build_only=True)
        target.add_url_rule("//a//<x>/", "slashes", view)
    blueprint.register_blueprint(inner)
    app.register_blueprint(blueprint)
    return app

def defaults(app):
    @app.url_defaults
    def add(endpoint, values):
        values.setdefault("lang", endpoint)

def blueprint_defaults(app):
    app.url_default_functions["b"].append(lambda e, values: values.update(x="b"))

def failing_defaults(app):
    @app.url_defaults
    def add(endpoint, values):
        raise KeyError(endpoint)

def sort(app):
    app.url_map.sort_parameters = True

def host_matching(app):
    app.url_map.host_matching = True

def later(app):
    with app.test_request_context("/"):
        app.url_for("plain")
    app.add_url_rule("/plain/<x>", "plain")
    app.url_map.add(Rule("/added", endpoint="added"))

def own_build(app):
    app.url_map._rules_by_endpoint["item"][0].build = lambda *args: ("", "/own")

def own_suitable(app):
    app.url_map._rules_by_endpoint["item"][0].suitable_for = lambda *args: False

def own_rule(app):
    class Own(Rule):
        def build(self, values, append_unknown=True):
            return "", "/own/rule"
    app.url_map.add(Own("/own", endpoint="own"))

def own_methods(app):
    for rule in app.url_map.iter_rules("methods"):
        rule.methods = None

def refreshed(app):
    rule, = app.url_map.iter_rules("item")
    rule.rule = "/changed/<int:n>"
    rule.refresh()

def own_adapter(app):
    class Own(MapAdapter):
        def build(self, *args, **kwargs):
            return repr((args, sorted(kwargs.items())))
    make = app.create_url_adapter
    def create(request):
        adapter = make(request)
        if adapter is not None:
            adapter.__class__ = Own
        return adapter
    app.create_url_adapter = create

def own_inject(app):
    app.inject_url_defaults = lambda endpoint, values: values.update(q=endpoint)

def own_url_for(app):
    app.url_for = lambda *args, **kwargs: repr((args, sorted(kwargs.items())))

SETTINGS = {
    "plain": ({}, None), "defaults": ({}, defaults), "failing": ({}, failing_defaults),
    "blueprint defaults": ({}, blueprint_defaults),
    "sort": ({}, sort), "later": ({}, later), "refreshed": ({}, refreshed),
    "own build": ({}, own_build), "own suitable": ({}, own_suitable),
    "own rule": ({}, own_rule), "own methods": ({}, own_methods),
    "own adapter": ({}, own_adapter), "own inject": ({}, own_inject),
    "own url_for": ({}, own_url_for), "host flag": ({}, host_matching),
    "subdomains": ({"subdomain_matching": True}, None),
    "hosts": ({"host_matching": True, "static_host": "example.org"}, None),
}
PLACES = [
    dict(path="/plain"), dict(path="/b/plain"), dict(path="/b/c/plain"),
    dict(path="/missing"), dict(path="/plain", method="POST"),
    dict(path="/m/put", method="PUT"), dict(path="/plain", base_url="https://e.org/r"),
    dict(path="/plain", base_url="http://e.org/r/é/"),
    dict(path="/sub", base_url="http://sub.example.org/"), None,
]
VALUES = [
    {}, dict(n=1), dict(n="a"), dict(n=None, x=None), dict(x="a b", y="c/é?#"),
    dict(x="x"), dict(x="", y=""), dict(x="longer"), dict(q=["a", "b"], x="a"),
    dict(z=1, x="a"), dict(z=2, x="a"), dict(n=1, handled=True), dict(x=Equal()),
    dict(self=1, endpoint_=2), dict(_anchor="é x", n=1), dict(_external=True, n=1),
    dict(_external=False, x="a"), dict(_external=0, n=1, handled=1),
    dict(_scheme="https", n=1), dict(_scheme="https", _external=False),
    dict(_method="POST", n=1, x="x"), dict(_method="PUT"), dict(_method=""),
    dict(handled=True, _anchor="a", _method="PUT", n=2),
]
NAMES = [
    "plain", "item", "two", "post", "methods", "several", "pages", "mixed", "short",
    "only", "names", "any", "sub", "var", "ws", "alias", "build", "slashes",
]
ENDPOINTS = [
    *NAMES, ".item", ".two", ".pages", "b.item", "b.two", "b.short",
    "static", "gone", "own", "added", "", ".", "b.c.item", "..item", None, 5, b"item",
]

def outcome(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except BuildError as e:
        # Its text names the closest rule, which takes long to find.
        return [e.endpoint, e.values, e.method, type(e.__context__).__name__]
    except Exception as e:
        return [type(e).__name__, str(e), type(e.__context__).__name__]

def cases(setting):
    options, change = SETTINGS[setting]
    app = make(**options)
    if change:
        change(app)
    # The first setting is tried everywhere, the others where it matters.
    for where in PLACES if setting == "plain" else PLACES[1::4]:
        if where is None:
            context = app.app_context()
        else:
            base = {"base_url": "http://example.org/", **where}
            context = app.test_request_context(**base)
        with context:
            for endpoint in ENDPOINTS:
                for values in VALUES:
                    found = outcome(flask.url_for, endpoint, **values)
                    yield repr((where, endpoint, list(values), found))

import sys
found = list(cases(sys.argv[1]))
built = sum(line.endswith("')") for line in found)
print(json.dumps([built, found]))
"""
SETTINGS = [
    *("plain", "defaults", "failing", "blueprint defaults", "sort", "later"),
    *("refreshed", "own build", "own suitable", "own rule", "own methods"),
    *("own adapter", "own inject", "own url_for", "host flag", "subdomains", "hosts"),
]


@pytest.mark.parametrize(
    ("call", "share"),
    [("flask.url_for('item', n=1)", 0.2), ("app.url_for('item', n=1)", 0.2)],
)
def test_fewer_steps(call: str, share: float) -> None:
    program = PROGRAM.format(call)
    assert saved(program, "urls") > share


def found(setting: str, switch: str) -> tuple[int, list[str]]:
    environ = {**os.environ, "FLASKFORK_FAST": switch, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "ignore", "-c", AS_FLASK + CASES, setting]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_as_without(setting: str) -> None:
    built, lean = found(setting, "")
    plain_built, plain = found(setting, "-urls")
    different = [pair for pair in zip(lean, plain) if pair[0] != pair[1]]
    assert different[:3] == []
    assert len(lean) == len(plain) > 1500
    assert built == plain_built
    assert built > 100 or setting in ("failing", "own adapter", "own url_for")
