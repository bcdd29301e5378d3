"""The verbs that go on, or back, where a command is stopped."""

from __future__ import annotations

import click

from ..base import transaction
from ..base.paths import Project
from ..sequencer import sequence
from ..sequencer.worktree import Worktree
from . import terminal


@click.command("continue", short_help="Go on after a stop.")
@click.pass_obj
def continue_verb(project: Project) -> None:
    """Take what was done in upstream/checkout, and go on with what is stopped."""
    proceed(project, every=True)


@click.command("skip", short_help="Leave out the patch it stopped at.")
@click.option("--reason", help="Why, for CHANGELOG.md.")
@click.pass_obj
def skip_verb(project: Project, reason: str | None) -> None:
    """Leave out the patch at which a command is stopped, and go on."""
    skip(project, reason)


@click.command("abort", short_help="Go back to before the stopped command.")
@click.pass_obj
def abort_verb(project: Project) -> None:
    """Go back to where the stopped command began.

    What was changed in upstream/checkout is kept under a ref, which is printed.
    """
    abort(project)


def proceed(project: Project, *, every: bool) -> None:
    """Go on with what is stopped, and print the result.

    :param every: also for the patches to which nothing has happened.
    """
    with terminal.working(project) as (fork, worktree):
        result = sequence.proceed(fork, worktree)
    terminal.show(project, result, every=every)


def skip(project: Project, reason: str | None) -> None:
    """Leave out the patch at which a command is stopped, and print the result."""
    with terminal.working(project) as (fork, worktree):
        result = sequence.skip(fork, worktree, reason)
    terminal.show(project, result, every=True)


def abort(project: Project) -> None:
    """Go back to where the stopped command began, and print what is kept."""
    worktree = Worktree.of(project)
    with transaction.exclusive(project):
        saved = sequence.abort(project, worktree)
    click.echo(f"{worktree.checkout.shown}: back to the queue")
    if saved:
        click.echo(f"what was changed there is kept as {saved}")
