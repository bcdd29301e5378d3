"""The verbs that carry the queue over to another release."""

from __future__ import annotations

import json
import pathlib

import click

from ..base import transaction
from ..base.files import Project
from ..sequencer import sequence
from . import terminal


@click.command()
@click.argument("version", required=False)
@click.option(
    "--from",
    "local",
    type=click.Path(path_type=pathlib.Path),
    help="Take the release from this file instead of asking the package index.",
)
@click.option("--continue", "go_on", is_flag=True, help="Go on after a stop.")
@click.option("--skip", is_flag=True, help="Leave out the patch it stopped at.")
@click.option("--reason", help="With --skip: why, for CHANGELOG.md.")
@click.option("--abort", is_flag=True, help="Go back to where it began.")
@click.option("--status", is_flag=True, help="Tell where it is stopped.")
@click.pass_obj
def rebase(
    project: Project,
    version: str | None,
    local: pathlib.Path | None,
    go_on: bool,
    skip: bool,
    reason: str | None,
    abort: bool,
    status: bool,
) -> None:
    """Carry the queue over to the release VERSION.

    At the end pin, patches and changelog change all at once. Exits with 3 where it
    stops for you.
    """
    from ..sequencer import rebase as rebases

    if [bool(version), go_on, skip, abort, status].count(True) != 1:
        raise click.UsageError(
            "name either a VERSION, or one of --continue, --skip, --abort, --status"
        )
    if reason and not skip:
        raise click.UsageError("--reason belongs to --skip")
    if not (abort or status):
        terminal.fetched(project)
    bench = terminal.bench_of(project)
    with transaction.exclusive(project), terminal.progress("rebasing"):
        if status:
            raise sequence.stopped(bench, sequence.load(project))
        if abort:
            saved = sequence.abort(project, bench)
        elif go_on:
            result = sequence.proceed(project, bench)
        elif skip:
            result = sequence.skip(project, bench, reason)
        else:
            result = rebases.rebase(project, bench, str(version), local)
    if abort:
        click.echo(f"{bench.tree.shown}: back to the queue")
        if saved:
            click.echo(f"what was changed there is kept as {saved}")
        return
    terminal.show(project, result, every=True)


@click.command()
@click.argument("versions", nargs=-1)
@terminal.as_json
@click.pass_obj
def forecast(project: Project, versions: tuple[str, ...], as_json: bool) -> None:
    """Tell what a rebase on each of VERSIONS would come to, and change nothing.

    Without VERSIONS, all releases beyond the pin.
    """
    from ..carry import forecast as forecasts

    pin = terminal.fetched(project)
    with terminal.progress("asking the package index") as say:
        chosen = versions or [r.version for r in forecasts.beyond(project, pin)]
        rows = []
        for row in forecasts.forecast(project, chosen):
            rows.append(row)
            say(f"forecast: {row.version} done")
    if as_json:
        click.echo(json.dumps(list(map(forecasts.values, rows)), indent=2))
    elif rows:
        click.echo(forecasts.table(rows))
    else:
        click.echo(f"there is no release beyond {pin}")


@click.command()
@click.argument("version", required=False)
@terminal.as_json
@click.pass_obj
def absorbed(project: Project, version: str | None, as_json: bool) -> None:
    """List the patches that the release VERSION, or the pinned one, seems to have.

    Nothing is dropped: that is the maintainer's word, or the patch's own Drop-When.
    """
    from ..carry import absorbed as absorbeds

    pin = terminal.fetched(project)
    with terminal.progress("looking"):
        found = list(absorbeds.look(project, version or pin.version))
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in found], indent=2))
        return
    for finding in found:
        for fact in finding.evidence:
            click.echo(f"{finding.name}: {pin.name} {finding.release}: {fact}")
    if not any(finding.evidence for finding in found):
        click.echo(f"no patch seems to be in {pin.name} {version or pin.version}")


@click.command()
@terminal.as_json
@click.pass_obj
def upstream(project: Project, as_json: bool) -> None:
    """List the releases beyond the pin, with what a rebase on each would come to."""
    from ..carry import forecast as forecasts

    pin = terminal.fetched(project)
    with terminal.progress("asking the package index"):
        newer = forecasts.beyond(project, pin)
        rows = list(forecasts.forecast(project, [r.version for r in newer]))
    values = [
        {
            "version": release.version,
            "date": f"{release.when:%Y-%m-%d}" if release.when else None,
            **forecasts.values(row),
        }
        for release, row in zip(newer, rows)
    ]
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for release, row in zip(newer, rows):
        date = f"{release.when:%Y-%m-%d}" if release.when else "?"
        stops = [o.name for o in row.outcomes if o.kind in {"conflict", "absorbed"}]
        said = f"stops at {', '.join(stops)}" if stops else "goes through"
        click.echo(f"{release.version}  {date}  a rebase {said}")
    if not newer:
        click.echo(f"there is no release beyond {pin}")
