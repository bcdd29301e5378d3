"""The cost of the name ``flask`` over ``flaskfork``: `scripts/fork test bench`.

All figures are ratios of the two names, measured in turn on the same installed wheels.
"""

from __future__ import annotations

import pathlib
import resource
import statistics
import sys
import tempfile
import typing as t

from forkkit.base import venv
from forkkit.base.venv import Environment
from forkkit.pack import dist

ROUNDS = 61

#: The traced memory of a fresh interpreter after an import, in bytes.
_MEMORY = "import tracemalloc; tracemalloc.start(); import {name}; " + (
    "import gc; gc.collect(); print(tracemalloc.get_traced_memory()[0])"
)
#: The shortest of many times for a hundred thousand reads of an attribute.
_ATTRIBUTE = (
    "import timeit, {name} as module; module.Flask; print(min(timeit.repeat("
    "'module.Flask', globals=globals(), number=100_000, repeat=20)))"
)


def main(folder_of_wheels: str) -> None:
    """Print one figure per line."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = dist.wheels_in(pathlib.Path(folder_of_wheels))
        env = venv.create(pathlib.Path(folder) / "env", *wheels)
        show("CPU time of the import", lambda name: cpu(env, f"import {name}"))
        show("memory of the import", lambda name: printed(env, _MEMORY, name), rounds=5)
        show("attribute access", lambda name: printed(env, _ATTRIBUTE, name), rounds=5)


def show(what: str, measure: t.Callable[[str], float], *, rounds: int = ROUNDS) -> None:
    """Print the ratio of the measurements for the two names."""
    pairs = [(measure("flask"), measure("flaskfork")) for _ in range(rounds)]
    least = min(a for a, _ in pairs) / min(b for _, b in pairs)
    median = statistics.median(a / b for a, b in pairs)
    print(
        f"{what}, flask / flaskfork:"
        f" {least:.3f} of the minima, {median:.3f} median of pairs"
    )


def printed(env: Environment, code: str, name: str) -> float:
    """The figure that a program prints."""
    return float(env.evaluate(code.format(name=name)))


def cpu(env: Environment, code: str) -> float:
    """The CPU time of a fresh interpreter that runs ``code``, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env.run("-c", code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(sys.argv[1])
