"""The verb that shows the overlay's lean bodies, and accepts what they stand for."""

from __future__ import annotations

import click

from ..base import transaction
from ..base.errors import ForkError
from ..base.paths import Project
from ..queue import lean
from ..queue.lean import State
from . import terminal


@click.command("lean", short_help="List lean bodies and their originals.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--accept",
    is_flag=True,
    help="Write the hashes of the originals of NAMEs into the overlay.",
)
@terminal.as_json
@click.pass_obj
def lean_verb(
    project: Project, names: tuple[str, ...], accept: bool, as_json: bool
) -> None:
    """List the lean bodies of the overlay, or the named ones, each with its state.

    A body stands for a function of Flask. With --accept, those of NAMEs stand for what
    these functions are after the queue; compare them first.
    """
    if accept and not names:
        raise click.UsageError("--accept needs the NAME of each body")
    fork = terminal.fetched(project)
    if accept:
        with terminal.changing(project) as fork:
            changes = lean.accepted(project, _chosen(lean.states_of(fork), names))
            transaction.commit(project, changes)
        terminal.show_written(project, changes)
    found = _chosen(lean.states_of(fork), names)
    if as_json:
        terminal.echo_json([lean.values(state) for state in found])
        return
    for state in found:
        said = state.text if state.is_reached else f"{state.text}, no patch puts it in"
        terminal.echo(f"{state.body.name}: {said} ({state.body.part})")


def _chosen(found: list[State], names: tuple[str, ...]) -> list[State]:
    known = {state.body.name for state in found}
    if unknown := [name for name in names if name not in known]:
        raise ForkError(
            f"there is no lean body for {', '.join(unknown)}",
            hint="`scripts/fork lean` lists them",
        )
    return [state for state in found if not names or state.body.name in names]
