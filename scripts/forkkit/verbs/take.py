"""The verb that adds patches from elsewhere to the queue."""

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


@click.command("take", short_help="Add an email, pull request or diff.")
@click.argument("file", type=click.File("rb"))
@click.option("--name", help="The name of the patch.")
@click.option("--after", metavar="OTHER", help="The patch to put it after.")
@terminal.message
@click.pass_obj
def take_verb(
    project: Project,
    file: t.BinaryIO,
    name: str | None,
    after: str | None,
    given: t.TextIO | None,
) -> None:
    """Add the patches in FILE to the queue; - is standard input.

    FILE is an email or a mailbox, the .patch of a pull request, or a plain diff.
    """
    take(project, file, name, after, given)


def take(
    project: Project,
    file: t.BinaryIO,
    name: str | None,
    after: str | None,
    given: t.TextIO | None,
) -> None:
    """Add the patches in a file to the queue, and print what became of them.

    With a name or a message, or if any of them lacks a name, they become one patch.

    :param name: the name of the patch; may be omitted if its own message has one.
    :param after: the patch to insert them after; ``None`` to append them.
    :param given: the message of the patch; may be omitted if its own is complete.
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
            click.echo(f"{path}: left out, because it is not in {package}")
    terminal.show(project, result)


def _completed(
    project: Project,
    item: Incoming,
    name: str | None,
    given: t.TextIO | None,
    where: str,
) -> Patch:
    """The patch that an incoming change becomes once its message is complete."""
    message = item.message.named(name) if name else item.message
    author, date = item.author, item.date
    if not author or not date:
        me, now = author_of(project.root)
        author, date = author or me, date or now
    patch = Patch(author, date, message, item.diffs)

    def check(message: Message) -> None:
        replace(patch, message=message).check_head(where=where)

    return replace(patch, message=terminal.completed(project, message, given, check))
