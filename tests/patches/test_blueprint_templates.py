"""With a flag, a blueprint gets its own template before anybody else's."""

from __future__ import annotations

import logging
import pathlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import jinja2
import pytest
from werkzeug.datastructures import ImmutableDict

FLAG = "BLUEPRINT_TEMPLATES_FIRST"
#: Below the app's folder: who has a template says so in it.
OWN = {
    "app": ["layout.html", "only_app.html", "both.html"],
    "one": ["index.html", "layout.html", "both.html"],
    "two": ["index.html", "layout.html", "both.html"],
    "two_inner": ["layout.html", "only_inner.html"],
    "plain": [],
}
USES = {
    "include": '{% include "layout.html" %}',
    "include_list": '{% include ["nothing.html", "layout.html"] %}',
    "extends": '{% extends "layout.html" %}',
    "import": '{% import "layout.html" as m %}{{ m.name() }}',
    "from_import": '{% from "layout.html" import name %}{{ name() }}',
    "import_with": '{% import "layout.html" as m with context %}{{ m.name() }}',
    "include_twice": '{% include "use_include.html" %}',
    "import_of_import": '{% import "use_reexport.html" as m %}{{ m.text }}',
    "reexport": '{% from "layout.html" import name %}{% set text = name() %}{{ text }}',
}


