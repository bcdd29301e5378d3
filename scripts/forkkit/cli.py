"""The maintainer's command. Only this module prints and exits."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import typing as t

import click

from . import export as exports
from . import materialise as materialises
from . import project as projects
from . import queue as queues
from . import upstream
from .errors import ForkError
from .pin import Pin
from .project import Project
from .tree import Tree

if t.TYPE_CHECKING:
    from .verify import Result

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def main() -> None:
    """Run the command and exit: 0 fine, 1 an error, 2 usage, 130 interrupted."""
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="scripts/fork"))
    except ForkError as e:
        for problem in e.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """Maintain flaskfork: a queue of patches on a pinned release of Flask."""
    context.obj = projects.here()


@cli.command()
@_as_json
@click.pass_obj
def status(project: Project, as_json: bool) -> None:
    """Show the pin, the queue, and the work that is not exported yet."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    tree = _tree(project)
    if tree.exists():
        tree.check_ours()
    values = {
        "version": materialises.fork_version(project),
        "upstream": f"{pin.name} {pin.version}",
        "patches": len(queue.patches),
        "fetched": upstream.archive(project, pin).exists(),
        "checkout": tree.exists(),
        "uncommitted": tree.changed_files() if tree.exists() else [],
        "exported": tree.exported() if tree.exists() else True,
    }
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return

    click.echo(f"flaskfork {values['version']} on {values['upstream']}")
    click.echo(f"{len(queue.patches)} patches in patches/series")
    click.echo(f"{pin.sdist}: {'fetched' if values['fetched'] else 'not fetched yet'}")
    click.echo(f"{tree.shown}: {_describe(tree)}")


@cli.command()
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
    with _progress(f"fetching {pin.name} {pin.version}"):
        brought = upstream.fetch(project, pin, local)
    said = "fetched and checked" if brought else "there already, checked"
    click.echo(f"{project.relative(upstream.archive(project, pin))}: {said}")


@cli.command()
@_as_json
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
            }
            for patch in queue.patches
        ]
        click.echo(json.dumps(values, indent=2))
        return

    width = max((len(patch.name) for patch in queue.patches), default=0)
    for patch in queue.patches:
        click.echo(f"{patch.name:{width}}  {patch.subject}")


@cli.command()
@click.argument("name")
@click.pass_obj
def show(project: Project, name: str) -> None:
    """Print the patch NAME."""
    patch = queues.load(project, upstream.load_pin(project))[name]
    path = project.patches / f"{patch.name}.patch"
    click.echo(path.read_bytes(), nl=False)


@cli.command()
@click.pass_obj
def apply(project: Project) -> None:
    """Make upstream/checkout: the pinned release, one commit a patch on top."""
    pin = _fetched(project)
    queue = queues.load(project, pin)
    tree = _tree(project)
    with _progress("applying the queue"):
        tree.apply(pin, upstream.files(project, pin), queue.patches)
    click.echo(
        f"{tree.shown}: {pin.name} {pin.version} and {len(queue.patches)} patches"
    )


@cli.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if it would.")
@click.pass_obj
def export(project: Project, check: bool) -> None:
    """Write the commits in upstream/checkout to patches/."""
    tree = _tree(project)
    changes = (exports.plan if check else exports.export)(project, tree)
    for path in changes:
        word = "would be written" if check else "written"
        click.echo(f"{project.relative(path)}: {word}")
    if not changes:
        click.echo("patches/ holds what is committed already")
    if check and changes:
        raise ForkError(
            "patches/ does not hold what is committed",
            where=tree.shown,
            mend="run `scripts/fork export`",
        )


@cli.command()
@click.pass_obj
def materialise(project: Project) -> None:
    """Make build/stage: the package as it ships."""
    _fetched(project)
    files = materialises.write_stage(project, project.stage)
    click.echo(f"{project.relative(project.stage)}: {len(files)} files")


@cli.command()
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    default=pathlib.Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
@click.pass_obj
def build(project: Project, out: pathlib.Path) -> None:
    """Build the fork's wheel and sdist, and the shim's wheel."""
    from . import packing

    _fetched(project)
    with _progress("building"):
        built = packing.build(project, out)
    for path in built:
        click.echo(path)


@cli.command()
@click.pass_obj
def readme(project: Project) -> None:
    """Write the table of differences into README.md."""
    from . import readme as readmes

    queue = queues.load(project, upstream.load_pin(project))
    content = readmes.render(project, queue)
    projects.write_all({project.root / "README.md": content})
    click.echo(f"README.md: {len(queue.patches)} differences")


