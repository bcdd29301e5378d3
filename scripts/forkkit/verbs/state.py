"""The verbs that tell how things are, and bring the release."""

from __future__ import annotations

import json
import pathlib
import typing as t

import click

from ..base.files import Project
from ..pack import stage as materialises
from ..queue import export as exports
from ..queue import queue as queues
from ..queue.checkout import Tree
from ..sequencer import sequence
from ..upstream import releases
from ..upstream import source as upstream
from . import terminal


@click.command()
@terminal.as_json
@click.pass_obj
def status(project: Project, as_json: bool) -> None:
    """Show the pin, the queue, what is stopped, and the work not exported yet."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    tree = terminal.tree_of(project)
    there = tree.exists()
    if there:
        tree.check_ours()
    stopped = sequence.load(project) if project.journal.exists() else None
    fetched = upstream.archive(project, pin).exists()
    values = {
        "version": materialises.fork_version(project),
        "upstream": f"{pin}",
        "patches": len(queue.patches),
        "disabled": len(queue.disabled),
        "fetched": fetched,
        "checkout": there,
        "uncommitted": tree.changed_files() if there else [],
        "exported": tree.exported() if there else True,
        "changed": exports.changed_on_disk(project, tree) if there and fetched else [],
        "stopped": stopped and {"verb": stopped.verb, "patch": stopped.todo[0]},
    }
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return

    word = "patch" if len(queue.patches) == 1 else "patches"
    waiting = f", {len(queue.disabled)} disabled" if queue.disabled else ""
    click.echo(f"flaskfork {values['version']} on {values['upstream']}")
    click.echo(f"{len(queue.patches)} {word} in patches/series{waiting}")
    click.echo(f"{pin.sdist}: {'fetched' if fetched else 'not fetched yet'}")
    click.echo(f"{tree.shown}: {_describe(tree)}")
    for path in t.cast("list[str]", values["changed"]):
        click.echo(f"{path}: changed since the checkout was made")
    if stopped:
        click.echo(str(sequence.stopped(terminal.bench_of(project), stopped)))


@click.command()
@click.option(
    "--from",
    "local",
    type=click.Path(path_type=pathlib.Path),
    help="Take this file instead of asking the package index.",
)
@click.pass_obj
def fetch(project: Project, local: pathlib.Path | None) -> None:
    """Bring the pinned archive into upstream/cache and check it."""
    pin = upstream.load_pin(project)
    with terminal.progress(f"fetching {pin}"):
        brought = releases.fetch(project, pin, local)
    said = "fetched and checked" if brought else "there already, checked"
    click.echo(f"{project.relative(upstream.archive(project, pin))}: {said}")


@click.command()
@terminal.as_json
@click.pass_obj
def series(project: Project, as_json: bool) -> None:
    """List the patches in the order in which they apply."""
    queue = queues.load(project, upstream.load_pin(project))
    if as_json:
        values = [
            {
                "name": patch.name,
                "subject": patch.subject,
                "trailers": patch.trailers,
                "files": [diff.path for diff in patch.diffs],
                "enabled": patch in queue.patches,
            }
            for patch in (*queue.patches, *queue.disabled)
        ]
        click.echo(json.dumps(values, indent=2))
        return

    width = max(map(len, (*queue.series.names, *queue.series.disabled)), default=0)
    for patch in queue.patches:
        click.echo(f"{patch.name:{width}}  {patch.subject}")
    for patch in queue.disabled:
        click.echo(f"{patch.name:{width}}  {patch.subject} (disabled)")


def _describe(tree: Tree) -> str:
    if not tree.exists():
        return "not made yet"
    if changed := tree.changed_files():
        return f"uncommitted changes: {', '.join(changed)}"
    return "exported" if tree.exported() else "commits that are not exported yet"