def write(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    for template in OWN[name]:
        text = f"{{% macro name() %}}{name}{{% endmacro %}}{{{{ name() }}}}"
        (folder / template).write_text(text)
    if name == "app":
        for use, text in USES.items():
            (folder / f"use_{use}.html").write_text(text)


def blueprint(root, name, template_folder="templates", **kwargs):
    write(root / name / "templates", name)
    return flask.Blueprint(
        name.replace("two_", ""),
        __name__,
        root_path=str(root / name),
        template_folder=template_folder,
        url_prefix=f"/{name}",
        **kwargs,
    )


@pytest.fixture
def make_app(tmp_path):
    def make(enabled=True, **options):
        write(tmp_path / "templates", "app")
        app = flask.Flask(__name__, root_path=str(tmp_path))
        app.testing = True
        app.config[FLAG] = enabled
        app.jinja_options = options
        one, two, inner = (blueprint(tmp_path, n) for n in ("one", "two", "two_inner"))
        plain = blueprint(tmp_path, "plain", template_folder=None)
        for owner in (app, one, two, inner, plain):
            owner.add_url_rule("/render/<path:name>", "render", render)
            owner.add_url_rule("/stream/<path:name>", "stream", stream)
            owner.add_url_rule("/string/<path:name>", "string", string)
            owner.add_url_rule("/select/<path:name>", "select", select)
            owner.add_url_rule("/attribute/<path:name>", "attribute", attribute)
        two.register_blueprint(inner)
        for bp in (one, two, plain):
            app.register_blueprint(bp)
        return app

    return make


def render(name):
    return flask.render_template(name)


def stream(name):
    return flask.stream_template(name)


def string(name):
    return flask.render_template_string(f"{{% include {name!r} %}}")


def select(name):
    return flask.render_template(["no/such.html", name, "both.html"])


def attribute(name):
    return flask.get_template_attribute(name, "name")()


WAYS = ["render", "stream", "string", "select", "attribute"]
PLACES = ["", "/one", "/two", "/two/two_inner", "/plain"]


def get(app, path):
    return app.test_client().get(path).text


def everywhere(app, way, name):
    return [get(app, f"{place}/{way}/{name}") for place in PLACES]


def test_the_default(make_app):
    assert flask.Flask.default_config[FLAG] is False
    app = make_app(enabled=False)
    for way in WAYS:
        assert everywhere(app, way, "index.html") == ["one"] * 5
        assert everywhere(app, way, "layout.html") == ["app"] * 5


def test_an_app_class_whose_config_was_written_before(tmp_path):
    class App(flask.Flask):
        default_config = ImmutableDict(
            (k, v) for k, v in flask.Flask.default_config.items() if k != FLAG
        )

    write(tmp_path / "templates", "app")
    app = App(__name__, root_path=str(tmp_path))
    bp = blueprint(tmp_path, "one")
    bp.add_url_rule("/<name>", "render", render)
    app.register_blueprint(bp)
    assert get(app, "/one/layout.html") == "app"


@pytest.mark.parametrize("way", WAYS)
def test_the_own_template_is_first(make_app, way):
    app = make_app()
    for _ in range(2):
        assert everywhere(app, way, "layout.html") == [
            *("app", "one", "two", "two_inner", "app")
        ]
        # The app has none: as before, that of the first blueprint.
        assert everywhere(app, way, "index.html") == [
            *("one", "one", "two", "two", "one")
        ]
        # The nested blueprint has none, its parent does.
        assert everywhere(app, way, "both.html") == ["app", "one", "two", "two", "app"]
        # As before, for whoever has none.
        assert everywhere(app, way, "only_app.html") == ["app"] * 5
        assert everywhere(app, way, "only_inner.html") == ["two_inner"] * 5


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("way", ["render", "stream", "string"])
@pytest.mark.parametrize("order", [1, -1])
def test_what_a_template_uses(make_app, way, use, order):
    """Templates of the app import, and keep, what is in a blueprint."""
    app = make_app()
    expected = dict(zip(PLACES, ("app", "one", "two", "two_inner", "app")))
    for _ in range(2):
        for place in PLACES[::order]:
            assert get(app, f"{place}/{way}/use_{use}.html") == expected[place]


@pytest.mark.parametrize("name", ["./layout.html", "layout.html", ".//layout.html"])
def test_other_ways_to_write_a_name(make_app, name):
    app = make_app()
    for _ in range(2):
        with app.test_request_context("/two/render/x"):
            assert flask.render_template(name) == "two"
        with app.test_request_context("/one/render/x"):
            assert flask.render_template(name) == "one"
        with app.test_request_context("/render/x"):
            assert flask.render_template(name) == "app"


@pytest.mark.parametrize("name", ["../layout.html", "no.html", "two/layout.html", ""])
def test_a_template_that_is_not_there(make_app, name):
    app = make_app()
    with app.test_request_context("/two/render/x"):
        with pytest.raises(jinja2.TemplateNotFound) as info:
            flask.render_template(name)
        assert info.value.name == name
        with pytest.raises(jinja2.TemplatesNotFound):
            flask.render_template([name, "no.html"])


def test_a_folder_outside_of_the_blueprint(make_app, tmp_path):
    app = make_app()
    with app.test_request_context("/two/render/x"):
        for name in ("../../one/templates/layout.html", "/etc/passwd"):
            with pytest.raises(jinja2.TemplateNotFound):
                flask.render_template(name)


def test_the_template_says_what_it_is(make_app, tmp_path):
    app = make_app()
    seen = []
    flask.template_rendered.connect(
        lambda sender, template, context: seen.append(template), app, weak=False
    )
    for place in ("", "/one", "/two"):
        get(app, f"{place}/render/layout.html")
    assert [template.name for template in seen] == ["layout.html"] * 3
    assert [pathlib.Path(t.filename).parent.parent.name for t in seen] == [
        *(tmp_path.name, "one", "two")
    ]
    assert {template.environment for template in seen} == {app.jinja_env}


def test_outside_a_request(make_app):
    app = make_app()
    get(app, "/two/render/layout.html")
    with app.app_context():
        assert flask.render_template("layout.html") == "app"
        assert flask.render_template("index.html") == "one"
    assert app.jinja_env.get_template("layout.html").render() == "app"


def test_a_context_of_another_app(make_app):
    app, other = make_app(), make_app()
    other.blueprints["two"].jinja_loader = jinja2.DictLoader({"layout.html": "other"})
    with app.test_request_context("/two/render/x"), other.app_context():
        assert flask.render_template("layout.html") == "app"


def test_a_context_of_the_same_app(make_app):
    app = make_app()
    with app.test_request_context("/two/render/x"), app.app_context():
        assert flask.render_template("layout.html") == "two"


def test_a_request_that_nothing_handles(make_app):
    app = make_app()
    app.errorhandler(404)(lambda e: flask.render_template("layout.html"))
    for path in ("/no", "/two/no"):
        assert get(app, path) == "app"


def test_a_handler_of_an_error_of_the_blueprint(make_app):
    app = make_app()
    app.errorhandler(KeyError)(lambda e: flask.render_template("layout.html"))
    app.before_request(lambda: {}["x"])
    assert everywhere(app, "render", "x") == ["app", "one", "two", "two_inner", "app"]


def test_an_endpoint_of_the_app_with_a_dot(make_app):
    app = make_app()
    app.add_url_rule("/dot", "a.b", lambda: flask.render_template("layout.html"))
    app.add_url_rule("/two-dot", "two.c", lambda: flask.render_template("layout.html"))
    assert get(app, "/dot") == "app"
    assert get(app, "/two-dot") == "two"


@pytest.mark.parametrize("size", [0, 1, 2, 400, -1])
@pytest.mark.parametrize("auto_reload", [False, True])
def test_sizes_of_the_cache(make_app, size, auto_reload):
    app = make_app(cache_size=size, auto_reload=auto_reload)
    for _ in range(3):
        assert everywhere(app, "render", "layout.html") == [
            *("app", "one", "two", "two_inner", "app")
        ]


def test_it_is_loaded_once(make_app):
    app = make_app()
    with app.test_request_context("/two/render/x"):
        first = [app.jinja_env.get_template(n) for n in ("layout.html", "both.html")]
    with app.test_request_context("/two/stream/x"):
        again = [app.jinja_env.get_template(n) for n in ("layout.html", "both.html")]
    assert first == again
    assert len(app.jinja_env.cache) == 2
    app.jinja_env.cache.clear()
    assert get(app, "/two/render/layout.html") == "two"


@pytest.mark.parametrize("auto_reload", [False, True])
def test_a_changed_file(make_app, tmp_path, auto_reload):
    app = make_app(auto_reload=auto_reload)
    file = tmp_path / "two/templates/layout.html"
    assert get(app, "/two/render/layout.html") == "two"
    file.write_text("changed")
    expected = "changed" if auto_reload else "two"
    assert get(app, "/two/render/layout.html") == expected
    file.unlink()
    expected = "app" if auto_reload else "two"
    assert get(app, "/two/render/layout.html") == expected
    assert get(app, "/one/render/layout.html") == "one"


def test_globals_of_a_template(make_app):
    app = make_app()
    source = {"g.html": "{{ x }}"}
    app.blueprints["two"].jinja_loader = jinja2.DictLoader(source)
    with app.test_request_context("/two/render/x"):
        for x in ("1", "2"):
            template = app.jinja_env.get_template("g.html", globals={"x": x})
            assert template.render() == x
        assert app.jinja_env.get_template("g.html").render() == "2"


def compiled(tmp_path):
    env = jinja2.Environment(loader=jinja2.DictLoader({"layout.html": "new"}))
    env.compile_templates(str(tmp_path / "compiled"), zip=None)
    return jinja2.ModuleLoader(str(tmp_path / "compiled"))


LOADERS = {
    "dict": lambda path: jinja2.DictLoader({"layout.html": "new"}),
    "choice": lambda path: jinja2.ChoiceLoader(
        [jinja2.DictLoader({}), jinja2.DictLoader({"layout.html": "new"})]
    ),
    "function": lambda path: jinja2.FunctionLoader({"layout.html": "new"}.get),
    "compiled": compiled,
}


@pytest.mark.parametrize("kind", LOADERS)
def test_kinds_of_loaders(make_app, tmp_path, kind):
    app = make_app()
    assert get(app, "/two/render/layout.html") == "two"
    loader = app.blueprints["two"].jinja_loader = LOADERS[kind](tmp_path)
    for _ in range(2):
        assert get(app, "/two/render/layout.html") == "new"
        assert get(app, "/two/two_inner/render/layout.html") == "two_inner"
        assert get(app, "/two/two_inner/render/both.html") == "app"
        assert get(app, "/one/render/layout.html") == "one"
    # Jinja puts a proxy there, which other tests cannot hash.
    sys.modules.pop(getattr(loader, "package_name", ""), None)


def test_a_loader_that_is_made_each_time(make_app, tmp_path):
    class Blueprint(flask.Blueprint):
        @property
        def jinja_loader(self):
            return jinja2.DictLoader({"layout.html": "made"})

    app = make_app()
    bp = Blueprint("made", __name__, url_prefix="/made")
    bp.add_url_rule("/<name>", "render", render)
    app.register_blueprint(bp)
    for _ in range(3):
        assert get(app, "/made/layout.html") == "made"
        assert get(app, "/one/render/layout.html") == "one"


def test_a_bytecode_cache(make_app, tmp_path):
    cache = jinja2.FileSystemBytecodeCache(str(tmp_path))
    for _ in range(2):
        app = make_app(bytecode_cache=cache)
        for name in ("one", "two"):
            loader = jinja2.DictLoader({"layout.html": f"dict {name}"})
            app.blueprints[name].jinja_loader = loader
        assert everywhere(app, "render", "layout.html") == [
            *("app", "dict one", "dict two", "two_inner", "app")
        ]


def test_a_replaced_loader(make_app):
    """It takes the place of all that comes after the blueprint's own."""
    app = make_app()
    extra = jinja2.DictLoader({"layout.html": "extra", "extra.html": "extra"})
    app.jinja_env.loader = jinja2.ChoiceLoader([extra, app.jinja_env.loader])
    assert everywhere(app, "render", "layout.html") == [
        *("extra", "one", "two", "two_inner", "extra")
    ]
    assert everywhere(app, "render", "extra.html") == ["extra"] * 5


def test_an_overlay(make_app):
    app = make_app()
    same = app.jinja_env.overlay(trim_blocks=True)
    other = app.jinja_env.overlay(loader=jinja2.DictLoader({"layout.html": "other"}))
    with app.test_request_context("/two/render/x"):
        for _ in range(2):
            assert same.get_template("layout.html").render() == "two"
            assert other.get_template("layout.html").render() == "other"
            assert other.overlay().get_template("layout.html").render() == "other"
            with pytest.raises(jinja2.TemplateNotFound):
                other.get_template("both.html")


def test_an_environment_without_a_loader(make_app):
    app = make_app()
    app.jinja_env.loader = None
    with app.test_request_context("/two/render/x"):
        with pytest.raises(TypeError, match="no loader"):
            app.jinja_env.get_template("layout.html")


def test_an_environment_of_its_own(make_app):
    class Environment(flask.templating.Environment):
        def __init__(self, app, **options):
            jinja2.Environment.__init__(
                self, loader=app.create_global_jinja_loader(), **options
            )

    app = make_app()
    app.jinja_environment = Environment
    assert get(app, "/two/render/layout.html") == "app"


def test_one_blueprint_registered_twice(make_app):
    app = make_app()
    app.register_blueprint(app.blueprints["two"], name="again", url_prefix="/again")
    for path in ("/again", "/two", "/again/two_inner", "/two/two_inner"):
        expected = "two_inner" if path.endswith("inner") else "two"
        assert get(app, f"{path}/render/layout.html") == expected


def test_the_explanation(make_app, caplog):
    app = make_app()
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    with caplog.at_level(logging.INFO):
        get(app, "/two/two_inner/render/both.html")
    (text,) = caplog.messages
    assert text.index("blueprint 'inner'") < text.index("blueprint 'two'")
    assert "no match" in text
    assert "two/templates/both.html" in text.replace("\\", "/")
    assert "application" not in text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        get(app, "/two/render/only_app.html")
    (text,) = caplog.messages
    assert "application" in text


def test_threads(make_app):
    app = make_app(cache_size=3)
    barrier = threading.Barrier(4)

    def run(number):
        barrier.wait()
        return [everywhere(app, "render", "use_import_of_import.html") for _ in "12345"]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(run, range(4)):
            assert found == [["app", "one", "two", "two_inner", "app"]] * 5


def test_a_stream_that_is_read_later(make_app):
    app = make_app()
    with app.test_request_context("/two/stream/x"):
        two = flask.stream_template("use_include.html")
    with app.test_request_context("/one/stream/x"):
        one = flask.stream_template("use_include.html")
        assert "".join(two) == "two"
    assert "".join(one) == "one"
