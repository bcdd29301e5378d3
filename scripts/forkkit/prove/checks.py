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
from ..base.files import Project
from ..base.files import read_text
from ..pack import dist as packing
from ..pack import rename
from ..pack import stage as materialise
from ..queue import export as exports
from ..queue import patch as patches
from ..queue import queue as queues
from ..queue import series as serieses
from ..queue import table as readme
from ..queue.checkout import Tree
from ..upstream import pin as pins
from ..upstream import source as upstream
from . import lint as findings
from . import needed
from . import upstream_suite as suite


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

    :raises ForkError: there is no such check.
    """
    if unknown := sorted(set(names) - set(CHECKS)):
        raise ForkError(
            f"there is no check {', '.join(unknown)}",
            mend=f"the checks are {', '.join(CHECKS)}",
        )
    for name in names or CHECKS:
        started = time.monotonic()
        problems = _problems(CHECKS[name], project)
        yield Result(name, tuple(problems), time.monotonic() - started)


def check_formats(project: Project) -> None:
    """Pin, series, patches, tables and texts are well-formed and canonical."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    problems = _not_canonical(project, project.pin, pins.render(pin))
    problems += _not_canonical(project, project.series, serieses.render(queue.series))
    for patch in queue.patches:
        path = project.patches / f"{patch.name}.patch"
        problems += _not_canonical(project, path, patches.render(patch))
    materialise.tables(project)
    suite.known_failures(project)
    if readme.render(project, queue) != (project.root / "README.md").read_bytes():
        problems.append(
            ForkError(
                "the table of differences is not that of the queue",
                where="README.md",
                mend="run `scripts/fork readme`",
            )
        )
    problems += _changelog(project)
    raise_findings(problems)


def check_queue(project: Project) -> None:
    """The queue applies to the pin strictly, and an export gives its bytes back."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        tree = Tree(pathlib.Path(folder, "tree"), "a tree made from the queue")
        tree.apply(pin, upstream.files(project, pin), queue.patches)
        raise_findings(
            [
                _not_exported(project, path, content)
                for path, content in exports.plan(project, tree).items()
                if content is not None
            ]
        )


def check_rename(project: Project) -> None:
    """Every rule has its matches, nothing is left over, and twice changes nothing."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    files = upstream.files(project, pin)
    where = project.relative(project.rename)
    tables = materialise.tables(project)
    patched = queues.apply(queue.patches, upstream.source(project, pin).package)
    package = materialise.package(project, pin, queue, patched)
    tests = {p: data for p, data in files.items() if p.startswith("tests/")}
    renamed = rename.apply(tables["tests"], tests, where=where)
    overlay = materialise.read_overlay(project)
    upstreams = {p: data for p, data in package.items() if p not in overlay}
    raise_findings(
        [
            ForkError("a rule matches what it made", where=place, mend=f"mend {where}")
            for name, tree in (("package", upstreams), ("tests", renamed))
            for place in rename.matches(tables[name], tree)
        ]
    )


def check_metadata(project: Project) -> None:
    """What the fork requires and offers is what the pinned release does."""
    pin = upstream.load_pin(project)
    theirs = toml.loads(
        upstream.files(project, pin)["pyproject.toml"], where=f"{pin.sdist}: pyproject"
    )["project"]
    ours = materialise.own_metadata(project)
    problems = [
        ForkError(
            f"{key} has drifted: expected {theirs.get(key)!r}, found {ours.get(key)!r}",
            where="pyproject.toml",
            mend="make it what the pinned release has",
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
                mend=f'version = "{pin.version}.1" for the first release on it',
            )
        )
    raise_findings(problems)


def check_wheel(project: Project) -> None:
    """The wheel holds exactly what it should, whether built once or again."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        built = packing.build(project, pathlib.Path(folder, "once"))
        again = packing.build(project, pathlib.Path(folder, "again"))
        expected = packing.expected_contents(project)
        found = packing.contents(built.wheel)
        problems = [
            ForkError(
                f"is {'missing from' if path in expected else 'not expected in'} it",
                where=f"{built.wheel.name}: {path}",
                mend="mend scripts/forkkit/pack/stage.py or pyproject.toml",
            )
            for path in sorted(set(expected) ^ set(found))
        ]
        problems += [
            ForkError(
                "two builds differ", where=one.name, mend="find what is not fixed"
            )
            for one, two in zip(built, again)
            if one.read_bytes() != two.read_bytes()
        ]
        raise_findings(problems)


def check_findings(project: Project) -> None:
    """ruff and mypy find nothing in the package that they do not in upstream's."""
    raise_findings(findings.new(project))


def check_needed(project: Project) -> None:
    """The tests of each patch fail without it and pass with it."""
    raise_findings(needed.problems(needed.judge(project)))


def check_suite(project: Project) -> None:
    """Upstream's own suite passes on the built wheels under both names."""
    problems: list[ForkError] = []
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        built = packing.build(project, pathlib.Path(folder))
        for name in suite.NAMES:
            problems += _problems(
                functools.partial(_run_suite, built=built, name=name), project
            )
    raise_findings(problems)


def _run_suite(project: Project, *, built: packing.Built, name: str) -> None:
    wheels = [built.wheel] if name == materialise.MODULE else list(built.wheels)
    suite.run(project, wheels, name, python=sys.executable)


#: Every check by its name, the quick ones first.
CHECKS: dict[str, t.Callable[[Project], None]] = {
    "formats": check_formats,
    "queue": check_queue,
    "rename": check_rename,
    "metadata": check_metadata,
    "wheel": check_wheel,
    "findings": check_findings,
    "needed": check_needed,
    "suite": check_suite,
}


def _problems(check: t.Callable[[Project], None], project: Project) -> list[ForkError]:
    try:
        check(project)
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
        mend="run `scripts/fork apply`, then `scripts/fork export`",
    )


def _in_any_order(value: t.Any) -> t.Any:
    return sorted(value) if isinstance(value, list) else value


def _changelog(project: Project) -> list[ForkError]:
    text = read_text(project.root / "CHANGELOG.md", mend="restore it")
    newest = text.partition("\n## ")[2].partition("\n## ")[0]
    return [
        ForkError(
            f"the newest entry has no heading {heading!r}",
            where="CHANGELOG.md",
            mend=f"add a line '{heading}' below '## Unreleased'",
        )
        for heading in ("### Upstream", "### Fork")
        if f"\n{heading}\n" not in newest
    ]
