"""Which extensions are tried on the fork, and what each does on plain Flask."""

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
    """How often each outcome of a test came up in a run of a suite."""

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
    """An extension's own tests, in the source archive of its release.

    :param paths: what pytest is given.
    :param requirements: what they need besides pytest.
    :param arguments: further arguments of pytest's.
    :param conftest: what ``tests/conftest.py`` holds where the archive lacks it.
    :param timeout: how long it may take, in seconds.
    :param known: tests that need not do what they do on plain Flask, with the reason.
    :param counts: what it gives on plain Flask.
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
    :param requirements: what is installed, the release included.
    :param modules: what is imported, or nothing for all that it has.
    :param imports: on plain Flask, how many modules import, of how many.
    :param suite: its own tests, if they can be run.
    :param no_suite: why they cannot.
    """

    name: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...] = ()
    imports: tuple[int, int] | None = None
    suite: Suite | None = None
    no_suite: str | None = None


def load(project: Project) -> list[Extension]:
    """Read the list of extensions.

    :raises ForkError: it is missing or malformed.
    """
    folder = _folder(project)
    path = folder / "extensions.toml"
    values = toml.load(path, hint="restore it from the history")
    where = project.relative(path)
    if set(values) != {"extension"} or not isinstance(values["extension"], list):
        raise ForkError("holds something other than [[extension]]", where=where)
    return [
        _extension(entry, folder, f"{where}: {n}")
        for n, entry in enumerate(values["extension"], 1)
    ]


def choose(project: Project, names: t.Iterable[str]) -> list[Extension]:
    """The extensions on the list, or those of ``names``.

    What is not on the list is taken for a requirement, of which nothing is known.

    :raises ForkError: the list is malformed, or a name is no requirement.
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
            f"is no requirement: {e}",
            where=text,
            hint="name an extension as for pip, like `Flask-Mail` or `flask-mail<1`",
        ) from e
    return Extension(canonicalize_name(name), (text,), suite=Suite())


def _extension(entry: t.Any, folder: pathlib.Path, where: str) -> Extension:
    values = _checked(entry, _EXTENSION, where)
    where = f"{where} ({values.get('name')})"
    if not {"name", "requirements", "imports"} <= set(values):
        raise ForkError("has no name, requirements or imports", where=where)
    if ("suite" in values) == ("no_suite" in values):
        raise ForkError("has a suite and a reason for none, or neither", where=where)
    if "suite" in values:
        values["suite"] = _suite(values["suite"], folder, where)
    return Extension(**values)


def _suite(entry: t.Any, folder: pathlib.Path, where: str) -> Suite:
    values = _checked(entry, _SUITE, where)
    counts = {key: values.pop(key, 0) for key in _COUNTS}
    if "conftest" in values:
        source = folder / values["conftest"]
        values["conftest"] = read(source, hint="restore it from the history").decode()
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
        raise ForkError("is no table", where=where)
    values = {key.replace("-", "_"): value for key, value in entry.items()}
    if odd := sorted(set(values) - set(kinds)):
        raise ForkError(f"unknown: {', '.join(odd)}", where=where)
    for key, value in values.items():
        if not isinstance(value, kinds[key]):
            kind = kinds[key].__name__
            raise ForkError(f"{key} is not of the type {kind}", where=where)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
