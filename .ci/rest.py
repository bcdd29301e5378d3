"""Runs as many of the tests that `default` leaves out as fit into a time budget.

    python .ci/rest.py SECONDS

The order depends on the commit, so that each session gets a turn over time.
Sessions that do not fit are left out, and listed at the end.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import noxfile  # noqa: E402

#: How many seconds a session takes on two cores, including its `build`.
SECONDS = {
    "tools": 400,
    "killed": 800,
    "history": 100,
    "verify": 220,
    "programs": 800,
    "recipes": 600,
    "distribution": 400,
    "ecosystem": 240,
    "differential": 600,
    "fork": 180,
    "unstable": 500,
}


def main(seconds: float) -> int:
    """Run what fits into ``seconds``; return an exit code."""
    end = time.monotonic() + seconds
    ran: list[str] = []
    failed: list[str] = []
    left_out: list[str] = []
    for name in order(commit()):
        left = end - time.monotonic()
        if left < expected(name):
            left_out.append(f"{name} (takes about {expected(name)} s)")
            continue
        code = run(name, left)
        if code is None:
            left_out.append(f"{name} (cut off after {left:.0f} s)")
        else:
            (failed if code else ran).append(name)
    for word, names in (("ran", ran), ("failed", failed), ("left out", left_out)):
        print(f"beyond the default tests, {word}: {', '.join(names) or 'none'}")
    return 1 if failed else 0


def order(seed: str) -> list[str]:
    """The sessions that `default` leaves out or samples, shuffled by the commit."""
    names = [
        name
        for name in noxfile.ALL
        if name not in noxfile.DEFAULT or name in noxfile.SAMPLED
    ]
    # Seeded with a string, Random gives the same order on every machine.
    random.Random(seed).shuffle(names)  # noqa: S311
    return names


def expected(name: str) -> int:
    return SECONDS[name.partition("-")[0]]


def run(name: str, seconds: float) -> int | None:
    """Run a session; return its exit code, or ``None`` if it exceeds the time."""
    command = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]
    environ = {k: v for k, v in os.environ.items() if k != "FORK_TEST_SAMPLE"}
    process = subprocess.Popen(
        [*command, "--session", name], cwd=ROOT, env=environ, start_new_session=True
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        # The whole group: nox and every process that it started.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
