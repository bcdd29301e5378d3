"""``python -m flaskfork.shim``: build, install, check and remove the shim."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys

import click

from .errors import ShimError
from .installing import constraints as texts
from .installing import doctor as doctors
from .installing import environment
from .installing.environment import Status
from .wheel.build import build


def main() -> None:
    """Run the command and exit: 0 success, 1 an error, 2 usage, 130 interrupted."""
    try:
        cli.main(standalone_mode=False, prog_name="python -m flaskfork.shim")
        sys.stdout.flush()
    except (ShimError, OSError) as e:
        click.echo(f"error: {e}", err=True)
        # Otherwise Python would try to write the same output again at exit.
        sys.stdout = None
        sys.exit(1)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Make 'import flask' mean flaskfork, also in code that you did not write."""


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--version", metavar="V", help="Use this version instead of the fork's own."
)
def wheel(folder: pathlib.Path, version: str | None) -> None:
    """Build the shim wheel into DIR, without network; create DIR if needed."""
    click.echo(build(folder, version))


@cli.command()
def install() -> None:
    """Install the shim into this environment, in place of Flask."""
    now = environment.install()
    click.echo(f"import flask is flaskfork {now.flaskfork} here ({now.file})")


@cli.command()
@_as_json
def status(as_json: bool) -> None:
    """Show what 'import flask' gets here; exit with 1 if it is not the fork."""
    now = environment.status()
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(now), indent=2))
    else:
        click.echo(_describe(now))
    sys.exit(0 if now.in_use and not now.stranger else 1)


@cli.command()
def remove() -> None:
    """Replace the shim with upstream's Flask."""
    now = environment.remove()
    if now.flask is None:
        click.echo("Flask is not installed here, so there is no shim to remove")
    else:
        click.echo(f"Flask {now.flask} here is upstream's ({now.file})")


@cli.command()
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path),
)
@_as_json
def doctor(folder: pathlib.Path | None, as_json: bool) -> None:
    """Report whatever keeps 'import flask' from being the fork, and how to fix it.

    Look in this environment and the current folder; with DIR, look there instead,
    and run nothing that is there: another environment, or what 'pip install --target'
    has made. Exit with 1 if anything is wrong.
    """
    troubles = doctors.examine(folder)
    if as_json:
        values = [dataclasses.asdict(trouble) for trouble in troubles]
        click.echo(json.dumps(values, indent=2))
    else:
        click.echo("\n".join(map(str, troubles)) or "no trouble found")
    sys.exit(1 if troubles else 0)


@cli.command()
@click.argument("tool", required=False, type=click.Choice([*texts.TOOLS]))
@click.option(
    "--wheels",
    "folder",
    metavar="DIR|URL",
    required=True,
    help="Folder of both wheels, or its URL, or that of an index.",
)
def constraints(tool: str | None, folder: str) -> None:
    """Print the settings that make TOOL keep the shim.

    They name both wheels by file or URL, and by hash. The first line says which of the
    tool's files they belong in.
    """
    wanted = texts.TOOLS if tool is None else [tool]
    click.echo("\n".join(texts.render(name, folder) for name in wanted), nl=False)


def _describe(now: Status) -> str:
    if now.flask is None:
        flask = "the distribution Flask is not installed"
    elif now.shim_of is None:
        flask = f"Flask {now.flask}, which is upstream's"
    else:
        flask = f"Flask {now.flask}, the shim of flaskfork {now.shim_of}"
    lines = [f"flaskfork {now.flaskfork}", flask, f"import flask {now.outcome}"]
    if now.shadowed_by:
        lines.append(f"but in this folder it gets {now.shadowed_by}")
    if now.stranger:
        lines.append(f"but {now.stranger}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
