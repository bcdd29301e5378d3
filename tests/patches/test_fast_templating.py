"""Rendering takes fewer steps, and gives the same text, signals and errors."""

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
app.jinja_env.globals.update(plain=lambda *args: "")
template = app.jinja_env.from_string("{{ plain(1) }}{{ plain(2) }}")
app.test_request_context().push()

def act():
    return flask.render_template(template, a=1)
"""

#: Prints what each way of rendering returns, or the error that it raises.
CASES = """
import json, sys
import flask
import jinja2
from jinja2 import DictLoader, pass_context, pass_environment, pass_eval_context
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment
from flask.templating import Environment

class Callable:
    def __call__(self, *args):
        return f"called {args}"

class Asking:
    @pass_context
    def __call__(self, context, *args):
        return f"asked {context.name} {context.get('a')} {context.get('x')}"

class Methods:
    def plain(self, *args, **kwargs):
        return f"plain {args} {sorted(kwargs)}"

    @pass_context
    def asking(self, context, value=None):
        return f"asking {sorted(context.get_all())} {value}"

    @classmethod
    def of_class(cls):
        return cls.__name__

    @staticmethod
    def static():
        return "static"

def stop():
    raise StopIteration("stopped")

def fail():
    raise KeyError("failed")

def marked():
    return "marked"
marked.anything = 1

def patched(context, *args):
    return f"patched {type(context).__name__}"
patched.jinja_pass_arg = pass_context(lambda c: 1).jinja_pass_arg

GLOBALS = dict(
    callable=Callable(), asking=Asking(), methods=Methods(), stop=stop, fail=fail,
    marked=marked, patched=patched, length=len, kind=Methods, text=str,
    context=pass_context(lambda c, *a, **k: f"{c!r}"[:40] + c.name + str(a) + str(k)),
    names=pass_context(lambda c: f"{list(c.get_all())} {sorted(c.globals_keys)}"),
    local=pass_context(lambda c: f"{c.get('x')} {c.get('y')} {'x' in c.vars}"),
    environment=pass_environment(lambda e: type(e).__name__),
    evaluated=pass_eval_context(lambda e, *a: f"{e.autoescape} {a}"), a="global",
)
BODIES = [
    "{{ a }} {{ b }} {{ missing }}", "{{ callable(1) }} {{ asking(2) }}",
    "{{ methods.plain(1, k=2) }} {{ methods.asking(3) }} {{ kind.of_class() }}",
    "{{ methods.static() }} {{ length([1, 2]) }} {{ text(3) }} {{ kind().plain() }}",
    "{{ stop() }}", "{{ stop().more }}", "{{ fail() }}", "{{ missing() }}", "{{ 5() }}",
    "{{ marked() }} {{ patched(1) }} {{ context(1, k=2) }} {{ names() }}",
    "{% for x in [1, 2] %}{{ local() }} {{ loop.index }} {{ marked() }}{% endfor %}",
    "{% set x = 3 %}{{ local() }}{% block q %}{{ local() }}{% endblock %}",
    "{% macro m(v) %}<{{ v }}{{ caller() if caller }}>{% endmacro %}{{ m('<') }}"
    "{% call m(1) %}{{ names() }}{% endcall %}",
    "{% include 'part.html' %}", "{% include 'part.html' without context %}",
    "{% for x in [1] %}{% include 'part.html' %}{% endfor %}",
    "{% import 'macros.html' as q %}{{ q.m(1) }}{{ q.exported }}",
    "{% from 'macros.html' import m with context %}{{ m(2) }}",
    "{% extends 'base.html' %}{% block b %}{{ super() }}{% endblock %}",
    "{{ environment() }} {{ evaluated(1) }} {{ '<' }}",
    "{{ url_for('static', filename='a') }} {{ request.path }} {{ g.x }}",
    "{{ config.TESTING }} {{ get_flashed_messages() }} {{ range(3) }} {{ dict(a=1) }}",
    "{{ namespace(x=1).x }} {{ cycler(1, 2).next() }} {{ lipsum.__name__ }}",
    "{% for x in [[1, [2]]] recursive %}{{ loop(x) if x is iterable }}{% endfor %}",
    "{{ methods.plain(_block_vars=1) }}", "{{ patched.x }} {{ a() }}",
]
PARTS = {
    "part.html": "{{ names() }} {{ local() }} {{ a }}",
    "macros.html": "{% macro m(v) %}{{ v }}{{ a }}{{ names() }}{% endmacro %}"
    "{% set exported = a %}",
    "base.html": "[{% block b %}base {{ names() }}{% endblock %}]{{ names() }}",
}
VALUES = [{}, {"a": 1}, {"a": "<", "b": "&"}, {"url_for": lambda *a, **k: "own"},
          {"self": 1, "x": 2, "y": None}]

def no_change(app):
    pass

def processors(app):
    app.context_processor(lambda: {"a": "processed", "b": 2})

def blueprint_processors(app):
    app.template_context_processors["b"].append(lambda: {"a": "of b"})

def no_processors(app):
    app.template_context_processors[None].clear()

def gone_processors(app):
    app.template_context_processors.clear()

def own_context(app):
    class Own(jinja2.runtime.Context):
        def resolve_or_missing(self, key):
            found = super().resolve_or_missing(key)
            return f"own {found}" if isinstance(found, str) else found
    app.jinja_env.context_class = Own

