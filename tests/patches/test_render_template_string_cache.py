"""With a flag, a string template is compiled once, and still evaluated anew."""

from __future__ import annotations

import functools
import gc
import threading
import weakref

import flask
import jinja2
import pytest
from flask import render_template_string
from flask import request
from flask import stream_template_string
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jinja2.ext import Extension
from jinja2.filters import do_upper
from jinja2.nativetypes import NativeCodeGenerator
from werkzeug.datastructures import ImmutableDict


def make_app(name=__name__, size=128):
    app = flask.Flask(name)
    app.config["TEMPLATE_STRING_CACHE"] = size
    return app


@pytest.fixture
def app():
    return make_app()


@pytest.fixture
def compiled(app, monkeypatch):
    """The sources that were compiled, in order."""
    sources = []
    compile = jinja2.Environment.compile  # noqa: A001

    def spy(self, source, *args, **kwargs):
        sources.append(source)
        return compile(self, source, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "compile", spy)
    return sources


def render(app, source, /, **values):
    with app.test_request_context("/"):
        return render_template_string(source, **values)


@pytest.mark.parametrize("size", [None, 0, False])
def test_without_the_flag(app, compiled, size):
    assert flask.Flask.default_config["TEMPLATE_STRING_CACHE"] == 0
    app.config["TEMPLATE_STRING_CACHE"] = size
    for n in range(3):
        assert render(app, "{{ n }}", n=n) == str(n)
    assert len(compiled) == 3


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "TEMPLATE_STRING_CACHE"
        )

    assert render(App(__name__), "{{ 1 }}") == "1"


def test_once(app, compiled):
    for n in range(5):
        assert render(app, "{{ n }} {{ 'x'|upper }}", n=n) == f"{n} X"
        with app.test_request_context():
            stream = stream_template_string("{{ n }} {{ 'x'|upper }}", n=n)
            assert "".join(stream) == f"{n} X"
    assert len(compiled) == 1


def test_the_number_is_bounded(app, compiled):
    for _ in range(2):
        for n in range(1000):
            assert render(app, f"{n} {{{{ n }}}}", n=n) == f"{n} {n}"
    assert len(compiled) == 2000
    for n in range(1000 - 128, 1000):
        assert render(app, f"{n} {{{{ n }}}}", n=n) == f"{n} {n}"
    assert len(compiled) == 2000
    gc.collect()
    templates = [o for o in gc.get_objects() if type(o) is jinja2.Template]
    assert not [o for o in templates if o.environment is app.jinja_env]


def test_long_sources_are_not_kept(app, compiled):
    source = "x" * 100_000
    for _ in range(2):
        assert render(app, source) == source
    assert len(compiled) == 2


def test_the_application_can_be_collected():
    app = make_app()
    render(app, "{{ 1 }}")
    ref = weakref.ref(app)
    del app
    gc.collect()
    assert ref() is None


def test_what_is_not_a_string(app):
    assert render(app, app.jinja_env.parse("{{ n }}"), n=1) == "1"
    with pytest.raises((TypeError, AttributeError)):
        render(app, 5)


def test_errors_are_raised_each_time(app):
    messages = set()
    for _ in range(2):
        with pytest.raises(jinja2.TemplateSyntaxError) as caught:
            render(app, "{% if %}")
        messages.add(str(caught.value))
        with pytest.raises(ZeroDivisionError):
            render(app, "{{ 1 // n }}", n=0)
    assert len(messages) == 1
    assert render(app, "{{ 1 // n }}", n=1) == "1"


@pytest.mark.parametrize("source", ["{{ 'a'|shout }}", "{{ a|shout }}"])
def test_filters_that_change(app, source):
    app.add_template_filter(lambda s: s + "!", "shout")
    assert render(app, source, a="a") == "a!"
    app.jinja_env.filters["shout"] = lambda s: s + "?"
    assert render(app, source, a="a") == "a?"
    del app.jinja_env.filters["shout"]
    with pytest.raises(jinja2.TemplateError, match="No filter named 'shout'"):
        render(app, source, a="a")


