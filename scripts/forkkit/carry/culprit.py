"""The first release, and the first upstream commit, that a patch conflicts with."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..base.diff import Hunk
from ..base.files import Files
from ..queue.fork import Fork
from ..upstream import releases
from ..upstream.history import changelog_entries
from ..upstream.history import Commit
from ..upstream.history import entries_about
from ..upstream.history import History
from ..upstream.pin import Pin
from ..upstream.source import release_files
from .changes import carry_all
from .changes import Change
from .merge import Merger

if t.TYPE_CHECKING:
    from packaging.version import Version

_CHUNK = re.compile(rb"^<{7} .*?^>{7} [^\n]*\n", re.MULTILINE | re.DOTALL)
#: Texts of fewer words occur in many files.
_TELLING = 6
_MARKER = re.compile(r"[<|=>]{7}")
_DEFINITION = re.compile(r"^( *)(?:async )?(?:def|class) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """A conflict in a file with git's markers.

    :param line: the number of the first marker's line, from 1.
    :param inside: the dotted name of the function or class around it, if any.
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

    :param release: the release that introduced the conflict.
    :param before: the cached release before it.
    :param commit: the commit that did, if there is a clone of upstream's repository.
    :param entries: the entries about it that can be found in upstream's changelog.
    """

    release: Pin
    before: Pin
    commit: Commit | None
    entries: tuple[str, ...]


def places(files: Files, paths: t.Iterable[str]) -> list[Place]:
    """The conflicts in merged files; none for a file that one side deleted."""
    found = []
    for path in paths:
        content = files.get(path, b"")
        for match in _CHUNK.finditer(content):
            above = content[: match.start()].decode("utf-8", "replace")
            text = match[0].decode("utf-8", "replace")
            line = above.count("\n") + 1
            found.append(Place(path, line, _inside(above, text), text))
    return found


def _inside(above: str, text: str) -> str:
    """The dotted name of the function or class around a conflict."""
    code = [line for line in text.splitlines() if not _MARKER.match(line)]
    first = next(filter(str.strip, code), "")
    indent = len(first) - len(first.lstrip())
    names: list[str] = []
    for match in reversed(list(_DEFINITION.finditer(above))):
        if len(match[1]) < indent:
            indent = len(match[1])
            names.insert(0, match[2])
    return ".".join(names)


def elsewhere(change: Change, files: Files) -> list[tuple[str, str]]:
    """The moves of code that a patch changes, each as the old path and the new one.

    :param files: those of the release.
    """
    found = []
    for diff in change.patch.diffs:
        for hunk in diff.hunks:
            text = b"".join(_changed(hunk))
            there = [path for path, data in files.items() if text in data]
            if len(text.split()) >= _TELLING and there and diff.path not in there:
                found += [(diff.path, path) for path in there]
    return list(dict.fromkeys(found))


def _changed(hunk: Hunk) -> list[bytes]:
    """The old lines of a hunk around its changes, with one line of context."""
    places = [n for n, (mark, _) in enumerate(hunk.lines) if mark != b" "]
    lines = hunk.lines[max(places[0] - 1, 0) : places[-1] + 2]
    return [text for mark, text in lines if mark != b"+"]


def find(
    fork: Fork, changes: t.Sequence[Change], new: Pin, text: str, merger: Merger
) -> Culprit:
    """Find what the last of ``changes`` conflicts with on the way to a release.

    This is the first release that it conflicts with. On the way back to an older
    release, it is the last one that it does not conflict with.

    :param changes: the queue up to the patch.
    :param new: the release on which the patch conflicts.
    :param text: the conflicting text, to search upstream's changelog for its words.
    """
    project, old = fork.project, fork.pin
    first, *steps = sorted((old, *between(fork, new)), key=_version)

    def is_changed(files: Files) -> bool:
        *_, last = carry_all(changes, files, merger)
        return (last.kind == "conflict") is (first == old)

    place = _first(len(steps), lambda n: is_changed(release_files(project, steps[n])))
    release, before = steps[place], steps[place - 1] if place else first
    commit = _commit(History.find(project), before, release, is_changed)
    entries = changelog_entries(release_files(project, release), release.version)
    numbered = [e for e in entries if commit and _names_any(e, commit.numbers)]
    return Culprit(
        release, before, commit, tuple(numbered or entries_about(entries, text))
    )


def between(fork: Fork, new: Pin) -> list[Pin]:
    """The cached releases between the pin and another one, and that one last."""
    old = fork.pin
    low, high = sorted((old, new), key=_version)
    found = releases.in_cache(fork.project, old, between=(low.version, high.version))
    return [*(reversed(found) if high == old else found), new]


def _version(pin: Pin) -> Version:
    from packaging.version import Version

    return Version(pin.version)


def _commit(
    history: History | None,
    old: Pin,
    new: Pin,
    is_changed: t.Callable[[Files], bool],
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
        len(found), lambda n: is_changed(history.files(found[n].sha, new.package))
    )
    return found[place]


def _first(count: int, holds: t.Callable[[int], bool]) -> int:
    """The first of ``count`` numbers that ``holds`` is true for; it is for the last."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _names_any(entry: str, numbers: list[str]) -> bool:
    return any(re.search(rf"\b{number}\b", entry) for number in numbers)
