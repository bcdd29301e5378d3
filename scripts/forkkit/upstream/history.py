"""Upstream's own account of its changes: its commits and its changelog.

The commits are available if the maintainer keeps a clone at upstream/history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..base.diff import FileDiff
from ..base.diff import render
from ..base.files import Files
from ..base.git import DIFF_FLAGS
from ..base.git import Git
from ..base.paths import Project

_CHANGELOGS = ("CHANGES.rst", "CHANGES.md", "CHANGES", "CHANGELOG.rst", "CHANGELOG.md")
_HEADING = re.compile(r"^(?:Version )?(\d+(?:\.\d+)+)\b.*\n[-=~]{3,}$", re.MULTILINE)
_BULLET = re.compile(r"^\s*[-*]\s+", re.MULTILINE)
_LITERAL = re.compile(r"``([^`]+)``")
# Shorter words, and these few, occur everywhere.
_WORD = re.compile(r"\b(?!(?:Flask|flask|self|None|True|False)\b)[A-Za-z_]{4,}\b")
_FORM = "%H%x00%cs%x00%s"


@dataclass(frozen=True)
class Commit:
    """An upstream commit.

    :param date: in the form YYYY-MM-DD.
    """

    sha: str
    date: str
    subject: str

    def __str__(self) -> str:
        return f"commit {self.sha[:10]} ({self.date}) {self.subject}"

    @property
    def numbers(self) -> list[str]:
        """The numbers of the issues and pull requests in its subject."""
        return re.findall(r"#(\d+)", self.subject)


@dataclass(frozen=True)
class History:
    """A clone, bare or not, whose tags are upstream's releases."""

    git: Git

    @classmethod
    def find(cls, project: Project) -> History | None:
        """The clone at upstream/history, if there is one."""
        if not project.history.is_dir():
            return None
        git = Git(project.history)
        return cls(git) if git.holds("rev-parse", "--git-dir") else None

    def tag(self, version: str) -> str | None:
        """The tag of a release."""
        for name in (version, f"v{version}"):
            ref = f"refs/tags/{name}"
            if self.git.holds("rev-parse", "--quiet", "--verify", ref):
                return ref
        return None

    def commits(self, old: str, new: str, package: str) -> list[Commit]:
        """The commits between two tags that change the package, oldest first."""
        lines = self.git(
            *("log", "--reverse", "--topo-order", "--no-merges", f"--format={_FORM}"),
            *(f"{old}..{new}", "--", package),
        ).decode("utf-8", "replace")
        return [Commit(*line.split("\0")) for line in lines.splitlines()]

    def files(self, commit: str, package: str) -> Files:
        """The files of the package at a commit."""
        return self.git.read_tree(commit, package)

    def holds(self, commit: str, tag: str) -> bool:
        """Whether a release has a commit in its history."""
        return self.git.holds("merge-base", "--is-ancestor", commit, tag)

    def same_change(
        self, diffs: tuple[FileDiff, ...], old: str, new: str, *paths: str
    ) -> Commit | None:
        """The commit between two tags that makes the very same change.

        :param paths: consider only the changes to these paths.
        """
        mine = self._patch_ids(render(diffs))
        log = self.git(
            *("log", "-p", "--no-merges", *DIFF_FLAGS, f"{old}..{new}", "--", *paths)
        )
        theirs = self._patch_ids(log)
        for patch_id in mine:
            if sha := theirs.get(patch_id):
                line = self.git("log", "-1", f"--format={_FORM}", sha)
                return Commit(*line.decode("utf-8", "replace").strip().split("\0"))
        return None

    def _patch_ids(self, text: bytes) -> dict[str, str]:
        """The ids of the changes in a text, and the commit of each."""
        lines = self.git("patch-id", "--stable", stdin=text).decode().splitlines()
        return dict(line.split() for line in lines)


def changelog_entries(files: Files, version: str) -> list[str]:
    """The entries of a release in upstream's own changelog, each on one line.

    :param files: those of the release.
    """
    text = next((files[name] for name in _CHANGELOGS if name in files), b"")
    pieces = _HEADING.split(text.decode("utf-8", "replace"))
    sections = dict(zip(pieces[1::2], pieces[2::2]))
    bullets = _BULLET.split(sections.get(version, ""))[1:]
    return [" ".join(bullet.split()) for bullet in bullets]


def entries_about(entries: list[str], text: str, *, most: int = 3) -> list[str]:
    """The entries whose literals contain words of a text, those with the most first."""
    words = set(_WORD.findall(text))

    def common(entry: str) -> int:
        literals = " ".join(_LITERAL.findall(entry))
        return len(words.intersection(_WORD.findall(literals)))

    return sorted(filter(common, entries), key=common, reverse=True)[:most]
