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

#: What can become of a patch.
Kind = t.Literal[
    "identical", "message only", "context only", "content changed", "added", "dropped"
]
#: What can become of its message, or of its changes to one file.
PartKind = t.Literal["identical", "context only", "content changed", "added", "lost"]
RowKind = t.Literal["same", "changed", "gap"]
#: Each kind of patch with its sign.
SIGNS: dict[Kind, str] = {
    "identical": "=",
    "message only": "m",
    "context only": "~",
    "content changed": "!",
    "added": "+",
    "dropped": "-",
}
#: The title of the part that is not a file.
MESSAGE = "message"

_CONTEXT = 3
_PLACE = re.compile(r"^@@ -\S+ \+\S+ @@", re.MULTILINE)

T = t.TypeVar("T")


class Row(t.NamedTuple):
    """Two lines side by side.

    :param kind: ``same``, ``changed``, or ``gap`` where equal lines are omitted.
    :param old: the line before, if there is one.
    :param new: the line now, if there is one.
    """

    kind: RowKind
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Part:
    """The message of a patch, or its changes to one file, before and now.

    :param title: :data:`MESSAGE` or the path; both paths if it has changed.
    :param kind: ``identical``, ``context only``, ``content changed``, ``added``, or
        ``lost``.
    :param old: its lines before; for a diff, without line numbers, which any change
        further up shifts.
    :param new: its lines now, in the same form.
    """

    title: str
    kind: PartKind
    old: tuple[str, ...]
    new: tuple[str, ...]

    def interdiff(self) -> list[str]:
        """The difference of the lines, that is, a diff of two diffs."""
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
        """The lines that differ, side by side, with context."""
        rows = []
        for gap, blocks in self._groups():
            rows += [Row("gap", None, None)] if gap else []
            for old, new, same in blocks:
                kind: RowKind = "same" if same else "changed"
                rows += [Row(kind, *pair) for pair in itertools.zip_longest(old, new)]
        return rows

    def _groups(
        self,
    ) -> t.Iterator[tuple[bool, list[tuple[tuple[str, ...], tuple[str, ...], bool]]]]:
        """Groups of runs: the old lines, the new lines, and whether they are equal.

        With each group comes whether lines are omitted above it.
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

    :param old: the patch before; ``None`` if it was added.
    :param new: the patch now; ``None`` if it was dropped.
    :param places: its places in the queue before and now, from 1; ``None`` where it is
        not in the queue.
    :param moved: whether its place relative to the others has changed.
    :param reason: why it was dropped, if that is known.
    """

    old: Patch | None
    new: Patch | None
    places: tuple[int | None, int | None]
    moved: bool = False
    reason: str | None = None

    @property
    def patch(self) -> Patch:
        """The patch now, or as it was before it was dropped."""
        return t.cast(Patch, self.new or self.old)

    @property
    def was(self) -> str | None:
        """Its previous name, if it was renamed."""
        renamed = self.old and self.new and self.old.name != self.new.name
        return self.old.name if self.old and renamed else None

    @functools.cached_property
    def parts(self) -> tuple[Part, ...]:
        """The message, then the files."""
        pairs = _pair(_files(self.old), _files(self.new), _path, _changed)
        return (_message(self.old, self.new), *(_part(*pair) for pair in pairs))

    @property
    def lost(self) -> list[str]:
        """The paths that the patch changed before and no longer changes."""
        if self.new is None:
            return []
        return [part.title for part in self.parts if part.kind == "lost"]

    @property
    def kind(self) -> Kind:
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
        """Remarks in addition to the kind, except for lost paths."""
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
            said.append(self.reason or "no reason given in CHANGELOG.md")
        return said


def compare(
    old: t.Sequence[Patch], new: t.Sequence[Patch], reasons: t.Mapping[str, str]
) -> tuple[Comparison, ...]:
    """What became of each patch of ``old`` and of ``new``, in the order of ``new``.

    Patches are matched by name, or else by what they change. Dropped ones come last.

    :param old: the queue before.
    :param new: the queue now.
    :param reasons: why patches were dropped, by name.
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


def _pair(
    old: t.Sequence[T],
    new: t.Sequence[T],
    name: t.Callable[[T], str],
    content: t.Callable[[T], object],
) -> list[tuple[T | None, T | None]]:
    """Match ``new`` with ``old``, by name or else by content.

    :return: a pair for each of ``new``, in order, then one for each unmatched ``old``.
    """
    left = {name(item): item for item in old}
    found = {name(item): left.pop(name(item), None) for item in new}
    for item in new:
        same = [key for key, other in left.items() if content(other) == content(item)]
        if found[name(item)] is None and same:
            found[name(item)] = left.pop(same[0])
    pairs: list[tuple[T | None, T | None]] = [(found[name(item)], item) for item in new]
    return pairs + [(item, None) for item in left.values()]


def _longest_rise(numbers: list[int]) -> tuple[int, ...]:
    """The longest increasing subsequence of ``numbers``."""
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
    """What a diff changes in a file, regardless of the position and the path."""
    lines = [line for hunk in file.hunks for line in hunk.lines if line[0] != b" "]
    return file.kind, lines


def _files(patch: Patch | None) -> tuple[FileDiff, ...]:
    return patch.diffs if patch else ()


def _message(old: Patch | None, new: Patch | None) -> Part:
    before, now = _text(old), _text(new)
    if old is None or new is None:
        kind: PartKind = "lost" if new is None else "added"
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
        kind: PartKind = "lost" if new is None else "added"
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
