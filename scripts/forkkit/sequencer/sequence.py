"""Rebuilds the queue patch by patch, and stops where it needs the maintainer.

Until the end only the checkout changes; then the pin, patches and changelog change all
at once. Finished patches are commits in the checkout; the journal holds the rest.
"""

from __future__ import annotations

import pathlib
import shlex
import sys
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from ..base import changelog
from ..base import transaction
from ..base.errors import ForkError
from ..base.files import Files
from ..base.paths import Project
from ..carry import merge
from ..carry import resolutions
from ..carry import story
from ..carry.changes import carry
from ..carry.changes import Change
from ..carry.changes import changes_of
from ..carry.changes import Outcome
from ..carry.merge import Merger
from ..carry.resolutions import Memory
from ..carry.resolutions import Resolution
from ..queue import export
from ..queue.commits import Step
from ..queue.fork import Fork
from ..upstream import releases
from ..upstream.pin import Pin
from ..upstream.source import release_files
from . import disabled
from . import operations
from . import overlay
from . import repin
from .journal import check_idle
from .journal import Ending
from .journal import idle
from .journal import Journal
from .journal import Plan
from .journal import Progress
from .journal import Stop
from .journal import Why
from .worktree import Worktree


class Stopped(ForkError):
    """A sequence waits for the maintainer."""

    exit_code = 3
    label = "stopped"


@dataclass
class Result:
    """What a finished sequence did.

    :param endings: each patch, and what became of it.
    :param written: the files of the project that changed.
    :param replayed: the conflict resolutions that were reused.
    :param pin: the release that the queue is on now.
    :param files: all files after the queue.
    """

    endings: tuple[tuple[str, Ending], ...]
    written: list[pathlib.Path]
    replayed: list[Resolution]
    pin: Pin
    files: Files = field(repr=False)


def begin(
    fork: Fork,
    worktree: Worktree,
    plan: Plan,
    *,
    progress: Progress | None = None,
    added: list[Change] | None = None,
) -> Result:
    """Run a new sequence.

    :param progress: what is decided in advance, such as patches to drop.
    :param added: patches that are not in the queue yet, each on top of the one before.
    :raises Stopped: it waits for the maintainer.
    :raises ForkError: the checkout has unexported work; nothing was changed.
    """
    check_idle(fork.project)
    export.settle(fork, worktree.checkout)
    worktree.checkout.apply(fork)
    plan = replace(plan, hashes=fork.hashes)
    if added:
        plan = replace(plan, incoming=worktree.take_in(plan.pin, added))
    return _Run(fork, worktree).advance(Journal(plan, progress or Progress()), [])


def proceed(fork: Fork, worktree: Worktree) -> Result:
    """Take the maintainer's work at a stop, and resume the sequence.

    :raises Stopped: it waits for the maintainer again.
    :raises ForkError: no sequence is stopped, or the work at the stop is not finished.
    """
    journal = _load_stopped(fork, worktree)
    run, stop, name = _Run(fork, worktree), journal.stopped, journal.todo[0]
    if not stop.there:
        # Killed before it reached the stop: the maintainer has not worked there yet.
        done = worktree.done(stop.kept, but_last=stop.why == "edit")
        return run.advance(replace(journal, stop=None), done)
    if stop.why == "absorbed":
        raise stopped(worktree, journal)

    change = run.changes(journal)[name]
    done = worktree.taken(stop.kept, change.patch, amend=stop.why == "edit")
    if stop.why == "edit":
        return run.advance(
            journal.going_on(journal.progress.ended(name, "edited")), done
        )
    progress = run.remember(journal, change, done).ended(name, "resolved")
    return run.advance(journal.going_on(progress), _folded(journal.plan, done))


def skip(fork: Fork, worktree: Worktree, reason: str | None = None) -> Result:
    """Leave out the patch at which a sequence is stopped, and resume the sequence.

    :param reason: why, for the changelog; by default the reason given at the stop.
    :raises Stopped: it waits for the maintainer again.
    :raises ForkError: no sequence is stopped, or it is stopped to edit a patch.
    """
    journal = _load_stopped(fork, worktree)
    stop, name = journal.stopped, journal.todo[0]
    if stop.why == "edit":
        raise ForkError(
            f"stopped to edit {name}; there is no patch to skip",
            where=worktree.checkout.shown,
            hint="finish the edit with `scripts/fork refresh`, or undo it with"
            " `scripts/fork abort`",
        )
    why = stop.reason if reason is None else changelog.clause(reason)
    done = worktree.done(stop.kept)
    worktree.put_away()
    progress = journal.progress.without(name, why)
    return _Run(fork, worktree).advance(journal.going_on(progress), done)


