"""Which release, and which commit of upstream's, a patch conflicts with first."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from . import history as histories
from . import notes
from . import releases
from . import replay
from . import upstream
from .history import Commit
from .history import History
from .merge import Merger
from .pin import Pin
from .project import Files
from .project import Project
from .replay import Change

_CHUNK = re.compile(rb"^<{7} .*?^>{7} [^\n]*\n", re.MULTILINE | re.DOTALL)
_DEFINITION = re.compile(rb"^ *(?:async )?(?:def|class) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Where in a file with git's markers two sides do not agree.

    :param line: the number of the first marker's line, from 1.
    :param inside: the function or class that it is in, if any.
    :param text: both sides.
    """

    path: str
    line: int
    inside: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" + (f", in {self.inside}" * bool(self.inside))


@dataclass(frozen=True)
class Culprit:
    """What a patch conflicts with.

    :param release: the first release at hand that it conflicts with.
    :param commit: the first commit, if a clone of upstream's repository is at hand.
    :param entries: what upstream's changelog says of it, as far as it can be found.
    """

    release: Pin
    commit: Commit | None
    entries: tuple[str, ...]


def places(files: Files, paths: t.Iterable[str]) -> list[Place]:
    """The conflicts in merged files; none for a file that one side has deleted."""
    found = []
    for path in paths:
        content = files.get(path, b"")
        for match in _CHUNK.finditer(content):
            above = content[: match.start()]
            names = _DEFINITION.findall(above)
            found.append(
                Place(
                    path,
                    above.count(b"\n") + 1,
                    names[-1].decode() if names else "",
                    match[0].decode("utf-8", "replace"),
                )
            )
    return found


def find(
    project: Project,
    changes: t.Sequence[Change],
    old: Pin,
    new: Pin,
    text: str,
    merger: Merger,
) -> Culprit:
    """Find what the last of ``changes`` conflicts with on the way to a release.

    :param changes: the queue up to the patch.
    :param old: the release that the queue is made for.
    :param new: the release on which the patch conflicts.
    :param text: what conflicts, to look for in upstream's changelog.
    """
    steps = between(project, old, new)

    def conflicts(files: Files) -> bool:
        *_, last = replay.carry_all(changes, files, merger)
        return last.kind == "conflict"

    place = _first(len(steps), lambda n: conflicts(upstream.files(project, steps[n])))
    release, before = steps[place], steps[place - 1] if place else old
    commit = _commit(histories.find(project), before, release, conflicts)
    entries = notes.entries(upstream.files(project, release), release.version)
    numbered = [e for e in entries if commit and _names_any(e, commit.numbers)]
    return Culprit(release, commit, tuple(numbered or notes.about(entries, text)))


def between(project: Project, old: Pin, new: Pin) -> list[Pin]:
    """The releases at hand on the way from one to another, which is the last."""
    from packaging.version import Version

    first, last = Version(old.version), Version(new.version)
    low, high = sorted((first, last))
    found = [
        pin
        for pin in releases.at_hand(project, old)
        if low < Version(pin.version) < high
    ]
    return [*(found if first < last else reversed(found)), new]


def _commit(
    history: History | None,
    old: Pin,
    new: Pin,
    conflicts: t.Callable[[Files], bool],
) -> Commit | None:
    if history is None:
        return None
    first, last = history.tag(old.version), history.tag(new.version)
    if not (first and last):
        return None
    found = history.commits(first, last, new.package)
    if not found:
        return None
    place = _first(
        len(found), lambda n: conflicts(history.files(found[n].sha, new.package))
    )
    return found[place]


def _first(count: int, holds: t.Callable[[int], bool]) -> int:
    """The first of ``count`` numbers for which something holds, as for the last."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _names_any(entry: str, numbers: list[str]) -> bool:
    return any(re.search(rf"\b{number}\b", entry) for number in numbers)
