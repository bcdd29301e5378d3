"""The results of a run: ratios, tables, JSON and a chart."""

from __future__ import annotations

import json
import math
import pathlib
import statistics
import typing as t
from dataclasses import dataclass

#: What everything is compared with.
REFERENCE = "Flask"
#: The unit of what is counted once, and can be zero.
COUNTED = "objects"


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the reference something is.

    :param minima: the ratio of the least values.
    :param median: the median of the ratios of each round.
    :param low: a quarter of the rounds are below this.
    :param high: a quarter of the rounds are above this.
    """

    minima: float
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, reference: t.Sequence[float], values: t.Sequence[float]) -> Ratio:
        """Compare the values of two variants, round by round.

        :raises ValueError: one of them has a round that the other does not have.
        """
        pairs = [_ratio(a, b) for a, b in zip(reference, values)]
        if not pairs or len(reference) != len(values):
            raise ValueError(f"{len(reference)} rounds and {len(values)} rounds")
        # Of one round there are no quarters.
        spread = pairs * 2 if len(pairs) == 1 else pairs
        low, _, high = statistics.quantiles(spread, method="inclusive")
        minima = _ratio(min(reference), min(values))
        return cls(minima, statistics.median(pairs), low, high)


def _ratio(reference: float, value: float) -> float:
    return reference / value if value else math.inf


@dataclass(frozen=True)
class Result:
    """What was measured of one workload, in rounds.

    :param name: the workload, or another thing that was measured.
    :param unit: the unit of the values, of which less is better.
    :param values: for each variant, its value in each round.
    """

    name: str
    unit: str
    values: dict[str, list[float]]

    @property
    def ratios(self) -> dict[str, Ratio]:
        """For each variant but the reference, if that was measured in rounds."""
        reference = self.values.get(REFERENCE)
        if reference is None or self.unit == COUNTED:
            return {}
        return {
            name: Ratio.of(reference, values)
            for name, values in self.values.items()
            if name != REFERENCE
        }

    def to_json(self) -> dict[str, t.Any]:
        ratios = {
            name: {k: _finite(v) for k, v in vars(ratio).items()}
            for name, ratio in self.ratios.items()
        }
        return {**vars(self), "ratios": ratios}


def _finite(value: float) -> float | None:
    # JSON has no infinity.
    return round(value, 4) if math.isfinite(value) else None


def tables(results: t.Sequence[Result]) -> str:
    """The least values, and how they compare with the reference."""
    names = [*dict.fromkeys(name for result in results for name in result.values)]
    least: list[list[str]] = [["least", "unit", *names]]
    pairs: list[list[str]] = [["median of pairs (middle half)", *names[1:]]]
    for result in results:
        ratios = result.ratios
        row = [result.name, result.unit]
        for name in names:
            row.append(_least(result.values.get(name), ratios.get(name)))
        least.append(row)
        if ratios and len(result.values[REFERENCE]) > 1:
            pairs.append(
                [result.name, *(_pair(ratios.get(name)) for name in names[1:])]
            )
    return table(least) + ("\n" + table(pairs) if len(pairs) > 1 else "")


def _least(values: list[float] | None, ratio: Ratio | None) -> str:
    if values is None:
        return "-"
    least = min(values)
    shown = str(least) if isinstance(least, int) else f"{least:.1f}"
    return f"{shown} {ratio.minima:.2f}x" if ratio else shown


def _pair(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def table(rows: t.Sequence[t.Sequence[str]]) -> str:
    """Rows of cells as lines, the first column aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


def write(file: pathlib.Path, results: t.Sequence[Result], **about: t.Any) -> None:
    """Write everything that was measured, with ``about`` what and where, as JSON."""
    content = {**about, "results": [result.to_json() for result in results]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n")


def draw(file: pathlib.Path, results: t.Sequence[Result]) -> None:
    """Draw how many times as fast as Flask each variant answers, a panel a workload."""
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("svg")
    # The same bytes for the same results, and text that can be read and copied.
    mpl.rcParams.update({"svg.hashsalt": "speed", "svg.fonttype": "none"})
    rows = math.ceil(len(results) / 3)
    size = (9, 2.4 * rows)
    figure, panels = pyplot.subplots(rows, 3, figsize=size, layout="constrained")
    for panel in panels.flat[len(results) :]:
        panel.set_axis_off()
    for panel, result in zip(panels.flat, results):
        names = [*result.values][::-1]
        speeds = [1 / min(result.values[name]) for name in names]
        own = [min(result.values[REFERENCE]) * speed for speed in speeds]
        colors = ["tab:red" if name == "fork" else "tab:gray" for name in names]
        bars = panel.barh(names, own, color=colors)
        panel.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        panel.set_title(result.name, fontsize=9)
        panel.tick_params(labelsize=7)
        # What does almost nothing would make all other bars too short to compare.
        panel.set_xscale("log")
        panel.set_xlim(min(own) / 2, 4 * max(own))
        panel.axvline(1, color="black", linewidth=0.5)
        panel.xaxis.set_visible(False)
    figure.suptitle(
        "Requests per CPU second, as a multiple of Flask's (logarithmic)", fontsize=11
    )
    figure.savefig(file, metadata={"Date": None})
