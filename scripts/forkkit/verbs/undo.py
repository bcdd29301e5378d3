"""The verbs that list, undo and redo changes of the project."""

from __future__ import annotations

import typing as t

import click

from ..base import transaction
from ..base.paths import Project
from ..queue.checkout import Checkout
from ..sequencer import operations
from ..sequencer.operations import Operation
from . import terminal


@click.command("undo", short_help="Undo the last change of the queue.")
@click.pass_obj
def undo_verb(project: Project) -> None:
    """Undo what the last verb changed in the project; repeat to go back further.

    It refuses if a file has changed since. Nothing is lost: `redo` restores the change.
    """
    _go(project, "undone", operations.undo)


@click.command("redo", short_help="Redo what was undone last.")
@click.pass_obj
def redo_verb(project: Project) -> None:
    """Redo what was undone last."""
    _go(project, "redone", operations.redo)


@click.command("log", short_help="List the changes of the queue.")
@terminal.as_json
@click.pass_obj
def log_verb(project: Project, as_json: bool) -> None:
    """List the changes that verbs made in the project, newest first.

    A minus sign marks an undone change. The log is kept in upstream/checkout.
    """
    log = operations.load(project, Checkout.of(project))
    if as_json:
        terminal.echo_json([_values(log, n) for n in _newest(log)])
        return
    if not log.shas:
        terminal.echo("no verb has changed the project yet")
    for number in _newest(log):
        operation = log[number]
        mark = " " if number < log.done else "-"
        count = len(operation.paths)
        files = f"{count} file{'s' * (count != 1)}"
        when = f"{operation.when:%Y-%m-%d %H:%M}"
        terminal.echo(f"{mark} {when}  {operation.what}  ({files})")


def _go(
    project: Project,
    word: str,
    move: t.Callable[[Project, Checkout], Operation],
) -> None:
    with transaction.exclusive(project), terminal.progress("working"):
        operation = move(project, Checkout.of(project))
    terminal.echo(f"{operation.what}: {word}")
    terminal.show_written(project, [project.root / path for path in operation.paths])


def _newest(log: operations.Log) -> t.Iterator[int]:
    return reversed(range(len(log.shas)))


def _values(log: operations.Log, number: int) -> dict[str, t.Any]:
    operation = log[number]
    return {
        "command": operation.what,
        "when": operation.when.isoformat(),
        "undone": number >= log.done,
        "files": operation.paths,
    }
