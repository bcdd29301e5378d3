"""What the verbs share: finding things, and showing that work goes on."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import typing as t

import click

from ..base import diff as diffs
from ..base import transaction
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Project
from ..base.files import write_file
from ..queue import message as headers
from ..queue.checkout import Tree
from ..queue.message import Header
from ..sequencer import journal
from ..sequencer.worktree import Bench
from ..upstream import releases
from ..upstream import source as upstream
from ..upstream.pin import Pin

if t.TYPE_CHECKING:
    from ..sequencer.sequence import Result

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
message = click.option(
    "--message",
    type=click.File(encoding="utf-8"),
    help="Take subject, reason and trailers from this file; - for standard input.",
)


def tree_of(project: Project) -> Tree:
    """The checkout of the project."""
    return Tree(project.checkout, project.relative(project.checkout))


def bench_of(project: Project) -> Bench:
    """The checkout of the project, as a sequence uses it."""
    return Bench(tree_of(project))


@contextlib.contextmanager
def working(project: Project) -> t.Iterator[Bench]:
    """Make the queue anew in the ``with`` block, and be the only command that does."""
    fetched(project)
    with transaction.exclusive(project), progress("applying"):
        yield bench_of(project)


@contextlib.contextmanager
def changing(project: Project) -> t.Iterator[None]:
    """Change the project in the ``with`` block, when no verb is stopped half-way.

    :raises ForkError: one is, or another command is changing the project.
    """
    with transaction.exclusive(project):
        journal.check_idle(project)
        yield


def completed(
    project: Project,
    header: Header,
    given: t.TextIO | None,
    check: t.Callable[[Header], object],
) -> Header:
    """The head of a patch: as given, as it is, or as completed in an editor.

    :param given: the text to use instead.
    :param check: raises what is wrong with a head.
    :raises ForkError: it is not complete; what is there is kept in a file.
    """
    if given:
        header = headers.parse(given.read())
    try:
        check(header)
    except ForkError as e:
        if given or not sys.stdin.isatty():
            raise_findings([*e.problems, _kept(project, header)])
    else:
        return header
    return edited(project, header, check)


def edited(
    project: Project, header: Header, check: t.Callable[[Header], object]
) -> Header:
    """The head of a patch as changed in an editor.

    :raises ForkError: nothing was saved, or it is not complete.
    """
    text = click.edit(headers.template(header), extension=".txt")
    if text is None:
        raise ForkError("nothing was saved in the editor", mend="try again")
    header = headers.parse(text)
    try:
        check(header)
    except ForkError as e:
        raise_findings([*e.problems, _kept(project, header)])
    return header


def _kept(project: Project, header: Header) -> ForkError:
    path = project.build / "messages" / f"{header.name or 'patch'}.txt"
    write_file(path, headers.template(header).encode())
    shown = project.relative(path)
    return ForkError(
        "what there is of the message is kept here",
        where=shown,
        mend=f"complete it and run the command again with --message {shown}",
    )


def show(project: Project, result: Result, *, every: bool = False) -> None:
    """Print what a sequence has done.

    :param every: also of the patches to which nothing has happened.
    """
    for name, kind in result.outcomes:
        if every or kind != "unchanged":
            click.echo(f"{name}: {kind}")
    for found in result.replayed:
        shown = project.relative(project.resolutions / found.file_name)
        click.echo(f"{found.patch}: please review what {shown} did again:")
        click.echo(diffs.render(found.diffs), nl=False)
    show_written(project, result.written)


def show_written(project: Project, paths: t.Iterable[pathlib.Path]) -> None:
    """Print which files were changed."""
    for path in paths:
        word = "written" if path.exists() else "removed"
        click.echo(f"{project.relative(path)}: {word}")


def fetched(project: Project) -> Pin:
    """The pin, its archive brought into the cache if it is not there."""
    pin = upstream.load_pin(project)
    if not project.source.exists():
        with progress(f"fetching {pin}"):
            releases.fetch(project, pin)
    return pin


@contextlib.contextmanager
def progress(text: str) -> t.Iterator[t.Callable[[str], None]]:
    """Show what is being done, on a terminal only; yields how to change the text."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return

    from rich.console import Console

    with Console(stderr=True).status(text) as shown:
        yield shown.update


@contextlib.contextmanager
def counting(
    total: int,
) -> t.Iterator[tuple[t.Callable[[str], None], t.Callable[[str, str], None]]]:
    """Show how many are done; yields what is told of each that begins and ends."""
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeElapsedColumn

    columns = [
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    ]
    console = Console(stderr=True)
    under_way: list[str] = []
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=total)

        def begin(name: str) -> None:
            under_way.append(name)
            shown.update(task, description=", ".join(under_way))

        def done(name: str, outcome: str) -> None:
            if name in under_way:
                under_way.remove(name)
            shown.update(task, advance=1, description=", ".join(under_way))
            console.print(f"{name}: {outcome}", markup=False, highlight=False)

        yield begin, done
