"""The verbs that check whether the fork keeps its promises."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t

import click

from ..base.errors import ForkError
from ..base.paths import Project
from ..base.programs import run
from ..prove import bisect
from ..prove import checks
from ..prove import needed
from . import terminal

#: A line of nox's list: the session's name with and without its Python version.
_SESSION = re.compile(r"^[*-] (([\w-]+?)(?:-\d\.\d+)?)(?: ->.*)?$", re.MULTILINE)
_OPTIONS = f"{__name__}.options"


class _Sessions(click.Command):
    """A command that takes what follows ``--`` for the sessions."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        context.meta[_OPTIONS] = args[end:]
        return super().parse_args(context, args[:end])


@click.command("test", cls=_Sessions, short_help="Run the tests, or named sessions.")
@click.argument("names", nargs=-1, metavar="[SESSION]... [-- OPTIONS]")
@click.pass_context
def test_verb(context: click.Context, names: tuple[str, ...]) -> None:
    """Run the tests that a change must pass, or the named sessions of noxfile.py.

    Use `quick` before a commit; `all` runs everything. OPTIONS are for the sessions.
    """
    project: Project = context.obj
    if unknown := [name for name in names if name not in (known := _sessions(project))]:
        raise click.UsageError(
            f"there is no session {', '.join(unknown)}; choose from {', '.join(known)}"
        )
    terminal.fetched(project)
    chosen = ["--session", *names] if names else []
    command = [*_nox(project), *chosen, *context.meta[_OPTIONS]]
    context.exit(subprocess.run(command, cwd=project.root, check=False).returncode)


def _sessions(project: Project) -> list[str]:
    """All valid session names, with and without a Python version."""
    # Without --json, nox also lists the sessions that do not run by default. It exits
    # with 3 if there are none.
    done = run(*_nox(project), "--list-sessions", cwd=project.root, fine=(0, 3))
    names = _SESSION.findall(done.stdout)
    return [*dict.fromkeys(name for pair in names for name in pair)]


def _nox(project: Project) -> list[str]:
    noxfile = str(project.root / "noxfile.py")
    return [sys.executable, "-m", "nox", "--noxfile", noxfile]


@click.command("verify", short_help="Check the project's invariants.")
@click.argument(
    "names", nargs=-1, type=click.Choice([*checks.CHECKS]), metavar="[CHECK]..."
)
@terminal.as_json
@click.pass_context
def verify_verb(context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    project: Project = context.obj
    if names != ("formats",):
        terminal.fetched(project)
    results = []
    with terminal.progress("verifying") as say:
        for result in checks.run(project, names):
            results.append(result)
            say(f"verifying: {result.name} done")
    if as_json:
        terminal.echo_json([_values(result) for result in results])
    else:
        for result in results:
            word = "fails" if result.problems else "holds"
            terminal.echo(f"{result.name}: {word} ({result.seconds:.1f} s)")
            for said in (*result.problems, *result.notes):
                terminal.echo(f"{said.label}: {said}", err=True)
    context.exit(1 if any(result.problems for result in results) else 0)


verify_verb.help = f"""Check all of the project's invariants, or the named ones.

The checks are {", ".join(checks.CHECKS)}.
"""


@click.command("needed", short_help="Judge patches by their tests.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@terminal.as_json
@click.pass_context
def needed_verb(context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Judge all patches, or the named ones, by their tests.

    The tests of a patch must fail without it and pass with it.
    """
    fork = terminal.fetched(context.obj)
    verdicts = []
    with terminal.progress("running the tests of patches") as say:
        for verdict in needed.judge(fork, names):
            verdicts.append(verdict)
            say(f"{verdict.name}: {verdict.text}")
    if as_json:
        values = [{**vars(v), "verdict": v.text} for v in verdicts]
        terminal.echo_json(values)
    else:
        for verdict in verdicts:
            terminal.echo(f"{verdict.name}: {verdict.text}")
    context.exit(1 if needed.problems(verdicts) else 0)


@click.command(
    "bisect",
    short_help="Find the patch that breaks a command.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@terminal.as_json
@click.pass_obj
def bisect_verb(project: Project, command: tuple[str, ...], as_json: bool) -> None:
    """Find the patch, or the combination of patches, that makes COMMAND fail.

    Put -- before COMMAND. It runs in the current folder and imports flask and flaskfork
    as built from a subset of the queue. Any exit code but 0 is a failure.
    """
    fork = terminal.fetched(project)
    with terminal.progress("bisecting") as say:
        found = bisect.find(fork, command, say)
    if as_json:
        terminal.echo_json(vars(found))
        return
    word = "fail" if len(found.names) > 1 else "fails"
    needs = f" (on {', '.join(found.needed)})" if found.needed else ""
    terminal.echo(
        f"{', '.join(found.names)}{needs}: {word} it, found in {found.runs} runs"
    )


def _values(result: checks.Result) -> dict[str, t.Any]:
    return {
        "name": result.name,
        "holds": not result.problems,
        "seconds": round(result.seconds, 3),
        "problems": list(map(_said, result.problems)),
        "notes": list(map(_said, result.notes)),
    }


def _said(error: ForkError) -> dict[str, t.Any]:
    return {"what": error.what, "where": error.where, "hint": error.hint}
