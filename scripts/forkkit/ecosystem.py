"""Does an extension do on the fork what it does on plain Flask?

Each is installed beside both wheels in an environment of its own, looked at, imported,
and tested by its own suite. Where that falls short of what is known of it, or nothing
is known, the same is done on plain Flask, and what is lost between the two is a problem.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.metadata
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import typing as t
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from concurrent.futures import as_completed
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import environments
from . import packing
from . import toml
from . import upstream
from .environments import clean_environ
from .environments import Environment
from .errors import ForkError
from .extensions import Counts
from .extensions import Extension
from .extensions import Suite
from .project import Files
from .project import Project
from .project import write_all

#: The names of modules, and of folders, that are not for importing.
_NO_MODULE = re.compile(r"tests?|test_\w*|conftest|templates|_code_templates")
#: Old extensions build and import with what later ones do not have (pkg_resources).
_SETUPTOOLS = "setuptools<81"
_IMPORT_TIMEOUT = 300
#: Coverage and the like are not wanted, and a file that breaks is one among others.
_PYTEST = ("--override-ini=addopts=", "--continue-on-collection-errors")
_PROBE = pathlib.Path(__file__).with_name("probe.py")

#: The id of each test, and ``passed``, ``failed``, ``errors`` or ``skipped``.
Outcomes = dict[str, str]


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
    :param forced: why it could only be installed against its own word.
    :param version: the version of it that was installed.
    :param complaints: what ``pip check`` says.
    :param strangers: what is not the fork's and should be.
    :param imports: each module, and what its import failed with.
    :param suite: what its own tests gave.
    :param no_suite: why they were not run.
    """

    error: str | None = None
    forced: str | None = None
    version: str | None = None
    complaints: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    imports: t.Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    suite: Outcomes | None = None
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
        kinds = [field.name for field in dataclasses.fields(Counts)]
        return Counts(**{kind: found.count(kind) for kind in kinds})


@dataclass(frozen=True)
class Row:
    """What is said of one extension.

    :param name: its name.
    :param version: the version that was tried.
    :param imported: how many modules import on the fork, of how many.
    :param imported_plain: the same on plain Flask.
    :param suite: what its own tests gave on the fork.
    :param suite_plain: the same on plain Flask.
    :param compared: whether plain Flask was tried as well, just now.
    :param problems: what is lost on the fork.
    :param remarks: what is as odd on plain Flask.
    """

    name: str
    version: str | None
    imported: tuple[int, int]
    imported_plain: tuple[int, int]
    suite: Counts | None
    suite_plain: Counts | None
    compared: bool
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def run(
    project: Project,
    chosen: t.Sequence[Extension],
    *,
    python: str,
    suites: bool,
    jobs: int,
    say: t.Callable[[str], None],
) -> t.Iterator[Row]:
    """Try extensions on the fork as this checkout builds it, and yield their rows.

    What was found is kept below ``build/ecosystem``. The next run goes on from there: it
    tries again what had a problem, and all if the fork is another one.

    :param python: what to make the environments from, as uv takes it.
    :param suites: whether their own tests are run as well.
    :param jobs: how many are tried at a time.
    :param say: is told the name of each that is begun.
    :raises ForkError: the fork cannot be built, there is no such Python, or another run
        is under way.
    """
    folder = project.build / "ecosystem"
    with _only_run(folder):
        found = environments.uv("python", "find", "--no-python-downloads", python)
        fork, plain = _flasks(project, folder)
        trial = _Trial(folder, fork, plain, found.strip(), suites, say)
        with ThreadPoolExecutor(jobs) as pool:
            pending = [pool.submit(trial.row, extension) for extension in chosen]
            try:
                for done in as_completed(pending):
                    yield done.result()
            finally:
                # Those under way are ended, or this would wait for them.
                trial.stop()
                for future in pending:
                    future.cancel()


