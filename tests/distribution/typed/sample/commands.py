# pyright: strict
"""Commands, and tests of them."""

from __future__ import annotations

import click
import flask.cli
from flask import current_app
from flask import Flask
from flask.cli import AppGroup
from flask.cli import FlaskGroup
from flask.cli import pass_script_info
from flask.cli import ScriptInfo
from flask.cli import with_appcontext
from flask.testing import EnvironBuilder
from flask.testing import FlaskCliRunner

group = AppGroup("garden", help="Tend it.")


@group.command("water")
@click.argument("litres", type=int)
@click.option("--slowly", is_flag=True)
def water(litres: int, slowly: bool) -> None:
    """Water the garden."""
    click.echo(f"{current_app.name}: {litres}, {slowly}")


@click.command()
@with_appcontext
def weed() -> None:
    """Weed it."""


@group.command()
@pass_script_info
def which(info: ScriptInfo) -> None:
    """Show the application."""
    reveal_type(info.load_app())
    reveal_type(info.data)


@click.group(cls=FlaskGroup, create_app=lambda: Flask("garden"))
def program() -> None:
    """All of it."""


def try_out(app: Flask) -> None:
    """Do what tests do."""
    client = app.test_client(use_cookies=False)
    answer = client.get("/", query_string={"bed": 1}, json={"a": 1})
    reveal_type(client)
    reveal_type(answer)
    reveal_type(answer.json)
    reveal_type(answer.status_code)
    with client.session_transaction() as found:
        reveal_type(found)
    runner = app.test_cli_runner(env={"BED": "1"})
    reveal_type(runner)
    reveal_type(runner.invoke(args=["garden", "water", "2"]))
    with app.test_request_context("/", method="POST") as context:
        reveal_type(context)
    with app.app_context() as pushed:
        reveal_type(pushed)
        reveal_type(pushed.g)
    with EnvironBuilder(app, path="/", json=1) as builder:
        reveal_type(builder.json_dumps({}))
    reveal_type(FlaskCliRunner(app))
    reveal_type(app.cli)
    reveal_type(app.cli.command)
    reveal_type(water)
    reveal_type(weed)
    reveal_type(which)
    reveal_type(program)
    reveal_type(flask.cli.load_dotenv)
    reveal_type(app.ensure_sync(try_out))
    reveal_type(app.wsgi_app)
    reveal_type(app.run)
    reveal_type(app.open_resource("x"))
    reveal_type(app.aborter)
