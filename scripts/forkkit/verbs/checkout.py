"""The verbs between ``patches/`` and the checkout."""

from __future__ import annotations

import functools
import typing as t

import click

from ..base import transaction
from ..base.errors import ForkError
from ..base.files import Project
from ..queue import export as exports
from ..queue import queue as queues
from ..upstream import source as upstream
from . import terminal


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--name", help="The name of the patch.")
@click.option("--after", metavar="OTHER", help="The patch that it comes after.")
@terminal.message
@click.pass_obj
def apply(
    project: Project,
    file: t.BinaryIO | None,
    name: str | None,
    after: str | None,
    message: t.TextIO | None,
) -> None:
    """Make upstream/checkout: the pinned release, one commit a patch on top.

    With FILE, or - for standard input, take a patch from there into the queue: a mail
    or a mailbox, the .patch of a pull request, or a plain diff.
    """
    if file:
        _take(project, file, name, after, message)
        return
    if name or after or message:
        raise click.UsageError("--name, --after and --message belong to a FILE")
    pin = terminal.fetched(project)
    queue = queues.load(project, pin)
    tree = terminal.tree_of(project)
    with terminal.changing(project), terminal.progress("applying the queue"):
        exports.settle(project, tree)
        tree.apply(pin, upstream.files(project, pin), queue.patches)
    click.echo(f"{tree.shown}: {pin} and {len(queue.patches)} patches")


def _take(
    project: Project,
    file: t.BinaryIO,
    name: str | None,
    after: str | None,
    message: t.TextIO | None,
) -> None:
    from ..queue import incoming
    from ..queue import message as headers
    from ..sequencer import edit as author

    pin = terminal.fetched(project)
    items = incoming.read(file.read(), pin.package, where=file.name)
    if name or message or not all(item.header.name for item in items):
        items = [incoming.joined(items)]
    taken = []
    for item in items:
        head = item.header.named(name) if name else item.header
        who, date = item.author, item.date
        if who is None or date is None:
            who, date = headers.person(project)
        make = functools.partial(
            headers.complete, author=who, date=date, diffs=item.diffs, where=file.name
        )
        taken.append(make(terminal.completed(project, head, message, make)))
    with terminal.working(project) as bench:
        result = author.take(project, bench, taken, after)
    for item in items:
        for path in item.left_out:
            click.echo(f"{path}: left out, it is not in {pin.package}")
    terminal.show(project, result)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if it would.")
@click.pass_obj
def export(project: Project, check: bool) -> None:
    """Write the commits in upstream/checkout to patches/."""
    tree = terminal.tree_of(project)
    with terminal.changing(project):
        changes = (exports.plan if check else exports.export)(project, tree)
    for path in changes:
        word = "would be written" if check else "written"
        click.echo(f"{project.relative(path)}: {word}")
    if not changes:
        click.echo("patches/ holds what is committed already")
    if check and changes:
        raise ForkError(
            "patches/ does not hold what is committed",
            where=tree.shown,
            mend="run `scripts/fork export`",
        )


@click.command()
@click.pass_obj
def readme(project: Project) -> None:
    """Write the table of differences into README.md."""
    from ..queue import table as readmes

    queue = queues.load(project, upstream.load_pin(project))
    content = readmes.render(project, queue)
    with terminal.changing(project):
        transaction.commit(project, {project.root / "README.md": content})
    click.echo(f"README.md: {len(queue.patches)} differences")
