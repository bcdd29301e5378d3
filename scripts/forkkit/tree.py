"""The git repository in which the maintainer works: the pin, the queue on top.

Only this module knows its branches. Commits are made from the patches with their own
dates and a fixed committer, so the same queue always has the same commit ids.
"""

from __future__ import annotations

import contextlib
import pathlib
import re
import shutil
import tempfile
import typing as t
from dataclasses import dataclass

from . import diff
from . import patch as patches
from . import queue as queues
from .errors import ForkError
from .git import DIFF_FLAGS
from .git import Git
from .patch import Patch
from .pin import Pin
from .project import Files
from .project import writing

_BASE = "refs/heads/upstream"
_QUEUE = "refs/heads/queue"
#: The top of the queue as it was last made from, or written to, the patches.
_KNOWN = "refs/fork/known"
#: What an apply is going over to.
_NEXT = "refs/fork/next"
_NEXT_BASE = "refs/fork/next-base"
# What running upstream's tests there leaves behind.
_EXCLUDE = "__pycache__/\n.pytest_cache/\n*.egg-info/\n"
_COMMITTER = "flaskfork <flaskfork@localhost>"
_COMMIT_LINE = re.compile(rb"^([0-9a-f]{40})\n", re.MULTILINE)


@dataclass(frozen=True)
class Tree:
    """The repository in ``folder``, whose name errors give as ``shown``."""

    folder: pathlib.Path
    shown: str

    @property
    def git(self) -> Git:
        return Git(self.folder)

    def exists(self) -> bool:
        return (self.folder / ".git").is_dir()

    def apply(self, pin: Pin, files: Files, queue: tuple[Patch, ...]) -> None:
        """Make the repository hold ``files`` and one commit a patch.

        :raises ForkError: a patch does not apply, or there is work in the
            repository that is not in ``patches/``; nothing was changed.
        """
        stream = _import_stream(pin, files, queue)
        if self.folder.exists() and not _is_empty_folder(self.folder):
            self.check_nothing_unsaved()
            self._switch(stream)
            return

        with writing(self.folder), contextlib.ExitStack() as undo:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            aside = pathlib.Path(
                tempfile.mkdtemp(dir=self.folder.parent, prefix=".checkout.")
            )
            undo.callback(shutil.rmtree, aside, ignore_errors=True)
            new = Tree(aside / "new", self.shown)
            new.folder.mkdir()
            new.git("init", "--quiet", "--template=", "--initial-branch=queue")
            (new.folder / ".git" / "info").mkdir(exist_ok=True)
            (new.folder / ".git" / "info" / "exclude").write_text(_EXCLUDE)
            new._switch(stream)
            new.folder.rename(self.folder)

    def _switch(self, stream: bytes) -> None:
        """Go over to what ``stream`` makes: first the files, then all refs at once."""
        self.git("fast-import", "--quiet", "--force", stdin=stream)
        # Stops, with nothing changed, where a file of the maintainer is in the way.
        self.git("checkout", "--quiet", "--detach", "--no-overwrite-ignore", _NEXT)
        moves = [(_BASE, _NEXT_BASE), (_QUEUE, _NEXT), (_KNOWN, _NEXT)]
        shas = [(ref, self.git.text("rev-parse", new)) for ref, new in moves]
        updates = "".join(f"update {ref} {sha}\n" for ref, sha in shas)
        self.git("update-ref", "--stdin", stdin=updates.encode())
        self.git("symbolic-ref", "HEAD", _QUEUE)
        self.git("update-ref", "-d", _NEXT)

    def check_nothing_unsaved(self) -> None:
        """Make sure that everything in the repository is in ``patches/`` as well.

        :raises ForkError: a file is changed, a commit is not exported, or the branch
            is not that of the queue; it says which.
        """
        self.check_at_rest()
        if not self.exported():
            raise ForkError(
                "there are commits that are not exported",
                where=self.shown,
                mend="run `scripts/fork export`, or go back to what is exported with"
                f" `git -C {self.shown} reset --hard {_KNOWN}`",
            )

    def check_at_rest(self) -> None:
        """Make sure that all work is committed, and on the queue's branch.

        :raises ForkError: it is not, or the repository is not one of ours.
        """
        self.check_ours()
        if changed := self.changed_files():
            raise ForkError(
                f"there are uncommitted changes: {', '.join(changed)}",
                where=self.shown,
                mend="commit them there and run `scripts/fork export`, or put them away"
                f" with `git -C {self.shown} stash --include-untracked`",
            )
        unfinished = ("rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "MERGE_HEAD")
        for name in unfinished:
            if (self.folder / ".git" / name).exists():
                raise ForkError(
                    f"a git command there is not finished: {name}",
                    where=self.shown,
                    mend="finish it with --continue, or undo it with --abort",
                )
        if not self._on_queue():
            raise ForkError(
                "the branch that is checked out there is not the queue's",
                where=self.shown,
                mend=f"run `git -C {self.shown} switch queue`",
            )

    def _on_queue(self) -> bool:
        head = self.git.text("rev-parse", "--symbolic-full-name", "HEAD")
        # An apply that was killed half-way leaves what it was going over to.
        return head == _QUEUE or (
            self.git.holds("rev-parse", "--quiet", "--verify", _NEXT)
            and self.git.text("rev-parse", "HEAD") == self.git.text("rev-parse", _NEXT)
        )

    def changed_files(self) -> list[str]:
        """The files with changes that are not committed, new ones included."""
        lines = self.git(
            "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"
        ).split(b"\0")
        return [line[3:].decode("utf-8", "replace") for line in lines if line]

    def exported(self) -> bool:
        """Whether the queue's commits are those that ``patches/`` was known to hold."""
        return self.git.text("rev-parse", _QUEUE) == self.git.text("rev-parse", _KNOWN)

    def mark_exported(self) -> None:
        """Note that ``patches/`` holds what is committed."""
        self.git("update-ref", _KNOWN, _QUEUE)

    def patches(self) -> list[Patch]:
        """The commits above the pinned release as patches, first to last.

        :raises ForkError: a commit has no reason or trailers, changes something that
            a patch cannot hold, or the history is not a line.
        """
        self.check_ours()
        form = "%H%x00%an <%ae>%x00%aD%x00%B"
        if merges := self.git.text("rev-list", "--merges", f"{_BASE}..{_QUEUE}"):
            raise ForkError(
                f"a merge cannot be a patch: {merges.splitlines()[0]}",
                where=self.shown,
                mend=f"make the history a line: git -C {self.shown} rebase {_BASE}",
            )
        log = self.git(
            "log",
            "-z",
            "--reverse",
            "--topo-order",
            f"--format={form}",
            f"{_BASE}..{_QUEUE}",
        )
        if not log:
            return []

        fields = log.decode("utf-8", "replace").split("\0")[:-1]
        commits = [fields[n : n + 4] for n in range(0, len(fields), 4)]
        changes = self._changes([commit[0] for commit in commits])
        found = []
        for sha, author, date, message in commits:
            subject = message.partition("\n")[0]
            where = f"{self.shown}: commit {sha[:10]} {subject!r}"
            diffs = diff.parse(changes[sha], where=where)
            patch = patches.from_message(author, date, message, diffs, where)
            patches.check(patch, where=where)
            found.append(patch)
        return found

    def _changes(self, commits: list[str]) -> dict[str, bytes]:
        """The diff of each commit."""
        text = self.git(
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

    def check_ours(self) -> None:
        """Make sure that this is a repository that :meth:`apply` made.

        :raises ForkError: it is not.
        """
        if not self.folder.exists():
            raise ForkError(
                "there is no checkout",
                where=self.shown,
                mend="run `scripts/fork apply`",
            )
        for ref in (_BASE, _QUEUE, _KNOWN):
            if not self.exists() or not self.git.holds(
                "rev-parse", "-q", "--verify", ref
            ):
                raise ForkError(
                    f"this was not made by `scripts/fork apply`: it has no {ref}",
                    where=self.shown,
                    mend="move it away, then run `scripts/fork apply`",
                )


def _is_empty_folder(path: pathlib.Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _import_stream(pin: Pin, files: Files, queue: tuple[Patch, ...]) -> bytes:
    """What ``git fast-import`` makes the whole repository from."""
    # The release has no date of its own in its archive; any fixed one will do.
    pieces = _commit(1, f"{pin.name} {pin.version}\n", _COMMITTER, "0 +0000")
    pieces += [b"deleteall\n", *_modifications(files)]
    for mark, patch in enumerate(queue, 2):
        before, files = files, queues.apply([patch], files)
        stamp = f"{int(patch.when.timestamp())} {patch.when:%z}"
        pieces += _commit(mark, patch.message, patch.author, stamp)
        gone = sorted(before.keys() - files.keys())
        pieces += [b"D %s\n" % path.encode() for path in gone]
        pieces += _modifications(
            {p: data for p, data in files.items() if before.get(p) is not data}
        )
    pieces.append(f"reset {_NEXT_BASE}\nfrom :1\n\n".encode())
    return b"".join(pieces)


def _commit(mark: int, message: str, author: str, stamp: str) -> list[bytes]:
    head = f"commit {_NEXT}\nmark :{mark}\n"
    people = f"author {author} {stamp}\ncommitter {_COMMITTER} {stamp}\n"
    return [(head + people).encode(), _data(message.encode())]


def _modifications(files: Files) -> t.Iterator[bytes]:
    for path in sorted(files):
        yield b"M 100644 inline %s\n" % path.encode() + _data(files[path])


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
