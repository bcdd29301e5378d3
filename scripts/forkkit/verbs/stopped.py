"""The verbs that resume or abort a stopped command."""

from __future__ import annotations

import click

from ..base import transaction
from ..base.paths import Project
from ..sequencer import sequence
from ..sequencer.worktree import Worktree
from . import terminal


@click.command("continue", short_help="Resume the stopped command.")
@click.pass_obj
def continue_verb(project: Project) -> None:
    """Take the work in upstream/checkout, and resume the stopped command."""
    proceed(project, every=True)


@click.command("skip", short_help="Skip the patch it stopped at, and resume.")
@click.option("--reason", help="Why, for CHANGELOG.md.")
@click.pass_obj
def skip_verb(project: Project, reason: str | None) -> None:
    """Leave out the patch at which a command is stopped, and resume the command."""
    skip(project, reason)


@click.command("abort", short_help="Undo the stopped command.")
@click.pass_obj
def abort_verb(project: Project) -> None:
    """Return to the state before the stopped command.

    Any work in upstream/checkout is kept under a ref, which is printed.
    """
    abort(project)


def proceed(project: Project, *, every: bool) -> None:
    """Resume the stopped command, and print the result.

    :param every: include the patches that are unchanged.
    """
    with terminal.working(project) as (fork, worktree):
        result = sequence.proceed(fork, worktree)
    terminal.show(project, result, every=every)


def skip(project: Project, reason: str | None) -> None:
    """Leave out the patch at which a command is stopped, and print the result.

    :param reason: why, for the changelog; by default the reason given at the stop.
    """
    with terminal.working(project) as (fork, worktree):
        result = sequence.skip(fork, worktree, reason)
    terminal.show(project, result, every=True)


def abort(project: Project) -> None:
    """Undo the stopped command, and print where any work is kept."""
    worktree = Worktree.of(project)
    with transaction.exclusive(project):
        saved = sequence.abort(project, worktree)
    terminal.echo(f"{worktree.checkout.shown}: back to the queue")
    if saved:
        terminal.echo(f"the work there is kept as {saved}")
