"""The verb that takes patches from elsewhere."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import click

from ..base.git import author_of
from ..base.paths import Project
from ..queue import incoming
from ..queue.incoming import Incoming
from ..queue.message import Message
from ..queue.patch import Patch
from ..sequencer import edit
from ..upstream.pin import Pin
from . import terminal


@click.command("take", short_help="Add a mail, pull request or diff.")
@click.argument("file", type=click.File("rb"))
@click.option("--name", help="The name of the patch.")
@click.option("--after", metavar="OTHER", help="The patch that it comes after.")
@terminal.message
@click.pass_obj
def take_verb(
    project: Project,
    file: t.BinaryIO,
    name: str | None,
    after: str | None,
    given: t.TextIO | None,
) -> None:
    """Take a patch from FILE, or - for standard input, into the queue.

    FILE is a mail or a mailbox, the .patch of a pull request, or a plain diff.
    """
    take(project, file, name, after, given)


def take(
    project: Project,
    file: t.BinaryIO,
    name: str | None,
    after: str | None,
    given: t.TextIO | None,
) -> None:
    """Take a patch from a file into the queue, and print what became of it.

    :param name: the name of the patch, unless its own message has one.
    :param after: the patch that it comes after; ``None`` for the last one.
    :param given: its message, unless its own is complete.
    """
    package = Pin.load(project).package
    items = incoming.read(file.read(), package, where=file.name)
    if name or given or not all(item.message.name for item in items):
        items = [incoming.joined(items)]
    patches = [_completed(project, item, name, given, file.name) for item in items]
    with terminal.working(project) as (fork, worktree):
        result = edit.take(fork, worktree, patches, after)
    for item in items:
        for path in item.left_out:
            click.echo(f"{path}: left out, it is not in {package}")
    terminal.show(project, result)


def _completed(
    project: Project,
    item: Incoming,
    name: str | None,
    given: t.TextIO | None,
    where: str,
) -> Patch:
    """What somebody offers as a patch, once its message is complete."""
    message = item.message.named(name) if name else item.message
    author, date = item.author, item.date
    if author is None or date is None:
        author, date = author_of(project.root)
    patch = Patch(author, date, message, item.diffs)

    def check(message: Message) -> None:
        replace(patch, message=message).check_head(where=where)

    return replace(patch, message=terminal.completed(project, message, given, check))
