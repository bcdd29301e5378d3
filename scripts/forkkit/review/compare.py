"""What became of each patch between two states of the queue."""

from __future__ import annotations

import difflib
import functools
import itertools
import re
import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base.diff import FileDiff
from ..queue.patch import Patch

#: What can become of a patch, with a sign for each.
SIGNS = {
    "identical": "=",
    "message only": "m",
    "context only": "~",
    "content changed": "!",
    "added": "+",
    "dropped": "-",
}
#: The title of the part that is no file.
MESSAGE = "message"

_CONTEXT = 3
_PLACE = re.compile(r"^@@ -\S+ \+\S+ @@", re.MULTILINE)

T = t.TypeVar("T")


class Row(t.NamedTuple):
    """A line of the one side beside that of the other.

    :param kind: ``same``, ``changed``, or ``gap`` where equal lines are left out.
    """

    kind: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Part:
    """The message of a patch, or its changes to one file, before and now.

    :param title: :data:`MESSAGE`, or the path; both paths where it is another now.
    :param kind: ``identical``, ``context only``, ``content changed``, ``added``, or
        ``lost``.
    :param old: its lines before; a diff's without their numbers, which every change
        above shifts.
    :param new: its lines now.
    """

    title: str
    kind: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def interdiff(self) -> list[str]:
        """How the lines differ: the diff of two diffs."""
        lines = []
        for gap, blocks in self._groups():
            lines += ["..."] if gap else []
            for old, new, same in blocks:
                if same:
                    lines += [f" {line}" for line in old]
                else:
                    lines += [f"-{line}" for line in old] + [f"+{line}" for line in new]
        return lines

    def rows(self) -> list[Row]:
        """The lines that differ, side by side, with some around them."""
        rows = []
        for gap, blocks in self._groups():
            rows += [Row("gap", None, None)] if gap else []
            for old, new, same in blocks:
                kind = "same" if same else "changed"
                rows += [Row(kind, *pair) for pair in itertools.zip_longest(old, new)]
        return rows

    def _groups(
        self,
    ) -> t.Iterator[tuple[bool, list[tuple[tuple[str, ...], tuple[str, ...], bool]]]]:
        """Runs of old lines, new lines and whether they are the same.

        With each comes whether lines are left out above it.
        """
        matcher = difflib.SequenceMatcher(None, self.old, self.new, autojunk=False)
        for codes in matcher.get_grouped_opcodes(_CONTEXT):
            runs = [
                (self.old[start:end], self.new[first:last], tag == "equal")
                for tag, start, end, first, last in codes
            ]
            yield codes[0][1] > 0 or codes[0][3] > 0, runs


