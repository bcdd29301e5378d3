"""Wherever Flask takes a function, it may be async."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import warnings

import click
import flask
import pytest
from click.testing import CliRunner
from flask.cli import AppGroup
from flask.cli import FlaskGroup
from flask.cli import with_appcontext
from flask.sansio.app import App

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """A coroutine that nobody awaits warns when it is collected."""
    pytest.importorskip("asgiref")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert not [str(w.message) for w in caught if "never awaited" in str(w.message)]


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.testing = True
    app.config["SERVER_NAME"] = "localhost"
    return app


@pytest.fixture
def outer():
    return flask.Blueprint("outer", __name__)


@pytest.fixture
def inner():
    return flask.Blueprint("inner", __name__)


def view(**values):
    return {"values": values, "url": flask.url_for(".view", x="1")}


def add_views(app, outer, inner):
    for owner in (app, outer, inner):
        prefix = "" if owner is app else f"/{owner.name}"
        owner.add_url_rule(f"{prefix}/<x>", "view", view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def values_of(app):
    paths = ("/1", "/outer/1", "/inner/1")
    return [app.test_client().get(path).json["values"]["x"] for path in paths]


def urls_of(app):
    with app.app_context():
        return [
            flask.url_for(endpoint, x="1", _external=False)
            for endpoint in ("view", "outer.view", "outer.inner.view")
        ]


async def preprocess(endpoint, values):
    await asyncio.sleep(0)
    values["x"] += f" {endpoint} {flask.request.path}"


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("app.url_value_preprocessor", [1, 1, 1]),
        ("outer.url_value_preprocessor", [0, 1, 1]),
        ("inner.url_value_preprocessor", [0, 0, 1]),
        ("inner.app_url_value_preprocessor", [1, 1, 1]),
    ],
)
def test_url_value_preprocessor(app, outer, inner, of, expected):
    owner, _, register = of.partition(".")
    getattr(locals()[owner], register)(preprocess)
    add_views(app, outer, inner)
    said = [" view /1", " outer.view /outer/1", " outer.inner.view /inner/1"]
    assert values_of(app) == [
        f"1{text if awaited else ''}" for text, awaited in zip(said, expected)
    ]


async def defaults(endpoint, values):
    await asyncio.sleep(0)
    values["q"] = endpoint


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("app.url_defaults", [1, 1, 1]),
        ("outer.url_defaults", [0, 1, 1]),
        ("inner.url_defaults", [0, 0, 1]),
        ("inner.app_url_defaults", [1, 1, 1]),
    ],
)
def test_url_defaults(app, outer, inner, of, expected):
    owner, _, register = of.partition(".")
    getattr(locals()[owner], register)(defaults)
    add_views(app, outer, inner)
    said = ["?q=view", "?q=outer.view", "?q=outer.inner.view"]
    paths = ["/1", "/outer/1", "/inner/1"]
    whole = [p + (text if on else "") for p, text, on in zip(paths, said, expected)]
    assert urls_of(app) == whole
    assert [app.test_client().get(p).json["url"] for p in paths] == whole


def test_they_run_in_order(app):
    order = []

    @app.url_value_preprocessor
    def first(endpoint, values):
        order.append("first")

    @app.url_value_preprocessor
    async def second(endpoint, values):
        await asyncio.sleep(0)
        order.append("second")

    app.url_value_preprocessor(lambda endpoint, values: order.append("third"))
    app.add_url_rule("/", view_func=lambda: "")
    app.test_client().get("/")
    assert order == ["first", "second", "third"]


def test_an_error_is_raised(app):
    @app.url_value_preprocessor
    async def fail(endpoint, values):
        raise flask.abort(418)

    app.add_url_rule("/", view_func=lambda: "")
    assert app.test_client().get("/").status_code == 418


def test_url_build_error_handlers(app):
    async def handle(error, endpoint, values):
        return None if endpoint == "none" else f"/built/{endpoint}"

    app.url_build_error_handlers.append(handle)
    with app.app_context():
        assert flask.url_for("no") == "/built/no"
        with pytest.raises(LookupError):
            flask.url_for("none")


def test_shell_context_processor(app):
    @app.shell_context_processor
    async def context():
        await asyncio.sleep(0)
        return {"app_name": flask.current_app.name}

    app.shell_context_processor(lambda: {"plain": 1})
    with app.app_context():
        found = app.make_shell_context()
    assert (found["app_name"], found["plain"]) == (app.name, 1)


def invoke(app, *args):
    """As the command ``flask`` does."""
    group = FlaskGroup(create_app=lambda: app)
    return CliRunner().invoke(group, args, catch_exceptions=False)


async def greet(name="nobody"):
    await asyncio.sleep(0)
    current = click.get_current_context()
    click.echo(f"{name}, {current.info_name}, {flask.current_app.name}")
    return name


def plain_decorator(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper


def own_loop(f):
    """What applications do today."""

    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return asyncio.run(f(*args, **kwargs))

    return wrapper


@click.pass_context
async def with_context(ctx, name="nobody"):
    assert ctx is click.get_current_context()
    return await greet(name)


@click.pass_obj
async def with_object(obj, name="nobody"):
    assert isinstance(obj, flask.cli.ScriptInfo)
    return await greet(name)


CALLBACKS = {
    "greet": greet,
    "partial": functools.partial(greet),
    "decorated": plain_decorator(greet),
    "pass_context": with_context,
    "pass_obj": with_object,
    "with_appcontext": with_appcontext(greet),
    "with_appcontext twice": with_appcontext(with_appcontext(greet)),
}


@pytest.mark.parametrize("kwargs", [{}, {"with_appcontext": False}])
@pytest.mark.parametrize("kind", CALLBACKS)
def test_command(app, kind, kwargs):
    callback = click.argument("name")(plain_copy(CALLBACKS[kind]))
    app.cli.command("greet", **kwargs)(callback)
    result = invoke(app, "greet", "you")
    assert (result.output, result.exit_code) == (f"you, greet, {app.name}\n", 0)


def plain_copy(f):
    """click leaves the parameters at the function."""
    return functools.update_wrapper(functools.partial(f), f)


def test_commands_of_blueprints(app, outer, inner):
    plain = flask.Blueprint("plain", __name__, cli_group=None)
    for bp in (outer, inner, plain):
        bp.cli.command(f"do-{bp.name}")(greet)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(plain)
    for args in (("outer", "do-outer"), ("outer.inner", "do-inner"), ("do-plain",)):
        assert invoke(app, *args).output == f"nobody, {args[-1]}, {app.name}\n"


@pytest.mark.parametrize("kind", ["greet", "pass_context", "decorated"])
def test_the_callback_of_a_group(app, kind):
    @app.cli.group("group", invoke_without_command=True)
    @click.option("--name", default="nobody")
    @plain_copy_of(CALLBACKS[kind])
    def group():
        pass

    @group.group("nested")
    async def nested():
        click.echo("nested")

    nested.command("greet")(greet)
    assert invoke(app, "group").output == f"nobody, group, {app.name}\n"
    assert invoke(app, "group", "--name", "you", "nested", "greet").output == (
        f"you, group, {app.name}\nnested\nnobody, greet, {app.name}\n"
    )


def plain_copy_of(f):
    return lambda _: plain_copy(f)


def test_a_command_of_click_itself(app):
    @click.command()
    @with_appcontext
    async def own():
        await greet()

    app.cli.add_command(own)
    assert invoke(app, "own").output == f"nobody, own, {app.name}\n"


def test_a_command_of_a_script(app):
    script = FlaskGroup(create_app=lambda: app)
    script.command("greet")(greet)
    runner = app.test_cli_runner()
    result = runner.invoke(script, ["greet"], catch_exceptions=False)
    assert result.output == f"nobody, greet, {app.name}\n"


def test_what_it_returns(app):
    command = app.cli.command("greet")(greet)
    with app.app_context():
        assert command.main([], standalone_mode=False) == "nobody"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (click.UsageError("wrong"), 2, "wrong"),
        (click.Abort(), 1, "Aborted!"),
        (SystemExit(7), 7, ""),
    ],
)
def test_how_it_ends(app, error, code, text):
    @app.cli.command("fail")
    async def fail():
        raise error

    result = invoke(app, "fail")
    assert result.exit_code == code
    assert text in result.output


@pytest.mark.parametrize("cli", [None, "flask"])
def test_exit_by_its_context(app, cli):
    @app.cli.command("fail")
    @click.pass_context
    async def fail(ctx):
        ctx.exit(3)

    if cli is None:
        # Without the group, the app context belongs to the command itself.
        result = app.test_cli_runner().invoke(args=["fail"])
    else:
        result = invoke(app, "fail")
    assert result.exit_code == 3
    assert not flask.has_app_context()


def test_what_is_closed_with_the_command(app):
    order = []

    @app.cli.command("close")
    @click.pass_context
    async def close(ctx):
        ctx.call_on_close(lambda: order.append("closed"))
        await asyncio.sleep(0)
        order.append("ran")

    @app.teardown_appcontext
    def teardown(exc):
        order.append("torn down")

    invoke(app, "close")
    assert order[0] == "ran"
    assert sorted(order[1:]) == ["closed", "torn down"]


def test_who_runs_a_loop_of_their_own_still_does(app):
    app.cli.command("greet")(own_loop(greet_alone))
    app.cli.command("alone", with_appcontext=False)(own_loop(greet_alone))
    assert invoke(app, "greet").output == "alone\n"
    assert invoke(app, "alone").output == "alone\n"


class Awaiting(click.Command):
    def invoke(self, ctx):
        return asyncio.run(super().invoke(ctx))


class AwaitingGroup(AppGroup):
    def invoke(self, ctx):
        return asyncio.run(super().invoke(ctx))


@pytest.mark.parametrize("kwargs", [{}, {"with_appcontext": False}])
def test_a_class_that_awaits_still_does(app, monkeypatch, kwargs):
    monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    app.cli.command("greet", cls=Awaiting, **kwargs)(greet_alone)
    assert invoke(app, "greet").output == "alone\n"


def test_a_group_class_that_awaits_still_does(app, monkeypatch):
    monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    kwargs = {"cls": AwaitingGroup, "invoke_without_command": True}
    app.cli.group("group", **kwargs)(greet_alone)
    assert invoke(app, "group").output == "alone\n"


def test_a_callback_that_is_called_without_a_command(app, capsys):
    command = app.cli.command("greet", with_appcontext=False)(greet_alone)
    asyncio.run(command.callback())
    assert capsys.readouterr().out == "alone\n"


async def greet_alone():
    click.echo("alone")


def test_a_plain_callback_is_left_alone(app):
    def plain():
        pass

    assert app.cli.command("p", with_appcontext=False)(plain).callback is plain
    assert app.cli.group("g")(plain).callback is plain
    assert AppGroup().command("p", with_appcontext=False)(plain).callback is plain


def test_without_an_app():
    group = AppGroup("group")
    group.command("greet", with_appcontext=False)(greet)
    result = CliRunner().invoke(group, ["greet"])
    assert result.exit_code == 2
    assert "Flask application" in result.output


def test_the_app_decides_how_they_run():
    class Own(flask.Flask):
        def async_to_sync(self, func):
            return lambda *args, **kwargs: asyncio.run(func(*args, **kwargs))

    app = Own(__name__)
    app.cli.command("greet")(greet)
    assert invoke(app, "greet").output == f"nobody, greet, {app.name}\n"


def test_without_asgiref(app, monkeypatch):
    monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    app.url_value_preprocessor(preprocess)
    app.url_defaults(defaults)
    app.shell_context_processor(defaults)
    app.cli.command("greet")(greet)
    app.cli.command("plain", with_appcontext=False)(greet)
    app.add_url_rule("/<x>", "view", view)
    match = "Install Flask with the 'async' extra"
    for call in (
        lambda: app.test_client().get("/1"),
        lambda: app.url_for("view", x=1),
        app.make_shell_context,
        lambda: invoke(app, "greet"),
        lambda: invoke(app, "plain"),
    ):
        with pytest.raises(RuntimeError, match=match):
            call()


def test_an_app_class_that_awaits_by_itself():
    """As Quart, which is made of the base class."""

    class Other(App):
        default_config = flask.Flask.default_config

    app = Other(__name__, static_folder=None)
    app.url_defaults(lambda endpoint, values: values.update(q=endpoint))
    app.url_build_error_handlers.append(lambda error, endpoint, values: "built")
    values = {}
    app.inject_url_defaults("view", values)
    assert values == {"q": "view"}
    assert app.handle_url_build_error(LookupError(), "view", {}) == "built"
