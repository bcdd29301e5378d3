"""The invariants of the project, each a check that reports all that it finds."""

from __future__ import annotations

import functools
import itertools
import pathlib
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base import toml
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import read_text
from ..base.metadata import own_metadata
from ..base.paths import Project
from ..pack import dist
from ..pack import rename
from ..pack import stage
from ..queue import export
from ..queue import table
from ..queue.checkout import Checkout
from ..queue.fork import Fork
from ..queue.queue import apply_patches
from . import lint
from . import needed
from . import upstream_suite


@dataclass(frozen=True)
class Result:
    """What a check found.

    :param name: the check's name.
    :param problems: nothing when it holds.
    :param seconds: how long it took.
    """

    name: str
    problems: tuple[ForkError, ...]
    seconds: float


def run(project: Project, names: t.Sequence[str] = ()) -> t.Iterator[Result]:
    """Run the named checks, or all, and yield what each found.

    :param names: keys of :data:`CHECKS`.
    """
    for name in names or CHECKS:
        started = time.monotonic()
        problems = _load_and_check(CHECKS[name], project)
        yield Result(name, tuple(problems), time.monotonic() - started)


def _load_and_check(
    check: t.Callable[[Fork], None], project: Project
) -> list[ForkError]:
    # Each check reads the fork anew: what one finds wrong must not hide in another.
    try:
        return _problems(check, Fork.load(project))
    except ForkError as e:
        return e.problems


def check_formats(fork: Fork) -> None:
    """Pin, series, patches, tables and texts are well-formed and canonical."""
    project, queue = fork.project, fork.queue
    problems = _not_canonical(project, project.pin, fork.pin.render())
    problems += _not_canonical(project, project.series, queue.series.render())
    for patch in queue.patches:
        problems += _not_canonical(project, project.root / patch.where, patch.render())
    stage.tables(project)
    upstream_suite.known_failures(project)
    if table.with_table(project, queue) != (project.root / "README.md").read_bytes():
        problems.append(
            ForkError(
                "the table of differences is not that of the queue",
                where="README.md",
                hint="run `scripts/fork readme`",
            )
        )
    problems += _changelog(project)
    raise_findings(problems)


def check_queue(fork: Fork) -> None:
    """The queue applies to the pin strictly, and an export gives its bytes back."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        shown = "a checkout made from the queue"
        checkout = Checkout(pathlib.Path(folder, "checkout"), shown)
        checkout.apply(fork)
        raise_findings(
            [
                _not_exported(fork.project, path, content)
                for path, content in export.plan(fork, checkout).items()
                if content is not None
            ]
        )


def check_rename(fork: Fork) -> None:
    """Every rule has its matches, nothing is left over, and twice changes nothing."""
    project = fork.project
    where = project.relative(project.rename)
    tables = stage.tables(project)
    patched = apply_patches(fork.queue.patches, fork.source.package)
    package = stage.package(fork, patched)
    tests = {p: data for p, data in fork.files.items() if p.startswith("tests/")}
    renamed = rename.apply(tables["tests"], tests, where=where)
    overlay = stage.read_overlay(project)
    upstreams = {p: data for p, data in package.items() if p not in overlay}
    raise_findings(
        [
            ForkError("a rule matches what it made", where=place, hint=f"fix {where}")
            for name, tree in (("package", upstreams), ("tests", renamed))
            for place in rename.matches(tables[name], tree)
        ]
    )


def check_metadata(fork: Fork) -> None:
    """What the fork requires and offers is what the pinned release does."""
    pin = fork.pin
    theirs = toml.loads(fork.files["pyproject.toml"], where=f"{pin.sdist}: pyproject")[
        "project"
    ]
    ours = own_metadata(fork.project)
    problems = [
        ForkError(
            f"{key} has drifted: expected {theirs.get(key)!r}, found {ours.get(key)!r}",
            where="pyproject.toml",
            hint="make it what the pinned release has",
        )
        for key in ("dependencies", "optional-dependencies", "requires-python")
        if _in_any_order(ours.get(key)) != _in_any_order(theirs.get(key))
    ]
    revision = ours["version"].rpartition(".")
    if revision[0] != pin.version or not revision[2].isdigit():
        problems.append(
            ForkError(
                f"version is {ours['version']}, not {pin.version} and a revision",
                where="pyproject.toml",
                hint=f'version = "{pin.version}.1" for the first release on it',
            )
        )
    raise_findings(problems)


def check_wheel(fork: Fork) -> None:
    """The wheel holds exactly what it should, whether built once or again."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        built = dist.build(fork.project, pathlib.Path(folder, "once"))
        again = dist.build(fork.project, pathlib.Path(folder, "again"))
        expected = dist.expected_contents(fork.project)
        found = dist.contents(built.wheel)
        problems = [
            ForkError(
                f"is {'missing from' if path in expected else 'not expected in'} it",
                where=f"{built.wheel.name}: {path}",
                hint="fix scripts/forkkit/pack/stage.py or pyproject.toml",
            )
            for path in sorted(set(expected) ^ set(found))
        ]
        problems += [
            ForkError(
                "two builds differ", where=one.name, hint="find what is not fixed"
            )
            for one, two in zip(built, again)
            if one.read_bytes() != two.read_bytes()
        ]
        raise_findings(problems)


