"""The checkout during a sequence: the patches applied so far, and the state at a stop.

The queue's branch does not move; all of this happens on a detached HEAD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..base import fast_import
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.git import DIFF_FLAGS
from ..base.git import Git
from ..base.git import MERGE_FLAGS
from ..base.paths import Project
from ..carry.changes import Change
from ..queue import commits
from ..queue import refs
from ..queue.checkout import Checkout
from ..queue.commits import Step
from ..queue.patch import Patch
from ..queue.queue import apply_patches
from ..upstream.pin import Pin
from .journal import Kept

_MARKERS = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
#: More packs than this slow git down.
_PACKS = 50
_UNMERGED = {"DD", "AU", "UD", "UA", "DU", "AA", "UU"}


@dataclass(frozen=True)
class Worktree:
    """The checkout as a sequence uses it."""

    checkout: Checkout

    @classmethod
    def of(cls, project: Project) -> Worktree:
        """The checkout of a project as a sequence uses it."""
        return cls(Checkout.of(project))

    @property
    def git(self) -> Git:
        return self.checkout.git

    def render(self, pin: Pin, files: Files, steps: list[Step]) -> list[Patch]:
        """The patches of ``steps`` as git renders them.

        :raises ForkError: see :func:`forkkit.queue.commits.read`.
        """
        commits.write(self.git, refs.WORK, refs.WORK_BASE, pin, files, steps)
        # So that a later command recognises the commit checked out here as our own.
        self.git("update-ref", refs.TAKEN, "HEAD")
        return commits.read(
            self.git, refs.WORK_BASE, refs.WORK, where=self.checkout.shown
        )

    def take_in(self, pin: Pin, changes: list[Change]) -> tuple[str, ...]:
        """Keep changes from elsewhere, each on top of the one before it.

        :return: the ids of the commit below the first change, and of the last change.
        """
        steps = [Step(change.patch, change.after) for change in changes]
        before = changes[0].before
        commits.write(self.git, refs.INCOMING, refs.INCOMING_BASE, pin, before, steps)
        return self._sha(refs.INCOMING_BASE), self._sha(refs.INCOMING)

    def taken_in(self, ids: tuple[str, ...]) -> list[Change]:
        """The changes that :meth:`take_in` kept."""
        base, tip = ids
        shas = self.git.text("rev-list", "--reverse", f"{base}..{tip}").split()
        patches = commits.read(
            self.git, base, tip, where=self.checkout.shown, empty=True
        )
        files = [self.git.read_tree(sha) for sha in (base, *shas)]
        return [Change(*made) for made in zip(patches, files, files[1:])]

    def adopt(self) -> None:
        """Move the queue's branch to what was rendered last.

        :raises ForkError: see :meth:`forkkit.queue.checkout.Checkout.adopt`.
        """
        self.checkout.adopt(refs.WORK_BASE, refs.WORK)

    def done(self, kept: Kept, *, but_last: bool = False) -> list[Step]:
        """The steps that were done when the sequence stopped.

        :param but_last: leave out the last one, at which it stopped.
        """
        tip = f"{kept.done}^" if but_last else kept.done
        return self._steps(kept.base, tip)

    def prepare(
        self, pin: Pin, files: Files, steps: list[Step], change: Change
    ) -> Kept:
        """Keep everything in the repository that a stop at ``change`` needs."""
        patch = change.patch
        pick = [
            fast_import.root(refs.PICK, change.before),
            fast_import.reset(refs.PICK_BASE, refs.PICK),
            fast_import.commit(
                refs.PICK,
                *fast_import.difference(change.before, change.after),
                message=patch.message.render(),
                author=patch.author,
                stamp=patch.stamp,
            ),
        ]
        commits.write(self.git, refs.WORK, refs.WORK_BASE, pin, files, steps, pick)
        return Kept(
            *self.git.text("rev-parse", refs.WORK_BASE, refs.WORK, refs.PICK).split()
        )

    def stop(self, kept: Kept, *, conflict: bool) -> None:
        """Check out what is done; leave the conflict of the pick there, if it has one.

        :raises ForkError: a file of the maintainer is in the way.
        """
        self.put_away()
        self.checkout.clear_laid()
        with self.checkout.going(kept.done):
            if conflict:
                self._pick(kept.pick)

    def _pick(self, commit: str) -> None:
        """Leave the conflict of a commit in the work tree."""
        self.git(*MERGE_FLAGS, "cherry-pick", commit, fine=(0, 1))
        # Git appends the conflicts, and `git commit --no-edit` keeps them.
        message = self.git("log", "-1", "--format=%B", commit)
        self.checkout.folder.joinpath(".git", "MERGE_MSG").write_bytes(message)
        self.git("update-ref", refs.LEFT, self._snapshot())

    def taken(self, kept: Kept, patch: Patch, *, amend: bool) -> list[Step]:
        """The finished steps, including the maintainer's work on ``patch`` at the stop.

        That work is the changes in the work tree, or else the commits made there.

        :param amend: whether the changes amend the last commit instead of making a new
            one.
        :raises ForkError: the work is not finished; the error says what is left to do.
        """
        self._check_finished()
        if self._sha("HEAD") == kept.done:
            self.git("add", "--update")
            files = self.git.read_tree(self.git.text("write-tree"))
            parent = "HEAD^" if amend else "HEAD"
            below = self.git.read_tree(parent)
            made = fast_import.commit(
                refs.TAKEN,
                *fast_import.difference(below, files),
                parent=self._sha(parent),
                message=patch.message.render(),
                author=patch.author,
                stamp=patch.stamp,
            )
            self.git("fast-import", "--quiet", "--force", stdin=made)
            self.git("reset", "--quiet", "--soft", refs.TAKEN)
        elif changed := self.checkout.changed_files():
            raise ForkError(
                "there are uncommitted changes as well as new commits:"
                f" {', '.join(changed)}",
                where=self.checkout.shown,
                hint="commit the changes too, or put them away with `git stash`",
            )
        self.git("cherry-pick", "--quit")
        self.git("update-ref", refs.TAKEN, "HEAD")
        return self._steps(kept.base, "HEAD")

    def unexported(self) -> bytes:
        """The work that is not in ``patches/``, or at a stop not in the last commit.

        :return: a diff, as git writes it.
        """
        base = refs.KNOWN if self.checkout.on_queue() else "HEAD"
        return self.git("diff-tree", "-p", *DIFF_FLAGS, base, self._snapshot())

    def put_away(self) -> str | None:
        """Keep the changes in the work tree under a ref, and undo them there.

        :return: the ref, if there were any changes.
        """
        saved = None
        if self.checkout.changed_files():
            saved = self._save()
            self.git("reset", "--quiet", "--hard")
            # New files too, which would be in the way of every next command.
            self.git("clean", "--quiet", "--force", "-d")
        self.checkout.quit_under_way()
        return saved

    def leave(self) -> str | None:
        """Return to the queue, and keep any work that is not in it under a ref.

        :return: the ref, if there was any work.
        """
        saved = self.put_away() or self._save_commits()
        self.checkout.clear_laid()
        self.checkout.back_to_queue()
        self.clear()
        return saved

    def clear(self) -> None:
        """Delete what a sequence kept here, except for work that was put away."""
        # Everything is done by now, and leftovers do no harm.
        self.git.attempt(
            "update-ref",
            "--stdin",
            stdin="".join(f"delete {ref}\n" for ref in refs.OF_A_SEQUENCE).encode(),
        )
        # Each sequence leaves packs behind.
        packs = self.checkout.folder / ".git" / "objects" / "pack"
        if len(list(packs.glob("*.pack"))) > _PACKS:
            self.git.attempt("gc", "--quiet")

    def _steps(self, base: str, tip: str) -> list[Step]:
        files = self.git.read_tree(base)
        steps = []
        for patch in commits.read(self.git, base, tip, where=self.checkout.shown):
            files = apply_patches([patch], files)
            steps.append(Step(patch, files))
        return steps

    def _check_finished(self) -> None:
        """Make sure that every conflict is resolved and every file known to git.

        :raises ForkError: something is left to do.
        """
        status = self.git("status", "--porcelain", "-z", "--no-renames")
        entries = [
            (line[:2].decode(), line[3:].decode("utf-8", "surrogateescape"))
            for line in status.split(b"\0")
            if line
        ]
        problems = []
        for state, path in entries:
            file = self.checkout.folder / path
            if state == "??":
                problems.append(
                    self._unfinished(path, "is untracked", "git add it, or remove it")
                )
            elif file.is_file() and _MARKERS.search(file.read_bytes()):
                problems.append(
                    self._unfinished(
                        path,
                        "still has conflict markers",
                        "resolve the conflicts in it",
                    )
                )
            elif state in _UNMERGED and state != "UU":
                problems.append(
                    self._unfinished(
                        path,
                        "exists on one side only",
                        "git add it to keep it, or git rm it",
                    )
                )
        raise_findings(problems)

    def _unfinished(self, path: str, what: str, hint: str) -> ForkError:
        return ForkError(
            what,
            where=f"{self.checkout.shown}/{path}",
            hint=f"{hint}; then run the command again",
        )

    def _save(self) -> str | None:
        """Commit the work tree to a ref, unless it is as the stop left it."""
        tree = self._snapshot()
        if tree == self.git.text(
            "rev-parse", "--quiet", "--verify", refs.LEFT, fine=(0, 1)
        ):
            return None
        return self._keep(
            self.git.text("commit-tree", tree, "-p", "HEAD", "-m", "work put away")
        )

    def _snapshot(self) -> str:
        """The tree of all files in the work tree."""
        index = self.checkout.folder / ".git" / "fork-snapshot-index"
        git = Git(self.git.folder, index)
        try:
            git("add", "--all")
            return git.text("write-tree")
        finally:
            index.unlink(missing_ok=True)

    def _save_commits(self) -> str | None:
        head = self._sha("HEAD")
        known = [refs.WORK, refs.QUEUE]
        if any(self.git.holds("merge-base", "--is-ancestor", head, r) for r in known):
            return None
        return self._keep(head)

    def _keep(self, sha: str) -> str:
        ref = f"{refs.SAVED}/{sha[:10]}"
        self.git("update-ref", ref, sha)
        return ref

    def _sha(self, ref: str) -> str:
        return self.git.text("rev-parse", "--verify", f"{ref}^{{commit}}")
