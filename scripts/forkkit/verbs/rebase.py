"""The verbs that rebase the queue onto another release, or look ahead to that."""

from __future__ import annotations

import pathlib

import click

from ..base import transaction
from ..base.paths import Project
from ..carry import forecast
from ..carry.forecast import Forecast
from ..sequencer import edit
from ..sequencer import sequence
from ..sequencer.journal import Journal
from ..sequencer.worktree import Worktree
from ..upstream import releases
from . import stopped
from . import terminal


@click.command("rebase", short_help="Rebase the queue onto a release.")
@click.argument("version", required=False)
@click.option(
    "--from",
    "local",
    type=click.Path(path_type=pathlib.Path),
    help="Take the release from this file instead of the package index.",
)
@click.option("--continue", "go_on", is_flag=True, help="The same as `continue`.")
@click.option("--skip", is_flag=True, help="The same as `skip`.")
@click.option("--reason", help="With --skip: why, for CHANGELOG.md.")
@click.option("--abort", is_flag=True, help="The same as `abort`.")
@click.option("--status", is_flag=True, help="Show where it is stopped.")
@click.pass_obj
def rebase_verb(
    project: Project,
    version: str | None,
    local: pathlib.Path | None,
    go_on: bool,
    skip: bool,
    reason: str | None,
    abort: bool,
    status: bool,
) -> None:
    """Rebase the queue onto the release VERSION.

    At the end, pin, patches and changelog change all at once. If a patch needs you, the
    command stops with exit code 3; then use `continue`, `skip` or `abort`.
    """
    if [bool(version), go_on, skip, abort, status].count(True) != 1:
        raise click.UsageError(
            "name either a VERSION, or one of --continue, --skip, --abort, --status"
        )
    if reason and not skip:
        raise click.UsageError("--reason needs --skip")
    if status:
        with transaction.exclusive(project):
            raise sequence.stopped(Worktree.of(project), Journal.load(project))
    if abort:
        stopped.abort(project)
    elif go_on:
        stopped.proceed(project, every=True)
    elif skip:
        stopped.skip(project, reason)
    else:
        with terminal.working(project) as (fork, worktree):
            result = edit.rebase(fork, worktree, str(version), local)
        terminal.show(project, result, every=True)


@click.command("forecast", short_help="Predict the outcome of a rebase.")
@click.argument("versions", nargs=-1)
@terminal.as_json
@click.pass_obj
def forecast_verb(project: Project, versions: tuple[str, ...], as_json: bool) -> None:
    """Predict the outcome of a rebase onto each of VERSIONS, without changing anything.

    Without VERSIONS, use all releases newer than the pin.
    """
    fork = terminal.fetched(project)
    with terminal.progress("asking the package index") as say:
        chosen = versions or [release.version for release in releases.beyond(fork.pin)]
        rows = []
        for row in forecast.forecast(fork, chosen):
            rows.append(row)
            say(f"forecast: {row.version} done")
    if as_json:
        terminal.echo_json(list(map(forecast.values, rows)))
    elif rows:
        terminal.echo(forecast.table(rows))
    else:
        terminal.echo(f"there is no release newer than {fork.pin}")


@click.command("absorbed", short_help="List patches that upstream seems to have.")
@click.argument("version", required=False)
@terminal.as_json
@click.pass_obj
def absorbed_verb(project: Project, version: str | None, as_json: bool) -> None:
    """List the patches that the release VERSION, or the pinned one, seems to have.

    Drops nothing: that is up to the maintainer, or to the patch's Drop-When.
    """
    fork = terminal.fetched(project)
    with terminal.progress("looking"):
        found = list(forecast.absorbed(fork, version or fork.pin.version))
    if as_json:
        terminal.echo_json([vars(finding) for finding in found])
        return
    for finding in found:
        for fact in finding.evidence:
            terminal.echo(f"{finding.name}: {fork.pin.name} {finding.release}: {fact}")
    if not any(finding.evidence for finding in found):
        release = f"{fork.pin.name} {version or fork.pin.version}"
        terminal.echo(f"no patch seems to be in {release}")


@click.command("upstream", short_help="List the releases newer than the pin.")
@terminal.as_json
@click.pass_obj
def upstream_verb(project: Project, as_json: bool) -> None:
    """List the releases newer than the pin, each with the outcome of a rebase."""
    fork = terminal.fetched(project)
    with terminal.progress("asking the package index"):
        newer = releases.beyond(fork.pin)
        rows = list(forecast.forecast(fork, [r.version for r in newer]))
    dates = [f"{release.when:%Y-%m-%d}" if release.when else None for release in newer]
    if as_json:
        values = [
            {"version": row.version, "date": date, **forecast.values(row)}
            for date, row in zip(dates, rows)
        ]
        terminal.echo_json(values)
        return
    for date, row in zip(dates, rows):
        terminal.echo(f"{row.version}  {date or '?'}  a rebase {_ahead(row)}")
    if not newer:
        terminal.echo(f"there is no release newer than {fork.pin}")


def _ahead(row: Forecast) -> str:
    return "would succeed" if row.clean else f"would stop at {', '.join(row.stops)}"
