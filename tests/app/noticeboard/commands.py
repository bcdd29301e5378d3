"""Commands for the board's keeper."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from .extensions import db
from .models import Account

group = AppGroup("noticeboard", help="Keep the notice board.")


@group.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Take the right away again.")
def moderator(name: str, revoke: bool) -> None:
    """Let the account NAME take down anybody's notices."""
    account = Account.named(name)
    if account is None:
        raise click.ClickException(f"There is no account {name!r}.")
    account.moderator = not revoke
    db.session.commit()
    board = current_app.config["BOARD_NAME"]
    click.echo(f"{name} {'no longer moderates' if revoke else 'moderates'} {board}.")