@cli.command()
@click.argument("sessions", nargs=-1)
@click.pass_context
def test(context: click.Context, sessions: tuple[str, ...]) -> None:
    """Run all tests, or the named nox SESSIONS of noxfile.py."""
    project: Project = context.obj
    _fetched(project)
    chosen = ["--session", *sessions] if sessions else []
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "nox",
            "--noxfile",
            project.root / "noxfile.py",
            *chosen,
        ],
        cwd=project.root,
        check=False,
    )
    context.exit(done.returncode)


@cli.command()
@click.argument("checks", nargs=-1)
@_as_json
@click.pass_context
def verify(context: click.Context, checks: tuple[str, ...], as_json: bool) -> None:
    """Hold the project against its invariants: all CHECKS, or the named ones.

    The checks are formats, queue, rename, metadata, wheel, findings,
    needed and suite.
    """
    from . import verify as verifies

    project: Project = context.obj
    if checks != ("formats",):
        _fetched(project)
    results = []
    with _progress("verifying") as say:
        for result in verifies.run(project, checks):
            results.append(result)
            say(f"verifying: {result.name} done")
    if as_json:
        click.echo(json.dumps([_result(result) for result in results], indent=2))
    else:
        for result in results:
            word = "fails" if result.problems else "holds"
            click.echo(f"{result.name}: {word} ({result.seconds:.1f} s)")
            for problem in result.problems:
                click.echo(f"error: {problem}", err=True)
    context.exit(1 if any(result.problems for result in results) else 0)


@cli.command()
@click.argument("names", nargs=-1, metavar="[EXTENSION]...")
@click.option("--suites", is_flag=True, help="Run their own tests as well.")
@click.option(
    "--python",
    default="3.11",
    show_default=True,
    help="The Python to try them on.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many to try at a time.",
)
@_as_json
@click.pass_context
def ecosystem(
    context: click.Context,
    names: tuple[str, ...],
    suites: bool,
    python: str,
    jobs: int,
    as_json: bool,
) -> None:
    """Try extensions on the fork: all of tests/ecosystem, or the named ones.

    An EXTENSION is a name from that list, or any requirement. What went well is not
    done again by the next run; remove build/ecosystem to begin anew.
    """
    from . import ecosystem as ecosystems
    from . import extensions
    from . import packing

    project: Project = context.obj
    pin = _fetched(project)
    chosen = extensions.choose(project, names)
    rows = []
    with tempfile.TemporaryDirectory(prefix="flaskfork-ecosystem-") as folder:
        with _progress("building"):
            built = packing.build(project, pathlib.Path(folder))
        with _counting(len(chosen)) as (begin, done):
            for row in ecosystems.run(
                built,
                pin,
                chosen,
                project.build / "ecosystem",
                python=python,
                suites=suites,
                jobs=jobs,
                say=begin,
            ):
                rows.append(row)
                done(row.name, "loses something" if row.problems else "holds")
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        click.echo(ecosystems.table(rows))
    context.exit(1 if any(row.problems for row in rows) else 0)


def _result(result: Result) -> dict[str, t.Any]:
    return {
        "name": result.name,
        "holds": not result.problems,
        "seconds": round(result.seconds, 3),
        "problems": [
            {"what": p.what, "where": p.where, "mend": p.mend} for p in result.problems
        ],
    }


def _tree(project: Project) -> Tree:
    return Tree(project.checkout, project.relative(project.checkout))


def _describe(tree: Tree) -> str:
    if not tree.exists():
        return "not made yet"
    if changed := tree.changed_files():
        return f"uncommitted changes: {', '.join(changed)}"
    return "exported" if tree.exported() else "commits that are not exported yet"


def _fetched(project: Project) -> Pin:
    """The pin, its archive brought into the cache if it is not there."""
    pin = upstream.load_pin(project)
    if not project.source.exists():
        with _progress(f"fetching {pin.name} {pin.version}"):
            upstream.fetch(project, pin)
    return pin


@contextlib.contextmanager
def _progress(text: str) -> t.Iterator[t.Callable[[str], None]]:
    """Show what is being done, on a terminal only; yields how to change the text."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return

    from rich.console import Console

    with Console(stderr=True).status(text) as shown:
        yield shown.update


@contextlib.contextmanager
def _counting(
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
