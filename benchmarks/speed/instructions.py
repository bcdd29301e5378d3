"""Count instructions, and fail if there are more: `scripts/fork test instructions`.

    scripts/fork test instructions                  fail if there are more
    scripts/fork test instructions -- --record      record how many there are now
    scripts/fork test instructions -- --callgrind   count those of the processor

A time says little on a machine that does other things; how many bytecode instructions
a request executes is the same in each run, within 0.3 % for `async`, which has threads.
`benchmarks/instructions.json` has that number for each workload, and for the import,
and more than 1 % above it fails. What C functions do, such as regular expressions, JSON
and sorting, is one instruction here: a change that moves work into them looks better
than it is. callgrind counts that as well, but takes minutes, needs
valgrind, and leaves `async` out.

Counts are comparable with the same Python, Werkzeug and Jinja: `requirements.txt` has
their releases. Those of Flask are recorded too. If they differ, it is not the fork that
changed.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import shutil
import sys
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor

from forkkit.base import programs
from forkkit.base.paths import here

from . import report
from . import workloads
from .counting import IMPORT
from .measure import BENCHMARKS
from .measure import Measured
from .report import Result
from .variants import add_options
from .variants import environment
from .variants import FLASKS
from .variants import PYTHON

RECORD = BENCHMARKS / "instructions.json"
#: What a count may differ from its record.
TOLERANCE = 0.01
#: The counts of requests whose difference callgrind measures.
CALLGRIND = (50, 250)
#: Left out with callgrind, under which threads of a forked process never end.
THREADED = "async"

#: Counts by workload, then by variant.
Counts = dict[str, dict[str, int]]


def main(args: t.Sequence[str]) -> None:
    """Count, and compare with the record."""
    chosen = options(args)
    names = chosen.workloads or every_name()
    if chosen.callgrind:
        names = [name for name in names if name != THREADED]
    project = here()
    variants = [
        Measured(x, environment(project, x, chosen.wheels, chosen.python))
        for x in FLASKS
    ]
    if chosen.callgrind:
        print(report.tables(callgrind(variants, names)))
        return
    counts = bytecode(variants, names)
    print(report.tables(results(counts, "bytecode")))
    version = variants[0].environment.evaluate(
        "import platform as p; print(p.python_version())"
    )
    if chosen.record:
        content = {"python": version, "bytecode": counts}
        chosen.against.write_text(json.dumps(content, indent=1) + "\n")
        print(f"{chosen.against}: written")
        return
    record = json.loads(chosen.against.read_text())
    more, less = compare(record["bytecode"], counts)
    for line in less:
        print(f"fewer than recorded: {line}; record it with -- --record")
    if more:
        print(*(f"more than recorded: {line}" for line in more), sep="\n")
        sys.exit(f"recorded with Python {record['python']}, counted with {version}")


def options(args: t.Sequence[str]) -> argparse.Namespace:
    """The options of a command line; one that is wrong ends the program."""
    parser = argparse.ArgumentParser(
        prog="scripts/fork test instructions --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--record", action="store_true", help="write the record")
    what.add_argument("--callgrind", action="store_true", help="use callgrind")
    add("--workloads", nargs="+", default=[], help=", ".join(every_name()))
    add_options(parser, here())
    add("--against", type=pathlib.Path, default=RECORD, help="the record")
    chosen = parser.parse_args(args)
    if chosen.callgrind and not shutil.which("valgrind"):
        parser.error("valgrind is not installed")
    if chosen.record and (chosen.workloads or chosen.python != PYTHON):
        parser.error(f"the record has all workloads, counted with Python {PYTHON}")
    try:
        workloads.pick("workload", chosen.workloads, every_name())
    except workloads.UnknownName as error:
        parser.error(str(error))
    return chosen


def every_name() -> list[str]:
    """The workloads that are counted."""
    return [IMPORT, *workloads.ALL, *workloads.STRINGS]


def bytecode(variants: t.Sequence[Measured], names: t.Sequence[str]) -> Counts:
    """The bytecode instructions of a request, for each workload and variant."""

    def count(measured: Measured) -> dict[str, int]:
        # Bytecode that is not there yet would be compiled, and that counted.
        measured.environment.evaluate("import flask", env=measured.variant.env)
        counts: dict[str, int] = counting(measured, "bytecode", names)
        return counts

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip((x.name for x in variants), pool.map(count, variants)))
    return {
        name: {who: counts[name] for who, counts in found.items()} for name in names
    }


def counting(measured: Measured, what: str, names: t.Sequence[str]) -> t.Any:
    """What :mod:`speed.counting` prints."""
    command = ["-m", "speed.counting", measured.variant.module, what, *names]
    return json.loads(run(measured, measured.environment.python, *command))


def run(measured: Measured, *command: t.Any) -> str:
    """Run a program as deterministically as it can be, and return what it prints."""
    env = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(BENCHMARKS), **measured.variant.env}
    return programs.run(*command, env=env).stdout


def compare(record: Counts, counts: Counts) -> tuple[list[str], list[str]]:
    """What is above its record, and what is below it, by more than the tolerance."""
    more, less = [], []
    for name, by_variant in counts.items():
        for variant, count in by_variant.items():
            recorded = record.get(name, {}).get(variant)
            if recorded is None:
                more.append(f"{name}, {variant}: {count}, and there is no record")
                continue
            by = f"{count / recorded - 1:+.1%}"
            line = f"{name}, {variant}: {count} instead of {recorded} ({by})"
            if count > recorded * (1 + TOLERANCE):
                more.append(line)
            elif count < recorded * (1 - TOLERANCE):
                less.append(line)
    return more, less


def results(counts: t.Mapping[str, t.Mapping[str, float]], unit: str) -> list[Result]:
    """Counts as results of a single round."""
    return [
        Result(name, unit, {who: [count] for who, count in by_variant.items()})
        for name, by_variant in counts.items()
    ]


def callgrind(variants: t.Sequence[Measured], names: t.Sequence[str]) -> list[Result]:
    """The thousands of instructions of a request, and of the import of Flask."""
    found = {measured.name: _callgrind(measured, names) for measured in variants}
    counts = {name: {who: x[name] for who, x in found.items()} for name in names}
    return results(counts, "k instr.")


def _callgrind(measured: Measured, names: t.Sequence[str]) -> dict[str, float]:
    least, most = CALLGRIND
    python = measured.environment.python
    with tempfile.TemporaryDirectory() as folder:
        # Of children, %p is the id of the child.
        out = f"--callgrind-out-file={folder}/%p"
        valgrind = ["valgrind", "-q", "--tool=callgrind", out, python]

        def total(process: int) -> int:
            text = pathlib.Path(folder, str(process)).read_text()
            return int(re.findall(r"(?m)^totals: (\d+)", text)[-1])

        command = ["-m", "speed.counting", measured.variant.module, f"{least},{most}"]
        requested = [name for name in names if name != IMPORT]
        pids = json.loads(run(measured, *valgrind, *command, *requested))
        counts = {
            name: (total(last) - total(first)) / (most - least) / 1000
            for name, (first, last) in pids.items()
        }
        if IMPORT in names:
            code = "import os; print(os.getpid())"
            pids = [
                run(measured, *valgrind, "-c", x + code) for x in ("import flask;", "")
            ]
            full, bare = (total(int(pid)) for pid in pids)
            counts[IMPORT] = (full - bare) / 1000
    return counts


if __name__ == "__main__":
    main(sys.argv[1:])
