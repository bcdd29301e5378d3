"""Three-way merges of file trees, by git, without a work tree."""

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
#: The flags with which `git merge-tree` and `git cherry-pick` compare two files.
_MERGE_DIFF = (
    *DIFF_FLAGS,
    "--no-index",
    "--no-prefix",
    "--diff-algorithm=histogram",
    "--no-indent-heuristic",
    # Without context, git trims the common end before it compares lines.
    "--unified=1",
)


class Edit(t.NamedTuple):
    """The replacement of the lines from ``start`` up to ``end``."""

    start: int
    end: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class Merged:
    """The result of a merge.

    :param files: the merged files, with git's markers at conflicts.
    :param conflicts: the paths with conflicts.
    """

    files: Files
    conflicts: tuple[str, ...]


@dataclass(frozen=True)
class Merger:
    """Merges in the scratch repository ``git``, independently of the project."""

    git: Git
    importer: Importer
    _known: dict[tuple[t.Any, ...], Merged] = field(default_factory=dict)

    def merge(self, base: Files, ours: Files, theirs: Files) -> Merged:
        """Merge the changes that two sides made to ``base``.

        Files and folders that one of them moved are followed.
        """
        key = tuple(tuple(sorted(files.items())) for files in (base, ours, theirs))
        if key not in self._known:
            merged = None
            if base.keys() == ours.keys() == theirs.keys():
                merged = self._merge_contents(base, ours, theirs)
            self._known[key] = merged or self._merge(base, ours, theirs)
        return self._known[key]

    def _merge_contents(self, base: Files, ours: Files, theirs: Files) -> Merged | None:
        """Merge file by file if none has moved; ``None`` if one may conflict.

        The result is that of :meth:`_merge`, in a fraction of the time: the edits are
        those that git finds when it merges, combined as git combines them.
        """
        both = [p for p in base if base[p] != ours[p] and base[p] != theirs[p]]
        pairs = [(base[path], side[path]) for path in both for side in (ours, theirs)]
        # Git does not merge files that it takes for binary.
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
        """The edits that turn the first content of each pair into the second."""
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
            # An empty line precedes the messages for a person.
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
    """``base`` with the edits of both sides; ``None`` if git would see a conflict.

    An edit that both sides make is made once. Others must be at least a line apart.
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
