"""The verbs that change the queue."""

from __future__ import annotations

import sys
import typing as t
from dataclasses import replace

import click

from ..base.git import author_of
from ..base.paths import Project
from ..queue.fork import Fork
from ..queue.message import Message
from ..queue.patch import Patch
from ..sequencer import edit
from ..sequencer.journal import check_idle
from . import terminal
from .stopped import proceed

_resolve = click.option(
    "--resolve", is_flag=True, help="Stop at conflicts instead of refusing."
)
_after = click.option("--after", metavar="OTHER", help="The patch to put it after.")


@click.command("new", short_help="Start a patch, and stop at it.")
@click.argument("name")
@_after
@terminal.message
@click.pass_obj
def new_verb(
    project: Project, name: str, after: str | None, given: t.TextIO | None
) -> None:
    """Start the patch NAME, and stop for its changes in upstream/checkout."""
    # Before the editor: what is written there must not be lost.
    check_idle(project)
    begun = Patch(*author_of(project.root), Message.parse("").named(name), ())

    def check(message: Message) -> None:
        replace(begun, message=message).check_head(where=name)

    message = terminal.completed(project, begun.message, given, check)
    patch = replace(begun, message=message.named(name))
    keeping = terminal.keeping(project, message, given)
    with keeping, terminal.working(project) as (fork, worktree):
        terminal.show(project, edit.begin(fork, worktree, patch, after))


@click.command("header", short_help="Change a patch's message and trailers.")
@click.argument("name")
@terminal.message
@click.pass_obj
def header_verb(project: Project, name: str, given: t.TextIO | None) -> None:
    """Change the subject, reason and trailers of the patch NAME.

    Opens an editor unless --message is given.
    """
    check_idle(project)
    patch = Fork.load(project).queue[name]

    def check(message: Message) -> None:
        replace(patch, message=message).check_head(where=name)

    if given:
        message = terminal.completed(project, patch.message, given, check)
    elif sys.stdin.isatty():
        message = terminal.edited(project, patch.message, check)
    else:
        raise click.UsageError("not a terminal: give the text with --message")
    keeping = terminal.keeping(project, message, given)
    with keeping, terminal.working(project) as (fork, worktree):
        written = edit.set_message(fork, worktree, name, message)
    terminal.show_written(project, written)


@click.command("enable", short_help="Apply a disabled patch again.")
@click.argument("name")
@_resolve
@click.pass_obj
def enable_verb(project: Project, name: str, resolve: bool) -> None:
    """Apply the disabled patch NAME again, at its place."""
    with terminal.working(project) as (fork, worktree):
        result = edit.enable(fork, worktree, name, resolve=resolve)
    terminal.show(project, result)


@click.command("disable", short_help="Keep a patch, but stop applying it.")
@click.argument("name")
@_resolve
@click.pass_obj
def disable_verb(project: Project, name: str, resolve: bool) -> None:
    """Keep the patch NAME, but stop applying it."""
    with terminal.working(project) as (fork, worktree):
        result = edit.disable(fork, worktree, name, resolve=resolve)
    terminal.show(project, result)


@click.command("edit", short_help="Stop at a patch to change it.")
@click.argument("name")
@click.pass_obj
def edit_verb(project: Project, name: str) -> None:
    """Stop at the patch NAME to change it in upstream/checkout."""
    with terminal.working(project) as (fork, worktree):
        terminal.show(project, edit.edit(fork, worktree, name))


@click.command("refresh", short_help="Finish an edit, taking its changes.")
@click.pass_obj
def refresh_verb(project: Project) -> None:
    """Take the changes in upstream/checkout, and finish the stopped command."""
    proceed(project, every=False)


@click.command("move", short_help="Move a patch to another place.")
@click.argument("name")
@_after
@click.option("--first", is_flag=True, help="Put it before all others.")
@_resolve
@click.pass_obj
def move_verb(
    project: Project, name: str, after: str | None, first: bool, resolve: bool
) -> None:
    """Move the patch NAME to another place in the queue."""
    if (after is None) is not first:
        raise click.UsageError("give either --after OTHER or --first")
    with terminal.working(project) as (fork, worktree):
        result = edit.move(fork, worktree, name, after, resolve=resolve)
    terminal.show(project, result)


@click.command("drop", short_help="Remove a patch from the queue.")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for CHANGELOG.md.")
@_resolve
@click.pass_obj
def drop_verb(project: Project, name: str, reason: str, resolve: bool) -> None:
    """Remove the patch NAME from the queue."""
    with terminal.working(project) as (fork, worktree):
        result = edit.drop(fork, worktree, name, reason, resolve=resolve)
    terminal.show(project, result)


@click.command("fold", short_help="Fold a patch into another one.")
@click.argument("name")
@click.option(
    "--into", metavar="OTHER", required=True, help="The patch to fold it into."
)
@_resolve
@click.pass_obj
def fold_verb(project: Project, name: str, into: str, resolve: bool) -> None:
    """Fold the patch NAME into another one, which keeps its own message."""
    with terminal.working(project) as (fork, worktree):
        result = edit.fold(fork, worktree, name, into, resolve=resolve)
    terminal.show(project, result)


@click.command("rename", short_help="Rename a patch and its tests.")
@click.argument("name")
@click.argument("new")
@click.pass_obj
def rename_verb(project: Project, name: str, new: str) -> None:
    """Rename the patch NAME, its tests and its resolutions to NEW."""
    with terminal.working(project) as (fork, worktree):
        written = edit.rename(fork, worktree, name, new)
    terminal.show_written(project, written)
