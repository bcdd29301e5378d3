"""The outcome of a rebase, release by release, without changing anything."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..queue import bodies
from ..queue import lean
from ..queue.fork import Fork
from ..queue.lean import State
from ..upstream import releases
from ..upstream.pin import Pin
from ..upstream.source import release_files
from . import drop_when
from . import merge
from . import story
from .changes import carry_all
from .changes import Change
from .changes import changes_of
from .changes import Outcome
from .changes import SIGNS
from .merge import Merger
from .resolutions import Memory
from .story import Story


@dataclass(frozen=True)
class Forecast:
    """What would become of each patch on one release.

    :param stories: for the patches that would stop the rebase here, and on no earlier
        release: what is known about it, by name.
    :param bodies: what the lean bodies of the overlay would find.
    """

    version: str
    outcomes: tuple[Outcome, ...]
    stories: dict[str, Story]
    bodies: tuple[State, ...]

    @property
    def stops(self) -> list[str]:
        """The patches at which a rebase would stop."""
        return [outcome.name for outcome in self.outcomes if outcome.stops]

    @property
    def clean(self) -> bool:
        """Whether a rebase would not stop."""
        return not self.stops


@dataclass(frozen=True)
class Finding:
    """The evidence that a release has a patch.

    :param evidence: the facts, if there are any.
    :param release: the version of the first cached release with any evidence.
    """

    name: str
    evidence: tuple[str, ...]
    release: str


def forecast(fork: Fork, versions: t.Iterable[str]) -> t.Iterator[Forecast]:
    """Yield the forecast of each release.

    A patch that would stop the rebase is left out, as by ``skip``.

    :raises ForkError: there is no such release.
    """
    changes = changes_of(fork.queue.patches, fork.files)
    memory = Memory.load(fork.project)
    told: set[str] = set()
    with merge.scratch() as merger:
        for version in versions:
            new = releases.obtain(fork.project, fork.pin, version)
            yield _forecast(fork, changes, new, merger, memory, told)


def _forecast(
    fork: Fork,
    changes: list[Change],
    new: Pin,
    merger: Merger,
    memory: Memory,
    told: set[str],
) -> Forecast:
    """The forecast of a release; adds the names of its stories to ``told``."""
    files = release_files(fork.project, new)
    dropped = drop_when.met(fork.project, fork.queue.patches, new.version)
    kept = [change for change in changes if change.patch.name not in dropped]
    found = {name: Outcome(name, "dropped", files) for name in dropped}
    stories, carried = {}, files
    for place, outcome in enumerate(carry_all(kept, files, merger, memory), 1):
        found[outcome.name] = outcome
        if outcome.kind != "conflict":
            carried = outcome.files
        if outcome.stops and outcome.name not in told:
            told.add(outcome.name)
            upto = kept[:place]
            stories[outcome.name] = story.tell(fork, upto, outcome, new, merger)
    outcomes = tuple(found[name] for name in fork.queue.series.names)
    states = lean.states(bodies.load(fork.project), carried, new.package)
    return Forecast(new.version, outcomes, stories, tuple(states))


def absorbed(fork: Fork, version: str) -> t.Iterator[Finding]:
    """Yield the evidence that a release has each patch.

    :raises ForkError: there is no such release.
    """
    changes = changes_of(fork.queue.patches, fork.files)
    new = releases.obtain(fork.project, fork.pin, version)
    files = release_files(fork.project, new)
    with merge.scratch() as merger:
        outcomes = carry_all(changes, files, merger, Memory.load(fork.project))
        for place, outcome in enumerate(outcomes, 1):
            found = story.taken(fork, changes[:place], outcome, new, merger)
            yield Finding(outcome.name, found.evidence, found.release.pin.version)


def values(row: Forecast) -> dict[str, t.Any]:
    """A forecast as JSON values."""
    return {
        "version": row.version,
        "clean": row.clean,
        "patches": [
            {"name": o.name, "outcome": o.kind, "conflicts": o.conflicts}
            for o in row.outcomes
        ],
        "stories": {name: told.lines for name, told in row.stories.items()},
        "lean": [lean.values(state) for state in row.bodies if state.stale],
    }


def table(rows: t.Sequence[Forecast]) -> str:
    """A table as text: one line per patch, one column per release."""
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
        if stale := lean.report(row.bodies):
            lines += ["", f"on {row.version}", *(f"  {line}" for line in stale)]
        for name, told in row.stories.items():
            lines += ["", f"{name} on {row.version}", *(f"  {s}" for s in told.lines)]
    return "\n".join(lines)
