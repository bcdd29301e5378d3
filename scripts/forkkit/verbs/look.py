"""The verbs that show patches, and what they have to do with each other."""

from __future__ import annotations

import json

import click

from ..base import diff as diffs
from ..base.files import Project
from ..carry import changes as replay
from ..carry import dependencies as needs
from ..carry import merge
from ..carry import send as sending
from ..queue import queue as queues
from ..upstream import source as upstream
from . import terminal


@click.command()
@click.argument("name")
@click.pass_obj
def show(project: Project, name: str) -> None:
    """Print the patch NAME."""
    patch = queues.load(project, upstream.load_pin(project)).known(name)
    path = project.patches / f"{patch.name}.patch"
    click.echo(path.read_bytes(), nl=False)


@click.command()
@click.argument("name")
@click.pass_obj
def files(project: Project, name: str) -> None:
    """List the files that the patch NAME changes, and how many lines."""
    for diff in queues.load(project, upstream.load_pin(project)).known(name).diffs:
        marks = [mark for hunk in diff.hunks for mark, _ in hunk.lines]
        counts = f"+{marks.count(b'+')} -{marks.count(b'-')}"
        click.echo(f"{diff.path}  {counts}")


@click.command()
@click.argument("file")
@click.pass_obj
def patches(project: Project, file: str) -> None:
    """List the patches that change FILE, such as sansio/app.py, first to last."""
    pin = upstream.load_pin(project)
    for patch in queues.load(project, pin).patches:
        if any(f"/{diff.path}".endswith(f"/{file}") for diff in patch.diffs):
            click.echo(patch.name)


@click.command()
@click.argument("name", required=False)
@click.pass_obj
def diff(project: Project, name: str | None) -> None:
    """Print what the patch NAME changes, or the work that is not exported yet."""
    if name:
        patch = queues.load(project, upstream.load_pin(project)).known(name)
        click.echo(diffs.render(patch.diffs), nl=False)
        return
    bench = terminal.bench_of(project)
    bench.tree.check_ours()
    click.echo(bench.unexported(), nl=False)


@click.command()
@click.argument("name", required=False)
@terminal.as_json
@click.pass_obj
def depends(project: Project, name: str | None, as_json: bool) -> None:
    """Tell which patches each patch needs, or the patch NAME; the others commute."""
    pin = terminal.fetched(project)
    queue = queues.load(project, pin)
    changes = replay.changes(queue.patches, upstream.files(project, pin))
    with merge.scratch() as merger, terminal.progress("leaving out each"):
        found = needs.derive(changes, merger)
    if name:
        found = {name: found[queue[name].name]}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for patch, needed in found.items():
        click.echo(f"{patch}: {', '.join(needed) or '-'}")


@click.command()
@click.argument("name")
@click.pass_obj
def send(project: Project, name: str) -> None:
    """Print the patch NAME as a mail for upstream, on the pinned release alone."""
    terminal.fetched(project)
    click.echo(sending.mail(project, name), nl=False)
