"""The verbs that show patches and how they depend on each other."""

from __future__ import annotations

import click

from ..base import diff
from ..base.paths import Project
from ..carry import dependencies
from ..carry import merge
from ..carry import send
from ..carry.changes import changes_of
from ..queue.annotate import annotate
from ..queue.fork import Fork
from ..sequencer.worktree import Worktree
from . import terminal


@click.command("show", short_help="Print a patch.")
@click.argument("name")
@click.pass_obj
def show_verb(project: Project, name: str) -> None:
    """Print the patch NAME."""
    patch = Fork.load(project).queue.known(name)
    terminal.echo_file((project.root / patch.where).read_bytes())


@click.command("files", short_help="List the files that a patch changes.")
@click.argument("name")
@click.pass_obj
def files_verb(project: Project, name: str) -> None:
    """List the files that the patch NAME changes, with line counts."""
    for file in Fork.load(project).queue.known(name).diffs:
        marks = [mark for hunk in file.hunks for mark, _ in hunk.lines]
        counts = f"+{marks.count(b'+')} -{marks.count(b'-')}"
        terminal.echo(f"{file.path}  {counts}")


@click.command("patches", short_help="List the patches that change a file.")
@click.argument("file")
@click.pass_obj
def patches_verb(project: Project, file: str) -> None:
    """List the patches that change FILE, such as sansio/app.py, in order."""
    for patch in Fork.load(project).queue.patches:
        if any(f"/{changed.path}".endswith(f"/{file}") for changed in patch.diffs):
            terminal.echo(patch.name)


@click.command("annotate", short_help="Show which patch owns each line.")
@click.argument("file")
@terminal.as_json
@click.pass_obj
def annotate_verb(project: Project, file: str, as_json: bool) -> None:
    """Show which patch owns each line of FILE, such as sansio/app.py.

    A line without a name is upstream's own. A minus sign before a name means that this
    patch removed lines directly above, or at the end of the file.
    """
    lines = annotate(terminal.fetched(project), file)
    if as_json:
        terminal.echo_json([line._asdict() for line in lines])
        return
    names = [line.patch or "".join(f"-{n}" for n in line.removed) for line in lines]
    width = max(map(len, names), default=0)
    for number, (name, line) in enumerate(zip(names, lines), 1):
        terminal.echo(f"{name:{width}} {number:>5}  {line.text}".rstrip())
    for name in lines[-1].removed_below if lines else ():
        terminal.echo(f"-{name}")


@click.command("diff", short_help="Print a patch's diff, or unexported work.")
@click.argument("name", required=False)
@click.pass_obj
def diff_verb(project: Project, name: str | None) -> None:
    """Print the diff of the patch NAME, or without NAME the unexported work."""
    if name:
        patch = Fork.load(project).queue.known(name)
        terminal.echo_file(diff.render(patch.diffs))
        return
    worktree = Worktree.of(project)
    worktree.checkout.check_ours()
    terminal.echo_file(worktree.unexported())


@click.command("depends", short_help="Show which patches need which.")
@click.argument("name", required=False)
@click.option(
    "--reverse", is_flag=True, help="Show which patches need each one instead."
)
@terminal.as_json
@click.pass_obj
def depends_verb(
    project: Project, name: str | None, reverse: bool, as_json: bool
) -> None:
    """Show which patches each patch needs; patches that do not need each other commute.

    With NAME, show what the patch needs and what needs it.
    """
    fork = terminal.fetched(project)
    known = fork.queue[name].name if name else None
    changes = changes_of(fork.queue.patches, fork.files)
    with merge.scratch() as merger, terminal.progress("leaving out each patch in turn"):
        needs = dependencies.derive(changes, merger)
    needed_by = dependencies.turned(needs)
    found = needed_by if reverse else needs
    if known:
        found = {known: found[known]}
    if as_json:
        terminal.echo_json(found)
        return
    for patch, others in found.items():
        terminal.echo(f"{patch}: {', '.join(others) or '-'}")
    if known and not reverse:
        terminal.echo(f"needed by: {', '.join(needed_by[known]) or '-'}")


@click.command("send", short_help="Print a patch as an email for upstream.")
@click.argument("name")
@click.pass_obj
def send_verb(project: Project, name: str) -> None:
    """Print the patch NAME as an email for upstream, against the pinned release."""
    terminal.echo_file(send.mail(terminal.fetched(project), name))
