"""The cost of a rebase next to bare git and peers: part of `scripts/fork test bench`.

Each tool moves the same one-line patches from one release to the next, in turn within
one run, as whole processes. Wall times are specific to this machine; the ratios are
what counts. A peer that is not installed is reported and skipped.
"""

from __future__ import annotations

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass

import matplotlib as mpl
import queues as made
from matplotlib import pyplot

from forkkit.base.files import write_files
from forkkit.base.paths import here
from forkkit.base.paths import Project
from forkkit.base.programs import clean_environ
from forkkit.queue.patch import Patch
from forkkit.queue.queue import Queue
from forkkit.upstream import releases
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import release_files

OLD, NEW = "3.1.2", "3.1.3"
COUNTS = (10, 40, 160, 640)
ROUNDS = 3
#: Peers take many times as long, so they get at most this many patches.
PEERS_UP_TO = 160
FORECAST = ("2.3.3", "3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.1.0", "3.1.1", "3.1.2")
FORECAST += ("3.1.3", "2.3.2")
GIT = ["git", "-c", "user.name=B", "-c", "user.email=b@b", "-c", "gc.auto=0"]


@dataclass(frozen=True)
class Case:
    """The same patches for every tool.

    :param project: a copy of the fork with these patches.
    :param old: the files of the release that they are written for.
    :param new: the files of the release that they are rebased onto.
    :param patches: the patches.
    """

    project: Project
    old: dict[str, bytes]
    new: dict[str, bytes]
    patches: list[Patch]

    @property
    def files(self) -> list[pathlib.Path]:
        return [self.project.patches / f"{p.name}.patch" for p in self.patches]