def test_filters_of_jinja_that_are_replaced(app):
    assert render(app, "{{ 'a'|upper }}") == "A"
    app.jinja_env.filters["upper"] = lambda s: "replaced"
    assert render(app, "{{ 'a'|upper }}") == "replaced"


@pytest.mark.parametrize("source", ["{{ 7 is lucky }}", "{{ 7 is lucky(n) }}"])
def test_tests_that_change(app, source):
    app.add_template_test(lambda n, *args: True, "lucky")
    assert render(app, source) == "True"
    app.jinja_env.tests["lucky"] = lambda n, *args: False
    assert render(app, source) == "False"


def test_globals_that_change(app):
    app.jinja_env.globals["version"] = 1
    assert render(app, "{{ version }}") == "1"
    app.jinja_env.globals["version"] = 2
    assert render(app, "{{ version }}") == "2"
    app.jinja_env.globals = {**app.jinja_env.globals, "version": 3}
    assert render(app, "{{ version }}") == "3"
    app.add_template_global(lambda: 4, "version")
    assert render(app, "{{ version() }}") == "4"
    del app.jinja_env.globals["version"]
    assert render(app, "{{ version }}") == ""


def test_globals_that_are_replaced_by_equal_ones(app):
    assert render(app, "{{ version }}") == ""
    app.jinja_env.globals = dict(app.jinja_env.globals)
    app.jinja_env.globals["version"] = 1
    assert render(app, "{{ version }}") == "1"


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("autoescape", False, "<b>\n 1"),
        ("trim_blocks", True, "&lt;b&gt; 1"),
        ("lstrip_blocks", True, "&lt;b&gt;\n1"),
        ("variable_start_string", "[[", "{{ b }}\n 1"),
        ("finalize", lambda v: f"<{v}>", "&lt;&lt;b&gt;&gt;\n &lt;1&gt;"),
    ],
)
def test_settings_that_change(app, attribute, value, expected):
    source = "{{ b }}{% if 1 %}\n {% endif %}{{ 1 }}"
    assert render(app, source, b="<b>") == "&lt;b&gt;\n 1"
    setattr(app.jinja_env, attribute, value)
    fresh = app.jinja_env.from_string(source).render(b="<b>")
    assert render(app, source, b="<b>") == fresh
    assert fresh != "&lt;b&gt;\n 1"


def test_autoescape_that_changes():
    class App(flask.Flask):
        escape = True

        def select_jinja_autoescape(self, filename):
            return self.escape

    app = App(__name__)
    app.config["TEMPLATE_STRING_CACHE"] = 128
    source = "{{ b }}{{ '<i>' }}"
    for escape in (True, False, True):
        app.escape = escape
        expected = "&lt;b&gt;&lt;i&gt;" if escape else "<b><i>"
        assert render(app, source, b="<b>") == expected


def test_constants_that_depend_on_the_request(app):
    """Jinja calls a filter on a constant while it compiles."""
    app.add_template_filter(lambda key: f"{key} {request.path}", "localized")
    app.add_template_test(lambda path: path == request.path, "active")
    app.jinja_env.finalize = None
    sources = {
        "{{ 'a'|localized }}": "a {}",
        "{{ ('a' ~ 'b')|localized|upper|lower }}": "ab {}",
        "{% if '/two' is active %}{{ 'a'|localized }}{% endif %}{{ p }}": None,
        "{% filter localized %}a{% endfilter %}": "a {}",
        "{% set a = 'a'|localized %}{{ a }}": "a {}",
    }
    for path in ("/one", "/two", "/one"):
        for source, expected in sources.items():
            with app.test_request_context(path):
                found = render_template_string(source, p=path)
            if expected is None:
                expected = "a {0}{0}" if path == "/two" else "{}"
            assert found == expected.format(path)


def test_a_filter_on_what_is_no_constant_is_compiled_once(app, compiled):
    app.add_template_filter(lambda key: f"{key} {request.path}", "localized")
    for path in ("/one", "/two"):
        with app.test_request_context(path):
            assert render_template_string("{{ a|localized }}", a="a") == f"a {path}"
    assert len(compiled) == 1


def test_the_json_provider_of_constants(app):
    source = "{{ 'é'|tojson }}"
    assert render(app, source) == '"\\u00e9"'
    app.json.ensure_ascii = False
    assert render(app, source) == '"é"'