@dataclass(frozen=True)
class Comparison:
    """What became of one patch.

    :param old: the patch before; none when it is added.
    :param new: the patch now; none when it is dropped.
    :param places: its places in the queue before and now, from 1; none where it is
        not in it.
    :param moved: whether it stands elsewhere among the others.
    :param reason: why it is dropped, where that is said.
    """

    old: Patch | None
    new: Patch | None
    places: tuple[int | None, int | None]
    moved: bool = False
    reason: str | None = None

    @property
    def patch(self) -> Patch:
        """The patch now, or the last that there was."""
        return t.cast(Patch, self.new or self.old)

    @property
    def was(self) -> str | None:
        """Its name before, where that was another."""
        renamed = self.old and self.new and self.old.name != self.new.name
        return self.old.name if self.old and renamed else None

    @functools.cached_property
    def parts(self) -> tuple[Part, ...]:
        """The message, and then the files."""
        pairs = _pair(_files(self.old), _files(self.new), _path, _changed)
        return (_message(self.old, self.new), *(_part(*pair) for pair in pairs))

    @property
    def lost(self) -> list[str]:
        """The paths that it changed and does not any more, though it is there."""
        if self.new is None:
            return []
        return [part.title for part in self.parts if part.kind == "lost"]

    @property
    def kind(self) -> str:
        """One of :data:`SIGNS`."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "dropped"
        message, *files = self.parts
        kinds = {part.kind for part in files} - {"identical"}
        if kinds:
            return "context only" if kinds == {"context only"} else "content changed"
        return "identical" if message.kind == "identical" else "message only"

    @property
    def notes(self) -> list[str]:
        """What there is to say beside the kind, but for the paths that are lost."""
        kind, said = self.kind, []
        if self.was:
            said.append(f"renamed from {self.was}")
        if self.moved:
            said.append("moved from {} to {}".format(*self.places))
        if kind == "context only" and not any(p.interdiff() for p in self.parts[1:]):
            said.append("only its line numbers differ")
        if kind in {"context only", "content changed"}:
            said += ["message changed"] if self.parts[0].kind != "identical" else []
        if kind == "dropped":
            said.append(self.reason or "CHANGELOG.md does not say why")
        return said


def compare(
    old: t.Sequence[Patch], new: t.Sequence[Patch], reasons: t.Mapping[str, str]
) -> tuple[Comparison, ...]:
    """What became of each patch of ``old``, and which are new, in the order of ``new``.

    A patch is known by its name, or else by what it changes. What is dropped comes
    last.

    :param reasons: why patches are dropped, by their names.
    """
    pairs = _pair(old, new, _name, _content)
    before = {patch.name: place for place, patch in enumerate(old, 1)}
    places = [before[was.name] for was, now in pairs if was and now]
    staying = _longest_rise(places)
    found = []
    for place, (was, now) in enumerate(pairs, 1):
        there = before[was.name] if was else None
        found.append(
            Comparison(
                was,
                now,
                (there, place if now else None),
                moved=bool(was and now) and there not in staying,
                reason=reasons.get(was.name) if was else None,
            )
        )
    return tuple(found)


def shown(text: str) -> str:
    """``text`` with nothing in it that hides, reorders or colours what is read."""
    return "".join(
        c if c.isprintable() or c in "\t\n" else c.encode("unicode_escape").decode()
        for c in text
    )


def _pair(
    old: t.Sequence[T],
    new: t.Sequence[T],
    name: t.Callable[[T], str],
    content: t.Callable[[T], object],
) -> list[tuple[T | None, T | None]]:
    """Each of ``new`` with what it was, by name or else by content; then the rest."""
    left = {name(item): item for item in old}
    found = {name(item): left.pop(name(item), None) for item in new}
    for item in new:
        same = [key for key, other in left.items() if content(other) == content(item)]
        if found[name(item)] is None and same:
            found[name(item)] = left.pop(same[0])
    pairs: list[tuple[T | None, T | None]] = [(found[name(item)], item) for item in new]
    return pairs + [(item, None) for item in left.values()]


def _longest_rise(numbers: list[int]) -> tuple[int, ...]:
    """The most of ``numbers`` that stand in rising order."""
    rises: list[tuple[int, ...]] = [()]
    for number in numbers:
        below = [rise for rise in rises if not rise or rise[-1] < number]
        rises.append((*max(below, key=len), number))
    return max(rises, key=len)


def _name(patch: Patch) -> str:
    return patch.name


def _content(patch: Patch) -> object:
    return [_changed(file) for file in patch.diffs]


def _path(file: FileDiff) -> str:
    return file.path


def _changed(file: FileDiff) -> object:
    """What a diff does to a file, wherever in it, and whatever the file is called."""
    lines = [line for hunk in file.hunks for line in hunk.lines if line[0] != b" "]
    return file.kind, lines


def _files(patch: Patch | None) -> tuple[FileDiff, ...]:
    return patch.diffs if patch else ()


def _message(old: Patch | None, new: Patch | None) -> Part:
    before, now = _text(old), _text(new)
    if old is None or new is None:
        kind = "lost" if new is None else "added"
    else:
        kind = "identical" if before == now else "content changed"
    return Part(MESSAGE, kind, before, now)


def _text(patch: Patch | None) -> tuple[str, ...]:
    if patch is None:
        return ()
    return (patch.author, patch.date, *patch.message.render().rstrip("\n").split("\n"))


def _part(old: FileDiff | None, new: FileDiff | None) -> Part:
    paths = dict.fromkeys(file.path for file in (old, new) if file)
    if old is None or new is None:
        kind = "lost" if new is None else "added"
    elif _changed(old) != _changed(new):
        kind = "content changed"
    else:
        kind = "identical" if old == new else "context only"
    return Part(" -> ".join(paths), kind, _lines(old), _lines(new))


def _lines(file: FileDiff | None) -> tuple[str, ...]:
    if file is None:
        return ()
    text = _PLACE.sub("@@", diff.render([file]).decode())
    return tuple(text.rstrip("\n").split("\n")[1:])
