"""The list of extensions to try on the fork, with their results on plain Flask."""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..base import toml
from ..base.errors import ForkError
from ..base.files import read
from ..base.paths import Project


@dataclass(frozen=True)
class Counts:
    """The number of tests with each outcome in a run of a suite."""

    passed: int
    failed: int
    errors: int
    skipped: int

    def __str__(self) -> str:
        said = [f"{self.passed} passed"]
        said += [f"{self.failed} failed"] if self.failed else []
        said += [f"{self.errors} errors"] if self.errors else []
        said += [f"{self.skipped} skipped"] if self.skipped else []
        return ", ".join(said)


@dataclass(frozen=True)
class Suite:
    """An extension's own tests, from the source archive of its release.

    :param paths: the paths to pass to pytest.
    :param requirements: what the tests need besides pytest.
    :param arguments: further arguments for pytest.
    :param conftest: the content of ``tests/conftest.py``, if the archive lacks it.
    :param timeout: the time limit, in seconds.
    :param known: tests that may differ from plain Flask, with the reasons.
    :param counts: the results on plain Flask.
    """

    paths: tuple[str, ...] = ("tests",)
    requirements: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    conftest: str | None = None
    timeout: int = 300
    known: t.Mapping[str, str] | None = None
    counts: Counts | None = None


@dataclass(frozen=True)
class Extension:
    """An extension, or anything else that uses Flask.

    :param name: the name of its distribution.
    :param requirements: what to install; the first is the extension at its release.
    :param modules: the modules to import; empty for all of them.
    :param imports: how many modules import on plain Flask, and the total.
    :param suite: its own tests, if they can be run.
    :param no_suite: why its own tests cannot be run.
    """

    name: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...] = ()
    imports: tuple[int, int] | None = None
    suite: Suite | None = None
    no_suite: str | None = None


def load(project: Project) -> list[Extension]:
    """Read the list of extensions.

    :raises ForkError: the list is missing or malformed.
    """
    folder = _folder(project)
    path = folder / "extensions.toml"
    values = toml.load(path, hint="restore it from git")
    where = project.relative(path)
    if set(values) != {"extension"} or not isinstance(values["extension"], list):
        raise ForkError("holds something other than [[extension]]", where=where)
    return [
        _extension(entry, folder, f"{where}: {n}")
        for n, entry in enumerate(values["extension"], 1)
    ]


def choose(project: Project, names: t.Iterable[str]) -> list[Extension]:
    """The extensions on the list, or the named ones.

    A name that is not on the list is taken as a requirement without known results.

    :param names: names from the list, or requirements; empty for the whole list.
    :raises ForkError: the list is malformed, or a name is not a valid requirement.
    """
    listed = {extension.name: extension for extension in load(project)}
    chosen = {}
    for name in names or listed:
        extension = listed.get(canonicalize_name(name)) or _unlisted(name)
        chosen[extension.name] = extension
    return list(chosen.values())


def _folder(project: Project) -> pathlib.Path:
    return project.root / "tests" / "ecosystem"


def _unlisted(text: str) -> Extension:
    try:
        name = Requirement(text).name
    except InvalidRequirement as e:
        raise ForkError(
            f"is not a valid requirement: {e}",
            where=text,
            hint="name an extension as for pip, such as `Flask-Mail` or `flask-mail<1`",
        ) from e
    return Extension(canonicalize_name(name), (text,), suite=Suite())


def _extension(entry: t.Any, folder: pathlib.Path, where: str) -> Extension:
    values = _checked(entry, _EXTENSION, where)
    where = f"{where} ({values.get('name')})"
    if not {"name", "requirements", "imports"} <= set(values):
        raise ForkError("name, requirements and imports are required", where=where)
    if ("suite" in values) == ("no_suite" in values):
        raise ForkError("exactly one of suite and no-suite is required", where=where)
    if "suite" in values:
        values["suite"] = _suite(values["suite"], folder, where)
    return Extension(**values)


def _suite(entry: t.Any, folder: pathlib.Path, where: str) -> Suite:
    values = _checked(entry, _SUITE, where)
    counts = {key: values.pop(key, 0) for key in _COUNTS}
    if "conftest" in values:
        source = folder / values["conftest"]
        values["conftest"] = read(source, hint="restore it from git").decode()
    return Suite(**values, counts=Counts(**counts))


_COUNTS = ("passed", "failed", "errors", "skipped")
_EXTENSION = {
    "name": str,
    "requirements": list,
    "modules": list,
    "imports": list,
    "suite": dict,
    "no_suite": str,
}
_SUITE = {
    "paths": list,
    "requirements": list,
    "arguments": list,
    "conftest": str,
    "timeout": int,
    "known": dict,
    **dict.fromkeys(_COUNTS, int),
}


def _checked(entry: t.Any, kinds: t.Mapping[str, type], where: str) -> dict[str, t.Any]:
    if not isinstance(entry, dict):
        raise ForkError("is not a table", where=where)
    values = {key.replace("-", "_"): value for key, value in entry.items()}
    if odd := sorted(set(values) - set(kinds)):
        raise ForkError(f"unknown keys: {', '.join(odd)}", where=where)
    for key, value in values.items():
        if not isinstance(value, kinds[key]):
            kind = kinds[key].__name__
            raise ForkError(f"{key} is not of type {kind}", where=where)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
