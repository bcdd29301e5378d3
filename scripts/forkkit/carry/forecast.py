"""What a rebase would come to, release by release, without touching anything."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base.files import Project
from ..queue import queue as queues
from ..upstream import releases
from ..upstream import source as upstream
from ..upstream.index import Release
from ..upstream.pin import Pin
from . import changes as replay
from . import merge
from . import resolutions
from . import story
from .changes import Outcome
from .resolutions import Memory
from .story import Story

#: What can become of a patch, with a sign for each.
SIGNS = {
    "unchanged": ".",
    "moved": "o",
    "merged": "m",
    "resolved": "r",
    "absorbed": "A",
    "dropped": "-",
    "conflict": "C",
}
_STOPS = {"conflict", "absorbed"}


@dataclass(frozen=True)
class Forecast:
    """What would become of each patch on one release.

    :param stories: of the patches that would stop the rebase here, and on no release
        before: what is known of it, by name.
    """

    version: str
    outcomes: tuple[Outcome, ...]
    stories: dict[str, Story]

    @property
    def clean(self) -> bool:
        """Whether a rebase would not stop."""
        return not any(o.kind in _STOPS for o in self.outcomes)


def forecast(project: Project, versions: t.Iterable[str]) -> t.Iterator[Forecast]:
    """Yield the forecast of each release.

    A patch that would stop the rebase is left out for those after it, as by
    ``--skip``.

    :raises ForkError: there is no such release.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    changes = replay.changes(queue.patches, upstream.files(project, pin))
    memory = Memory(resolutions.load(project))
    told: set[str] = set()
    with merge.scratch() as merger:
        for version in versions:
            new = releases.obtain(project, pin, version)
            files = upstream.files(project, new)
            dropped = releases.drops(project, queue.patches, version)
            kept = [c for c in changes if c.patch.name not in dropped]
            found = {name: Outcome(name, "dropped", files) for name in dropped}
            stories = {}
            carried = replay.carry_all(kept, files, merger, memory)
            for place, outcome in enumerate(carried, 1):
                found[outcome.name] = outcome
                if outcome.kind in _STOPS and outcome.name not in told:
                    upto = kept[:place]
                    told.add(outcome.name)
                    stories[outcome.name] = story.tell(
                        project, upto, outcome, new, merger
                    )
            outcomes = tuple(found[name] for name in queue.series.names)
            yield Forecast(version, outcomes, stories)


def beyond(project: Project, pin: Pin) -> list[Release]:
    """The releases on the package index that are newer than the pin."""
    from packaging.version import Version

    return [
        release
        for release in releases.known(pin.name)
        if Version(release.version) > Version(pin.version)
    ]


def values(row: Forecast) -> dict[str, t.Any]:
    """A forecast as JSON has it."""
    return {
        "version": row.version,
        "clean": row.clean,
        "patches": [
            {"name": o.name, "outcome": o.kind, "conflicts": o.conflicts}
            for o in row.outcomes
        ],
        "stories": {name: told.lines for name, told in row.stories.items()},
    }


def table(rows: t.Sequence[Forecast]) -> str:
    """A line a patch, a column a release."""
    names = [outcome.name for outcome in rows[0].outcomes]
    width = max(map(len, names), default=0)
    lines = [" ".join([" " * width, *(row.version for row in rows)])]
    for number, name in enumerate(names):
        cells = [
            SIGNS[row.outcomes[number].kind].center(len(row.version)) for row in rows
        ]
        lines.append(" ".join([f"{name:{width}}", *cells]).rstrip())
    legend = ", ".join(f"{sign} {kind}" for kind, sign in SIGNS.items())
    lines.append(legend)
    for row in rows:
        for name, told in row.stories.items():
            lines += ["", f"{name} on {row.version}", *(f"  {s}" for s in told.lines)]
    return "\n".join(lines)
