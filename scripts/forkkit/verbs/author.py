"""The verbs that change the queue."""

from __future__ import annotations

import click

from .. import author
from .. import sequence
from .. import terminal
from .. import transaction
from ..bench import Bench
from ..project import Project

_resolve = click.option(
    "--resolve", is_flag=True, help="Stop at conflicts instead of refusing."
)


@click.command()
@click.argument("name")
@click.pass_obj
def edit(project: Project, name: str) -> None:
    """Stop at the patch NAME, to change it in upstream/checkout."""
    with transaction.exclusive(project), terminal.progress("applying"):
        terminal.show(project, author.edit(project, _bench(project), name))


@click.command()
@click.pass_obj
def refresh(project: Project) -> None:
    """Take what was changed in upstream/checkout, and finish what is stopped."""
    with transaction.exclusive(project), terminal.progress("applying"):
        terminal.show(project, sequence.proceed(project, _bench(project)))


@click.command()
@click.argument("name")
@click.option("--after", metavar="OTHER", help="The patch that it shall come after.")
@click.option("--first", is_flag=True, help="Have it come before all others.")
@_resolve
@click.pass_obj
def move(
    project: Project, name: str, after: str | None, first: bool, resolve: bool
) -> None:
    """Give the patch NAME another place in the queue."""
    if (after is None) is not first:
        raise click.UsageError("give either --after OTHER or --first")
    with transaction.exclusive(project), terminal.progress("applying"):
        result = author.move(project, _bench(project), name, after, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for CHANGELOG.md.")
@_resolve
@click.pass_obj
def drop(project: Project, name: str, reason: str, resolve: bool) -> None:
    """Remove the patch NAME from the queue."""
    with transaction.exclusive(project), terminal.progress("applying"):
        result = author.drop(project, _bench(project), name, reason, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.option("--into", metavar="OTHER", required=True, help="The one that stays.")
@_resolve
@click.pass_obj
def fold(project: Project, name: str, into: str, resolve: bool) -> None:
    """Make the patch NAME a part of another one."""
    with transaction.exclusive(project), terminal.progress("applying"):
        result = author.fold(project, _bench(project), name, into, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.argument("new")
@click.pass_obj
def rename(project: Project, name: str, new: str) -> None:
    """Give the patch NAME, its tests and its resolutions the name NEW."""
    with transaction.exclusive(project), terminal.progress("renaming"):
        written = author.rename(project, _bench(project), name, new)
    terminal.show_written(project, written)


def _bench(project: Project) -> Bench:
    return Bench(terminal.tree_of(project))
