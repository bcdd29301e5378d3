"""The maintainer's command. Only this module exits the process; only verbs print."""

from __future__ import annotations

import importlib
import io
import sys

import click

from .base import transaction
from .base.errors import ForkError
from .base.paths import here
from .base.text import printable

#: The verbs under their headings in the help, each mapped to its module.
SECTIONS = {
    "Look": {
        **dict.fromkeys(("status", "series"), "state"),
        **dict.fromkeys(("show", "files", "patches", "diff"), "look"),
        **dict.fromkeys(("annotate", "depends"), "look"),
        **dict.fromkeys(("range-diff", "report"), "review"),
    },
    "Change the queue": {
        **dict.fromkeys(("new", "edit", "refresh", "header"), "edit"),
        "take": "take",
        **dict.fromkeys(("move", "fold", "rename", "disable", "enable"), "edit"),
        "drop": "edit",
        **dict.fromkeys(("undo", "redo", "log"), "undo"),
    },
    "Resume or abort a stopped command": dict.fromkeys(
        ("continue", "skip", "abort"), "stopped"
    ),
    "Follow upstream": {
        "fetch": "state",
        **dict.fromkeys(("upstream", "forecast", "rebase", "absorbed"), "rebase"),
        "send": "look",
    },
    "Between the checkout and patches/": dict.fromkeys(
        ("apply", "export", "readme"), "checkout"
    ),
    "Check": {
        **dict.fromkeys(("verify", "needed", "bisect", "test"), "prove"),
        "ecosystem": "ecosystem",
        "lean": "lean",
    },
    "Ship": dict.fromkeys(("materialise", "build"), "build"),
}
#: The module of each verb.
VERBS = {verb: name for verbs in SECTIONS.values() for verb, name in verbs.items()}


class Verbs(click.Group):
    """Imports a verb's module on first use: most verbs need few modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f".verbs.{VERBS[cmd_name]}", __package__)
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_verb")
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        widest = max(map(len, VERBS))
        for heading, verbs in SECTIONS.items():
            commands = [(verb, self.get_command(ctx, verb)) for verb in verbs]
            rows = [
                (verb.ljust(widest), command.get_short_help_str())
                for verb, command in commands
                if command
            ]
            with formatter.section(heading):
                formatter.write_dl(rows)


def main() -> None:
    """Run the command and exit.

    The exit codes are 0 for success, 1 for an error, 2 for a usage error, 3 for a stop
    and 130 for an interrupt.
    """
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="scripts/fork"))
    except ForkError as e:
        for problem in e.problems:
            click.echo(printable(f"{problem.label}: {problem}"), err=True)
        sys.exit(e.exit_code)
    except click.ClickException as e:
        said = io.StringIO()
        e.show(said)
        # A shell may have put the name of a stranger's file into the command.
        click.echo(printable(said.getvalue()), err=True, nl=False)
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


@click.group(cls=Verbs, context_settings=_SETTINGS)
@click.pass_context
def cli(context: click.Context) -> None:
    """Maintain flaskfork: a queue of patches on a pinned release of Flask."""
    context.obj = project = here()
    if project.transaction.exists():
        with transaction.exclusive(project):
            said = "completed a change that an earlier command left unfinished"
            click.echo(said, err=True)