def test_extensions(app):
    class Counter(Extension):
        calls = 0

        def preprocess(self, source, name, filename=None):
            Counter.calls += 1
            return source.replace("COUNT", str(self.calls))

    assert render(app, "COUNT") == "COUNT"
    app.jinja_env.add_extension("jinja2.ext.do")
    assert render(app, "{% do 1 %}") == ""
    app.jinja_env.add_extension(Counter)
    assert render(app, "COUNT") == "1"
    assert render(app, "COUNT") == "2"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x'|own }}",
        "{{ (true or y)|own }}",
        "{{ (false and y)|own }}",
        "{{ (2 < 1 < y)|own }}",
        "{{ ('x' if true else y)|own }}",
        "{{ 'x'|own('a' if true else y) }}",
        "{{ ('x' ~ 1)|upper|own }}",
        "{% if (1 or y) is own %}{% endif %}",
        "{% filter own %}x{% endfilter %}",
    ],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_custom_functions_of_constants(app, monkeypatch, source, everywhere):
    """They may depend on the request, even with variables that are never evaluated."""
    calls = []
    filters, tests = app.jinja_env.filters, app.jinja_env.tests
    if everywhere:
        monkeypatch.setitem(jinja2.filters.FILTERS, "own", None)
        monkeypatch.setitem(jinja2.tests.TESTS, "own", None)
        filters, tests = jinja2.filters.FILTERS, jinja2.tests.TESTS

    def own(value, *args):
        calls.append(value)
        return "x"

    filters["own"] = tests["own"] = own
    if everywhere:
        app = make_app()
    before = len(calls)
    for n in range(1, 4):
        render(app, source, y=1)
        assert len(calls) >= before + n


def test_custom_functions_of_variables(app, compiled):
    app.template_filter("own")(lambda value, *args: f"{value}{len(args)}")
    source = "{{ y|own }} {{ y.real|upper|own('x') }} {{ y[0]|own }}"
    for n in range(3):
        assert render(app, source, y=n) == f"{n}0 {n}1 0"
    assert len(compiled) == 1


def replace_name(source):
    return source.replace("NAME", flask.request.args["name"])


class FromString(flask.templating.Environment):
    def from_string(self, source, *args, **kwargs):
        return super().from_string(replace_name(source), *args, **kwargs)


class Parse(flask.templating.Environment):
    def _parse(self, source, *args):
        return super()._parse(replace_name(source), *args)


class GetAttribute(flask.templating.Environment):
    def getattr(self, obj, attribute):
        return replace_name("NAME")


class Generator(jinja2.compiler.CodeGenerator):
    def visit_TemplateData(self, node, frame):
        node.data = replace_name(node.data)
        super().visit_TemplateData(node, frame)

    def visit_Output(self, node, frame):
        node.nodes.append(jinja2.nodes.TemplateData(replace_name("NAME")))
        super().visit_Output(node, frame)


class WithGenerator(flask.templating.Environment):
    code_generator_class = Generator


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        (FromString, "NAME"),
        (Parse, "NAME"),
        (GetAttribute, "{{ 'x'.name }}"),
        (WithGenerator, "{{ 1 }}"),
    ],
)
def test_an_environment_that_compiles_otherwise(app, environment, source):
    app.jinja_environment = environment
    for name in ("alice", "bob"):
        with app.test_request_context(f"/?name={name}"):
            assert name in render_template_string(source)


def test_another_environment(app):
    assert render(app, "{{ version }}") == ""
    app.jinja_env = app.jinja_env.overlay(variable_start_string="[[")
    assert render(app, "{{ version }}") == "{{ version }}"
    other = make_app("other")
    other.jinja_env.globals["version"] = 1
    assert render(other, "{{ version }}") == "1"


def test_what_a_template_includes(app, tmp_path):
    app.template_folder = str(tmp_path)
    app.jinja_env.auto_reload = True
    app.jinja_env.loader = loader = jinja2.DictLoader({"a": "one"})
    assert render(app, "{% include 'a' %}") == "one"
    loader.mapping["a"] = "two"
    assert render(app, "{% include 'a' %}") == "two"


