"""The git repository in which the maintainer works: the pin, the queue on top.

Commits are made from the patches with their own dates and a fixed committer, so the
same queue always has the same commit ids.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
import typing as t
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import write_file
from ..base.files import writing
from ..base.git import Git
from ..base.paths import Project
from ..base.text import one_line
from ..upstream.pin import Pin
from . import commits
from . import refs
from .commits import Step
from .fork import Fork
from .patch import Patch
from .queue import apply_patches

# What a run of upstream's tests leaves behind.
_EXCLUDE = "__pycache__/\n.pytest_cache/\n*.egg-info/\n"
#: Above the paths that :meth:`Checkout.lay` has put there, for git to ignore.
_LAID = "# laid here by scripts/fork, and removed again by it:\n"


@dataclass(frozen=True)
class Checkout:
    """The repository in ``folder``, which errors call ``shown``."""

    folder: pathlib.Path
    shown: str

    @classmethod
    def of(cls, project: Project) -> Checkout:
        """The checkout of a project, whether it exists or not."""
        return cls(project.checkout, project.relative(project.checkout))

    @property
    def git(self) -> Git:
        return Git(self.folder)

    def exists(self) -> bool:
        return (self.folder / ".git").is_dir()

    def apply(self, fork: Fork) -> None:
        """Make the repository hold the release and one commit per patch.

        :raises ForkError: a patch does not apply, or there is work in the
            repository that is not in ``patches/``; nothing was changed.
        """
        pin, files, steps = fork.pin, fork.files, list(_steps(fork))
        if self.folder.exists() and not _is_empty_folder(self.folder):
            self.check_nothing_unsaved()
            self._switch(pin, files, steps)
            return

        with writing(self.folder), contextlib.ExitStack() as undo:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            aside = pathlib.Path(
                tempfile.mkdtemp(dir=self.folder.parent, prefix=".checkout.")
            )
            undo.callback(shutil.rmtree, aside, ignore_errors=True)
            new = Checkout(aside / "new", self.shown)
            new.folder.mkdir()
            new.git("init", "--quiet", "--template=", "--initial-branch=queue")
            # By default git removes lines with a # from what an editor has saved.
            new.git("config", "commit.cleanup", "scissors")
            new._exclude.parent.mkdir(exist_ok=True)
            new._exclude.write_text(_EXCLUDE)
            new._switch(pin, files, steps)
            new.folder.rename(self.folder)

    def _switch(self, pin: Pin, files: Files, steps: list[Step]) -> None:
        commits.write(self.git, refs.NEXT, refs.NEXT_BASE, pin, files, steps)
        self._go_over(refs.NEXT_BASE, refs.NEXT)

    def adopt(self, base: str, tip: str) -> None:
        """Switch to commits that are already in the repository.

        :param base: the ref of the release.
        :param tip: the ref of the last patch; ``patches/`` has them all.
        :raises ForkError: there is work in the repository that is not in ``patches/``.
        """
        self.check_nothing_unsaved()
        self._go_over(base, tip)

    def _go_over(self, base: str, tip: str) -> None:
        """Switch to other commits: first the files, then all refs in one step."""
        self.clear_laid()
        bottom, top = self.git.text("rev-parse", base, tip).split()
        moves = [(refs.BASE, bottom), (refs.QUEUE, top), (refs.KNOWN, top)]
        updates = "".join(f"update {ref} {sha}\n" for ref, sha in moves)
        with self.going(tip):
            self.git("update-ref", "--stdin", stdin=updates.encode())
        self.git("symbolic-ref", "HEAD", refs.QUEUE)
        self.git("update-ref", "-d", refs.NEXT)

    @contextlib.contextmanager
    def going(self, commit: str) -> t.Iterator[None]:
        """Check out a commit, but only if the ``with`` block succeeds too.

        Everything that was checked out before must be committed.

        :raises ForkError: a file of the maintainer is in the way, or one cannot be
            written; what is checked out is as it was.
        """
        branch = self.git.text("symbolic-ref", "--quiet", "HEAD", fine=(0, 1))
        sha = self.git.text("rev-parse", "--quiet", "--verify", "HEAD", fine=(0, 1))
        back = (
            ("symbolic-ref", "HEAD", branch) if branch else ("update-ref", "HEAD", sha)
        )
        try:
            self.git("checkout", "--quiet", "--detach", "--no-overwrite-ignore", commit)
            self._check_written()
            yield
        except ForkError:
            self.quit_under_way()
            # Git leaves what it has begun to write, and an index of what it could not.
            self.git.attempt(*back)
            self.git.attempt("reset", "--quiet")
            self.git.attempt("reset", "--quiet", "--hard")
            raise

    def _check_written(self) -> None:
        """Check that every file was written: git reports success even if one was not.

        :raises ForkError: what is checked out is not what is committed.
        """
        if changed := self.changed_files():
            raise ForkError(
                f"these files could not be written: {', '.join(changed)}",
                where=self.shown,
                hint="give write access there, then run the command again",
            )

    def check_nothing_unsaved(self) -> None:
        """Make sure that everything in the repository is in ``patches/`` as well.

        :raises ForkError: a file is changed, a commit is not exported, or the branch
            is not that of the queue; the error says which.
        """
        self.check_at_rest()
        if not self.exported():
            raise ForkError(
                "there are commits that are not exported",
                where=self.shown,
                hint="run `scripts/fork export`, or return to what is exported with"
                f" `git -C {self.shown} reset --hard {refs.KNOWN}`",
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
                hint="commit them there and run `scripts/fork export`, or set them"
                f" aside with `git -C {self.shown} stash --include-untracked`",
            )
        for verb in self._under_way():
            raise ForkError(
                f"`git {verb}` is not finished there",
                where=self.shown,
                hint=f"run `git -C {self.shown} {verb} --continue` or `--abort`",
            )
        if not self.on_queue() and not self._is_left():
            raise ForkError(
                "the queue's branch is not checked out",
                where=self.shown,
                hint=f"run `git -C {self.shown} switch queue`",
            )

    def quit_under_way(self) -> None:
        """End the unfinished git commands, and leave the files as they are."""
        for verb in self._under_way():
            self.git.attempt(verb, "--quit")

    def _under_way(self) -> list[str]:
        """The unfinished git commands."""
        states = {
            "rebase-merge": "rebase",
            "rebase-apply/rebasing": "rebase",
            "rebase-apply/applying": "am",
            "sequencer": "cherry-pick",
            "CHERRY_PICK_HEAD": "cherry-pick",
            "REVERT_HEAD": "revert",
            "MERGE_HEAD": "merge",
        }
        folder = self.folder / ".git"
        return [verb for name, verb in states.items() if (folder / name).exists()]

    def on_queue(self) -> bool:
        """Whether the queue's branch is checked out."""
        return self._head() == refs.QUEUE

    def _is_left(self) -> bool:
        """Whether a command that was killed left HEAD where it is."""
        ours = (refs.NEXT, refs.WORK, refs.TAKEN)
        return self._head() == "HEAD" and bool(
            self.git("for-each-ref", "--points-at=HEAD", *ours)
        )

    def _head(self) -> str:
        return self.git.text("rev-parse", "--symbolic-full-name", "HEAD")

    def changed_files(self) -> list[str]:
        """The files with uncommitted changes, including new files."""
        lines = self.git(
            "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"
        ).split(b"\0")
        return [one_line(line[3:].decode("utf-8", "replace")) for line in lines if line]

    def exported(self) -> bool:
        """Whether the queue's commits are those last known to be in ``patches/``."""
        queue, known = self.git.text("rev-parse", refs.QUEUE, refs.KNOWN).split()
        return queue == known

    def mark_exported(self) -> None:
        """Record that ``patches/`` has everything that is committed."""
        self.git("update-ref", refs.KNOWN, refs.QUEUE)

    def patches(self) -> list[Patch]:
        """The commits above the pinned release as patches, first to last.

        :raises ForkError: as :func:`forkkit.queue.commits.read`.
        """
        self.check_ours()
        return commits.read(self.git, refs.BASE, refs.QUEUE, where=self.shown)

    def known_patches(self) -> list[Patch]:
        """The patches last known to be in ``patches/``."""
        self.check_ours()
        return commits.read(self.git, refs.BASE, refs.KNOWN, where=self.shown)

    def back_to_queue(self) -> None:
        """Check out the branch of the queue."""
        self.git("checkout", "--quiet", "--no-overwrite-ignore", "queue")

    def lay(self, links: t.Mapping[str, pathlib.Path], files: Files) -> None:
        """Put files that are not upstream's into the work tree, ignored by git.

        Existing files are left as they are.

        :param links: the files of the project to link to, by path.
        :param files: the contents of generated files, by path.
        """
        self.clear_laid()
        free = [p for p in (*links, *files) if not (self.folder / p).exists()]
        # Ignored first, so that a killed command leaves nothing that git would see.
        paths = "".join(f"/{path}\n" for path in free)
        text = f"{self._exclude.read_text()}{_LAID}{paths}"
        write_file(self._exclude, text.encode())
        with writing(self.folder):
            for path in free:
                place = self.folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if path in links:
                    place.symlink_to(os.path.relpath(links[path], place.parent))
                else:
                    place.write_bytes(files[path])

    def clear_laid(self) -> None:
        """Remove what :meth:`lay` put into the work tree."""
        if not self._exclude.exists():
            return
        head, mark, paths = self._exclude.read_text().partition(_LAID)
        if not mark:
            return
        # The maintainer may have added one of them to git.
        kept = self.git("ls-files", "-z").decode("utf-8", "surrogateescape").split("\0")
        with writing(self.folder):
            for path in {line.lstrip("/") for line in paths.splitlines()}.difference(
                kept
            ):
                (self.folder / path).unlink(missing_ok=True)
        write_file(self._exclude, head.encode())

    @property
    def _exclude(self) -> pathlib.Path:
        return self.folder / ".git" / "info" / "exclude"

    def check_ours(self) -> None:
        """Make sure that this is a repository that :meth:`apply` made.

        :raises ForkError: it is not.
        """
        if not self.folder.exists():
            raise ForkError(
                "there is no checkout",
                where=self.shown,
                hint="run `scripts/fork apply`",
            )
        needed = (refs.BASE, refs.QUEUE, refs.KNOWN)
        there = ""
        if self.exists():
            there = self.git.text("for-each-ref", "--format=%(refname)", *needed)
        for ref in needed:
            if ref not in there.split():
                raise ForkError(
                    f"was not made by `scripts/fork apply`: it has no {ref}",
                    where=self.shown,
                    hint="move it away, then run `scripts/fork apply`",
                )


def _steps(fork: Fork) -> t.Iterator[Step]:
    below = fork.files
    for patch in fork.queue.patches:
        below = apply_patches([patch], below)
        yield Step(patch, below)


def _is_empty_folder(path: pathlib.Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
