"""Shared by the verbs: loading the fork, completing messages, and printing results."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import typing as t

import click

from ..base import diff
from ..base import transaction
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import write_file
from ..base.paths import Project
from ..base.text import printable
from ..queue import bodies
from ..queue import lean
from ..queue.fork import Fork
from ..queue.message import is_name
from ..queue.message import Message
from ..sequencer.journal import check_idle
from ..sequencer.sequence import Stopped
from ..sequencer.worktree import Worktree
from ..upstream import releases
from ..upstream.source import is_at_hand

if t.TYPE_CHECKING:
    from ..sequencer.sequence import Result

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
message = click.option(
    "--message",
    "given",
    type=click.File(encoding="utf-8"),
    help="Read subject, reason and trailers from this file; - for standard input.",
)


def fetched(project: Project) -> Fork:
    """Load the fork, and download its release's archive if it is not in the cache."""
    fork = Fork.load(project)
    if not is_at_hand(project, fork.pin):
        with progress(f"fetching {fork.pin}"):
            releases.fetch(project, fork.pin)
    return fork


@contextlib.contextmanager
def working(project: Project) -> t.Iterator[tuple[Fork, Worktree]]:
    """Let only this command change the project and its queue in the ``with`` block.

    :raises ForkError: another command is changing the project.
    """
    with transaction.exclusive(project), progress("working"):
        yield fetched(project), Worktree.of(project)


@contextlib.contextmanager
def changing(project: Project) -> t.Iterator[Fork]:
    """Let only this command change the project, and only while none is stopped.

    :raises ForkError: a command is stopped, or another is changing the project.
    """
    with transaction.exclusive(project):
        check_idle(project)
        yield Fork.load(project)


def completed(
    project: Project,
    message: Message,
    given: t.TextIO | None,
    check: t.Callable[[Message], object],
) -> Message:
    """The message of a patch: as given, as it is, or as completed in an editor.

    :param given: the text to use instead.
    :param check: raises a :exc:`ForkError` if a message is incomplete.
    :raises ForkError: the message is incomplete; it is kept in a file.
    """
    if given:
        message = Message.parse_template(given.read())
    try:
        check(message)
    except ForkError as e:
        if given or not sys.stdin.isatty():
            raise_findings([*e.problems, _kept(project, message)])
    else:
        return message
    return edited(project, message, check)


def edited(
    project: Project, message: Message, check: t.Callable[[Message], object]
) -> Message:
    """The message of a patch as changed in an editor.

    :param check: raises a :exc:`ForkError` if a message is incomplete.
    :raises ForkError: nothing was saved, or the message is incomplete; if so, it is
        kept in a file.
    """
    text = click.edit(message.template(), extension=".txt")
    if text is None:
        raise ForkError(
            "nothing was saved in the editor", hint="run the command again, and save"
        )
    message = Message.parse_template(text)
    try:
        check(message)
    except ForkError as e:
        raise_findings([*e.problems, _kept(project, message)])
    return message


@contextlib.contextmanager
def keeping(
    project: Project, message: Message, given: t.TextIO | None
) -> t.Iterator[None]:
    """Keep a message typed in an editor in a file if the ``with`` block refuses it.

    :param given: the file that the message comes from instead, if any.
    """
    try:
        yield
    except Stopped:
        raise
    except ForkError as e:
        if given:
            raise
        raise_findings([*e.problems, _kept(project, message)])


def _kept(project: Project, message: Message) -> ForkError:
    # A stranger may have chosen the name, and it becomes that of a file.
    name = message.name if is_name(message.name or "") else "patch"
    path = project.build / "messages" / f"{name}.txt"
    write_file(path, message.template().encode())
    shown = project.relative(path)
    return ForkError(
        "the message is kept here",
        where=shown,
        hint="complete it if necessary, then run the command again with"
        f" --message {shown}",
    )


def show(project: Project, result: Result, *, every: bool = False) -> None:
    """Print what a sequence did.

    :param every: include the patches that are unchanged.
    """
    for name, ending in result.endings:
        if every or ending != "unchanged":
            echo(f"{name}: {ending}")
    for found in result.replayed:
        shown = project.relative(project.resolutions / found.file_name)
        echo(f"{found.patch}: review the changes of the reused {shown}:")
        echo_file(diff.render(found.diffs))
    show_written(project, result.written)
    states = lean.states(bodies.load(project), result.files, result.pin.package)
    for line in lean.report(states):
        echo(line)


def echo(text: str, *, err: bool = False, **style: t.Any) -> None:
    """Print a text without anything that a terminal would obey, except for its style.

    :param style: as in :func:`click.style`.
    """
    said = printable(text)
    click.echo(click.style(said, **style) if style else said, err=err)


def echo_row(*cells: tuple[str, dict[str, t.Any]]) -> None:
    """Print texts in one line, each in its style."""
    click.echo("; ".join(click.style(printable(s), **style) for s, style in cells))


def echo_json(values: t.Any) -> None:
    """Print JSON, in ASCII and without the one control character that it may have."""
    click.echo(json.dumps(values, indent=2).replace("\x7f", "\\u007f"))


def echo_file(content: bytes) -> None:
    """Print the content of a file: byte for byte, but on a terminal nothing odd."""
    if sys.stdout.isatty():
        click.echo(printable(content.decode("utf-8", "backslashreplace")), nl=False)
    else:
        click.echo(content, nl=False)


def show_written(project: Project, paths: t.Iterable[pathlib.Path]) -> None:
    """Print which files were written or removed."""
    for path in paths:
        word = "written" if path.exists() else "removed"
        echo(f"{project.relative(path)}: {word}")


@contextlib.contextmanager
def progress(text: str) -> t.Iterator[t.Callable[[str], None]]:
    """Show a status line, on a terminal only; yields a function that changes it."""
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
    """Show how many of ``total`` are done; yields functions to report start and end."""
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
            said = printable(f"{name}: {outcome}")
            console.print(said, markup=False, highlight=False)

        yield begin, done
