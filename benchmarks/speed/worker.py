"""A process that makes requests to the applications of one framework, when told to.

    python -m speed.worker MODULE

Each line of standard input is a command in JSON, and each line of standard output its
result: ``["prepare", WORKLOAD]`` says whether there is such an application, once its
first answers are right; ``["run", COUNT]`` says the seconds of CPU time that so many
requests took, and ``["cycles", COUNT]`` how many objects a request leaves to the cyclic
garbage collector.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
import typing as t

from .driving import Driver
from .driving import driver
from .workloads import chosen


def main(name: str) -> None:
    """Answer until the standard input ends."""
    apps = importlib.import_module(f"speed.apps.{name}")
    made: Driver | None = None
    # What an application prints would be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        command, argument = json.loads(line)
        result: t.Any
        if command == "prepare":
            if made is not None:
                made.close()
            made = driver(apps, *chosen([argument]))
            result = made is not None
        else:
            if made is None:
                raise LookupError("nothing is prepared")
            result = {"run": seconds, "cycles": cycles}[command](made, argument)
        print(json.dumps(result), file=answers, flush=True)


def seconds(made: Driver, count: int) -> float:
    """The CPU time of ``count`` requests, of all threads of this process."""
    gc.collect()
    before = time.process_time()
    made.run(count)
    return time.process_time() - before


def cycles(made: Driver, count: int) -> float:
    """How many objects a request leaves that only the cyclic collector frees."""
    made.run(count)
    gc.collect()
    gc.disable()
    try:
        made.run(count)
        return gc.collect() / count
    finally:
        gc.enable()


if __name__ == "__main__":
    main(sys.argv[1])
