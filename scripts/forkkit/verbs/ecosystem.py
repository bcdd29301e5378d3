"""The verb that tries extensions on the fork."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile

import click

from ..base.paths import Project
from ..ecosystem import judge
from ..ecosystem import listed
from ..pack import dist
from . import terminal


@click.command("ecosystem", short_help="Try extensions on the fork.")
@click.argument("names", nargs=-1, metavar="[EXTENSION]...")
@click.option("--suites", is_flag=True, help="Run their own tests too.")
@click.option(
    "--python",
    default="3.11",
    show_default=True,
    help="The Python to try them on.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many to try at a time.",
)
@terminal.as_json
@click.pass_context
def ecosystem_verb(
    context: click.Context,
    names: tuple[str, ...],
    suites: bool,
    python: str,
    jobs: int,
    as_json: bool,
) -> None:
    """Try extensions on the fork: all of tests/ecosystem, or the named ones.

    An EXTENSION is a name from that list, or any requirement. The next run does not
    repeat extensions without problems; remove build/ecosystem to start afresh.
    """

    project: Project = context.obj
    fork = terminal.fetched(project)
    chosen = listed.choose(project, names)
    rows = []
    with tempfile.TemporaryDirectory(prefix="flaskfork-ecosystem-") as folder:
        with terminal.progress("building"):
            built = dist.build(project, pathlib.Path(folder))
        with terminal.counting(len(chosen)) as (begin, done):
            for row in judge.run(
                built,
                fork.pin,
                chosen,
                project.build / "ecosystem",
                python=python,
                suites=suites,
                jobs=jobs,
                say=begin,
            ):
                rows.append(row)
                done(row.name, "has problems" if row.problems else "works")
    if as_json:
        terminal.echo_json([dataclasses.asdict(row) for row in rows])
    else:
        terminal.echo(judge.table(rows))
    context.exit(1 if any(row.problems for row in rows) else 0)
