"""Is a patch needed? Its tests must fail without it and pass with it."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import write_files
from ..base.programs import Argument
from ..base.programs import python
from ..pack import stage
from ..queue.fork import Fork
from ..queue.patch import Patch
from ..queue.queue import apply_patches

_COVERAGE = """\
[run]
data_file = {folder}/data
dynamic_context = test_function
source = {package}
"""


@dataclass(frozen=True)
class Verdict:
    """What its tests say about a patch.

    :param name: the patch.
    :param without: pytest's exit code on the queue without the patch.
    :param with_it: pytest's exit code on the whole queue.
    :param left_out: the later patches that need it, left out with it.
    :param runs: whether the tests run any line that the patch changes; ``None`` unless
        they pass both with and without it.
    :param said: the end of pytest's output if something is wrong.
    """

    name: str
    without: int
    with_it: int
    left_out: tuple[str, ...]
    runs: bool | None
    said: str

    @property
    def text(self) -> str:
        """``needed``, or what is wrong."""
        if self.with_it != 0:
            return "tests fail with the patch"
        if self.without == 1:
            return "needed"
        if self.without != 0:
            return "its tests prove nothing: they do not run without it"
        if self.runs:
            return "no longer needed: its tests run what it changes and pass without it"
        return "its tests prove nothing: they run nothing that it changes"


def judge(fork: Fork, names: t.Sequence[str] = ()) -> t.Iterator[Verdict]:
    """Yield a verdict for each patch, or for each named one.

    :param names: the patches to judge; empty for all of them.
    :raises ForkError: the queue does not apply, or there is no such patch.
    """
    chosen = [fork.queue[name] for name in names or fork.queue.series.names]
    with tempfile.TemporaryDirectory(prefix="flaskfork-needed-") as name:
        judge = _Judge(fork, pathlib.Path(name))
        whole = apply_patches(fork.queue.patches, fork.source.package)
        write_package(fork, whole, judge.whole)
        # Two processes at a time are enough for a laptop or a CI machine.
        with ThreadPoolExecutor(2) as pool:
            yield from pool.map(judge, chosen)


def problems(verdicts: t.Iterable[Verdict]) -> list[ForkError]:
    """The verdicts other than ``needed``, as problems."""
    return [
        ForkError(
            f"{verdict.text}\n{verdict.said}".rstrip(),
            where=f"patches/{verdict.name}.patch",
            hint="fix its tests, or drop the patch if upstream now has the change",
        )
        for verdict in verdicts
        if verdict.text != "needed"
    ]


def write_package(fork: Fork, patched: Files, target: pathlib.Path) -> None:
    """Write the fork, built from a subset of the queue, to a folder to import it from.

    :param patched: upstream's package with that subset applied.
    :param target: the folder.
    """
    # Not strict: the missing patches may contain names that a rename rule counts.
    files = stage.package(fork, patched, strict=False)
    write_files(target, {**files, **stage.metadata(fork)})


@dataclass(frozen=True)
class _Judge:
    """Judges patches, with packages that it builds in ``folder``."""

    fork: Fork
    folder: pathlib.Path

    @property
    def whole(self) -> pathlib.Path:
        """The folder of the package with the whole queue."""
        return self.folder / "whole"

    def __call__(self, patch: Patch) -> Verdict:
        rest, left_out = self.fork.queue.without(patch.name, self.fork.source.package)
        target = self.folder / patch.name
        write_package(self.fork, rest, target)
        # One failure is enough.
        without = self._test(patch, target, "--exitfirst")
        with_it = self._test(patch, self.whole)
        runs = None
        if with_it.returncode == without.returncode == 0:
            runs = self._runs(patch)
        fine = with_it.returncode == 0 and without.returncode == 1
        said = without.stdout if with_it.returncode == 0 else with_it.stdout
        return Verdict(
            name=patch.name,
            without=without.returncode,
            with_it=with_it.returncode,
            left_out=tuple(left_out),
            runs=runs,
            said="" if fine else "\n".join(said.splitlines()[-30:]),
        )

    def _test(
        self, patch: Patch, package: pathlib.Path, *options: str
    ) -> subprocess.CompletedProcess[str]:
        command = ("-m", *_pytest(patch.trailer("Tests")), *options)
        return self._python(package, *command)

    def _runs(self, patch: Patch) -> bool:
        """Whether the tests of a patch run any line that it changes."""
        # Later patches would shift the line numbers.
        patches = self.fork.queue.patches
        upto = patches[: patches.index(patch) + 1]
        target = self.folder / f"{patch.name}-only"
        files = apply_patches(upto, self.fork.source.package)
        write_package(self.fork, files, target)
        ran = self._lines(target, patch.trailer("Tests"))
        prefix = f"{self.fork.pin.package}/"
        return any(
            ran.get(f"{stage.MODULE}/{diff.path[len(prefix) :]}", set())
            & _touched(diff)
            for diff in patch.diffs
        )

    def _lines(self, package: pathlib.Path, tests: str) -> dict[str, set[int]]:
        """Run tests and return which lines they run, not counting mere imports.

        :param package: the folder that contains the package.
        :return: the line numbers, from 1, by the file's path in ``package``.
        """
        settings = package.with_name(f"{package.name}.coverage")
        settings.write_text(_COVERAGE.format(folder=settings.parent, package=package))
        coverage = ("-m", "coverage")
        flag = f"--rcfile={settings}"
        self._python(package, *coverage, "run", flag, "-m", *_pytest(tests))
        report = settings.with_suffix(".json")
        command = ("json", flag, "--show-contexts", "-o", report)
        self._python(package, *coverage, *command)
        found: dict[str, set[int]] = {}
        if report.exists():
            for name, file in json.loads(report.read_bytes())["files"].items():
                path = pathlib.Path(self.fork.project.root, name)
                contexts = file.get("contexts", {})
                lines = {int(line) for line, names in contexts.items() if any(names)}
                found[path.relative_to(package).as_posix()] = lines
        return found

    def _python(
        self, package: pathlib.Path, *command: Argument
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python with the fork from the folder ``package``."""
        env = {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
        return python(*command, cwd=self.fork.project.root, env=env, fine=None)


def _pytest(tests: str) -> list[str]:
    """The arguments for ``python -m`` that run tests with the fork as ``flask``."""
    shim = f"{stage.MODULE}.shim"
    return ["pytest", "-q", "-p", "no:cacheprovider", "-p", shim, tests]


def _touched(diff: FileDiff) -> set[int]:
    """The lines of a changed file that are new, or next to removed ones."""
    found = set()
    for hunk in diff.hunks:
        number = hunk.new_start
        for mark, _ in hunk.lines:
            if mark == b"-":
                found |= {number - 1, number}
            else:
                found |= {number} if mark == b"+" else set()
                number += 1
    return found