def abort(project: Project, worktree: Worktree) -> str | None:
    """Return to the state before the sequence. Does not read the journal.

    :return: the ref that keeps the maintainer's work at the stop, if there was any.
    :raises ForkError: no sequence is stopped.
    """
    if not project.journal.exists():
        raise idle(project)
    saved = worktree.leave() if worktree.checkout.exists() else None
    transaction.commit(project, {project.journal: None})
    return saved


def stopped(worktree: Worktree, journal: Journal) -> Stopped:
    """The report of a stop: where it is, why, and what to do."""
    stop, name, plan = journal.stopped, journal.todo[0], journal.plan
    what: dict[Why, str] = {
        "conflict": f"{name} conflicts in {', '.join(stop.conflicts)}",
        "absorbed": f"{name} no longer changes anything",
        "edit": f"at {name}, to change it",
    }
    hints: dict[Why, str] = {
        "conflict": "resolve it there, then `scripts/fork continue`, or leave the patch"
        " out with `scripts/fork skip`",
        "absorbed": "the release already has its changes: leave it out with"
        " `scripts/fork skip`",
        "edit": "change it there, then `scripts/fork refresh`",
    }
    place = f"{journal.position}, in `{plan.command}`"
    dropped = [f"already dropped: {n}, {why}" for n, why in journal.progress.dropped]
    return Stopped(
        "\n  ".join([what[stop.why], place, *dropped, *stop.story]),
        where=worktree.checkout.shown,
        hint=f"{hints[stop.why]}; `scripts/fork abort` undoes the command",
    )


def _load_stopped(fork: Fork, worktree: Worktree) -> Journal:
    """The journal of the stopped sequence, once its checkout is known to exist."""
    project = fork.project
    journal = Journal.load(project)
    if not worktree.checkout.exists():
        raise ForkError(
            "the checkout of the stopped command is gone",
            where=worktree.checkout.shown,
            hint="run `scripts/fork abort`, and start again",
        )
    _check_same(fork, journal.plan)
    releases.fetch(project, journal.plan.pin)
    return journal


def _check_same(fork: Fork, plan: Plan) -> None:
    """Make sure that the project is still what a sequence began with.

    :raises ForkError: a file has changed, which going on would change back.
    """
    paths = sorted(plan.hashes.keys() | fork.hashes.keys())
    changed = [path for path in paths if plan.hashes.get(path) != fork.hashes.get(path)]
    if changed:
        raise ForkError(
            f"{', '.join(changed)} changed since `{plan.command}` stopped",
            where=fork.project.relative(fork.project.journal),
            hint="undo these changes, with git for example; or run"
            " `scripts/fork abort`, which keeps your work in the checkout under a ref",
        )