def test_signals_and_context_processors(app):
    seen = []

    def receiver(sender, template, context, **kwargs):
        seen.append((template.name, context["n"], context["m"]))

    app.context_processor(lambda: {"m": len(seen)})
    with flask.template_rendered.connected_to(receiver, app):
        assert [render(app, "{{ n }}{{ m }}", n=n) for n in (1, 2)] == ["10", "21"]
    assert seen == [(None, 1, 0), (None, 2, 1)]


def test_threads(app):
    sources = [f"{n} {{{{ 'x'|shout }}}} {{{{ a|shout }}}}" for n in range(300)]
    failed = []
    app.jinja_env.filters["shout"] = lambda s: s + "0"

    def visit():
        for _ in range(3):
            for n, source in enumerate(sources):
                text = render(app, source, a="a")
                first, x, a = text.split()
                if first != str(n) or not x.startswith("x") or not a.startswith("a"):
                    failed.append(text)

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    version = 0
    while any(thread.is_alive() for thread in threads):
        version += 1
        app.jinja_env.filters["shout"] = lambda s, v=version: f"{s}{v}"
        assert render(app, "{{ 'x'|shout }}") == f"x{version}"
    for thread in threads:
        thread.join()
    assert failed == []
    app.jinja_env.filters["shout"] = lambda s: s + "!"
    for n, source in enumerate(sources):
        assert render(app, source, a="a") == f"{n} x! a!"


pieces = st.sampled_from(
    [
        *("text ", "{{ a }}", "{{ 'c'|own }}", "{{ a|own }}", "{{ 'c'|upper }}"),
        *("{{ 3 is odd }}", "{{ 3 is own }}", "{{ a is own }}", "{% set a = 1 %}"),
        *("{{ own }}", "{{ [1, a]|join('x'|own) }}", "{{ {'k': 1}|tojson }}"),
    ]
)
changes = st.sampled_from(["filter", "test", "global", "trim", "none", "none"])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(changes, st.lists(pieces, max_size=4).map("".join))))
def test_it_renders_what_a_new_template_would(steps):
    app = make_app("property")
    env = app.jinja_env
    env.filters["own"] = env.tests["own"] = str
    for number, (change, source) in enumerate(steps):
        if change == "filter":
            env.filters["own"] = lambda s, n=number: f"{s}{n}"
        elif change == "test":
            env.tests["own"] = lambda s, n=number: n % 2
        elif change == "global":
            env.globals["own"] = number
        elif change == "trim":
            env.trim_blocks = not env.trim_blocks
        for a in ("x", "y"):
            with app.app_context():
                found = render_template_string(source, a=a)
            new = env.overlay(optimized=True).compile(source)
            template = jinja2.Template.from_code(env, new, env.make_globals(None))
            assert found == template.render(a=a)


CONSTANTS = [
    "{{ 'key'|upper }}",
    "{% if 3 is odd %}odd{% endif %}",
    "{{ 3 is odd }}",
    "{{ ('a' ~ 'b')|upper|lower }}",
    "{{ ['a', 'b']|map('upper')|join(',') }}",
    "{{ [1, 2, 3]|select('odd')|list }}",
    "{{ 'x' if 3 is odd else 'y' }}",
    "{% set x = 'a'|upper %}{{ x }}",
    "{% filter upper %}a{% endfilter %}",
    "{% autoescape 3 is odd %}{{ '<b>' }}{{ b }}{% endautoescape %}",
    "{% autoescape 'a'|upper is odd %}<i>{{ b }}{{ 'c'|upper }}{% endautoescape %}",
    "{% macro m(a='d'|upper) %}{{ a }}{{ 3 is odd }}{% endmacro %}{{ m() }}",
    "{% for c in 'ab'|upper %}{{ c }}{{ loop.index is odd }}{% endfor %}",
    "{% block b %}{{ 'x'|upper }}{% endblock %}",
    "{% with a = 'x'|upper %}{{ a }}{% endwith %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ 5 is odd }}"
    "{% endcall %}",
    "{{ {'a': 'b'|upper}['a'] }}{{ ('a'|upper,)[0] }}{{ 'abc'[3 is odd:] }}",
    "{{ 'a'|upper == 'A' and 3 is odd or not 5 is odd }}",
    "{{ 1 }}{{ 'text' }}{{ none }}{{ 1 + 2 }}",
]


