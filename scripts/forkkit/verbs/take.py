"""The verb that adds patches from elsewhere to the queue."""

from __future__ import annotations

import email.utils
import typing as t
from dataclasses import replace
from datetime import datetime
from datetime import timezone

import click

from ..base.git import author_of
from ..base.paths import Project
from ..queue import incoming
from ..queue import proposal
from ..queue.fork import Fork
from ..queue.incoming import Incoming
from ..queue.message import Message
from ..queue.patch import Patch
from ..sequencer import edit
from ..upstream.history import History
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
    fork = terminal.fetched(project)
    package = fork.pin.package
    items = incoming.read(file.read(), package, where=file.name)
    if name or given or not all(item.message.name for item in items):
        items = [incoming.joined(items)]
    items = [_proposed(fork, item) for item in items]
    for item in items:
        _echo_remarks(fork, item, file.name)
    patches = [_completed(project, item, name, given, file.name) for item in items]
    for item, patch in zip(items, patches):
        _echo_same(fork, {*patch.message.bugs} - {*item.message.bugs})
    with terminal.working(project) as (fork, worktree):
        result = edit.take(fork, worktree, patches, after, incoming.origin_of(items))
    terminal.show(project, result)


def _proposed(fork: Fork, item: Incoming) -> Incoming:
    """A change with the trailers that its own text suggests, if it lacks any."""
    if not item.message.problems(where=""):
        return item
    history = History.find(fork.project)
    known = history.commit if history else lambda sha: None
    message = item.message
    # A commit of upstream's own is a backport, even if its text does not say so.
    last = item.origin.commits[-1:]
    if any(map(known, last)):
        message = message.with_added("Origin", [f"upstream, commit:{last[0]}"])
    message = proposal.completed(message, _repository_of(fork), known)
    return replace(item, message=message)


def _repository_of(fork: Fork) -> str | None:
    """The repository that a bare issue number refers to: the most frequent one."""
    named = [b.partition("#")[0] for p in fork.queue.patches for b in p.message.bugs]
    return max(named, key=named.count, default=None)


def _echo_remarks(fork: Fork, item: Incoming, where: str) -> None:
    """Report what is not taken as it is, and other patches for the same bugs."""
    for path in item.left_out:
        terminal.echo(f"{path}: left out, because it is not in {fork.pin.package}")
    for remark in item.remarks:
        terminal.echo(remark)
    if not item.author:
        terminal.echo(f"{where}: it names no author; git's own is used")
    if not item.date:
        terminal.echo(f"{where}: it has no date; the current time is used")
    _echo_same(fork, item.message.bugs)


def _echo_same(fork: Fork, bugs: t.Iterable[str]) -> None:
    for bug in bugs:
        for patch in (*fork.queue.patches, *fork.queue.disabled):
            if bug in patch.message.bugs:
                terminal.echo(f"{patch.name}: already in the queue for {bug}")


def _completed(
    project: Project,
    item: Incoming,
    name: str | None,
    given: t.TextIO | None,
    where: str,
) -> Patch:
    """The patch that an incoming change becomes once its message is complete."""
    message = item.message.named(name) if name else item.message
    author, now = item.author, email.utils.format_datetime(datetime.now(timezone.utc))
    if not author:
        author, now = author_of(project.root)
    patch = Patch(author, item.date or now, message, item.diffs)

    def check(message: Message) -> None:
        replace(patch, message=message).check_head(where=where)

    return replace(patch, message=terminal.completed(project, message, given, check))