@dataclass(frozen=True)
class _Run:
    """One run of a sequence, to its end or its next stop."""

    fork: Fork
    worktree: Worktree

    def advance(self, journal: Journal, steps: list[Step]) -> Result:
        """Carry the remaining patches until one of them needs the maintainer.

        :param steps: the patches that are done.
        """
        new = self._files(journal.plan.pin)
        changes = self.changes(journal)
        memory = Memory.load(self.fork.project).knowing(journal.progress.resolved)
        with merge.scratch() as merger:
            while journal.todo:
                change = changes[journal.todo[0]]
                below = steps[-1].files if steps else new
                outcome = carry(change, below, merger, memory)
                if outcome.kind == "resolved":
                    asked = memory.file_name(change, below, outcome.conflicts)
                    journal = _replayed(journal, asked)
                if not outcome.stops:
                    steps.append(Step(change.patch, outcome.files))
                    steps = _folded(journal.plan, steps)
                if why := _why_to_stop(journal.plan, outcome):
                    kept = self.worktree.prepare(journal.plan.pin, new, steps, change)
                    stop = self._told(
                        Stop(why, kept), journal, changes, outcome, merger
                    )
                    raise self._stop(replace(journal, stop=stop))
                progress = journal.progress.ended(outcome.name, outcome.kind)
                journal = replace(journal, progress=progress)
        return self._finish(journal, new, steps, memory)

    def changes(self, journal: Journal) -> dict[str, Change]:
        """The changes of the project's patches and of added ones, by name."""
        found = changes_of(self.fork.queue.patches, self.fork.files)
        found += disabled.changes(self.fork, set(journal.todo))
        if journal.plan.incoming:
            found += self.worktree.taken_in(journal.plan.incoming)
        by_name = {change.patch.name: change for change in found}
        if missing := [name for name in journal.todo if name not in by_name]:
            raise ForkError(
                f"there is no patch {', '.join(missing)} to go on with",
                where=self.fork.project.relative(self.fork.project.journal),
                hint="run `scripts/fork abort`, and start again",
            )
        return by_name

    def remember(self, journal: Journal, change: Change, done: list[Step]) -> Progress:
        """The progress with the resolution of the conflict at which it stopped."""
        ours = done[-2].files if len(done) > 1 else self._files(journal.plan.pin)
        with merge.scratch() as merger:
            outcome = carry(change, ours, merger)
        step = done[-1]
        found = resolutions.record(
            *(change, ours, outcome.files, outcome.conflicts),
            *(step.files, step.patch.diffs),
        )
        progress = journal.progress
        if found is None:
            return progress
        return replace(progress, resolved=(*progress.resolved, found))

    def _told(
        self,
        stop: Stop,
        journal: Journal,
        changes: t.Mapping[str, Change],
        outcome: Outcome,
        merger: Merger,
    ) -> Stop:
        """The stop with its explanation for the maintainer."""
        tests = self._how_to_test(changes[outcome.name], journal.plan.pin)
        if stop.why == "edit":
            return replace(stop, story=(tests,))
        carried = [n for n, kind in journal.progress.endings if kind != "dropped"]
        upto = [changes[name] for name in (*carried, outcome.name)]
        told = story.tell(self.fork, upto, outcome, journal.plan.pin, merger)
        return replace(
            stop,
            conflicts=outcome.conflicts,
            story=(*told.lines, *([tests] if stop.why == "conflict" else [])),
            reason=told.reason,
        )

    def _how_to_test(self, change: Change, pin: Pin) -> str:
        """How the tests of a patch are run at a stop."""
        tests = self.fork.project.root / change.patch.trailer("Tests")
        command = shlex.join([sys.executable, "-m", "pytest", str(tests)])
        path = pathlib.PurePosixPath(pin.package).parent
        folder = shlex.quote(self.worktree.checkout.shown)
        return f"to run its tests: cd {folder} && PYTHONPATH={path} {command}"

    def _stop(self, journal: Journal) -> Stopped:
        """Leave the checkout at the stop of a journal."""
        stop, project = journal.stopped, self.fork.project
        # If it is killed from here on, the next command returns to this patch.
        transaction.commit(
            project,
            {project.journal: journal.render()},
            then=lambda: self.worktree.stop(stop.kept, conflict=stop.why == "conflict"),
        )
        overlay.lay(self.fork, self.worktree.checkout, journal.plan.pin)
        journal = replace(journal, stop=replace(stop, there=True))
        transaction.commit(project, {project.journal: journal.render()})
        return stopped(self.worktree, journal)

    def _finish(
        self, journal: Journal, new: Files, steps: list[Step], memory: Memory
    ) -> Result:
        """Change the whole project at once."""
        fork, plan, progress = self.fork, journal.plan, journal.progress
        project = fork.project
        patches = self.worktree.render(plan.pin, new, steps)
        gone = [name for name, _ in progress.dropped]
        gone += [plan.fold] if plan.fold else []
        contents = export.contents(fork, plan.pin, new, patches, gone, plan.disabled)
        contents |= disabled.carried(fork, new, steps)
        for found in progress.resolved:
            contents[project.resolutions / found.file_name] = found.render()
        contents |= repin.contents(fork, plan.pin, progress.dropped)
        with operations.recorded(
            project, self.worktree.checkout, plan.command, contents
        ):
            transaction.commit(
                project,
                {**contents, project.journal: None},
                then=self.worktree.adopt,
            )
        self.worktree.clear()
        replayed = [memory.known[name] for name in progress.replayed]
        files = steps[-1].files if steps else new
        return Result(progress.endings, list(contents), replayed, plan.pin, files)

    def _files(self, pin: Pin) -> Files:
        """All files of a release."""
        if pin == self.fork.pin:
            return self.fork.files
        return release_files(self.fork.project, pin)


def _replayed(journal: Journal, name: str) -> Journal:
    """The journal with one more reused resolution."""
    progress = journal.progress
    replayed = (*progress.replayed, name)
    return replace(journal, progress=replace(progress, replayed=replayed))


def _folded(plan: Plan, steps: list[Step]) -> list[Step]:
    """``steps``, with the last one folded into the one before if ``plan`` says so."""
    if steps[-1].patch.name != plan.fold:
        return steps
    *rest, into, folded = steps
    return [*rest, Step(into.patch, folded.files)]


def _why_to_stop(plan: Plan, outcome: Outcome) -> Why | None:
    if outcome.kind == "conflict" or outcome.kind == "absorbed":
        return outcome.kind
    return "edit" if outcome.name == plan.edit else None
