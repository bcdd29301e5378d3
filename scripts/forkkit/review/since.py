"""Compares the queue on disk with the queue at a revision of the project."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base.changelog import Changelog
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.git import Git
from ..base.paths import Project
from ..queue.fork import Fork
from ..queue.patch import Patch
from ..queue.queue import misnamed
from ..queue.series import Series
from ..upstream.pin import Pin
from . import compare
from .compare import Comparison

_PIN = "upstream/pin.toml"
_SERIES = "patches/series"


@dataclass(frozen=True)
class Review:
    """What became of the queue since a revision.

    :param revision: the revision of the project to compare with, as the user named it.
    :param commit: the commit id of the revision.
    :param old: the pin at the revision.
    :param new: the pin now.
    :param comparisons: what became of each patch.
    """

    revision: str
    commit: str
    old: Pin
    new: Pin
    comparisons: tuple[Comparison, ...]

    @property
    def pins(self) -> str:
        """The releases before and now."""
        names = dict.fromkeys(f"{pin}" for pin in (self.old, self.new))
        return " -> ".join(names)

    @property
    def counts(self) -> dict[str, int]:
        """The number of patches of each kind that occurs."""
        kinds = [comparison.kind for comparison in self.comparisons]
        return {kind: kinds.count(kind) for kind in compare.SIGNS if kind in kinds}

    @property
    def lost(self) -> list[tuple[str, str]]:
        """Each patch and path where the patch no longer changes that file."""
        return [(c.patch.name, path) for c in self.comparisons for path in c.lost]


def review(fork: Fork, revision: str) -> Review:
    """Compare the queue on disk with that of a revision.

    :raises ForkError: the project has no history, there is no such revision, or it has
        no valid queue.
    """
    project = fork.project
    commit, files = _read(project, revision)
    old = Pin.parse(_file(files, _PIN, revision), where=f"{revision}:{_PIN}")
    reasons = Changelog.load(project).reasons()
    reasons |= dict.fromkeys(fork.queue.series.disabled, "it is disabled")
    found = compare.compare(_patches(files, revision), fork.queue.patches, reasons)
    return Review(revision, commit, old, fork.pin, found)


def only(review: Review, names: t.Sequence[str]) -> tuple[Comparison, ...]:
    """What became of the named patches, or of all if no names are given.

    :raises ForkError: there is no patch of that name, neither before nor now.
    """
    known = {c.patch.name for c in review.comparisons}
    raise_findings(
        [
            ForkError(
                f"there is no patch {name!r}, neither in the queue nor at"
                f" {review.revision}",
                where="patches/series",
                hint="`scripts/fork range-diff` without names lists all patches",
            )
            for name in names
            if name not in known
        ]
    )
    return tuple(c for c in review.comparisons if not names or c.patch.name in names)


def values(review: Review, comparisons: t.Iterable[Comparison]) -> dict[str, t.Any]:
    """A review as values for JSON."""
    return {
        "since": {"revision": review.revision, "commit": review.commit},
        "upstream": [f"{pin}" for pin in (review.old, review.new)],
        "patches": [
            {
                "name": comparison.patch.name,
                "was": comparison.was,
                "subject": comparison.patch.subject,
                "kind": comparison.kind,
                "places": comparison.places,
                "moved": comparison.moved,
                "reason": comparison.reason,
                "lost": comparison.lost,
                "parts": [
                    {
                        "title": part.title,
                        "kind": part.kind,
                        "interdiff": part.interdiff(),
                    }
                    for part in comparison.parts
                ],
            }
            for comparison in comparisons
        ],
    }


def _read(project: Project, revision: str) -> tuple[str, Files]:
    """The commit of a revision, and the files of its queue and pin."""
    git = Git(project.root)
    if not git.holds("rev-parse", "--git-dir"):
        raise ForkError(
            "this is not a git repository, so the queue has no history",
            where=project.root,
            hint="run the command in a clone of the project",
        )
    wanted = f"{revision}^{{commit}}"
    known = ("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if not git.holds(*known):
        raise ForkError(
            f"there is no revision {revision!r} in the project's history",
            hint="`git log -- patches upstream/pin.toml` lists where the queue changed;"
            " in a shallow clone, `git fetch --unshallow` gets the older revisions",
        )
    commit = git.text(*known)
    return commit, git.read_tree(commit, "patches", _PIN)


def _file(files: Files, path: str, revision: str) -> bytes:
    if path not in files:
        raise ForkError(
            "there is no such file at that revision",
            where=f"{revision}:{path}",
            hint="name a revision at which the project has its queue",
        )
    return files[path]


def _patches(files: Files, revision: str) -> list[Patch]:
    text = _file(files, _SERIES, revision)
    series = Series.parse(text, where=f"{revision}:{_SERIES}")
    found, problems = [], []
    for name in series.names:
        path = f"patches/{name}.patch"
        where = f"{revision}:{path}"
        try:
            patch = Patch.parse(_file(files, path, revision), where=where)
        except ForkError as e:
            problems += e.problems
        else:
            problems += misnamed(patch, name, where=where)
            found.append(patch)
    raise_findings(problems)
    return found
