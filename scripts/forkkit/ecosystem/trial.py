"""What becomes of one extension on one Flask, in an environment of its own.

The extension's code runs there only: it gets another home, an end when it takes too
long, and what it leaves running is ended with it.
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

#: The names of modules, and of folders, that are not for importing.
_NO_MODULE = re.compile(r"tests?|test_\w*|conftest|templates|_code_templates")
#: Old extensions build and import with what later ones do not have (pkg_resources).
_SETUPTOOLS = "setuptools<81"
_IMPORT_TIMEOUT = 300
#: Coverage and the like are not wanted, and a file that breaks is one among others.
_PYTEST = ("--override-ini=addopts=", "--continue-on-collection-errors")
_PROBE = pathlib.Path(__file__).with_name("probe.py")


@dataclass(frozen=True)
class Flask:
    """What is installed as Flask.

    :param name: ``fork`` or ``flask``.
    :param wheels: the fork's wheel and the shim's, or nothing for plain Flask.
    :param requirement: what stands for Flask itself.
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
    """What became of an extension on one Flask.

    :param error: why it could not be installed at all.
    :param forced: what it asks for, if it had to be installed against that.
    :param version: the version of it that was installed.
    :param complaints: what ``pip check`` says.
    :param strangers: what is not the fork's and should be.
    :param imports: each module, and what its import failed with.
    :param suite: each of its own tests, and ``passed``, ``skipped``, ``failed`` or
        ``errors``.
    :param no_suite: why they were not run.
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
        """How many modules import, of how many."""
        ok = sum(error is None for error in self.imports.values())
        return ok, len(self.imports)

    @property
    def counts(self) -> Counts | None:
        if self.suite is None:
            return None
        found = [*self.suite.values()]
        return Counts(**{outcome: found.count(outcome) for outcome in junit.OUTCOMES})


class Runner:
    """Runs the code of extensions, until it is told to stop."""

    def __init__(self) -> None:
        self._stopped = False
        self._running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
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
        """Run the Python of ``environment`` and return how it ended.

        What it says goes to ``output.txt`` beside the environment.

        :raises ForkError: all is to stop.
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
                # A group of its own, so that what it started ends with it.
                start_new_session=True,
            )
        self._running.add(process)
        try:
            if self._stopped:
                raise ForkError("was interrupted", where=place)
            return f"ended with {process.wait(timeout)}"
        except subprocess.TimeoutExpired:
            return f"was not done after {timeout} s"
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

    :param place: an empty folder for the environment and what else is needed.
    :param python: what to make the environment from.
    :param suites: whether the tests are run.
    :raises ForkError: there is no environment, or the run was interrupted.
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
    # Last, for what the requirements of the tests may have brought.
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
    """All modules of a distribution but its tests and templates."""
    files = [file for file in distribution.files or () if file.suffix == ".py"]
    packages = {file.parent.parts for file in files if file.name == "__init__.py"}
    found = []
    for file in files:
        parts = (*file.parent.parts, file.stem)
        above = [parts[:n] for n in range(1, len(parts))]
        if file.name == "__init__.py":
            parts = parts[:-1]
        elif any(a in packages for a in above) and above[-1] not in packages:
            # A script in a folder of data.
            continue
        if parts and all(_is_module(part) for part in parts):
            found.append(".".join(parts))
    return sorted(found)


def _is_module(name: str) -> bool:
    return name.isidentifier() and not _NO_MODULE.fullmatch(name)


def _install_or_force(
    environment: Environment, flask: Flask, extension: Extension
) -> str | None:
    """Install an extension, if need be against what it asks for, which is returned.

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

    :param force: whether Flask need not be what they ask for. Its extras are lost then.
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
    raise ForkError("what was installed is no distribution of that name", where=name)


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
    """What became of each module, and what is wrong with ``flask`` then."""
    out = environment.path.with_name("imports.json")
    # As a script it would put the folder of the tools on the path.
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
            return found, [f"after the imports the interpreter {ended}"]
        # One of them ended the interpreter; the others are tried in a new one.
        found[rest[len(lines)]] = f"the interpreter {ended}"
        rest = rest[len(lines) + 1 :]


def _unpack(
    extension: Extension, version: str, environment: Environment
) -> pathlib.Path:
    """Unpack the source archive of what is installed, and return its folder.

    :raises ForkError: there is none, or it is not what the index says.
    """
    address, sha256 = _archive(extension, version, environment)
    try:
        # Of a scheme that uv itself has taken.
        with urllib.request.urlopen(address, timeout=60) as response:  # noqa: S310
            content: bytes = response.read()
    except OSError as e:
        raise ForkError(
            f"the source archive could not be fetched: {e}",
            where=address,
            hint="check the network",
        ) from e
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ForkError("is not what the index says", where=address)

    folder = environment.path.with_name("source")
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            # Nothing leaves the folder, by its path, by a link, or by its mode.
            opened.extractall(folder, filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as e:
        raise ForkError(f"cannot be unpacked: {e}", where=address) from e
    folders = [path for path in folder.iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ForkError(f"has {len(folders)} folders at its top", where=address)
    return folders[0]


def _archive(
    extension: Extension, version: str, environment: Environment
) -> tuple[str, str]:
    """The address of the source archive, and its hash."""
    first = extension.requirements[0]
    wanted = environment.path.with_name("source.txt")
    # What has an address is not on the index.
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
    """Run the tests below ``source`` and return what became of each.

    :raises ForkError: there are none, or pytest did not come to its end.
    """
    if not any((source / path).exists() for path in suite.paths):
        raise ForkError("the source archive has no tests")
    if suite.conftest is not None:
        (source / "tests" / "conftest.py").write_text(suite.conftest)
    # Tests without settings of their own would get those of this project.
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
        raise ForkError(f"its tests gave no report, and {ended}")
    found: dict[str, Outcome] = {}
    for case in junit.read(report):
        test = f"{case.classname}::{case.name}"
        # What breaks after it has passed is in the report twice.
        outcomes = {found.get(test, "passed"), case.outcome}
        found[test] = max(outcomes, key=junit.OUTCOMES.index)
    return found


def _foreign_files(
    environment: Environment, wheels: t.Sequence[pathlib.Path]
) -> list[str]:
    """The files that are not as the wheels have them, or are beside those."""
    folder = _site_packages(environment)
    expected: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            expected.update({name: archive.read(name) for name in archive.namelist()})
    found = [
        f"{name} is not the wheel's file"
        for name, content in expected.items()
        # An installer adds its own files to that list.
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
        # Some ask git for their version, and would get this project's.
        GIT_CEILING_DIRECTORIES=str(environment.path.parent),
        PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
