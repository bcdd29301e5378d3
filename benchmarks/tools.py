"""How long the tools take: `scripts/fork test bench`.

Wall times are specific to this machine, and only good for comparing.
"""

from __future__ import annotations

import pathlib
import statistics
import subprocess
import tempfile
import time
import typing as t

from forkkit.base.errors import raise_findings
from forkkit.base.paths import here
from forkkit.base.paths import Project
from forkkit.pack.stage import write_stage
from forkkit.prove import checks


def main() -> None:
    """Print one figure per line."""
    project = here()
    with tempfile.TemporaryDirectory() as name:
        stage = pathlib.Path(name, "stage")
        show_wall("materialise", lambda: write_stage(project, stage))
        show_wall("verify formats", lambda: formats_hold(project))
        start = [project.root / "scripts" / "fork", "series"]
        show_wall(
            "scripts/fork series",
            lambda: subprocess.run(start, check=True, stdout=subprocess.DEVNULL),
        )


def formats_hold(here: Project) -> None:
    """Run the check, which must pass."""
    [result] = checks.run(here, ["formats"])
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
