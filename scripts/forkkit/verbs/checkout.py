"""The verbs between ``patches/`` and the checkout."""

from __future__ import annotations

import typing as t

import click

from ..base import transaction
from ..base.errors import ForkError
from ..base.paths import Project
from ..queue import export
from ..queue import table
from ..queue.checkout import Checkout
from ..sequencer import edit
from . import terminal
from .take import take


@click.command("apply", short_help="Make the checkout from patches/.")
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--name", help="With FILE: the name of the patch.")
@click.option("--after", metavar="OTHER", help="With FILE: the patch to put it after.")
@terminal.message
@click.pass_obj
def apply_verb(
    project: Project,
    file: t.BinaryIO | None,
    name: str | None,
    after: str | None,
    given: t.TextIO | None,
) -> None:
    """Make upstream/checkout: the pinned release, with one commit per patch.

    With FILE, do the same as `take`.
    """
    if file:
        take(project, file, name, after, given)
        return
    if name or after or given:
        raise click.UsageError("--name, --after and --message need a FILE")
    with terminal.changing(project), terminal.progress("applying the queue"):
        fork, checkout = terminal.fetched(project), Checkout.of(project)
        export.settle(fork, checkout)
        checkout.apply(fork)
    terminal.echo(f"{checkout.shown}: {fork.pin} and {len(fork.queue.patches)} patches")


@click.command("export", short_help="Write the checkout's commits to patches/.")
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 1 if an export would."
)
@click.pass_obj
def export_verb(project: Project, check: bool) -> None:
    """Write the commits in upstream/checkout to patches/."""
    checkout = Checkout.of(project)
    with terminal.changing(project) as fork:
        write = export.plan if check else edit.export_commits
        changes = write(fork, checkout)
    for path in changes:
        word = "would be written" if check else "written"
        terminal.echo(f"{project.relative(path)}: {word}")
    if not changes:
        terminal.echo("patches/ is up to date with the commits")
    if check and changes:
        raise ForkError(
            "patches/ does not match the commits",
            where=checkout.shown,
            hint="run `scripts/fork export`",
        )


@click.command("readme", short_help="Update the table of differences.")
@click.pass_obj
def readme_verb(project: Project) -> None:
    """Update the table of differences in README.md."""
    with terminal.changing(project) as fork:
        content = table.with_table(project, fork.queue)
        transaction.commit(project, {project.root / "README.md": content})
    terminal.echo(f"README.md: {len(fork.queue.patches)} differences")
