"""Upstream's own test suite, run against the built fork.

Under the name flaskfork, the tests are renamed by the table; under the name flask, they
run unchanged, through the shim. They come from the pinned archive, and the test tools
have the versions of upstream's lock file.
"""

from __future__ import annotations

import pathlib
import tempfile
import typing as t
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement

from ..base import junit
from ..base import toml
from ..base import venv
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import write_files
from ..base.paths import Project
from ..base.venv import Environment
from ..pack import rename
from ..pack import stage
from ..upstream.pin import Pin
from ..upstream.source import release_files

#: The names under which the suite runs.
NAMES = ("flaskfork", "flask")
_TOOLS = "tests"


@dataclass(frozen=True)
class KnownFailure:
    """A test of upstream's that is known to fail.

    :param test: its id.
    :param names: the names under which it fails.
    :param when: a requirement; the test fails only if that is installed.
    :param why: the reason.
    """

    test: str
    names: tuple[str, ...]
    when: Requirement | None
    why: str


@dataclass(frozen=True)
class Outcome:
    """The results of a run of the suite.

    :param passed: the ids of the tests that passed.
    :param failed: the ids of the tests that failed.
    :param skipped: the ids of the tests that were skipped.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.passed)} passed, {len(self.skipped)} skipped,"
            f" {len(self.failed)} failed as expected"
        )


def run(
    project: Project,
    wheels: t.Sequence[pathlib.Path],
    name: str,
    *,
    python: pathlib.Path | str,
) -> Outcome:
    """Run the suite on the built wheels and compare it with the known failures.

    :param wheels: the fork's wheel, and for the name ``flask`` also the shim's.
    :param name: one of :data:`NAMES`.
    :param python: the interpreter to run the suite with.
    :return: the results.
    :raises ForkError: a test failed unexpectedly, or a known failure did not fail.
    """
    pin = Pin.load(project)
    files = release_files(project, pin)
    with tempfile.TemporaryDirectory(prefix="flaskfork-suite-") as folder:
        environment = venv.create(pathlib.Path(folder, "env"), python=python)
        environment.install(*wheels, *tools(files, environment))
        tests = _tests(project, pin, files, name)
        write_files(pathlib.Path(folder, "suite"), tests)
        outcome = _pytest(environment, pathlib.Path(folder, "suite"))
        _compare(project, outcome, known_failures(project), name, environment)
        return outcome


def known_failures(project: Project) -> list[KnownFailure]:
    """Read the list of known failures.

    :raises ForkError: the list is missing or malformed.
    """
    values = toml.load(project.known_failures, hint="restore it from git")
    where = project.relative(project.known_failures)
    entries = values.get("failure", [])
    if set(values) - {"failure"} or not isinstance(entries, list):
        raise ForkError("holds something other than [[failure]]", where=where)
    return [_known(entry, f"{where}: {n}") for n, entry in enumerate(entries, 1)]


def _known(entry: t.Any, where: str) -> KnownFailure:
    if not isinstance(entry, dict) or set(entry) - {"when"} != {"test", "names", "why"}:
        raise ForkError(
            "the keys must be test, names, why and optionally when", where=where
        )
    names = entry["names"]
    if not isinstance(names, list) or not names or not set(names) <= set(NAMES):
        raise ForkError(f"names is not a list of {', '.join(NAMES)}", where=where)
    try:
        when = Requirement(entry["when"]) if "when" in entry else None
    except (InvalidRequirement, TypeError) as e:
        raise ForkError(f"when is not a requirement: {e}", where=where) from e
    return KnownFailure(str(entry["test"]), tuple(names), when, str(entry["why"]))


def tools(files: Files, environment: Environment) -> list[str]:
    """The test tools, as requirements with the versions of upstream's lock file.

    :param files: all files of the release.
    :param environment: the environment to install them in, whose Python decides.
    :raises ForkError: a tool is not locked for that Python.
    """
    lock = toml.loads(files["uv.lock"], where="uv.lock")
    project = toml.loads(files["pyproject.toml"], where="pyproject.toml")
    wanted = project["dependency-groups"][_TOOLS]
    version = environment.evaluate("import platform; print(platform.python_version())")
    python = {"python_version": ".".join(version.split(".")[:2])}
    python["python_full_version"] = version
    return [_locked(lock, name, python) for name in wanted]


def _locked(lock: dict[str, t.Any], name: str, python: dict[str, str]) -> str:
    for package in lock["package"]:
        markers = package.get("resolution-markers", [])
        fits = not markers or any(Marker(m).evaluate(dict(python)) for m in markers)
        if package["name"] == name and fits:
            return f"{name}=={package['version']}"
    raise ForkError(
        f"{name} is not locked for Python {python['python_full_version']}",
        where="uv.lock of the pinned release",
    )


def _tests(project: Project, pin: Pin, files: Files, name: str) -> Files:
    tests = {p: data for p, data in files.items() if p.startswith("tests/")}
    if name != pin.module:
        table = stage.tables(project)["tests"]
        tests = rename.apply(table, tests, where=project.relative(project.rename))
    return {**tests, "pyproject.toml": files["pyproject.toml"]}


def _pytest(environment: Environment, folder: pathlib.Path) -> Outcome:
    report = folder / "report.xml"
    done = environment.run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"),
        "--override-ini=junit_family=xunit1",
        cwd=folder,
        check=False,
    )
    if done.returncode not in {0, 1} or not report.exists():
        raise ForkError(
            f"upstream's suite did not run:\n{done.stdout[-4000:]}{done.stderr}",
            where="tests/ of the pinned release",
        )
    found: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for case in junit.read(report):
        kind = "failed" if case.outcome == "errors" else case.outcome
        found[kind].append(f"{case.file}::{case.name}")
    return Outcome(**{kind: tuple(sorted(ids)) for kind, ids in found.items()})


def _compare(
    project: Project,
    outcome: Outcome,
    known: list[KnownFailure],
    name: str,
    environment: Environment,
) -> None:
    expected = {
        entry.test
        for entry in known
        if name in entry.names and _applies(entry, environment)
    }
    problems = [
        ForkError(
            f"fails under the name {name}",
            where=test,
            hint="fix the patch that breaks it, or add it with a reason to"
            f" {project.relative(project.known_failures)}",
        )
        for test in outcome.failed
        if test not in expected
    ]
    problems += [
        ForkError(
            f"is listed as failing under the name {name}, but"
            f" {'passes' if test in outcome.passed else 'does not run'}",
            where=test,
            hint=f"remove it from {project.relative(project.known_failures)}",
        )
        for test in sorted(expected.difference(outcome.failed))
    ]
    raise_findings(problems)


def _applies(entry: KnownFailure, environment: Environment) -> bool:
    if entry.when is None:
        return True
    installed = environment.evaluate(
        f"import importlib.metadata as m; print(m.version({entry.when.name!r}))"
    )
    return entry.when.specifier.contains(installed, prereleases=True)
