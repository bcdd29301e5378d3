"""The verbs that change the queue."""

from __future__ import annotations

import sys
import typing as t

import click

from ..base.files import Project
from ..queue import message as headers
from ..queue import queue as queues
from ..queue.message import Header
from ..sequencer import edit as author
from ..sequencer import sequence
from ..upstream import source as upstream
from . import terminal

_resolve = click.option(
    "--resolve", is_flag=True, help="Stop at conflicts instead of refusing."
)


_after = click.option("--after", metavar="OTHER", help="The patch that it comes after.")


@click.command()
@click.argument("name")
@_after
@terminal.message
@click.pass_obj
def new(
    project: Project, name: str, after: str | None, message: t.TextIO | None
) -> None:
    """Begin the patch NAME, to make its changes in upstream/checkout."""
    begun = headers.parse("").named(name)
    person = headers.person(project)
    header = terminal.completed(
        project,
        begun,
        message,
        lambda header: headers.complete(header, *person, (), name),
    )
    with terminal.working(project) as bench:
        terminal.show(project, author.begin(project, bench, header.named(name), after))


@click.command()
@click.argument("name")
@terminal.message
@click.pass_obj
def header(project: Project, name: str, message: t.TextIO | None) -> None:
    """Change the subject, reason and trailers of the patch NAME, in an editor."""
    patch = queues.load(project, upstream.load_pin(project))[name]

    def check(header: Header) -> None:
        headers.complete(header, patch.author, patch.date, patch.diffs, name)

    old = headers.parse(patch.message)
    if message:
        made = terminal.completed(project, old, message, check)
    elif sys.stdin.isatty():
        made = terminal.edited(project, old, check)
    else:
        raise click.UsageError("there is no terminal: give the text with --message")
    with terminal.working(project) as bench:
        written = author.set_header(project, bench, name, made)
    terminal.show_written(project, written)


@click.command()
@click.argument("name")
@_resolve
@click.pass_obj
def enable(project: Project, name: str, resolve: bool) -> None:
    """Apply the disabled patch NAME again, at its place."""
    with terminal.working(project) as bench:
        result = author.enable(project, bench, name, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@_resolve
@click.pass_obj
def disable(project: Project, name: str, resolve: bool) -> None:
    """Keep the patch NAME, but do not apply it."""
    with terminal.working(project) as bench:
        result = author.disable(project, bench, name, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.pass_obj
def edit(project: Project, name: str) -> None:
    """Stop at the patch NAME, to change it in upstream/checkout."""
    with terminal.working(project) as bench:
        terminal.show(project, author.edit(project, bench, name))


@click.command()
@click.pass_obj
def refresh(project: Project) -> None:
    """Take what was changed in upstream/checkout, and finish what is stopped."""
    with terminal.working(project) as bench:
        terminal.show(project, sequence.proceed(project, bench))


@click.command()
@click.argument("name")
@_after
@click.option("--first", is_flag=True, help="Have it come before all others.")
@_resolve
@click.pass_obj
def move(
    project: Project, name: str, after: str | None, first: bool, resolve: bool
) -> None:
    """Give the patch NAME another place in the queue."""
    if (after is None) is not first:
        raise click.UsageError("give either --after OTHER or --first")
    with terminal.working(project) as bench:
        result = author.move(project, bench, name, after, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for CHANGELOG.md.")
@_resolve
@click.pass_obj
def drop(project: Project, name: str, reason: str, resolve: bool) -> None:
    """Remove the patch NAME from the queue."""
    with terminal.working(project) as bench:
        result = author.drop(project, bench, name, reason, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.option("--into", metavar="OTHER", required=True, help="The one that stays.")
@_resolve
@click.pass_obj
def fold(project: Project, name: str, into: str, resolve: bool) -> None:
    """Make the patch NAME a part of another one."""
    with terminal.working(project) as bench:
        result = author.fold(project, bench, name, into, resolve=resolve)
    terminal.show(project, result)


@click.command()
@click.argument("name")
@click.argument("new")
@click.pass_obj
def rename(project: Project, name: str, new: str) -> None:
    """Give the patch NAME, its tests and its resolutions the name NEW."""
    with terminal.working(project) as bench:
        written = author.rename(project, bench, name, new)
    terminal.show_written(project, written)
