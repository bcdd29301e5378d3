"""The verbs for reviewing a changed queue."""

from __future__ import annotations

import pathlib
import typing as t

import click

from ..base.files import write_file
from ..base.paths import Project
from ..carry import forecast
from ..queue.fork import Fork
from ..review import compare
from ..review import page
from ..review import since
from ..review.compare import Comparison
from ..review.since import Review
from ..upstream import releases
from . import terminal

_COLOURS = {
    "identical": "bright_black",
    "message only": "cyan",
    "context only": "blue",
    "content changed": "yellow",
    "added": "green",
    "dropped": "red",
}
_MARKS = {"-": "red", "+": "green", ".": "bright_black"}

_since = click.option(
    "--since",
    "revision",
    default="HEAD",
    show_default=True,
    metavar="REV",
    help="The revision of the project to compare with.",
)


@click.command("range-diff", short_help="Compare the queue with a revision.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_since
@terminal.as_json
@click.pass_obj
def range_diff_verb(
    project: Project, names: tuple[str, ...], revision: str, as_json: bool
) -> None:
    """Compare the queue, or the named patches, with a revision of the project.

    For each patch, show what became of it, and how its message and its diff differ.
    """
    review = since.review(Fork.load(project), revision)
    chosen = since.only(review, names)
    if as_json:
        terminal.echo_json(since.values(review, chosen))
        return
    terminal.echo(_head(review))
    _echo_kinds(chosen)
    for comparison in chosen:
        if comparison.old and comparison.new:
            _echo_interdiff(comparison)


@click.command("report", short_help="Report on the queue since a revision.")
@click.argument("versions", nargs=-1)
@_since
@terminal.as_json
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=pathlib.Path, dir_okay=False),
    metavar="FILE",
    help="Write the report to FILE as one HTML page.",
)
@click.pass_obj
def report_verb(
    project: Project,
    versions: tuple[str, ...],
    revision: str,
    as_json: bool,
    file: pathlib.Path | None,
) -> None:
    """Report what became of the queue since a revision, and what lies ahead.

    That is, the comparison of `range-diff` and the forecast for VERSIONS; without
    VERSIONS, for the releases in upstream/cache that are newer than the pin.
    """
    if as_json and file:
        raise click.UsageError("give either --json or --html FILE")
    fork = Fork.load(project)
    review = since.review(fork, revision)
    chosen = versions or releases.cached_beyond(project, review.new)
    with terminal.progress("forecasting"):
        rows = list(forecast.forecast(fork, chosen)) if chosen else []
    if file:
        write_file(file, page.render(review, rows))
        terminal.echo(f"{file}: written")
    elif as_json:
        values = since.values(review, review.comparisons)
        values["forecast"] = list(map(forecast.values, rows))
        terminal.echo_json(values)
    else:
        counts = [f"{count} {kind}" for kind, count in review.counts.items()]
        terminal.echo(f"{_head(review)}: {', '.join(counts) or 'no patches'}")
        _echo_kinds(review.comparisons)
        if rows:
            terminal.echo(f"\n{forecast.table(rows)}")


def _head(review: Review) -> str:
    return f"{review.pins} since {review.revision} ({review.commit[:10]})"


def _echo_kinds(comparisons: t.Sequence[Comparison]) -> None:
    """Print one line per patch: its places before and now, its kind and remarks."""
    width = max((len(c.patch.name) for c in comparisons), default=0)
    for comparison in comparisons:
        name, kind = comparison.patch.name, comparison.kind
        before, now = (str(place or "-") for place in comparison.places)
        head = f"{compare.SIGNS[kind]} {before:>3} {now:>3}  {name:{width}}  {kind}"
        said = (head, {"fg": _COLOURS[kind]})
        notes: list[tuple[str, dict[str, t.Any]]] = [(n, {}) for n in comparison.notes]
        lost = [f"no longer changes {path}" for path in comparison.lost]
        bold = [(note, {"fg": "red", "bold": True}) for note in lost]
        terminal.echo_row(said, *notes, *bold)


def _echo_interdiff(comparison: Comparison) -> None:
    for part in comparison.parts:
        lines = part.interdiff()
        if lines:
            terminal.echo(f"\n{comparison.patch.name}: {part.title}", bold=True)
        for line in lines:
            terminal.echo(f"    {line}".rstrip(), fg=_MARKS.get(line[:1]))
