"""Is a patch needed? Without it its tests have to fail, with it they have to pass."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import Project
from ..base.files import write_files
from ..base.venv import clean_environ
from ..pack import stage as materialise
from ..queue import queue as queues
from ..queue.patch import Patch
from ..queue.queue import Queue
from ..upstream import source as upstream
from ..upstream.pin import Pin
from . import exercise


@dataclass(frozen=True)
class Verdict:
    """What the tests of a patch say of it.

    :param name: the patch.
    :param without: pytest's exit code on the queue without it.
    :param with_it: pytest's exit code on the whole queue.
    :param left_out: the later patches that need it, left out with it.
    :param runs: whether the tests run anything that it changes; not asked where they
        fail without it.
    :param said: the end of what pytest said where something is wrong.
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
            return (
                "not needed any more: its tests run what it changes, and pass without"
            )
        return "its tests prove nothing: they run nothing that it changes"


def judge(project: Project, names: t.Sequence[str] = ()) -> t.Iterator[Verdict]:
    """Yield a verdict for each patch, or for the named ones.

    :raises ForkError: the queue does not apply, or there is no such patch.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    chosen = [queue[name] for name in names or queue.series.names]
    files = upstream.source(project, pin).package
    with tempfile.TemporaryDirectory(prefix="flaskfork-needed-") as name:
        folder = pathlib.Path(name)
        whole = queues.apply(queue.patches, files)
        write_package(project, pin, queue, whole, folder / "whole")

        def judge_one(patch: Patch) -> Verdict:
            return _judge(project, pin, queue, files, patch, folder)

        # Two processes at a time: enough to use what a laptop or a CI machine has.
        with ThreadPoolExecutor(2) as pool:
            yield from pool.map(judge_one, chosen)


def problems(verdicts: t.Iterable[Verdict]) -> list[ForkError]:
    """The verdicts that are not ``needed``, as problems."""
    return [
        ForkError(
            f"{verdict.text}\n{verdict.said}".rstrip(),
            where=f"patches/{verdict.name}.patch",
            mend="mend its tests, or drop the patch if upstream does this now",
        )
        for verdict in verdicts
        if verdict.text != "needed"
    ]


def _judge(
    project: Project,
    pin: Pin,
    queue: Queue,
    files: Files,
    patch: Patch,
    folder: pathlib.Path,
) -> Verdict:
    rest, left_out = queues.without(queue, patch.name, files)
    target = folder / patch.name
    write_package(project, pin, queue, rest, target)
    without = _pytest(project, patch, target)
    with_it = _pytest(project, patch, folder / "whole")
    runs = None
    if with_it.returncode == without.returncode == 0:
        runs = _runs(project, pin, queue, files, patch, folder)
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


def _runs(
    project: Project,
    pin: Pin,
    queue: Queue,
    files: Files,
    patch: Patch,
    folder: pathlib.Path,
) -> bool:
    """Whether the tests of a patch run any line that it changes."""
    # With what comes after it the lines would stand elsewhere.
    upto = queue.patches[: queue.patches.index(patch) + 1]
    target = folder / f"{patch.name}-only"
    write_package(project, pin, queue, queues.apply(upto, files), target)
    ran = exercise.lines(project.root, target, patch.trailer("Tests"))
    prefix = f"{pin.package}/"
    return any(
        ran.get(f"{materialise.MODULE}/{diff.path[len(prefix) :]}", set())
        & exercise.touched(diff)
        for diff in patch.diffs
    )


def write_package(
    project: Project, pin: Pin, queue: Queue, patched: Files, target: pathlib.Path
) -> None:
    """Write the fork, as a part of the queue makes it, into a folder to import from."""
    module = materialise.MODULE
    # A patch may bring a name that a rename rule counts.
    files = materialise.package(project, pin, queue, patched, strict=False)
    version = materialise.fork_version(project)
    files[f"{module}-{version}.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n".encode()
    )
    write_files(target, files)


def _pytest(
    project: Project, patch: Patch, package: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *exercise.pytest(patch.trailer("Tests"))],
        cwd=project.root,
        env=clean_environ(PYTHONPATH=str(package), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