@pytest.mark.parametrize("size", [0, 128])
@pytest.mark.parametrize("source", CONSTANTS)
def test_what_a_tenant_sees(source, size):
    """Wrapped functions look like Jinja's own, and so does what replaces them."""
    app = make_app(size=size)

    def tenant():
        return request.args["tenant"]

    @app.template_filter("upper")
    @functools.wraps(do_upper)
    def upper(value):
        return f"{do_upper(value)} of {tenant()}"

    @app.template_test("odd")
    @functools.wraps(jinja2.tests.test_odd)
    def odd(value):
        return tenant() == "A"

    # Jinja applies it to the text too if it does not know whether to escape.
    if "autoescape" not in source:
        app.jinja_env.finalize = lambda value: f"{value} for {tenant()}"
    found = []
    for name in "ABAB":
        with app.test_request_context(f"/?tenant={name}"):
            fresh = jinja2.Environment.overlay(app.jinja_env).compile(source)
            new = jinja2.Template.from_code(
                app.jinja_env, fresh, app.jinja_env.make_globals(None)
            )
            assert render_template_string(source, b="<b>") == new.render(b="<b>")
            found.append(render_template_string(source, b="<b>"))
    assert found[0] == found[2] != found[1] == found[3]


@pytest.mark.parametrize("source", CONSTANTS)
def test_nothing_of_the_application_runs_while_compiling(app, source):
    def called(*args):
        pytest.fail("it was called")

    app.add_template_filter(called, "upper")
    app.jinja_env.filters.update(map=called, join=called, list=called, lower=called)
    app.add_template_test(called, "odd")
    app.jinja_env.finalize = called
    app.jinja_env.autoescape = True
    for _ in range(2):
        app.jinja_env.from_string(source)


def test_what_is_set_on_a_template_is_not_kept(app):
    def add_user(sender, template, context, **kwargs):
        template.globals.setdefault("user", context["name"])

    with flask.before_render_template.connected_to(add_user, app):
        for name in ("alice", "bob"):
            assert render(app, "{{ user }}", name=name) == name


def test_globals_and_classes_of_a_call(app, compiled):
    class Loud(jinja2.Template):
        def render(self, *args, **kwargs):
            return super().render(*args, **kwargs).upper()

    env = app.jinja_env
    assert env.from_string("{{ v }}", {"v": "a"}).render() == "a"
    assert env.from_string("{{ v }}", globals={"v": "b"}).render() == "b"
    assert env.from_string("{{ v }}", {"v": "c"}, Loud).render() == "C"
    assert env.from_string("{{ v }}").render() == ""
    assert len(compiled) == 1


def test_generators_of_the_application(app):
    app.jinja_env.code_generator_class = Generator
    for name in ("alice", "bob"):
        with app.test_request_context(f"/?name={name}"):
            assert name in render_template_string("{{ 1 }}")
    app.jinja_env.code_generator_class = NativeCodeGenerator
    app.jinja_env.concat = list
    assert render(app, "{{ 1 }}{{ n }}", n=2) == ["1", 2]


def test_pass_arguments_of_a_filter_that_is_replaced(app):
    source = "{{ 'a'|f }}{{ b|f }}"
    app.jinja_env.filters["f"] = lambda value: value
    assert render(app, source, b="b") == "ab"
    app.jinja_env.filters["f"] = jinja2.pass_context(lambda c, value: c["b"] + value)
    assert render(app, source, b="b") == "babb"
    app.jinja_env.filters["f"] = jinja2.pass_environment(lambda e, v: type(e).__name__)
    assert render(app, source, b="b") == "EnvironmentEnvironment"


def test_the_size_can_change(app, compiled):
    for size, expected in [(1, 4), (2, 6), (0, 10)]:
        app.config["TEMPLATE_STRING_CACHE"] = size
        for source in ("{{ 1 }}", "{{ 2 }}") * 2:
            render(app, source)
        assert len(compiled) == expected
