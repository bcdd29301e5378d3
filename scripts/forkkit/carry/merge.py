"""Merging trees of files three ways, by git, without a work tree."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import tempfile
import typing as t
from dataclasses import dataclass
from dataclasses import field

from ..base import diff
from ..base import fast_import
from ..base.files import Files
from ..base.git import DIFF_FLAGS
from ..base.git import Git
from ..base.git import Importer
from ..base.git import MERGE_FLAGS

_BASE, _OURS, _THEIRS = (f"refs/heads/{side}" for side in ("base", "ours", "theirs"))
#: What the engine of `git merge-tree` and `git cherry-pick` compares two files with.
_MERGE_DIFF = (
    *DIFF_FLAGS,
    "--no-index",
    "--no-prefix",
    "--diff-algorithm=histogram",
    "--no-indent-heuristic",
    # Without context git leaves out what both end with, before it looks for lines.
    "--unified=1",
)


class Edit(t.NamedTuple):
    """A run of lines, from ``start`` up to ``end``, with others in its place."""

    start: int
    end: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class Merged:
    """What a merge came to.

    :param files: the merged files; where two sides do not agree stand git's markers.
    :param conflicts: the paths on which they do not agree.
    """

    files: Files
    conflicts: tuple[str, ...]


@dataclass(frozen=True)
class Merger:
    """Merges in the scratch repository ``git``, which knows nothing of the project."""

    git: Git
    importer: Importer
    _known: dict[tuple[t.Any, ...], Merged] = field(default_factory=dict)

    def merge(self, base: Files, ours: Files, theirs: Files) -> Merged:
        """Merge what two sides have made of ``base``.

        A file that one of them has moved is followed, and so is a folder.
        """
        key = tuple(tuple(sorted(files.items())) for files in (base, ours, theirs))
        if key not in self._known:
            merged = None
            if base.keys() == ours.keys() == theirs.keys():
                merged = self._merge_contents(base, ours, theirs)
            self._known[key] = merged or self._merge(base, ours, theirs)
        return self._known[key]

    def _merge_contents(self, base: Files, ours: Files, theirs: Files) -> Merged | None:
        """Merge file by file, where none has moved; ``None`` if one may conflict.

        It comes to what :meth:`_merge` makes of the same sides, in a fraction of the
        time: the edits are those that git finds when it merges, and they are combined
        as git combines them.
        """
        both = [p for p in base if base[p] != ours[p] and base[p] != theirs[p]]
        pairs = [(base[path], side[path]) for path in both for side in (ours, theirs)]
        # Git does not merge what it takes for binary.
        if any(b"\0" in content for pair in pairs for content in pair):
            return None

        files = {p: theirs[p] if base[p] == ours[p] else ours[p] for p in base}
        edits = self._edits(pairs)
        for path, *sides in zip(both, edits[::2], edits[1::2]):
            merged = _combined(base[path], *sides)
            if merged is None:
                return None
            files[path] = merged
        return Merged(files, ())

    def _edits(self, pairs: list[tuple[bytes, bytes]]) -> list[list[Edit]]:
        """What makes the second of each pair of contents out of the first."""
        if not pairs:
            return []
        with tempfile.TemporaryDirectory(dir=self.git.folder) as name:
            git = Git(pathlib.Path(name), lasting=False)
            for side, contents in zip("ab", zip(*pairs)):
                (git.folder / side).mkdir()
                for number, content in enumerate(contents):
                    (git.folder / side / str(number)).write_bytes(content)
            text = git("diff", *_MERGE_DIFF, "a", "b", fine=(0, 1))
        found = {file.path: file for file in diff.parse(text, where="git diff")}
        return [_edits_of(found[str(number)]) for number in range(len(pairs))]

    def _merge(self, base: Files, ours: Files, theirs: Files) -> Merged:
        pieces = [fast_import.root(_BASE, base)]
        for ref, files in ((_OURS, ours), (_THEIRS, theirs)):
            pieces.append(fast_import.reset(ref, _BASE))
            pieces.append(fast_import.commit(ref, *fast_import.difference(base, files)))
        self.importer.write(*pieces)
        command = (*MERGE_FLAGS, "merge-tree", "--write-tree", "-z", _OURS, _THEIRS)
        tree, *rest = self.git(*command, fine=(0, 1)).split(b"\0")
        conflicts = []
        for line in rest:
            # An empty one comes before the messages for a person.
            if not line:
                break
            conflicts.append(line.partition(b"\t")[2].decode())
        files = self.git.read_tree(tree.decode())
        return Merged(files, tuple(dict.fromkeys(conflicts)))


def _edits_of(file: diff.FileDiff) -> list[Edit]:
    """The edits that a diff consists of."""
    edits = []
    for hunk in file.hunks:
        place = hunk.old_start - bool(hunk.old)
        for same, lines in itertools.groupby(hunk.lines, lambda line: line[0] == b" "):
            run = list(lines)
            gone = sum(mark != b"+" for mark, _ in run)
            if not same:
                new = tuple(text for mark, text in run if mark == b"+")
                edits.append(Edit(place, place + gone, new))
            place += gone
    return edits


def _combined(base: bytes, ours: list[Edit], theirs: list[Edit]) -> bytes | None:
    """``base`` with the edits of both sides; ``None`` where git sees a conflict.

    The same edit on both sides is made once. Between others a line has to be left.
    """
    edits = sorted({*ours, *theirs})
    if any(edit.end >= later.start for edit, later in zip(edits, edits[1:])):
        return None
    lines = diff.split_lines(base)
    for start, end, new in reversed(edits):
        lines[start:end] = new
    return b"".join(lines)


@contextlib.contextmanager
def scratch() -> t.Iterator[Merger]:
    """A merger for the duration of the ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-merge-") as folder:
        git = Git(pathlib.Path(folder), lasting=False)
        git("init", "--quiet", "--bare", "--template=")
        with git.importing() as importer:
            yield Merger(git, importer)
