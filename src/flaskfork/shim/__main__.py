"""``python -m flaskfork.shim``, the command that puts the shim where it belongs."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys

import click

from . import environment
from . import wheel as wheels
from .environment import Status
from .errors import ShimError


def main() -> None:
    """Run the command and exit: 0 fine, 1 an error, 2 usage."""
    try:
        cli()
    except ShimError as e:
        click.echo(f"error: {e}", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Make 'import flask' mean flaskfork, for the code that you did not write."""


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--version", metavar="V", help="Give it this version instead of the fork's own."
)
def wheel(folder: pathlib.Path, version: str | None) -> None:
    """Build the shim wheel into DIR; this needs no network."""
    click.echo(wheels.build(folder, version))


@cli.command()
def install() -> None:
    """Install the shim into this environment, in place of Flask."""
    now = environment.install()
    click.echo(f"import flask is flaskfork {now.flaskfork} here ({now.file})")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Tell what 'import flask' gets here; exit with 1 if that is not the fork."""
    now = environment.status()
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(now), indent=2))
    else:
        click.echo(_describe(now))
    sys.exit(0 if now.in_use else 1)


@cli.command()
def remove() -> None:
    """Put upstream's Flask back in the place of the shim."""
    now = environment.remove()
    if now.flask is None:
        click.echo("no Flask is installed here: there is no shim to remove")
    else:
        click.echo(f"Flask {now.flask} here is upstream's ({now.file})")


def _describe(now: Status) -> str:
    if now.flask is None:
        flask = "the distribution Flask is not installed"
    elif now.shim_of is None:
        flask = f"Flask {now.flask}, which is upstream's"
    else:
        flask = f"Flask {now.flask}, the shim of flaskfork {now.shim_of}"
    return f"flaskfork {now.flaskfork}\n{flask}\nimport flask {now.outcome}"


if __name__ == "__main__":
    main()
