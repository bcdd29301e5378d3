"""Tries one extension on one Flask, in its own virtual environment.

The extension's code runs only there, with another home folder and a time limit; any
processes that it leaves running are killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import tarfile
import typing as t
import urllib.parse
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..base import junit
from ..base import programs
from ..base import toml
from ..base import venv
from ..base.errors import ForkError
from ..base.junit import Outcome
from ..base.venv import Environment
from .listed import Counts
from .listed import Extension
from .listed import Suite

#: Names of modules and folders that are not meant to be imported.
_NO_MODULE = re.compile(r"tests?|test_\w*|conftest|templates|_code_templates")
#: Old extensions build with or import pkg_resources, which later versions lack.
_SETUPTOOLS = "setuptools<81"
_IMPORT_TIMEOUT = 300
#: No coverage and the like; and a file that breaks must not stop the others.
_PYTEST = ("--override-ini=addopts=", "--continue-on-collection-errors")
_PROBE = pathlib.Path(__file__).with_name("probe.py")


@dataclass(frozen=True)
class Flask:
    """The distribution that is installed as Flask.

    :param name: ``fork`` or ``flask``.
    :param wheels: the fork's wheel and the shim's; empty for plain Flask.
    :param requirement: Flask as a requirement, to install or to override others with.
    :param version: its version.
    """

    name: str
    wheels: tuple[pathlib.Path, ...]
    requirement: str
    version: str

    @property
    def requirements(self) -> list[str]:
        return [*map(str, self.wheels)] or [self.requirement]


@dataclass(frozen=True)
class Observation:
    """What was observed of an extension on one Flask.

    :param error: why it could not be installed at all.
    :param forced: the requirement on Flask that had to be overridden to install it.
    :param version: the installed version of the extension.
    :param complaints: the output of ``uv pip check``.
    :param strangers: modules and files of Flask that should be the fork's but are not.
    :param imports: each module, and the error of its import, if any.
    :param suite: each of its own tests, and ``passed``, ``skipped``, ``failed`` or
        ``errors``.
    :param no_suite: why its own tests were not run.
    """

    error: str | None = None
    forced: str | None = None
    version: str | None = None
    complaints: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    imports: t.Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    suite: t.Mapping[str, Outcome] | None = None
    no_suite: str | None = None

    @property
    def imported(self) -> tuple[int, int]:
        """How many modules import, and the total."""
        ok = sum(error is None for error in self.imports.values())
        return ok, len(self.imports)

    @property
    def counts(self) -> Counts | None:
        if self.suite is None:
            return None
        found = [*self.suite.values()]
        return Counts(**{outcome: found.count(outcome) for outcome in junit.OUTCOMES})


class Runner:
    """Runs the code of extensions until it is told to stop."""

    def __init__(self) -> None:
        self._stopped = False
        self._running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """Kill the running processes, and start no more."""
        self._stopped = True
        for process in [*self._running]:
            _end(process)

    def run(
        self,
        environment: Environment,
        *args: str | os.PathLike[str],
        cwd: pathlib.Path,
        timeout: float,
    ) -> str:
        """Run the Python of ``environment`` and return how it ended, in words.

        Its output goes to ``output.txt`` beside the environment.

        :param timeout: the time limit, in seconds.
        :raises ForkError: the runner has been stopped.
        """
        place = environment.path.parent
        with (place / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                [environment.python, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=_environ(environment),
                # In its own group, so that its child processes are killed with it.
                start_new_session=True,
            )
        self._running.add(process)
        try:
            if self._stopped:
                raise ForkError("was interrupted", where=place)
            return f"exited with code {process.wait(timeout)}"
        except subprocess.TimeoutExpired:
            return f"did not finish in {timeout} s"
        finally:
            _end(process)
            self._running.discard(process)


def observe(
    extension: Extension,
    flask: Flask,
    place: pathlib.Path,
    *,
    python: str,
    suites: bool,
    runner: Runner,
) -> Observation:
    """Install an extension beside ``flask``, import it, and run its own tests.

    :param place: an empty folder for the environment and other files.
    :param python: the interpreter for the environment.
    :param suites: whether to run the tests.
    :param runner: runs the extension's code.
    :raises ForkError: the environment cannot be created, or the run was interrupted.
    """
    for name in ("home", "tmp"):
        (place / name).mkdir()
    environment = venv.create(place / "venv", python=python)
    try:
        forced = _install_or_force(environment, flask, extension)
    except ForkError as e:
        return Observation(error=e.what)

    distribution = _distribution(environment, extension.name)
    modules = extension.modules or modules_of(distribution)
    complaints = _complaints(environment)
    imports, strangers = _import(environment, modules, runner)
    suite, no_suite = None, extension.no_suite
    if suites and extension.suite:
        try:
            source = _unpack(extension, distribution.version, environment)
            wanted = [*extension.requirements, "pytest", *extension.suite.requirements]
            _install(environment, flask, wanted, force=bool(forced))
            suite = _test(environment, source, extension.suite, runner)
        except ForkError as e:
            no_suite = e.what
    # Last, since the requirements of the tests may have replaced files.
    strangers += _foreign_files(environment, flask.wheels)
    return Observation(
        forced=forced,
        version=distribution.version,
        complaints=complaints,
        strangers=tuple(strangers),
        imports=imports,
        suite=suite,
        no_suite=no_suite,
    )


def modules_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """All modules of a distribution except its tests and templates."""
    files = [file for file in distribution.files or () if file.suffix == ".py"]
    packages = {file.parent.parts for file in files if file.name == "__init__.py"}
    found = []
    for file in files:
        parts = (*file.parent.parts, file.stem)
        above = [parts[:n] for n in range(1, len(parts))]
        if file.name == "__init__.py":
            parts = parts[:-1]
        elif any(a in packages for a in above) and above[-1] not in packages:
            # A script in a data folder.
            continue
        if parts and all(_is_module(part) for part in parts):
            found.append(".".join(parts))
    return sorted(found)


def _is_module(name: str) -> bool:
    return name.isidentifier() and not _NO_MODULE.fullmatch(name)


def _install_or_force(
    environment: Environment, flask: Flask, extension: Extension
) -> str | None:
    """Install an extension, overriding its requirement on Flask if necessary.

    :return: the requirement that was overridden, if any.
    :raises ForkError: it cannot be installed even so.
    """
    try:
        _install(environment, flask, extension.requirements)
    except ForkError as e:
        try:
            _install(environment, flask, extension.requirements, force=True)
        except ForkError:
            raise e from None
        distribution = _distribution(environment, extension.name)
        asked = [Requirement(text) for text in distribution.requires or ()]
        refused = [
            f"{requirement.name}{requirement.specifier}"
            for requirement in asked
            if canonicalize_name(requirement.name) == "flask"
            and flask.version not in requirement.specifier
        ]
        return ", ".join(refused) or e.what
    return None


def _install(
    environment: Environment,
    flask: Flask,
    requirements: t.Iterable[str],
    *,
    force: bool = False,
) -> None:
    """Install ``requirements`` with exactly this Flask.

    :param force: override their requirements on Flask, which loses its extras.
    :raises ForkError: they cannot be installed.
    """
    build = environment.path.with_name("build-constraints.txt")
    build.write_text(f"{_SETUPTOOLS}\n")
    override = environment.path.with_name("override.txt")
    override.write_text(f"{flask.requirement}\n" if force else "")
    environment.install(
        *("--build-constraints", build, "--override", override),
        *(*flask.requirements, _SETUPTOOLS, *requirements),
    )


def _distribution(
    environment: Environment, name: str
) -> importlib.metadata.Distribution:
    folder = str(_site_packages(environment))
    for found in importlib.metadata.Distribution.discover(name=name, path=[folder]):
        return found
    raise ForkError("no distribution of that name was installed", where=name)


def _site_packages(environment: Environment) -> pathlib.Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return pathlib.Path(environment.evaluate(code))


def _complaints(environment: Environment) -> tuple[str, ...]:
    command = ("-m", "uv", "pip", "check", "--python", environment.python)
    done = programs.python(*command, fine=None)
    if done.returncode == 0:
        return ()
    lines = done.stderr.splitlines()
    return tuple(line for line in lines if line.startswith("The package"))


def _import(
    environment: Environment, modules: t.Sequence[str], runner: Runner
) -> tuple[dict[str, str | None], list[str]]:
    """Each module with its import error, if any, and what is wrong with ``flask``."""
    out = environment.path.with_name("imports.json")
    # As a script, the probe would put the tools' folder on the path.
    probe = ("-c", _PROBE.read_text(), out)
    found: dict[str, str | None] = {}
    rest = [*modules]
    while True:
        out.unlink(missing_ok=True)
        cwd = environment.path.with_name("tmp")
        ended = runner.run(environment, *probe, *rest, cwd=cwd, timeout=_IMPORT_TIMEOUT)
        said = out.read_text("utf-8").splitlines() if out.exists() else []
        lines = [json.loads(line) for line in said]
        found.update(dict(lines[: len(rest)]))
        if len(lines) > len(rest):
            return found, lines[-1]
        if len(lines) == len(rest):
            return found, [f"after the imports, the interpreter {ended}"]
        # That module ended the interpreter; try the remaining ones in a new one.
        found[rest[len(lines)]] = f"the interpreter {ended}"
        rest = rest[len(lines) + 1 :]


def _unpack(
    extension: Extension, version: str, environment: Environment
) -> pathlib.Path:
    """Unpack the source archive of the installed release, and return its folder.

    :raises ForkError: there is no archive, or it cannot be fetched or unpacked, or its
        hash does not match the index.
    """
    address, sha256 = _archive(extension, version, environment)
    try:
        # The scheme is safe: uv resolved the address.
        with urllib.request.urlopen(address, timeout=60) as response:  # noqa: S310
            content: bytes = response.read()
    except OSError as e:
        raise ForkError(
            f"could not fetch the source archive: {e}",
            where=address,
            hint="check the network",
        ) from e
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ForkError("the hash does not match the index", where=address)

    folder = environment.path.with_name("source")
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            # The filter refuses paths and links that lead outside the folder.
            opened.extractall(folder, filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as e:
        raise ForkError(f"cannot unpack the archive: {e}", where=address) from e
    folders = [path for path in folder.iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ForkError(
            f"the archive has {len(folders)} top-level folders instead of one",
            where=address,
        )
    return folders[0]


def _archive(
    extension: Extension, version: str, environment: Environment
) -> tuple[str, str]:
    """The URL of the source archive, and its SHA-256."""
    first = extension.requirements[0]
    wanted = environment.path.with_name("source.txt")
    # A requirement with a URL is not on the index.
    wanted.write_text(first if " @ " in first else f"{extension.name}=={version}")
    said = venv.uv(
        *("pip", "compile", "--no-deps", "--format", "pylock.toml"),
        *("--python", environment.python, wanted),
    )
    locked = toml.loads(said.encode(), where=wanted)["packages"][0]
    archive = locked.get("sdist") or locked.get("archive") or {}
    address = archive.get("url") or pathlib.Path(archive.get("path", "/")).as_uri()
    if not urllib.parse.urlsplit(address).path.endswith(".tar.gz"):
        raise ForkError("there is no source archive", where=extension.name)
    return address, archive["hashes"]["sha256"]


def _test(
    environment: Environment, source: pathlib.Path, suite: Suite, runner: Runner
) -> dict[str, Outcome]:
    """Run the tests below ``source`` and return the outcome of each.

    :raises ForkError: there are none, or pytest did not finish.
    """
    if not any((source / path).exists() for path in suite.paths):
        raise ForkError("the source archive has no tests")
    if suite.conftest is not None:
        (source / "tests" / "conftest.py").write_text(suite.conftest)
    # Tests without their own settings would otherwise use this project's.
    environment.path.with_name("pytest.ini").write_text("[pytest]\n")
    report = environment.path.with_name("report.xml")
    ended = runner.run(
        environment,
        *("-m", "pytest", f"--rootdir={source}", f"--junitxml={report}", *_PYTEST),
        *(*suite.arguments, *suite.paths),
        cwd=source,
        timeout=suite.timeout,
    )
    if not report.exists():
        raise ForkError(f"its tests left no report: pytest {ended}")
    found: dict[str, Outcome] = {}
    for case in junit.read(report):
        test = f"{case.classname}::{case.name}"
        # A test that passes and then fails in teardown is in the report twice.
        outcomes = {found.get(test, "passed"), case.outcome}
        found[test] = max(outcomes, key=junit.OUTCOMES.index)
    return found


def _foreign_files(
    environment: Environment, wheels: t.Sequence[pathlib.Path]
) -> list[str]:
    """The files that differ from the wheels, or that are in neither wheel."""
    folder = _site_packages(environment)
    expected: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            expected.update({name: archive.read(name) for name in archive.namelist()})
    found = [
        f"{name} differs from the wheel's file"
        for name, content in expected.items()
        # Installers add their own files to RECORD.
        if not name.endswith(".dist-info/RECORD") and _read(folder / name) != content
    ]
    tops = {name.partition("/")[0] for name in expected}
    found += [
        f"{path.relative_to(folder)} is in neither wheel"
        for top in sorted(tops)
        if not top.endswith(".dist-info")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
        if path.relative_to(folder).as_posix() not in expected
    ]
    flasks = [path.name for path in folder.glob("[Ff]lask-*-info")]
    if len(flasks) != 1:
        found.append(f"Flask is installed {len(flasks)} times: {', '.join(flasks)}")
    return found


def _read(path: pathlib.Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _environ(environment: Environment) -> dict[str, str]:
    folder = environment.path / "bin"
    return programs.clean_environ(
        HOME=str(environment.path.with_name("home")),
        TMPDIR=str(environment.path.with_name("tmp")),
        # Some get their version from git, and would get this project's.
        GIT_CEILING_DIRECTORIES=str(environment.path.parent),
        PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
