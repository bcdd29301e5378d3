"""The verbs between ``patches/`` and the checkout."""

from __future__ import annotations

import click

from .. import export as exports
from .. import queue as queues
from .. import terminal
from .. import transaction
from .. import upstream
from ..errors import ForkError
from ..project import Project


@click.command()
@click.pass_obj
def apply(project: Project) -> None:
    """Make upstream/checkout: the pinned release, one commit a patch on top."""
    pin = terminal.fetched(project)
    queue = queues.load(project, pin)
    tree = terminal.tree_of(project)
    with terminal.changing(project), terminal.progress("applying the queue"):
        exports.settle(project, tree)
        tree.apply(pin, upstream.files(project, pin), queue.patches)
    click.echo(
        f"{tree.shown}: {pin.name} {pin.version} and {len(queue.patches)} patches"
    )


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
    from .. import readme as readmes

    queue = queues.load(project, upstream.load_pin(project))
    content = readmes.render(project, queue)
    with terminal.changing(project):
        transaction.commit(project, {project.root / "README.md": content})
    click.echo(f"README.md: {len(queue.patches)} differences")
