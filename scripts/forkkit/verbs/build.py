"""The verbs that build what ships."""

from __future__ import annotations

import pathlib

import click

from ..base.paths import Project
from ..pack import dist
from ..pack import stage
from ..queue import lean
from ..queue.fork import Fork
from . import terminal


@click.command("materialise", short_help="Write the shipped package to build/stage.")
@click.pass_obj
def materialise_verb(project: Project) -> None:
    """Write the package to build/stage exactly as it ships."""
    fork = terminal.fetched(project)
    files = stage.write_stage(project, project.stage)
    terminal.echo(f"{project.relative(project.stage)}: {len(files)} files")
    _echo_left_out(fork)


@click.command("build", short_help="Build both wheels and the sdist.")
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    default=pathlib.Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
@click.pass_obj
def build_verb(project: Project, out: pathlib.Path) -> None:
    """Build the fork's wheel and sdist, and the shim's wheel."""
    fork = terminal.fetched(project)
    with terminal.progress("building"):
        built = dist.build(project, out)
    for path in built:
        terminal.echo(str(path))
    _echo_left_out(fork)


def _echo_left_out(fork: Fork) -> None:
    for line in lean.report(lean.states_of(fork)):
        terminal.echo(line)
