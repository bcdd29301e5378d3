"""Merging trees of files three ways, by git, without a work tree."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
import typing as t
from dataclasses import dataclass
from dataclasses import field

from ..base import fast_import
from ..base.files import Files
from ..base.git import Git
from ..base.git import Importer
from ..base.git import MERGE_FLAGS

_BASE, _OURS, _THEIRS = (f"refs/heads/{side}" for side in ("base", "ours", "theirs"))


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
        """Merge file by file, where none has moved; ``None`` if one conflicts.

        It comes to the same, in a fraction of the time.
        """
        files = dict(ours)
        names = ("ours", "base", "theirs")
        places = [self.git.folder / name for name in names]
        for path in base:
            if base[path] == ours[path]:
                files[path] = theirs[path]
            elif base[path] != theirs[path]:
                for place, side in zip(places, (ours, base, theirs)):
                    place.write_bytes(side[path])
                # It exits with the number of conflicts.
                done = self.git.attempt("merge-file", "--stdout", "--quiet", *names)
                if done.returncode:
                    return None
                files[path] = done.stdout
        return Merged(files, ())

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


@contextlib.contextmanager
def scratch() -> t.Iterator[Merger]:
    """A merger for the duration of the ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-merge-") as folder:
        git = Git(pathlib.Path(folder), lasting=False)
        git("init", "--quiet", "--bare", "--template=")
        with git.importing() as importer:
            yield Merger(git, importer)