def main() -> None:
    """Print a table, and draw it into the file named on the command line."""
    project = here()
    missing = [name for name in ("stg", "quilt", "gbp") if not shutil.which(name)]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    tools = {"scripts/fork rebase": fork, "git am, git rebase --onto": bare_git}
    peers = {"stg": stgit, "quilt": quilt, "gbp": gbp}
    rows: dict[str, dict[int, float]] = {}
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as name:
            case = prepare(project, pathlib.Path(name), count)
            chosen = dict(tools)
            if count <= PEERS_UP_TO:
                chosen |= {n: p for n, p in peers.items() if n not in missing}
            for tool, seconds in in_turn(chosen, case, pathlib.Path(name)).items():
                rows.setdefault(tool, {})[count] = seconds
    show(rows)
    if len(sys.argv) > 1:
        draw(rows, pathlib.Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        show_forecast(project, pathlib.Path(name))


def prepare(here: Project, folder: pathlib.Path, count: int) -> Case:
    """The patches, and the files of both releases."""
    pin = Pin.load(here)
    model = Queue.load(here, pin).patches[0]
    project = made.copy(here, folder / "fork", OLD)
    old = Pin.load(project)
    new = releases.obtain(project, old, NEW)
    files = release_files(project, new)
    found = made.fill(project, model, count, files)
    check(len(found) == count)
    # A maintainer's clone already has its bytecode.
    command = [sys.executable, "-I", project.root / "scripts/forkkit/launch.py"]
    run([*command, "forecast", NEW], project.root)
    return Case(project, release_files(project, old), files, found)


def in_turn(
    tools: dict[str, t.Callable[[Case, pathlib.Path], float]],
    case: Case,
    folder: pathlib.Path,
) -> dict[str, float]:
    """The median seconds of each tool, over rounds in which each has one turn."""
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    for number in range(ROUNDS):
        for name, tool in tools.items():
            place = folder / f"{number}-{name.split()[0].replace('/', '-')}"
            seconds[name].append(tool(case, place))
            shutil.rmtree(place)
    return {name: statistics.median(times) for name, times in seconds.items()}


def fork(case: Case, folder: pathlib.Path) -> float:
    """Both applies, the merges, the check for absorbed patches, and the export."""
    shutil.copytree(case.project.root, folder, symlinks=True)
    # The command's environment is made once, so it is not counted.
    launch = [sys.executable, "-I", folder / "scripts" / "forkkit" / "launch.py"]
    seconds = timed([*launch, "rebase", NEW], folder)
    check(Pin.load(Project(folder)).version == NEW)
    return seconds


def bare_git(case: Case, folder: pathlib.Path) -> float:
    """Apply the patches to the old release, then rebase them onto the new one."""
    repository(case, folder)
    seconds = timed([*GIT, "am", "--quiet", *case.files], folder)
    seconds += timed([*GIT, "rebase", "--quiet", "--onto", "new", "old"], folder)
    done = run([*GIT, "rev-list", "--count", "new.."], folder)
    check(int(done) == len(case.patches))
    return seconds


def stgit(case: Case, folder: pathlib.Path) -> float:
    """`stg import` and `stg rebase`."""
    repository(case, folder)
    run(["stg", "init"], folder)
    series = case.project.series
    seconds = timed(["stg", "import", "--series", series], folder)
    seconds += timed(["stg", "rebase", "new"], folder)
    applied = run(["stg", "series", "--applied", "--noprefix"], folder)
    check(len(applied.split()) == len(case.files))
    return seconds


def quilt(case: Case, folder: pathlib.Path) -> float:
    """`quilt push -a` on both releases; quilt does not merge."""
    seconds = 0.0
    for name, files in (("old", case.old), ("new", case.new)):
        write_files(folder / name, files)
        shutil.copytree(case.project.patches, folder / name / "patches")
        push = ["quilt", "--quiltrc", "-", "push", "-a", "-q"]
        seconds += timed(push, folder / name)
    return seconds


def gbp(case: Case, folder: pathlib.Path) -> float:
    """`gbp pq import` and `gbp pq rebase`."""
    repository(case, folder)
    debian = folder / "debian"
    shutil.copytree(case.project.patches, debian / "patches")
    (debian / "changelog").write_text(
        "flask (1-1) unstable; urgency=low\n\n  * One.\n\n"
        " -- B <b@b>  Tue, 02 Jun 2026 10:00:00 +0000\n"
    )
    (debian / "control").write_text(
        "Source: flask\nMaintainer: B <b@b>\n\nPackage: flask\nArchitecture: all\n"
    )
    (debian / "source").mkdir()
    (debian / "source" / "format").write_text("3.0 (quilt)\n")
    run([*GIT, "add", "--all", "--force"], folder)
    run([*GIT, "commit", "--quiet", "--message", "debian"], folder)
    seconds = timed(["gbp", "pq", "import"], folder)
    run([*GIT, "checkout", "--quiet", "main"], folder)
    run([*GIT, "merge", "--quiet", "--message", "new", "new"], folder)
    seconds += timed(["gbp", "pq", "rebase"], folder)
    return seconds


def repository(case: Case, folder: pathlib.Path) -> None:
    """A repository with both releases: `old`, which is checked out, and `new`."""
    folder.mkdir()
    run([*GIT, "init", "--quiet", "--initial-branch=main"], folder)
    for name, files in (("old", case.old), ("new", case.new)):
        write_files(folder, files)
        run([*GIT, "add", "--all", "--force"], folder)
        run([*GIT, "commit", "--quiet", "--message", name], folder)
        run([*GIT, "branch", name], folder)
    run([*GIT, "reset", "--quiet", "--hard", "old"], folder)


def show(rows: dict[str, dict[int, float]]) -> None:
    """One line per tool: seconds, and the ratio to bare git."""
    git = rows["git am, git rebase --onto"]
    print(f"{OLD} to {NEW}, one-line patches; seconds (and ratio to bare git)")
    print(" " * 26 + "".join(f"{count:>16}" for count in COUNTS))
    for tool, seconds in rows.items():
        cells = [
            f"{seconds[n]:8.2f} ({seconds[n] / git[n]:4.2f})" if n in seconds else "-"
            for n in COUNTS
        ]
        print(f"{tool:26}" + "".join(f"{cell:>16}" for cell in cells))
    own = rows["scripts/fork rebase"]
    slopes = [
        f"{1000 * (own[high] - own[low]) / (high - low):.1f}"
        for low, high in zip(COUNTS, COUNTS[1:])
    ]
    print(f"ms per additional patch, scripts/fork: {', '.join(slopes)}")


def draw(rows: dict[str, dict[int, float]], file: pathlib.Path) -> None:
    """Draw the table as a chart with logarithmic axes."""
    mpl.use("svg")
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for tool, seconds in rows.items():
        width = 2.5 if tool.startswith("scripts") else 1.2
        axes.plot(*zip(*seconds.items()), marker="o", linewidth=width, label=tool)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="patches",
        ylabel="seconds",
        title=f"Rebasing a queue from Flask {OLD} to {NEW}",
        xticks=COUNTS,
        xticklabels=COUNTS,
    )
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(file, metadata={"Date": None})
    print(f"{file}: written")


def show_forecast(here: Project, folder: pathlib.Path) -> None:
    """Time the forecast of 40 patches on ten releases that are already fetched."""
    case = prepare(here, folder, 40)
    for version in FORECAST:
        releases.obtain(case.project, Pin.load(case.project), version)
    launch = case.project.root / "scripts" / "forkkit" / "launch.py"
    command = [sys.executable, "-I", launch, "forecast", *FORECAST]
    times = [timed(command, case.project.root) for _ in range(ROUNDS)]
    print(
        f"forecast of {len(case.patches)} patches on {len(FORECAST)} releases:"
        f" {statistics.median(times):.2f} s"
    )


def check(holds: bool) -> None:
    """Stop if a tool did not do what is being measured."""
    if not holds:
        sys.exit("the patches are not where they should be")


def timed(command: t.Sequence[str | pathlib.Path], folder: pathlib.Path) -> float:
    """The seconds that a command takes, including its start-up."""
    started = time.perf_counter()
    run(command, folder)
    return time.perf_counter() - started


def run(command: t.Sequence[str | pathlib.Path], folder: pathlib.Path) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environ(
            EMAIL="b@b",
            GIT_AUTHOR_NAME="B",
            GIT_AUTHOR_EMAIL="b@b",
            GIT_COMMITTER_NAME="B",
            GIT_COMMITTER_EMAIL="b@b",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command[:6]))}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