def table(rows: t.Iterable[Row]) -> str:
    """The rows as a table in Markdown, by name."""
    lines = [
        "| Extension | Version | Modules | on Flask | Own tests | on Flask | Remarks |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: row.name):
        remarks = [*(f"**{p}**" for p in row.problems), *row.remarks]
        cells = [
            row.name,
            row.version or "-",
            "{}/{}".format(*row.imported),
            "{}/{}".format(*row.imported_plain),
            str(row.suite or "-"),
            str(row.suite_plain or "-"),
            "; ".join(remarks),
        ]
        # A bar or a line break would end the cell.
        plain = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
        lines.append(f"| {' | '.join(plain)} |")
    return "\n".join(lines)


def judge(
    extension: Extension, here: Observation, there: Observation | None
) -> tuple[list[str], list[str]]:
    """What is lost on the fork, and what is only odd.

    :param there: the same on plain Flask, unless ``here`` is as good as was known.
    """
    problems, remarks = [*here.strangers], t.cast("list[str]", [])
    if there is None:
        return problems, [here.no_suite] if here.no_suite else []

    def weigh(text: str, lost: bool) -> None:
        (problems if lost else remarks).append(text)

    if here.error:
        weigh(f"does not install: {here.error}", lost=not there.error)
        return problems, remarks

    if here.forced:
        weigh("installed against what it asks for", lost=not there.forced)
    for complaint in here.complaints:
        weigh(complaint, lost=complaint not in there.complaints)
    for module, error in here.imports.items():
        if error and there.imports.get(module, error) is None:
            problems.append(f"{module} does not import: {error}")
    if here.suite is not None and there.suite is not None:
        known = (extension.suite and extension.suite.known) or {}
        for test in sorted({*here.suite, *there.suite}):
            now, then = here.suite.get(test), there.suite.get(test)
            if _is_lost(now, then):
                text = f"{test}: {now or 'not run'}, on Flask {then or 'not run'}"
                reason = known.get(test)
                weigh(f"{text} ({reason})" if reason else text, lost=not reason)
    if here.no_suite:
        weigh(here.no_suite, lost=there.suite is not None)
    return problems, remarks


def _is_lost(now: str | None, then: str | None) -> bool:
    if then == "passed":
        return now != "passed"
    return now in _BAD and then not in _BAD


def _flasks(project: Project, folder: pathlib.Path) -> tuple[Flask, Flask]:
    built = packing.build(project, folder / "wheels")
    pin = upstream.load_pin(project)
    shim = built.shim.name.split("-")[1]
    url = f"{pin.name} @ {built.shim.resolve().as_uri()}"
    return (
        Flask("fork", built.wheels, url, shim),
        Flask("flask", (), pin.requirement, pin.version),
    )


class _only_run:
    """Keeps a second run out of the folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "lock"

    def __enter__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            self.file.close()
            raise ForkError(
                "another run is under way", where=self.path, mend="wait for its end"
            ) from e

    def __exit__(self, *args: object) -> None:
        self.file.close()


class _Trial:
    """Tries one extension after the other on the same wheels."""

    def __init__(
        self,
        folder: pathlib.Path,
        fork: Flask,
        plain: Flask,
        python: str,
        suites: bool,
        say: t.Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.fork = fork
        self.plain = plain
        self.python = python
        self.suites = suites
        self.say = say
        self.stopped = False
        self.running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        self.stopped = True
        for process in [*self.running]:
            _end(process)

    def row(self, extension: Extension) -> Row:
        """The row of an extension, from an earlier run if that was fine."""
        path = self.folder / "results" / f"{extension.name}.json"
        key = self._key(extension)
        if (kept := _read_row(path, key)) is not None:
            return kept

        self.say(extension.name)
        try:
            row = self._try(extension)
        except ForkError as e:
            zero = (0, 0)
            row = Row(
                extension.name, None, zero, zero, None, None, False, (str(e),), ()
            )
        if not self.stopped:
            values = {"key": key, **dataclasses.asdict(row)}
            write_all({path: json.dumps(values, indent=2).encode()})
        return row

    def _key(self, extension: Extension) -> str:
        content = [
            self.python,
            str(self.suites),
            repr(extension),
            self.plain.requirement,
        ]
        content += [
            hashlib.sha256(w.read_bytes()).hexdigest() for w in self.fork.wheels
        ]
        return hashlib.sha256("\0".join(content).encode()).hexdigest()

    def _try(self, extension: Extension) -> Row:
        here = self._observe(extension, self.fork)
        there = None
        if _falls_short(extension, here):
            there = self._observe(extension, self.plain)
        problems, remarks = judge(extension, here, there)
        if not problems:
            shutil.rmtree(self._place(extension))
        suite_plain = extension.suite.counts if extension.suite and here.suite else None
        return Row(
            name=extension.name,
            version=here.version,
            imported=here.imported,
            imported_plain=there.imported if there else extension.imports or (0, 0),
            suite=here.counts,
            suite_plain=there.counts if there else suite_plain,
            compared=there is not None,
            problems=tuple(problems),
            remarks=tuple(remarks),
        )

    def _place(self, extension: Extension) -> pathlib.Path:
        return self.folder / "environments" / extension.name

    def _observe(self, extension: Extension, flask: Flask) -> Observation:
        place = self._place(extension) / flask.name
        shutil.rmtree(place, ignore_errors=True)
        (place / "tmp").mkdir(parents=True)
        (place / "home").mkdir()
        environment = environments.create(place / "venv", python=self.python)
        forced = None
        try:
            _install(environment, flask, extension.requirements)
        except ForkError as e:
            forced = e.what
            try:
                _install(environment, flask, extension.requirements, force=True)
            except ForkError:
                return Observation(error=forced)

        distribution = _distribution(environment, extension.name)
        complaints = _complaints(environment, flask, self.plain)
        imports, strangers = self._imports(
            environment, extension.modules or modules_of(distribution)
        )
        suite, no_suite = None, extension.no_suite
        if self.suites and extension.suite:
            try:
                suite = self._suite(
                    environment, flask, extension, distribution.version, bool(forced)
                )
            except ForkError as e:
                no_suite = e.what
        if flask.wheels:
            strangers += _foreign_files(environment, flask.wheels)
        return Observation(
            forced=forced,
            version=distribution.version,
            complaints=tuple(complaints),
            strangers=tuple(strangers),
            imports=imports,
            suite=suite,
            no_suite=no_suite,
        )

    def _imports(
        self, environment: Environment, modules: t.Sequence[str]
    ) -> tuple[dict[str, str | None], list[str]]:
        """What became of each module, and what is wrong with ``flask`` then."""
        out = environment.path.with_name("imports.json")
        found: dict[str, str | None] = {}
        strangers: list[str] = []
        rest = [*modules]
        while True:
            out.unlink(missing_ok=True)
            ended = self._run(
                environment, ["-c", _PROBE.read_text(), out, *rest], _IMPORT_TIMEOUT
            )
            said = out.read_text().splitlines() if out.exists() else []
            lines = [json.loads(line) for line in said]
            found.update(dict(lines[: len(rest)]))
            strangers += [s for s in lines[len(rest) :] for s in s]
            if len(lines) > len(rest):
                return found, sorted(set(strangers))
            if len(lines) == len(rest):
                raise ForkError(f"after the imports the interpreter {ended}")
            # One of them ended the interpreter; the others are tried in a new one.
            found[rest[len(lines)]] = f"the interpreter {ended}"
            rest = rest[len(lines) + 1 :]

    def _suite(
        self,
        environment: Environment,
        flask: Flask,
        extension: Extension,
        version: str,
        forced: bool,
    ) -> Outcomes:
        suite = extension.suite or Suite()
        place = environment.path.parent
        source = _unpack(extension, version, place, self.python)
        if not any((source / path).exists() for path in suite.paths):
            raise ForkError("the source archive has no tests")
        if suite.conftest is not None:
            (source / "tests" / "conftest.py").write_text(suite.conftest)
        wanted = [*extension.requirements, "pytest", *suite.requirements]
        _install(environment, flask, wanted, force=forced)
        # Without settings of its own it would get those of this project.
        (place / "pytest.ini").write_text("[pytest]\n")
        report = place / "report.xml"
        ended = self._run(
            environment,
            ["-m", "pytest", f"--rootdir={source}", f"--junitxml={report}", *_PYTEST]
            + [*suite.arguments, *suite.paths],
            suite.timeout,
            cwd=source,
        )
        if not report.exists():
            raise ForkError(f"its suite gave no report, and {ended}")
        return _outcomes(report)

    def _run(
        self,
        environment: Environment,
        args: t.Sequence[str | pathlib.Path],
        timeout: float,
        cwd: pathlib.Path | None = None,
    ) -> str:
        """Run an extension's code, and all that it starts, no longer than this.

        :return: how it ended.
        """
        place = environment.path.parent
        with open(place / "output.txt", "ab") as output:
            process = subprocess.Popen(
                [environment.python, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd or place / "tmp",
                env=clean_environ(
                    HOME=str(place / "home"),
                    TMPDIR=str(place / "tmp"),
                    PATH=f"{environment.path / 'bin'}{os.pathsep}{os.environ['PATH']}",
                ),
                # A group of its own, so that what it started ends with it.
                start_new_session=True,
            )
        self.running.add(process)
        try:
            if self.stopped:
                _end(process)
            return f"ended with {process.wait(timeout)}"
        except subprocess.TimeoutExpired:
            return f"was not done after {timeout} s"
        finally:
            _end(process)
            self.running.discard(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_row(path: pathlib.Path, key: str) -> Row | None:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if values.pop("key", None) != key or values["problems"]:
        return None
    for name in ("suite", "suite_plain"):
        values[name] = values[name] and Counts(**values[name])
    listed = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    return Row(**{**values, **listed})


def _falls_short(extension: Extension, here: Observation) -> bool:
    """Whether plain Flask has to be tried to tell what this is worth."""
    if here.error or here.forced or here.complaints:
        return True
    if extension.imports is None or here.imported[1] != extension.imports[1]:
        return True
    if here.imported[0] < extension.imports[0]:
        return True
    known = extension.suite.counts if extension.suite else None
    if here.suite is None:
        return here.no_suite != extension.no_suite
    if known is None or here.counts is None:
        return True
    bad = here.counts.failed + here.counts.errors
    return here.counts.passed < known.passed or bad > known.failed + known.errors


def _install(
    environment: Environment,
    flask: Flask,
    requirements: t.Iterable[str],
    *,
    force: bool = False,
) -> None:
    """Install ``requirements`` with exactly this Flask.

    :param force: whether Flask need not be what they ask for.
    :raises ForkError: they cannot be installed.
    """
    place = environment.path.parent
    build = place / "build-constraints.txt"
    build.write_text(f"{_SETUPTOOLS}\n")
    override = place / "override.txt"
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


def _complaints(environment: Environment, flask: Flask, plain: Flask) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "check", "--python", environment.python],
        capture_output=True,
        text=True,
        env=clean_environ(),
        check=False,
    )
    if done.returncode == 0:
        return []
    # Upstream's version, to tell whether plain Flask gives the same.
    said = done.stderr.replace(flask.version, plain.version)
    return [line for line in said.splitlines() if line.startswith("The package")]


def _foreign_files(
    environment: Environment, wheels: t.Iterable[pathlib.Path]
) -> list[str]:
    """The files that are not as the wheels have them, or beside those."""
    folder = _site_packages(environment)
    expected: Files = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            expected.update({name: archive.read(name) for name in archive.namelist()})
    found = [
        f"{name} is not the wheel's file"
        for name, content in expected.items()
        # An installer adds its own files to that list.
        if not name.endswith(".dist-info/RECORD") and _content(folder / name) != content
    ]
    tops = {name.partition("/")[0] for name in expected}
    for top in sorted(top for top in tops if not top.endswith(".dist-info")):
        for path in sorted((folder / top).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and path.suffix != ".pyc" and name not in expected:
                found.append(f"{name} is in neither wheel")
    shims = [path.name for path in folder.glob("[Ff]lask-*-info")]
    if len(shims) != 1:
        found.append(f"Flask is installed {len(shims)} times: {', '.join(shims)}")
    return found


def _content(path: pathlib.Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _unpack(
    extension: Extension, version: str, place: pathlib.Path, python: str
) -> pathlib.Path:
    """Unpack the source archive of what is installed, and return its folder.

    :raises ForkError: there is none, or it is not what the index says.
    """
    wanted = place / "source.txt"
    first = extension.requirements[0]
    # A URL is a release of its own.
    wanted.write_text(
        f"{first if ' @ ' in first else f'{extension.name}=={version}'}\n"
    )
    said = environments.uv(
        *("pip", "compile", "--no-deps", "--format", "pylock.toml"),
        *("--python", python, wanted),
    )
    locked = toml.loads(said.encode(), where=wanted)["packages"][0]
    archive = locked.get("sdist") or locked.get("archive") or {}
    address = archive.get("url") or pathlib.Path(archive.get("path", ".")).as_uri()
    file = pathlib.PurePosixPath(urllib.parse.urlsplit(address).path).name
    if not file.endswith(".tar.gz"):
        raise ForkError("there is no source archive", where=extension.name)
    try:
        # Of the schemes that uv itself has taken.
        with urllib.request.urlopen(address, timeout=60) as response:  # noqa: S310
            content: bytes = response.read()
    except OSError as e:
        raise ForkError(
            f"{file} could not be fetched: {e}", mend="check the network"
        ) from e
    if hashlib.sha256(content).hexdigest() != archive["hashes"]["sha256"]:
        raise ForkError(f"{file} is not what the index says", where=address)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            # Nothing leaves the folder, by its path, a link, or its mode.
            opened.extractall(place / "source", filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as e:
        raise ForkError(f"{file} cannot be unpacked: {e}", where=address) from e
    folders = [path for path in (place / "source").iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ForkError(f"{file} has {len(folders)} folders at its top", where=address)
    return folders[0]


def _outcomes(report: pathlib.Path) -> Outcomes:
    """What pytest's report says of each test."""
    found: Outcomes = {}
    # Written in an environment that runs the extension's code anyway.
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        test = f"{case.get('classname')}::{case.get('name')}"
        found[test] = max(found.get(test, ""), _outcome(case), key=_WORSE.index)
    return found


_BAD = {"failed", "errors"}
_WORSE = ["", "passed", "skipped", "failed", "errors"]


def _outcome(case: ElementTree.Element) -> str:
    if case.find("error") is not None:
        return "errors"
    if case.find("failure") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"
