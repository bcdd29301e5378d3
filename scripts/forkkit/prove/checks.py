"""The invariants of the project, each with a check that reports every violation."""

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
from ..queue import bodies
from ..queue import export
from ..queue import lean
from ..queue import table
from ..queue.bodies import Body
from ..queue.bodies import Original
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
    :param problems: the violations; empty if the invariant holds.
    :param notes: what to know even if it holds.
    :param seconds: how long the check took.
    """

    name: str
    problems: tuple[ForkError, ...]
    notes: tuple[ForkError, ...]
    seconds: float


class Note(ForkError):
    """Something to know that violates nothing."""

    label = "note"


#: A check raises the violations, and returns its notes if it has any.
Check = t.Callable[[Fork], t.Optional[list[Note]]]


def run(project: Project, names: t.Sequence[str] = ()) -> t.Iterator[Result]:
    """Run the named checks, or all of them, and yield what each one found.

    :param names: keys of :data:`CHECKS`.
    """
    for name in names or CHECKS:
        started = time.monotonic()
        problems: list[ForkError] = []
        notes: list[Note] | None = None
        try:
            # Each reloads the fork, so that no check can hide a problem from another.
            notes = CHECKS[name](Fork.load(project))
        except ForkError as e:
            problems = e.problems
        seconds = time.monotonic() - started
        yield Result(name, tuple(problems), tuple(notes or ()), seconds)


def check_formats(fork: Fork) -> None:
    """Check that pin, series, patches, tables and texts are valid and canonical.

    :raises ForkError: one or more of them are not.
    """
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
                "the table of differences does not match the queue",
                where="README.md",
                hint="run `scripts/fork readme`",
            )
        )
    problems += _changelog(project)
    raise_findings(problems)


def check_queue(fork: Fork) -> None:
    """Check that the queue applies to the pin exactly and exports to the same bytes.

    :raises ForkError: it does not apply, or an export would change files.
    """
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
    """Check that the rename rules match as declared, leave nothing, and are idempotent.

    :raises ForkError: a rule has another number of matches than it declares, a mention
        is left over, or a rule matches its own output.
    """
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
            ForkError("a rule matches its own output", where=place, hint=f"fix {where}")
            for name, tree in (("package", upstreams), ("tests", renamed))
            for place in rename.matches(tables[name], tree)
        ]
    )


def check_lean(fork: Fork) -> list[Note]:
    """Check that each lean body says what it stands for, and is put in by a patch.

    :return: a note for each one that is left out, which costs speed and nothing else.
    :raises ForkError: one of them does not, or is not.
    """
    found = lean.states_of(fork)
    raise_findings(
        [
            ForkError(
                f"no patch puts in the lean body for {state.body.name}",
                where=state.body.where,
                hint="decorate the function or its class with a name imported from"
                f" .{bodies.FOLDER}, or remove the body",
            )
            for state in found
            if not state.is_reached
        ]
    )
    return [
        _stale(fork, state.body, original, sha)
        for state in found
        for original, sha in state.stale.items()
    ]


def _stale(fork: Fork, body: Body, original: Original, sha: str | None) -> Note:
    left_out = f"so the part {body.part} is left out"
    if sha is None:
        return Note(
            f"{original} is gone, {left_out}",
            where=body.where,
            hint="remove the body, or name the function that it stands for now",
        )
    patches = ", ".join(lean.changed_by(fork, original))
    by = f" by {patches}" if patches else ""
    return Note(
        f"{original} was changed{by} since the lean body was written, {left_out}",
        where=body.where,
        hint=f"compare the two, then run `scripts/fork lean --accept {body.name}`,"
        f" which writes {sha}",
    )


def check_metadata(fork: Fork) -> None:
    """Check that requirements, extras and version match the pinned release.

    :raises ForkError: one or more of them do not.
    """
    pin = fork.pin
    theirs = toml.loads(fork.files["pyproject.toml"], where=f"{pin.sdist}: pyproject")[
        "project"
    ]
    ours = own_metadata(fork.project)
    problems = [
        ForkError(
            f"{key} has drifted: expected {theirs.get(key)!r}, found {ours.get(key)!r}",
            where="pyproject.toml",
            hint="copy the value from the pinned release",
        )
        for key in ("dependencies", "optional-dependencies", "requires-python")
        if _in_any_order(ours.get(key)) != _in_any_order(theirs.get(key))
    ]
    revision = ours["version"].rpartition(".")
    if revision[0] != pin.version or not revision[2].isdigit():
        problems.append(
            ForkError(
                f"version is {ours['version']}, not {pin.version} plus a revision",
                where="pyproject.toml",
                hint=f'use version = "{pin.version}.1" for the first release on it',
            )
        )
    raise_findings(problems)


def check_wheel(fork: Fork) -> None:
    """Check that the wheel has the listed contents, and that builds are reproducible.

    :raises ForkError: a file is missing or unexpected, or two builds differ.
    """
    with tempfile.TemporaryDirectory(prefix="flaskfork-verify-") as folder:
        built = dist.build(fork.project, pathlib.Path(folder, "once"))
        again = dist.build(fork.project, pathlib.Path(folder, "again"))
        expected = dist.expected_contents(fork.project)
        found = dist.contents(built.wheel)
        problems = [
            ForkError(
                f"is {'missing from' if path in expected else 'not expected in'} the"
                " wheel",
                where=f"{built.wheel.name}: {path}",
                hint="fix scripts/forkkit/pack/stage.py or pyproject.toml",
            )
            for path in sorted(set(expected) ^ set(found))
        ]
        problems += [
            ForkError(
                "two builds differ",
                where=one.name,
                hint="compare the two to find what is not deterministic",
            )
            for one, two in zip(built, again)
            if one.read_bytes() != two.read_bytes()
        ]
        raise_findings(problems)


def check_findings(fork: Fork) -> None:
    """Check that ruff and mypy find nothing that they do not find in upstream's code.

    :raises ForkError: there are new findings, or a checker did not run.
    """
    raise_findings(lint.new(fork))


def check_needed(fork: Fork) -> None:
    """Check that the tests of each patch fail without it and pass with it.

    :raises ForkError: for one or more patches they do not.
    """
    raise_findings(needed.problems(needed.judge(fork)))


def check_suite(fork: Fork) -> None:
    """Check that upstream's own suite passes on the built wheels under both names.

    :raises ForkError: a result differs from what is expected.
    """
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


#: All checks by name, the quick ones first.
CHECKS: dict[str, Check] = {
    "formats": check_formats,
    "queue": check_queue,
    "rename": check_rename,
    "lean": check_lean,
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
        "differs from what an export would write",
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