def check_findings(fork: Fork) -> None:
    """ruff and mypy find nothing in the package that they do not in upstream's."""
    raise_findings(lint.new(fork))


def check_needed(fork: Fork) -> None:
    """The tests of each patch fail without it and pass with it."""
    raise_findings(needed.problems(needed.judge(fork)))


def check_suite(fork: Fork) -> None:
    """Upstream's own suite passes on the built wheels under both names."""
    problems: list[ForkError] = []
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        built = dist.build(fork.project, pathlib.Path(folder))
        for name in upstream_suite.NAMES:
            problems += _problems(
                functools.partial(_run_suite, built=built, name=name), fork
            )
    raise_findings(problems)


def _run_suite(fork: Fork, *, built: dist.Built, name: str) -> None:
    wheels = [built.wheel] if name == stage.MODULE else list(built.wheels)
    upstream_suite.run(fork.project, wheels, name, python=sys.executable)


#: Every check by its name, the quick ones first.
CHECKS: dict[str, t.Callable[[Fork], None]] = {
    "formats": check_formats,
    "queue": check_queue,
    "rename": check_rename,
    "metadata": check_metadata,
    "wheel": check_wheel,
    "findings": check_findings,
    "needed": check_needed,
    "suite": check_suite,
}


def _problems(check: t.Callable[[Fork], None], fork: Fork) -> list[ForkError]:
    try:
        check(fork)
    except ForkError as e:
        return e.problems
    return []


def _not_canonical(
    project: Project, path: pathlib.Path, expected: bytes
) -> list[ForkError]:
    if path.read_bytes() == expected:
        return []
    return [_not_exported(project, path, expected)]


def _not_exported(project: Project, path: pathlib.Path, expected: bytes) -> ForkError:
    found = diff.split_lines(path.read_bytes())
    pairs = zip(diff.split_lines(expected), found)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return ForkError(
        "is not what an export writes",
        where=f"{project.relative(path)}:{min(same + 1, len(found))}",
        hint="run `scripts/fork apply`, then `scripts/fork export`",
    )


def _in_any_order(value: t.Any) -> t.Any:
    return sorted(value) if isinstance(value, list) else value


def _changelog(project: Project) -> list[ForkError]:
    text = read_text(project.root / "CHANGELOG.md", hint="restore it")
    newest = text.partition("\n## ")[2].partition("\n## ")[0]
    return [
        ForkError(
            f"the newest entry has no heading {heading!r}",
            where="CHANGELOG.md",
            hint=f"add a line '{heading}' below '## Unreleased'",
        )
        for heading in ("### Upstream", "### Fork")
        if f"\n{heading}\n" not in newest
    ]
