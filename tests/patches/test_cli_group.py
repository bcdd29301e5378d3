"""Blueprints with the same cli_group share it, with each other and with the app."""

from __future__ import annotations

import click
import flask
import pytest
from click.testing import CliRunner
from flask.cli import AppGroup
from flask.cli import FlaskGroup


def blueprint(name, *commands, cli_group="tasks", **kwargs):
    bp = flask.Blueprint(name, __name__, cli_group=cli_group, **kwargs)
    for command in commands or (f"do-{name}",):
        add(bp.cli, command, name)
    return bp


def add(group, command, said):
    @group.command(command)
    def run():
        click.echo(f"{said} in {flask.current_app.name}")

    return run


def make_app(*blueprints, name="application"):
    app = flask.Flask(name)
    for bp in blueprints:
        app.register_blueprint(bp)
    return app


def invoke(app, *args):
    group = FlaskGroup(create_app=lambda: app)
    result = CliRunner().invoke(group, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def said(app, *args):
    return invoke(app, *args).partition(" in ")[0]


def commands(group):
    return group.list_commands(click.Context(group))


def test_two():
    app = make_app(blueprint("a"), blueprint("b"))
    assert said(app, "tasks", "do-a") == "a"
    assert said(app, "tasks", "do-b") == "b"
    assert commands(app.cli) == ["tasks"]
    assert commands(app.cli.commands["tasks"]) == ["do-a", "do-b"]
    text = invoke(app, "tasks", "--help")
    assert "do-a" in text
    assert "do-b" in text


def test_many():
    names = [f"b{i}" for i in range(20)]
    app = make_app(*map(blueprint, names))
    assert commands(app.cli.commands["tasks"]) == sorted(f"do-{n}" for n in names)
    for name in names:
        assert said(app, "tasks", f"do-{name}") == name


def test_by_an_option_of_register():
    app = flask.Flask("application")
    app.register_blueprint(blueprint("a", cli_group="other"), cli_group="tasks")
    app.register_blueprint(blueprint("b", cli_group=None), cli_group="tasks")
    assert said(app, "tasks", "do-a") == "a"
    assert said(app, "tasks", "do-b") == "b"
    assert commands(app.cli) == ["tasks"]


def test_with_the_default_name_of_another():
    own = flask.Blueprint("tasks", __name__)
    add(own.cli, "own", "own")
    for order in (1, -1):
        app = make_app(*[own, blueprint("b")][::order])
        assert commands(app.cli) == ["tasks"]
        assert said(app, "tasks", "own") == "own"
        assert said(app, "tasks", "do-b") == "b"


def test_nested():
    outer, inner, default = (
        blueprint("outer"),
        blueprint("inner"),
        flask.Blueprint("default", __name__),
    )
    add(default.cli, "own", "own")
    outer.register_blueprint(inner)
    outer.register_blueprint(default)
    app = make_app(outer, blueprint("dotted", cli_group="outer.default"))
    assert said(app, "tasks", "do-outer") == "outer"
    assert said(app, "tasks", "do-inner") == "inner"
    assert said(app, "outer.default", "own") == "own"
    assert said(app, "outer.default", "do-dotted") == "dotted"


@pytest.mark.parametrize("group_class", [AppGroup, click.Group])
def test_a_group_of_the_app(group_class):
    app = flask.Flask("application")

    @app.cli.group("tasks", cls=group_class, invoke_without_command=True)
    @click.option("--loud", is_flag=True)
    def tasks(loud):
        """What the app says."""
        click.echo("LOUD" if loud else "quiet")

    add(tasks, "own", "app") if group_class is AppGroup else None
    app.register_blueprint(blueprint("a"))
    app.register_blueprint(blueprint("b"))
    assert invoke(app, "tasks", "--loud", "do-a").split() == [
        "LOUD",
        "a",
        "in",
        "application",
    ]
    assert said(app, "tasks", "do-b") == "quiet\nb"
    assert invoke(app, "tasks") == "quiet"
    assert "What the app says." in invoke(app, "tasks", "--help")
    assert type(app.cli.commands["tasks"]) is group_class
    if group_class is AppGroup:
        assert said(app, "tasks", "own") == "quiet\napp"


def test_commands_that_are_added_later():
    app = flask.Flask("application")
    own = app.cli.group("tasks")(lambda: None)
    a, b = blueprint("a"), blueprint("b")
    app.register_blueprint(a)
    app.register_blueprint(b)
    add(own, "late-app", "app")
    add(a.cli, "late-a", "a")
    add(b.cli, "late-b", "b")
    add(app.cli.commands["tasks"], "late-shared", "shared")
    app.register_blueprint(blueprint("c"))
    for name in ("app", "a", "b", "shared"):
        assert said(app, "tasks", f"late-{name}") == name
    for name in "abc":
        assert said(app, "tasks", f"do-{name}") == name
    assert commands(own) == ["late-app"]


def test_equal_names():
    """As before, that of the last one is used."""
    app = flask.Flask("application")
    own = app.cli.group("tasks")(lambda: None)
    add(own, "x", "app")
    for name in "abc":
        app.register_blueprint(blueprint(name, "x", f"do-{name}"))
        assert said(app, "tasks", "x") == name
    assert commands(app.cli.commands["tasks"]) == ["do-a", "do-b", "do-c", "x"]


def test_nothing_but_the_app_is_changed():
    """An application factory registers the same blueprints again and again."""
    a, b, c = map(blueprint, "abc")
    module_level = AppGroup("tasks")
    add(module_level, "own", "own")
    for name in ("one", "two", "three"):
        app = make_app(a, b, name=name)
        assert commands(app.cli.commands["tasks"]) == ["do-a", "do-b"]
        assert invoke(app, "tasks", "do-a") == f"a in {name}"
    other = make_app(b, c)
    assert commands(other.cli.commands["tasks"]) == ["do-b", "do-c"]
    for _ in range(2):
        app = flask.Flask("application")
        app.cli.add_command(module_level)
        app.register_blueprint(a)
        assert commands(app.cli.commands["tasks"]) == ["do-a", "own"]
    assert commands(make_app(a).cli.commands["tasks"]) == ["do-a"]
    assert [commands(group.cli) for group in (a, b, c)] == [
        *(["do-a"], ["do-b"], ["do-c"])
    ]
    assert commands(module_level) == ["own"]


def test_one_alone_is_its_own_group():
    a = blueprint("a")
    app = make_app(a, blueprint("b", cli_group="other"))
    assert app.cli.commands["tasks"] is a.cli
    app.register_blueprint(a, name="again")
    assert app.cli.commands["tasks"] is a.cli


def test_one_in_two_groups():
    a = blueprint("a")
    app = make_app(a, blueprint("b"))
    app.register_blueprint(a, name="again", cli_group="other")
    app.register_blueprint(a, name="and again")
    assert commands(app.cli) == ["other", "tasks"]
    assert said(app, "tasks", "do-a") == said(app, "other", "do-a") == "a"
    assert said(app, "tasks", "do-b") == "b"


def test_one_without_commands():
    app = make_app(flask.Blueprint("none", __name__, cli_group="tasks"), blueprint("b"))
    app.register_blueprint(flask.Blueprint("no", __name__, cli_group="tasks"))
    assert commands(app.cli.commands["tasks"]) == ["do-b"]


def test_without_a_group():
    app = make_app(blueprint("a", cli_group=None), blueprint("b", cli_group=None))
    assert said(app, "do-a") == "a"
    assert said(app, "do-b") == "b"


def test_a_command_that_is_no_group():
    """As before, it is replaced."""
    app = flask.Flask("application")
    add(app.cli, "tasks", "app")
    app.register_blueprint(blueprint("a"))
    assert said(app, "tasks", "do-a") == "a"


def test_a_group_under_another_name():
    app = flask.Flask("application")
    jobs = AppGroup("jobs")
    add(jobs, "own", "own")
    app.cli.add_command(jobs, "tasks")
    app.register_blueprint(blueprint("a"))
    assert commands(app.cli) == ["tasks"]
    assert said(app, "tasks", "own") == "own"
    assert said(app, "tasks", "do-a") == "a"


def test_a_group_that_loads_its_commands():
    class Lazy(AppGroup):
        def list_commands(self, ctx):
            return sorted([*super().list_commands(ctx), "lazy"])

        def get_command(self, ctx, name):
            found = super().get_command(ctx, name)
            return add(AppGroup(), "lazy", "lazy") if name == "lazy" else found

    app = flask.Flask("application")
    app.cli.add_command(Lazy("tasks"))
    app.register_blueprint(blueprint("a"))
    assert commands(app.cli.commands["tasks"]) == ["do-a", "lazy"]
    assert said(app, "tasks", "lazy") == "lazy"
    assert said(app, "tasks", "do-a") == "a"


class Lazy(AppGroup):
    def get_command(self, ctx, name):
        found = super().get_command(ctx, name)
        return add(AppGroup(), "lazy", "lazy") if name == "lazy" else found


GROUPS = {
    "class": (Lazy(), ["lazy"], "lazy"),
    "option": (AppGroup(params=[click.Option(["--loud"])]), ["--loud=1", "x"], "b"),
    "callback": (AppGroup(callback=lambda: click.echo("back")), ["x"], "back\nb"),
    "chain": (AppGroup(chain=True), ["x", "y"], "b"),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_what_the_last_group_is_used_with(kind):
    """Of several groups, upstream has the last one only."""
    group, args, text = GROUPS[kind]
    b = flask.Blueprint("b", __name__, cli_group="tasks")
    b.cli = group
    if group.callback is None:
        group.callback = (lambda loud: None) if group.params else None
    add(group, "x", "b")
    add(group, "y", "b")
    app = make_app(blueprint("a"), b)
    assert said(app, "tasks", *args) == text
    assert "do-a" in commands(app.cli.commands["tasks"])
    app.register_blueprint(blueprint("c"))
    assert said(app, "tasks", *args) == text
    assert "do-c" in commands(app.cli.commands["tasks"])
