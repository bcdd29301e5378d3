"""The maintainer's command. Only this module exits, and only the verbs print."""

from __future__ import annotations

import importlib
import sys

import click

from .base import files as projects
from .base import transaction
from .base.errors import ForkError

#: The module of each verb, in the order of the help.
VERBS = {
    **dict.fromkeys(("status", "fetch", "series"), "state"),
    **dict.fromkeys(("show", "files", "patches", "diff", "depends", "send"), "look"),
    **dict.fromkeys(("apply", "export", "readme"), "checkout"),
    **dict.fromkeys(("new", "edit", "refresh", "header", "move", "fold"), "author"),
    **dict.fromkeys(("rename", "disable", "enable", "drop"), "author"),
    **dict.fromkeys(("rebase", "forecast", "absorbed", "upstream"), "carry"),
    **dict.fromkeys(("range-diff", "report"), "review"),
    **dict.fromkeys(
        ("materialise", "build", "test", "needed", "bisect", "verify"), "build"
    ),
    "ecosystem": "build",
}


class Verbs(click.Group):
    """Imports a verb when it is called: most need little of the tools."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f".verbs.{VERBS[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


def main() -> None:
    """Run the command and exit: 0 fine, 1 an error, 2 usage, 130 interrupted."""
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="scripts/fork"))
    except ForkError as e:
        for problem in e.problems:
            click.echo(f"{problem.label}: {problem}", err=True)
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=Verbs, context_settings=_SETTINGS)
@click.pass_context
def cli(context: click.Context) -> None:
    """Maintain flaskfork: a queue of patches on a pinned release of Flask."""
    context.obj = project = projects.here()
    if project.transaction.exists():
        with transaction.exclusive(project):
            click.echo("carried through what a killed command had begun", err=True)
