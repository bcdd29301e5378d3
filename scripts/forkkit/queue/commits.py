"""Patches as commits: written by ``git fast-import``, read from git's log and diffs."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base import fast_import
from ..base.errors import ForkError
from ..base.files import Files
from ..base.git import DIFF_FLAGS
from ..base.git import Git
from ..upstream.pin import Pin
from .message import Message
from .patch import Patch

_COMMIT_LINE = re.compile(rb"^([0-9a-f]{40})\n", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A patch, and all upstream files with it applied."""

    patch: Patch
    files: Files


def write(
    git: Git,
    ref: str,
    base: str,
    pin: Pin,
    files: Files,
    steps: t.Iterable[Step],
    more: t.Iterable[bytes] = (),
) -> None:
    """Point ``ref`` at a new line of commits: the release, then one per step.

    The commits have the dates of the patches and a fixed committer, so that the same
    steps always give the same commits.

    :param base: the ref for the release.
    :param more: further input for ``git fast-import``.
    """
    # The release has no date of its own in its archive; any fixed one will do.
    pieces = [fast_import.root(ref, files, f"{pin}\n")]
    pieces.append(fast_import.reset(base, ref))
    for step in steps:
        before, files = files, step.files
        pieces.append(
            fast_import.commit(
                ref,
                *fast_import.difference(before, files),
                message=step.patch.message.render(),
                author=step.patch.author,
                stamp=step.patch.stamp,
            )
        )
    # An interrupted import leaves these behind, and they make the next one fail.
    for keep in (git.folder / ".git" / "objects" / "pack").glob("*.keep"):
        keep.unlink()
    # Without compression: the pack is read again soon.
    flags = ("-c", "pack.compression=0", "-c", "fastimport.unpackLimit=1")
    stdin = b"".join([*pieces, *more])
    git(*flags, "fast-import", "--quiet", "--force", "--depth=0", stdin=stdin)


def read(
    git: Git, base: str, tip: str, *, where: str, empty: bool = False
) -> list[Patch]:
    """The commits above ``base`` as patches, first to last.

    :param empty: whether a commit may change nothing, like that of a new patch.
    :raises ForkError: a commit has no reason or trailers, changes something that a
        patch cannot hold, or the history is not linear.
    """
    span = f"{base}..{tip}"
    if merges := git.text("rev-list", "--merges", span):
        raise ForkError(
            f"a merge cannot be a patch: {merges.splitlines()[0]}",
            where=where,
            hint=f"make the history linear: git -C {where} rebase {base}",
        )
    form = "%H%x00%an <%ae>%x00%aD%x00%B"
    log = git("log", "-z", "--reverse", "--topo-order", f"--format={form}", span)
    if not log:
        return []

    fields = log.decode("utf-8", "replace").split("\0")[:-1]
    commits = [fields[n : n + 4] for n in range(0, len(fields), 4)]
    changes = _changes(git, [commit[0] for commit in commits])
    found = []
    for sha, author, date, message in commits:
        subject = message.partition("\n")[0]
        place = f"{where}: commit {sha[:10]} {subject!r}"
        diffs = diff.parse(changes[sha], where=place)
        patch = Patch(author, date, Message.parse(message), diffs)
        (patch.check_head if empty else patch.check)(where=place)
        found.append(patch)
    return found


def render(
    git: Git, pin: Pin, files: Files, steps: t.Iterable[Step], *, where: str
) -> list[Patch]:
    """The patches of ``steps``, as git renders their changes in another repository.

    :raises ForkError: as :func:`read`.
    """
    base, tip = "refs/heads/rendered-base", "refs/heads/rendered"
    write(git, tip, base, pin, files, steps)
    return read(git, base, tip, where=where)


def _changes(git: Git, commits: list[str]) -> dict[str, bytes]:
    """The diff of each commit."""
    text = git(
        "diff-tree",
        "--stdin",
        "-r",
        "-p",
        *DIFF_FLAGS,
        stdin="".join(f"{sha}\n" for sha in commits).encode(),
    )
    pieces = _COMMIT_LINE.split(text)[1:]
    shas = (sha.decode() for sha in pieces[::2])
    return dict.fromkeys(commits, b"") | dict(zip(shas, pieces[1::2]))
