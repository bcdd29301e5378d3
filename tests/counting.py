"""Counts what Python does, which unlike time is the same on each run."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

#: Prints how many instructions of Python ``act`` takes once it has been called before.
_COUNT = """
import sys

class Steps:
    taken = 0

    def trace(self, frame, event, arg):
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.taken += event == "opcode"
        return self.trace

for _ in range(3):
    act()

steps = Steps()
sys.settrace(steps.trace)
act()
sys.settrace(None)
print(steps.taken)
"""


#: Has another process import the fork as ``flask`` in the way that this one does.
AS_FLASK = "import flaskfork.shim\n" if "flaskfork.shim" in sys.modules else ""


def steps(program: str, switch: str = "") -> int:
    """How many instructions of Python a function takes, in a process of its own.

    :param program: defines the function ``act``.
    :param switch: the value of ``FLASKFORK_FAST``.
    """
    environ = {**os.environ, "FLASKFORK_FAST": switch, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", AS_FLASK + program + _COUNT],
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def saved(program: str, part: str) -> float:
    """Which share of a function's instructions a part saves, from 0 to 1."""
    with_it, without = steps(program), steps(program, f"-{part}")
    return 1 - with_it / without


def outcome(function: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    """What a function returns, or the error that it raises."""
    try:
        return function(*args)
    except Exception as e:
        return type(e), str(e)