def own_template(app):
    class Own(jinja2.Template):
        def render(self, *args, **kwargs):
            return "own " + super().render(*args, **kwargs)
    app.jinja_env.template_class = Own

def own_globals(app):
    class Own(dict):
        def __getitem__(self, key):
            return dict.get(self, key, key)
    app.jinja_env.globals = Own(app.jinja_env.globals)

def no_globals(app):
    app.jinja_env.globals.clear()

def later_context(app):
    class Own(jinja2.runtime.Context):
        def call(__self, __obj, *args, **kwargs):
            return f"later {super().call(__obj, *args, **kwargs)}"
    app.jinja_env.from_string("{{ a }}").render()
    jinja2.Environment.context_class = Own

def later_call(app):
    call = jinja2.runtime.Context.call
    def own(self, *args, **kwargs):
        return f"later {call(self, *args, **kwargs)}"
    jinja2.runtime.Context.call = own

def later_new_context(app):
    make = jinja2.Template.new_context
    def own(self, vars=None, *args, **kwargs):
        return make(self, {**(vars or {}), "b": "later"}, *args, **kwargs)
    jinja2.Template.new_context = own

def signals(app):
    flask.before_render_template.connect(before, app)
    flask.template_rendered.connect(after, app)

def before(sender, template, context):
    log.append(f"before {template.name} {sorted(context)}")
    context["a"] = "changed"

def after(sender, template, context):
    log.append(f"after {template.name} {sorted(context)}")

def autoescape(app):
    app.jinja_env.autoescape = lambda name: log.append(f"autoescape {name}") or True

def undefined(app):
    app.jinja_env.undefined = jinja2.StrictUndefined

def own_update(app):
    app.update_template_context = lambda context: context.update(a="updated")

class Native(NativeEnvironment, Environment):
    pass

class NativeLast(Environment, NativeEnvironment):
    pass

class Sandboxed(SandboxedEnvironment, Environment):
    pass

ENVIRONMENTS = {"native": Native, "native last": NativeLast, "sandboxed": Sandboxed}
CHANGES = [
    no_change, processors, blueprint_processors, no_processors, gone_processors,
    own_context, own_template, own_globals, no_globals, signals, autoescape, undefined,
    own_update, later_context, later_call, later_new_context,
]
log = []

def outcome(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as e:
        names = []
        tb = e.__traceback__
        while tb is not None:
            if "template" in tb.tb_frame.f_code.co_filename:
                names.append(tb.tb_frame.f_code.co_name)
            tb = tb.tb_next
        return [type(e).__name__, str(e), names[-1:]]

def cases(setting):
    class App(flask.Flask):
        jinja_environment = ENVIRONMENTS.get(setting, Environment)

    app = App(__name__)
    app.secret_key = "k"
    blueprint = flask.Blueprint("b", __name__)
    blueprint.add_url_rule("/b", "view", lambda: "")
    app.register_blueprint(blueprint)
    app.add_url_rule("/", "view", lambda: "")
    bodies = {f"{n}.html": body for n, body in enumerate(BODIES)}
    bodies.update({f"{n}.txt": body for n, body in enumerate(BODIES)})
    app.jinja_loader = DictLoader({**PARTS, **bodies})
    app.jinja_env.globals.update(GLOBALS)
    for change in CHANGES:
        if change.__name__ == setting:
            change(app)
    contexts = [app.test_request_context("/"), app.test_request_context("/b"),
                app.app_context()]
    # The first setting is tried everywhere.
    for context in contexts if setting == "no_change" else contexts[1:2]:
        with context:
            for name, body in bodies.items():
                for values in VALUES:
                    yield outcome(flask.render_template, name, **values)
                yield outcome(flask.render_template_string, body, a=1)
                yield outcome(lambda: "".join(flask.stream_template(name, a=1)))
                template = app.jinja_env.get_template(name, globals={"a": 2, "new": 3})
                yield outcome(flask.render_template, template)
                yield outcome(template.render, {"b": 1}, x=2)
                yield outcome(template.render, {1: 2})
                yield outcome(template.render)
                yield outcome(lambda: str(template.module))
                yield outcome(lambda: "".join(template.generate(a=5)))
    yield log

print(json.dumps([repr(found) for found in cases(sys.argv[1])]))
"""
SETTINGS = [
    *("no_change", "processors", "blueprint_processors", "no_processors"),
    *("gone_processors", "own_context", "own_template", "own_globals", "no_globals"),
    *("signals", "autoescape", "undefined", "own_update", "later_context"),
    *("later_call", "later_new_context", "native", "native last", "sandboxed"),
]


def test_fewer_steps() -> None:
    assert saved(PROGRAM, "templating") > 0.3


def found(setting: str, switch: str) -> list[str]:
    environ = {**os.environ, "FLASKFORK_FAST": switch, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "ignore", "-c", AS_FLASK + CASES, setting]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines: list[str] = json.loads(done.stdout)
    return lines


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_as_without(setting: str) -> None:
    lean, plain = found(setting, ""), found(setting, "-templating")
    different = [pair for pair in zip(lean, plain) if pair[0] != pair[1]]
    assert different[:3] == []
    assert len(lean) == len(plain) > 600
    rendered = sum(line[0] in "'\"" for line in lean)
    assert rendered > (30 if setting == "no_globals" else 300)
