"""Compare Flask, the fork and other frameworks: `scripts/fork test speed`.

    scripts/fork test speed
    scripts/fork test speed -- --rounds 31 --only Flask fork --workloads hello json
    scripts/fork test speed -- --chart docs/speed.svg

In process, without sockets: CPU time of long-lived processes that take turns. The
first answers are checked. It prints the least time of all rounds with its ratio to
Flask's, and the median and the middle half of the ratios of each round. `fork-off` is
the fork with ``FLASKFORK_FAST=0``.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import typing as t

from forkkit.base.paths import here
from forkkit.pack import dist
from forkkit.upstream.pin import Pin

from . import measure
from . import report
from . import workloads
from .measure import Measured
from .variants import add_options
from .variants import environment
from .variants import VARIANTS

PARTS = ("requests", "start-up", "garbage")


def options(args: t.Sequence[str]) -> argparse.Namespace:
    """The options of a command line; one that is wrong ends the program."""
    parser = argparse.ArgumentParser(
        prog="scripts/fork test speed --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=15, help="how often each variant has a turn")
    add("--only", nargs="+", default=[], metavar="VARIANT", help=", ".join(VARIANTS))
    names = ", ".join([*workloads.ALL, *workloads.STRINGS])
    add("--workloads", nargs="+", default=[], metavar="WORKLOAD", help=names)
    add("--parts", nargs="+", default=PARTS, choices=PARTS, help="what is measured")
    add_options(parser, here())
    add("--json", type=pathlib.Path, default=here().root / "build" / "speed.json")
    add("--chart", type=pathlib.Path, help="draw the requests into this SVG file")
    chosen = parser.parse_args(args)
    try:
        chosen.workloads = workloads.chosen(chosen.workloads)
        chosen.only = workloads.pick("variant", chosen.only, VARIANTS) or [*VARIANTS]
    except workloads.UnknownName as error:
        parser.error(str(error))
    if chosen.rounds < 1:
        parser.error("there has to be a round")
    if chosen.chart and report.REFERENCE not in chosen.only:
        parser.error(f"the chart compares with {report.REFERENCE}, which is left out")
    return chosen


def main(args: t.Sequence[str]) -> None:
    """Measure, print tables, and write them as JSON."""
    chosen = options(args)
    project = here()
    variants = [
        Measured(x, environment(project, x, chosen.wheels, chosen.python))
        for x in (VARIANTS[name] for name in chosen.only)
    ]
    flasks = [measured for measured in variants if measured.variant.is_flask]
    results = []
    if "requests" in chosen.parts:
        with measure.workers(variants) as started:
            for workload in chosen.workloads:
                results.append(measure.requests(started, workload, chosen.rounds))
                print(f"{workload.name}: measured", file=sys.stderr)
        print(report.tables(results))
        if chosen.chart:
            report.draw(chosen.chart, results)
    if "start-up" in chosen.parts and flasks:
        found = measure.start_up(flasks, chosen.rounds)
        print(report.tables(found))
        results += found
    if "garbage" in chosen.parts and flasks:
        with measure.workers(flasks) as started:
            found = [measure.garbage(started, x) for x in chosen.workloads]
        print(report.tables(found))
        results += found
    report.write(
        chosen.json,
        results,
        flask=Pin.load(project).version,
        fork=dist.wheels_in(chosen.wheels)[0].name,
        python=variants[0].environment.evaluate("import sys; print(sys.version)"),
        rounds=chosen.rounds,
    )
    print(f"{chosen.json}: written")


if __name__ == "__main__":
    main(sys.argv[1:])
