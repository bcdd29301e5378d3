"""Run of what the default tests leave out as much as fits into some time.

    python .ci/rest.py SECONDS

The commit says in which order, so that each session has its turn with some commit. What
does not fit is left out, and named at the end.
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

#: How many seconds a session takes on two cores; `build` comes with each.
SECONDS = {
    "tools": 330,
    "killed": 700,
    "history": 100,
    "programs": 240,
    "recipes": 180,
    "distribution": 330,
    "ecosystem": 240,
    "fork": 150,
    "unstable": 400,
}


def main(seconds: float) -> int:
    """Run what fits; return an exit code."""
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
    """The sessions that have more to run, as the commit shuffles them."""
    names = [
        name
        for name in noxfile.ALL
        if name not in noxfile.DEFAULT or name in noxfile.SAMPLED
    ]
    # What Random draws for a text is the same on every machine.
    random.Random(seed).shuffle(names)  # noqa: S311
    return names


def expected(name: str) -> int:
    return SECONDS[name.partition("-")[0]]


def run(name: str, seconds: float) -> int | None:
    """Run a session; its exit code, or none if the time is over before it ends."""
    command = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]
    environ = {k: v for k, v in os.environ.items() if k != "FORK_TEST_SAMPLE"}
    process = subprocess.Popen(
        [*command, "--session", name], cwd=ROOT, env=environ, start_new_session=True
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        # It and all that it started.
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
