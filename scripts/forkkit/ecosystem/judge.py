"""Do extensions behave on the fork as they do on plain Flask?

An extension that falls short of its known results, or has none, is also tried on plain
Flask. A regression from plain Flask to the fork that occurs twice is a problem.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import shutil
import typing as t
from concurrent.futures import as_completed
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..base import venv
from ..base.errors import ForkError
from ..base.files import file_sha256
from ..base.files import write_file
from ..base.junit import Outcome
from ..base.locks import locked
from ..pack.dist import Built
from ..upstream.pin import Pin
from . import trial
from .listed import Counts
from .listed import Extension
from .trial import Flask
from .trial import Observation
from .trial import Runner

_BAD: set[Outcome | None] = {"failed", "errors"}


@dataclass(frozen=True)
class Row:
    """The result for one extension.

    :param name: its name.
    :param version: the version that was tried.
    :param imported: how many modules import on the fork, and the total.
    :param imported_plain: the same on plain Flask.
    :param suite: the results of its own tests on the fork.
    :param suite_plain: the same on plain Flask.
    :param compared: whether it was also tried on plain Flask; otherwise the figures for
        plain Flask are the known ones.
    :param problems: regressions on the fork.
    :param remarks: failures and oddities that are not regressions.
    """

    name: str
    version: str | None = None
    imported: tuple[int, int] = (0, 0)
    imported_plain: tuple[int, int] = (0, 0)
    suite: Counts | None = None
    suite_plain: Counts | None = None
    compared: bool = False
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def run(
    built: Built,
    pin: Pin,
    chosen: t.Sequence[Extension],
    folder: pathlib.Path,
    *,
    python: str,
    suites: bool,
    jobs: int,
    say: t.Callable[[str], None],
) -> t.Iterator[Row]:
    """Try extensions on the built wheels and on the pinned Flask; yield their rows.

    Results are kept in ``folder``, from which the next run resumes: it repeats
    only extensions with problems, or all of them if the fork has changed.

    :param built: the fork's wheels.
    :param pin: the release of Flask to compare with.
    :param chosen: the extensions to try.
    :param folder: where to keep the environments and the results.
    :param python: the interpreter for the environments, in any form that uv accepts.
    :param suites: whether to run the extensions' own tests too.
    :param jobs: how many extensions to try at a time.
    :param say: called with the name of each extension when it is started.
    :raises ForkError: there is no such Python, or another run is in progress.
    """
    with _alone_in(folder), ThreadPoolExecutor(jobs) as pool:
        url = f"{pin.name} @ {built.shim.resolve().as_uri()}"
        fork = Flask("fork", built.wheels, url, built.shim.name.split("-")[1])
        plain = Flask("flask", (), pin.requirement, pin.version)
        # Resolved once, so that all environments get the same interpreter.
        made = venv.create(folder / "python", python=python)
        found = made.evaluate("import sys; print(sys._base_executable)")
        trials = _Trials(folder, fork, plain, found, suites, Runner(), say)
        pending = [pool.submit(trials.row, extension) for extension in chosen]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            # Otherwise the pool would wait for all of them after an interrupt.
            for future in pending:
                future.cancel()
            trials.runner.stop()


def table(rows: t.Iterable[Row]) -> str:
    """The rows as a Markdown table, sorted by name."""
    lines = [
        "| Extension | Version | Modules | on Flask | Own tests | on Flask | Remarks |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: row.name):
        cells = [
            row.name,
            row.version or "-",
            "{}/{}".format(*row.imported),
            "{}/{}".format(*row.imported_plain),
            str(row.suite or "-"),
            str(row.suite_plain or "-"),
            "; ".join([*(f"**{p}**" for p in row.problems), *row.remarks]),
        ]
        # A pipe or a line break would end the cell.
        plain = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
        lines.append(f"| {' | '.join(plain)} |")
    return "\n".join(lines)


def judge(
    extension: Extension, here: Observation, there: Observation
) -> tuple[list[str], list[str]]:
    """Compare what was observed of an extension on the fork and on plain Flask.

    :param here: the observation on the fork.
    :param there: the observation on plain Flask.
    :return: the problems, which are regressions on the fork, and the remarks.
    """
    problems, remarks = [*here.strangers], t.cast("list[str]", [])

    def weigh(text: str, lost: bool) -> None:
        (problems if lost else remarks).append(text)

    if here.error:
        weigh(f"does not install: {here.error}", lost=not there.error)
        return problems, remarks

    if here.forced:
        text = f"installed in spite of its requirements: {here.forced}"
        weigh(text, lost=not there.forced)
    for complaint in here.complaints:
        weigh(complaint, lost=not there.forced and complaint not in there.complaints)
    for module, error in here.imports.items():
        if error and there.imports.get(module, error) is None:
            problems.append(f"{module} does not import: {error}")
    if here.no_suite:
        weigh(here.no_suite, lost=there.suite is not None)
    elif here.suite is not None and there.suite is not None:
        known = (extension.suite and extension.suite.known) or {}
        for test in sorted({*here.suite, *there.suite}):
            now, then = here.suite.get(test), there.suite.get(test)
            if _is_lost(now, then):
                text = f"{test}: {now or 'not run'}, on Flask {then or 'not run'}"
                why = known.get(test)
                weigh(f"{text} ({why})" if why else text, lost=why is None)
    return problems, remarks


def _is_lost(now: Outcome | None, then: Outcome | None) -> bool:
    if then == "passed":
        return now != "passed"
    return now in _BAD and then not in _BAD


@contextlib.contextmanager
def _alone_in(folder: pathlib.Path) -> t.Iterator[None]:
    """Keep a second run out of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    hint = "wait until it has finished"
    with locked(folder / "lock", "another run is in progress", hint=hint):
        yield


