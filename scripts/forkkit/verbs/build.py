"""The verbs that build and test."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import typing as t

import click

from ..base.files import Project
from ..pack import stage as materialises
from . import terminal

if t.TYPE_CHECKING:
    from ..prove.checks import Result


@click.command()
@click.pass_obj
def materialise(project: Project) -> None:
    """Make build/stage: the package as it ships."""
    terminal.fetched(project)
    files = materialises.write_stage(project, project.stage)
    click.echo(f"{project.relative(project.stage)}: {len(files)} files")


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    default=pathlib.Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
@click.pass_obj
def build(project: Project, out: pathlib.Path) -> None:
    """Build the fork's wheel and sdist, and the shim's wheel."""
    from ..pack import dist as packing

    terminal.fetched(project)
    with terminal.progress("building"):
        built = packing.build(project, out)
    for path in built:
        click.echo(path)


@click.command()
@click.argument("sessions", nargs=-1)
@click.pass_context
def test(context: click.Context, sessions: tuple[str, ...]) -> None:
    """Run all tests, or the named nox SESSIONS of noxfile.py."""
    project: Project = context.obj
    terminal.fetched(project)
    chosen = ["--session", *sessions] if sessions else []
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "nox",
            "--noxfile",
            project.root / "noxfile.py",
            *chosen,
        ],
        cwd=project.root,
        check=False,
    )
    context.exit(done.returncode)


@click.command()
@click.argument("checks", nargs=-1)
@terminal.as_json
@click.pass_context
def verify(context: click.Context, checks: tuple[str, ...], as_json: bool) -> None:
    """Hold the project against its invariants: all CHECKS, or the named ones.

    The checks are formats, queue, rename, metadata, wheel, findings,
    needed and suite.
    """
    from ..prove import checks as verifies

    project: Project = context.obj
    if checks != ("formats",):
        terminal.fetched(project)
    results = []
    with terminal.progress("verifying") as say:
        for result in verifies.run(project, checks):
            results.append(result)
            say(f"verifying: {result.name} done")
    if as_json:
        click.echo(json.dumps([_result(result) for result in results], indent=2))
    else:
        for result in results:
            word = "fails" if result.problems else "holds"
            click.echo(f"{result.name}: {word} ({result.seconds:.1f} s)")
            for problem in result.problems:
                click.echo(f"error: {problem}", err=True)
    context.exit(1 if any(result.problems for result in results) else 0)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@terminal.as_json
@click.pass_context
def needed(context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Judge the patches by their tests, all or those named NAME.

    Without a patch its tests have to fail, and with it they have to pass.
    """
    from ..prove import needed as neededs

    project: Project = context.obj
    terminal.fetched(project)
    verdicts = []
    with terminal.progress("running the tests of patches") as say:
        for verdict in neededs.judge(project, names):
            verdicts.append(verdict)
            say(f"{verdict.name}: {verdict.text}")
    if as_json:
        values = [{**vars(v), "verdict": v.text} for v in verdicts]
        click.echo(json.dumps(values, indent=2))
    else:
        for verdict in verdicts:
            click.echo(f"{verdict.name}: {verdict.text}")
    context.exit(1 if neededs.problems(verdicts) else 0)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@terminal.as_json
@click.pass_obj
def bisect(project: Project, command: tuple[str, ...], as_json: bool) -> None:
    """Find the patch, or the patches together, that make COMMAND fail.

    Write -- before it. It runs in this folder, with flask and flaskfork as a part of
    the queue makes them, and fails if it exits with another code than 0.
    """
    from ..prove import bisect as bisects

    terminal.fetched(project)
    with terminal.progress("bisecting") as say:
        found = bisects.find(project, command, say)
    if as_json:
        click.echo(json.dumps(vars(found), indent=2))
        return
    word = "fail" if len(found.names) > 1 else "fails"
    needs = f" (on {', '.join(found.needed)})" if found.needed else ""
    click.echo(
        f"{', '.join(found.names)}{needs}: {word} it, found by {found.runs} runs"
    )


@click.command()
@click.argument("names", nargs=-1, metavar="[EXTENSION]...")
@click.option("--suites", is_flag=True, help="Run their own tests as well.")
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
def ecosystem(
    context: click.Context,
    names: tuple[str, ...],
    suites: bool,
    python: str,
    jobs: int,
    as_json: bool,
) -> None:
    """Try extensions on the fork: all of tests/ecosystem, or the named ones.

    An EXTENSION is a name from that list, or any requirement. What went well is not
    done again by the next run; remove build/ecosystem to begin anew.
    """
    from ..ecosystem import judge as ecosystems
    from ..ecosystem import listed as extensions
    from ..pack import dist as packing

    project: Project = context.obj
    pin = terminal.fetched(project)
    chosen = extensions.choose(project, names)
    rows = []
    with tempfile.TemporaryDirectory(prefix="flaskfork-ecosystem-") as folder:
        with terminal.progress("building"):
            built = packing.build(project, pathlib.Path(folder))
        with terminal.counting(len(chosen)) as (begin, done):
            for row in ecosystems.run(
                built,
                pin,
                chosen,
                project.build / "ecosystem",
                python=python,
                suites=suites,
                jobs=jobs,
                say=begin,
            ):
                rows.append(row)
                done(row.name, "loses something" if row.problems else "holds")
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        click.echo(ecosystems.table(rows))
    context.exit(1 if any(row.problems for row in rows) else 0)


def _result(result: Result) -> dict[str, t.Any]:
    return {
        "name": result.name,
        "holds": not result.problems,
        "seconds": round(result.seconds, 3),
        "problems": [
            {"what": p.what, "where": p.where, "mend": p.mend} for p in result.problems
        ],
    }
