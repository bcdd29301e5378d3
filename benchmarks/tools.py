"""How long the tools take: `scripts/fork test bench`.

Wall times are this machine's and only good for comparing.
"""

from __future__ import annotations

import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import typing as t
from dataclasses import replace

from forkkit import patch as patches
from forkkit import project as projects
from forkkit import queue as queues
from forkkit import series as serieses
from forkkit import upstream
from forkkit import verify
from forkkit.diff import FileDiff
from forkkit.diff import Hunk
from forkkit.diff import split_lines
from forkkit.errors import raise_findings
from forkkit.materialise import write_stage
from forkkit.project import Project

PATCHES = 20


def main() -> None:
    """Print each figure on a line."""
    here = projects.here()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        project = with_patches(here, folder / "project")
        show_wall(
            f"materialise, {PATCHES} patches",
            lambda: write_stage(project, folder / "stage"),
        )
        show_wall("verify formats", lambda: formats_hold(here))
        start = [here.root / "scripts" / "fork", "series"]
        show_wall(
            "scripts/fork series",
            lambda: subprocess.run(start, check=True, stdout=subprocess.DEVNULL),
        )


def with_patches(here: Project, root: pathlib.Path) -> Project:
    """A copy of the project whose queue is filled up with patches of one line."""
    ignore = shutil.ignore_patterns("build", "checkout", ".git", "__pycache__")
    shutil.copytree(here.root, root, ignore=ignore)
    project = Project(root)
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    files = queues.apply(queue.patches, upstream.source(project, pin).package)
    names = list(queue.series.names)
    path = f"{pin.package}/app.py"
    while len(names) < PATCHES:
        lines = split_lines(files[path])
        at = 100 + 50 * (len(names) % 20)
        around = [(b" ", line) for line in lines[at : at + 6]]
        added = (b"+", b"# One more line.\n")
        hunk = Hunk(at + 1, at + 1, b"", (*around[:3], added, *around[3:]))
        name = f"bench-{len(names)}"
        model = queue.patches[0]
        trailers = tuple(
            (key, name if key == "Fork-Patch" else value)
            for key, value in model.trailers
        )
        diffs = (FileDiff(path, "change", (hunk,)),)
        made = replace(model, trailers=trailers, diffs=diffs)
        files = queues.apply([made], files)
        (project.patches / f"{name}.patch").write_bytes(patches.render(made))
        names.append(name)
    project.series.write_bytes(serieses.render(queue.series.with_names(tuple(names))))
    return project


def formats_hold(here: Project) -> None:
    """Run the check, which has to hold."""
    [result] = verify.run(here, ["formats"])
    raise_findings(list(result.problems))


def show_wall(what: str, run: t.Callable[[], t.Any]) -> None:
    """Print the least and the median wall time of five runs, in milliseconds."""
    times = []
    for _ in range(5):
        before = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - before))
    print(f"{what}: {min(times):.0f} ms, median {statistics.median(times):.0f} ms")


if __name__ == "__main__":
    main()
