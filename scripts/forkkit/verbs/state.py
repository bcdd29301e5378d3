"""The verbs that show the state of the fork or download the pinned release."""

from __future__ import annotations

import pathlib
import typing as t

import click

from ..base.metadata import fork_version
from ..base.paths import Project
from ..queue import export
from ..queue.checkout import Checkout
from ..queue.fork import Fork
from ..sequencer import sequence
from ..sequencer.journal import Journal
from ..sequencer.worktree import Worktree
from ..upstream import releases
from ..upstream.pin import Pin
from ..upstream.source import cached_archive
from . import terminal


@click.command("status", short_help="Show pin, queue, stops, unexported work.")
@terminal.as_json
@click.pass_obj
def status_verb(project: Project, as_json: bool) -> None:
    """Show the pin, the queue, any stopped command, and unexported work."""
    fork, checkout = Fork.load(project), Checkout.of(project)
    there = checkout.exists()
    if there:
        checkout.check_ours()
    journal = Journal.load(project) if project.journal.exists() else None
    fetched = cached_archive(project, fork.pin).exists()
    values = {
        "version": fork_version(project),
        "upstream": f"{fork.pin}",
        "patches": len(fork.queue.patches),
        "disabled": len(fork.queue.disabled),
        "fetched": fetched,
        "checkout": there,
        "uncommitted": checkout.changed_files() if there else [],
        "exported": checkout.exported() if there else True,
        "changed": export.changed_on_disk(fork, checkout) if there and fetched else [],
        "stopped": journal and _stopped(journal),
    }
    if as_json:
        terminal.echo_json(values)
        return

    word = "patch" if len(fork.queue.patches) == 1 else "patches"
    waiting = f", {len(fork.queue.disabled)} disabled" if fork.queue.disabled else ""
    terminal.echo(f"flaskfork {values['version']} on {values['upstream']}")
    terminal.echo(f"{len(fork.queue.patches)} {word} in patches/series{waiting}")
    terminal.echo(f"{fork.pin.sdist}: {'fetched' if fetched else 'not fetched yet'}")
    terminal.echo(f"{checkout.shown}: {_describe(checkout)}")
    for path in t.cast("list[str]", values["changed"]):
        terminal.echo(f"{path}: changed since the checkout was made")
    if journal:
        terminal.echo(str(sequence.stopped(Worktree(checkout), journal)))


@click.command("fetch", short_help="Download and check the pinned archive.")
@click.option(
    "--from",
    "local",
    type=click.Path(path_type=pathlib.Path),
    help="Take this file instead of downloading from the package index.",
)
@click.pass_obj
def fetch_verb(project: Project, local: pathlib.Path | None) -> None:
    """Download the pinned archive to upstream/cache, and check it."""
    pin = Pin.load(project)
    with terminal.progress(f"fetching {pin}"):
        brought = releases.fetch(project, pin, local)
    said = "fetched and checked" if brought else "already there, checked"
    terminal.echo(f"{project.relative(cached_archive(project, pin))}: {said}")


@click.command("series", short_help="List the patches in order.")
@terminal.as_json
@click.pass_obj
def series_verb(project: Project, as_json: bool) -> None:
    """List the patches in the order in which they apply."""
    queue = Fork.load(project).queue
    if as_json:
        values = [
            {
                "name": patch.name,
                "subject": patch.subject,
                "trailers": patch.message.trailers,
                "files": [file.path for file in patch.diffs],
                "enabled": patch in queue.patches,
            }
            for patch in (*queue.patches, *queue.disabled)
        ]
        terminal.echo_json(values)
        return

    width = max(map(len, (*queue.series.names, *queue.series.disabled)), default=0)
    for patch in queue.patches:
        terminal.echo(f"{patch.name:{width}}  {patch.subject}")
    for patch in queue.disabled:
        terminal.echo(f"{patch.name:{width}}  {patch.subject} (disabled)")


def _stopped(journal: Journal) -> dict[str, t.Any]:
    return {
        "verb": journal.plan.verb,
        "target": journal.plan.target,
        "patch": journal.todo[0],
        "why": journal.stopped.why,
        "left": len(journal.todo),
        "of": len(journal.plan.names),
        "conflicts": journal.stopped.conflicts,
        "dropped": dict(journal.progress.dropped),
        "story": journal.stopped.story,
    }


def _describe(checkout: Checkout) -> str:
    if not checkout.exists():
        return "not made yet"
    if changed := checkout.changed_files():
        return f"uncommitted changes: {', '.join(changed)}"
    return "exported" if checkout.exported() else "unexported commits"
