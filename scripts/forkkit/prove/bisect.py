"""Which patch, or which patches together, make a command fail."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t
import zipfile
from dataclasses import dataclass
from dataclasses import field

from ..base.errors import ForkError
from ..base.programs import clean_environ
from ..carry import dependencies
from ..carry import merge
from ..carry.changes import carry_all
from ..carry.changes import Change
from ..carry.changes import changes_of
from ..carry.merge import Merger
from ..pack import dist
from ..queue.fork import Fork
from . import needed

#: Exit codes by which a shell or the command itself reports that it tested nothing.
_UNTESTED = {125, 126, 127}


@dataclass(frozen=True)
class Found:
    """The smallest set of patches that was found.

    :param names: the culprits; without any one of them the command passes.
    :param needed: the patches that the culprits need, which had to be applied too.
    :param runs: how often the command was run.
    """

    names: tuple[str, ...]
    needed: tuple[str, ...]
    runs: int


def find(
    fork: Fork,
    command: t.Sequence[str],
    say: t.Callable[[str], None],
) -> Found:
    """Run a command on subsets of the queue to find the patches that make it fail.

    The command runs in the user's folder, and imports ``flask`` and ``flaskfork`` as
    built from the subset. With n patches, finding one culprit takes about log2(n) runs.

    :param command: the program and its arguments.
    :param say: called with a line about each run.
    :raises ForkError: the command passes on the whole queue, fails on plain upstream,
        or cannot be run, or a subset of the queue conflicts.
    """
    with _trials(fork, command, say) as fails:
        names, needing = fails.names, fails.needs
        if not fails(names):
            raise ForkError(
                "the command passes on the whole queue",
                hint="give a command that fails; exit code 0 is a pass",
            )
        if fails(()):
            raise ForkError(
                "the command also fails on the release without any patches",
                hint="no patch is to blame; fix the command",
            )
        culprits: tuple[str, ...] = ()
        high = len(names)
        while not culprits or not fails(dependencies.closure(needing, culprits)):
            high = _smallest(fails, culprits, high) - 1
            culprits = (names[high], *culprits)
        others = set(dependencies.closure(needing, culprits)).difference(culprits)
        needed = tuple(name for name in names if name in others)
        return Found(culprits, needed, len(fails.known))


def _smallest(fails: _Trials, culprits: tuple[str, ...], high: int) -> int:
    """How many of the first patches make the command fail together with the culprits.

    :param high: a number that is known to be enough.
    """
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        first = (*fails.names[:middle], *culprits)
        if fails(dependencies.closure(fails.needs, first)):
            high = middle
        else:
            low = middle
    return high


@dataclass
class _Trials:
    """Finds out, and remembers, whether the command fails on a subset of the queue."""

    fork: Fork
    command: t.Sequence[str]
    say: t.Callable[[str], None]
    changes: list[Change]
    merger: Merger
    folder: pathlib.Path
    needs: dict[str, tuple[str, ...]]
    known: dict[tuple[str, ...], bool] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return self.fork.queue.series.names

    def __call__(self, names: tuple[str, ...]) -> bool:
        if names not in self.known:
            self.known[names] = self._run(names)
            word = "fails" if self.known[names] else "passes"
            self.say(f"run {len(self.known)}, {len(names)} patches: {word}")
        return self.known[names]

    def _run(self, names: tuple[str, ...]) -> bool:
        package = self.folder / str(len(self.known))
        self._write(names, package)
        path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.defpath])
        try:
            done = subprocess.run(
                self.command,
                env=clean_environ(
                    PYTHONPATH=str(package),
                    PYTHONDONTWRITEBYTECODE="1",
                    PATH=os.pathsep.join([path, os.environ.get("PATH", "")]),
                ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError as e:
            raise self._untested(e.strerror) from e
        if done.returncode in _UNTESTED:
            raise self._untested(f"it exits with code {done.returncode}")
        return done.returncode != 0

    def _write(self, names: tuple[str, ...], package: pathlib.Path) -> None:
        chosen = [change for change in self.changes if change.patch.name in names]
        files = self.fork.source.package
        for outcome in carry_all(chosen, files, self.merger):
            if outcome.kind == "conflict":
                raise ForkError(
                    f"{outcome.name} conflicts where only {', '.join(names)} apply",
                    where="patches/series",
                    hint="disable one of the patches, and bisect the rest",
                )
            files = outcome.files
        needed.write_package(self.fork, files, package)
        dist.build_shim_of(package, package)
        for wheel in package.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(package)

    def _untested(self, why: str | None) -> ForkError:
        return ForkError(
            f"the command cannot be run: {why}",
            where=" ".join(self.command),
            hint="after --, give a program that is on PATH, and its arguments",
        )


@contextlib.contextmanager
def _trials(
    fork: Fork, command: t.Sequence[str], say: t.Callable[[str], None]
) -> t.Iterator[_Trials]:
    changes = changes_of(fork.queue.patches, fork.source.package)
    with contextlib.ExitStack() as stack:
        merger = stack.enter_context(merge.scratch())
        folder = tempfile.TemporaryDirectory(prefix="flaskfork-bisect-")
        yield _Trials(
            fork=fork,
            command=command,
            say=say,
            changes=changes,
            merger=merger,
            folder=pathlib.Path(stack.enter_context(folder)),
            needs=dependencies.derive(changes, merger),
        )
