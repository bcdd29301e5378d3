"""Counts what requests execute, in processes where nothing is left to chance.

    python -m speed.counting MODULE bytecode WORKLOAD...
    python -m speed.counting MODULE COUNT,COUNT WORKLOAD...

The first prints, in JSON, how many bytecode instructions a request executes, for each
workload. The second makes so many requests and counts nothing: it prints the ids of the
processes that made them, for callgrind, which counts for each process. A workload has
processes of its own, forked once the framework is imported. The workload ``import`` is
the import of Flask alone.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pathlib
import sys
import threading
import traceback
import types
import typing as t
from functools import partial

#: Requests before the first that counts, and how many are counted: more where threads
#: take turns, which is never quite the same.
WARM_UP, COUNTED, OF_THREADS = 10, 10, 40
#: The workload that is the import of Flask.
IMPORT = "import"
_HARNESS = str(pathlib.Path(__file__).with_name("driving.py"))


class Counter:
    """Counts the bytecode instructions that are executed in a ``with`` block.

    In all threads that begin in it, but without those of the module `driving`, and
    without what C functions execute.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Counter:
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(t.cast(t.Any, None))

    def _call(self, frame: types.FrameType, event: str, arg: object) -> t.Any:
        if frame.f_code.co_filename == _HARNESS:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._event

    def _event(self, frame: types.FrameType, event: str, arg: object) -> t.Any:
        if event == "opcode":
            self.count += 1
        return self._event


def main(module: str, what: str, names: t.Sequence[str]) -> None:
    """Print a figure for each workload, or one for each count."""
    gc.disable()
    printed: dict[str, t.Any] = {}
    if IMPORT in names:
        # Before the imports below, which are Flask's as well.
        printed[IMPORT] = in_fork(count_import)
    apps = importlib.import_module(f"speed.apps.{module}")
    for name in names:
        if name == IMPORT:
            continue
        if what == "bytecode":
            printed[name] = in_fork(partial(count_requests, apps, name))
        else:
            counts = map(int, what.split(","))
            makers = [partial(make_requests, apps, name, count) for count in counts]
            printed[name] = [*map(in_fork, makers)]
    print(json.dumps(printed))


def count_import() -> int:
    """The bytecode instructions of the import of Flask."""
    with Counter() as counter:
        importlib.import_module("flask")
    return counter.count


def count_requests(apps: t.Any, name: str) -> int:
    """The bytecode instructions of a request that is not among the first."""
    made = prepared(apps, name)
    requests = OF_THREADS if name == "async" else COUNTED
    with Counter() as counter:
        made.run(requests)
    return round(counter.count / requests)


def make_requests(apps: t.Any, name: str, count: int) -> int:
    """Make them, and return the id of this process."""
    prepared(apps, name).run(count)
    return os.getpid()


def prepared(apps: t.Any, name: str) -> t.Any:
    """The driver of a workload, warmed up."""
    from .driving import driver
    from .workloads import chosen

    made = driver(apps, *chosen([name]))
    if made is None:
        raise LookupError(f"there is no {name}")
    made.run(WARM_UP)
    return made


def in_fork(run: t.Callable[[], int]) -> int:
    """What a function returns, called in a copy of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            os.write(writing, str(run()).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            # Without the exit handlers of the process that was copied.
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if not said:
        sys.exit("not counted")
    return int(said)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
