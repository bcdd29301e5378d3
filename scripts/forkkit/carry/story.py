"""What is known about a patch that a release has taken or conflicts with."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base.errors import ForkError
from ..queue.fork import Fork
from ..upstream.history import History
from ..upstream.pin import Pin
from ..upstream.source import release_files
from . import culprit
from . import evidence
from .changes import carry_all
from .changes import Change
from .changes import Outcome
from .culprit import Place
from .evidence import Release
from .merge import Merger


@dataclass(frozen=True)
class Story:
    """What a maintainer is told.

    :param lines: the facts, one per line.
    :param reason: why the patch would be left out, as a clause.
    """

    lines: tuple[str, ...]
    reason: str


def tell(
    fork: Fork,
    changes: t.Sequence[Change],
    outcome: Outcome,
    new: Pin,
    merger: Merger,
) -> Story:
    """What became of the last of ``changes`` on a release, and why.

    :param changes: the queue up to the patch.
    :param outcome: ``conflict`` or ``absorbed``.
    """
    places = culprit.places(outcome.files, outcome.conflicts)
    lines = list(map(str, places))
    marked = {place.path for place in places}
    for path in outcome.conflicts:
        if path not in marked:
            lines.append(f"{path}: changed on one side, deleted or moved on the other")
    if new == fork.pin:
        return Story(tuple(lines), "it conflicts with the rest of the queue")

    try:
        found, reason = _cause(fork, changes, outcome, new, merger, places)
    except ForkError as e:
        # A damaged clone at upstream/history must not hide the stop itself.
        found, reason = [f"the cause is unknown: {e.what}"], f"it conflicts with {new}"
    return Story((*lines, *found), reason)


def _cause(
    fork: Fork,
    changes: t.Sequence[Change],
    outcome: Outcome,
    new: Pin,
    merger: Merger,
    places: list[Place],
) -> tuple[list[str], str]:
    """What upstream did, and why the patch would be left out."""
    lines: list[str] = []
    reason = ""
    if outcome.kind == "conflict":
        text = "\n".join(f"{place.inside}\n{place.text}" for place in places)
        found = culprit.find(fork, changes, new, text, merger)
        lines.append(f"{found.release} changed these lines of {found.before.version}")
        there = release_files(fork.project, new)
        for path, other in culprit.elsewhere(changes[-1], there):
            lines.append(f"what it changes in {path} is now in {other}")
        lines += [f"that is {found.commit}"] if found.commit else []
        lines += [f"upstream's changelog: {entry}" for entry in found.entries]
        reason = f"it conflicts with what {found.release} changed"
    seen = taken(fork, changes, outcome, new, merger)
    if seen.evidence:
        lines += [f"{seen.release} may have it: {fact}" for fact in seen.evidence]
        reason = f"{seen.release} has it"
    return lines, reason


@dataclass(frozen=True)
class Taken:
    """The evidence that upstream has taken a patch.

    :param evidence: the facts, if there are any.
    :param release: the first cached release with any evidence.
    """

    evidence: tuple[str, ...]
    release: Release


def taken(
    fork: Fork,
    changes: t.Sequence[Change],
    outcome: Outcome,
    new: Pin,
    merger: Merger,
) -> Taken:
    """Look for the first release up to ``new`` that has what a patch changes.

    :param changes: the queue up to the patch.
    :param outcome: what became of the patch on ``new``.
    """
    old = Release(fork.pin, fork.files)
    history = History.find(fork.project)

    def look(release: Release, outcome: Outcome) -> tuple[str, ...]:
        return evidence.gather(changes[-1], outcome, old, release, history)

    last = Release(new, release_files(fork.project, new))
    found = look(last, outcome)
    if found:
        for between in culprit.between(fork, new)[:-1]:
            release = Release(between, release_files(fork.project, between))
            *_, there = carry_all(changes, release.files, merger)
            if seen := look(release, there):
                return Taken(seen, release)
    return Taken(found, last)