@dataclass(frozen=True)
class _Trials:
    """Tries extensions, with the settings of a run."""

    folder: pathlib.Path
    fork: Flask
    plain: Flask
    python: str
    suites: bool
    runner: Runner
    say: t.Callable[[str], None]

    def row(self, extension: Extension) -> Row:
        """The row of an extension, from an earlier run if it had no problems."""
        path = self.folder / "results" / f"{extension.name}.json"
        key = self._key(extension)
        if (kept := _read_row(path, key)) is not None:
            return kept

        self.say(extension.name)
        try:
            row = self._try(extension)
        except (ForkError, OSError) as e:
            row = Row(extension.name, problems=(str(e),))
        values = {"key": key, **dataclasses.asdict(row)}
        write_file(path, json.dumps(values, indent=2).encode())
        return row

    def _key(self, extension: Extension) -> str:
        """A hash of everything that the row depends on."""
        wheels = [file_sha256(wheel.read_bytes()) for wheel in self.fork.wheels]
        facts = [extension, self.plain, self.python, self.suites, wheels]
        return file_sha256(repr(facts).encode())

    def _try(self, extension: Extension) -> Row:
        here, there = self._observe(extension, self.fork), None
        problems: list[str] = []
        remarks = [here.no_suite] if here.no_suite else []
        if _falls_short(extension, here):
            there = self._observe(extension, self.plain)
            problems, remarks = judge(extension, here, there)
        if problems and there:
            # Repeated, because a failure such as a timeout may be a fluke.
            here = self._observe(extension, self.fork)
            again, remarks = judge(extension, here, there)
            once = sorted({*problems} ^ {*again})
            remarks += [f"{problem} (in one of two runs)" for problem in once]
            problems = [p for p in problems if p in again]
        if not problems:
            shutil.rmtree(self._place(extension))
        suite = _known_counts(extension) if here.suite else None
        return Row(
            name=extension.name,
            version=here.version,
            imported=here.imported,
            imported_plain=there.imported if there else extension.imports or (0, 0),
            suite=here.counts,
            suite_plain=there.counts if there else suite,
            compared=there is not None,
            problems=tuple(problems),
            remarks=tuple(remarks),
        )

    def _observe(self, extension: Extension, flask: Flask) -> Observation:
        place = self._place(extension) / flask.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return trial.observe(
            extension,
            flask,
            place,
            python=self.python,
            suites=self.suites,
            runner=self.runner,
        )

    def _place(self, extension: Extension) -> pathlib.Path:
        return self.folder / "environments" / extension.name


def _read_row(path: pathlib.Path, key: str) -> Row | None:
    """The row in a file, if it has that key and no problems."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if values.pop("key", None) != key or values["problems"]:
        return None
    listed = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    counts = {k: Counts(**v) for k, v in values.items() if isinstance(v, dict)}
    return Row(**{**values, **listed, **counts})


def _falls_short(extension: Extension, here: Observation) -> bool:
    """Whether the extension must be tried on plain Flask as well, to compare."""
    if here.error or here.forced or here.complaints or here.strangers:
        return True
    if extension.imports is None or here.imported[1] != extension.imports[1]:
        return True
    # A gain in one module must not hide a loss in another.
    if here.imported[0] < here.imported[1]:
        return True
    if here.counts is None:
        return here.no_suite != extension.no_suite
    known = _known_counts(extension)
    failed = here.counts.failed + here.counts.errors
    return known is None or bool(failed) or here.counts.passed < known.passed


def _known_counts(extension: Extension) -> Counts | None:
    return extension.suite.counts if extension.suite else None
