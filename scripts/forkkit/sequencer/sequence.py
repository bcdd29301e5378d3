"""Making the queue anew, patch by patch, with stops where the maintainer is needed.

Until the end nothing but the checkout changes; then pin, patches and changelog change
all at once. What is done are commits in the checkout, and the journal has the rest.
"""

from __future__ import annotations

import pathlib
import shlex
import sys
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from ..base import changelog
from ..base import transaction
from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import Project
from ..base.files import read
from ..carry import changes as replay
from ..carry import merge
from ..carry import resolutions
from ..carry import story
from ..carry.changes import Change
from ..carry.changes import Outcome
from ..carry.resolutions import Memory
from ..carry.resolutions import Resolution
from ..queue import export as exports
from ..queue import queue as queues
from ..queue.commits import Step
from ..upstream import releases
from ..upstream import source as upstream
from . import disabled
from . import journal as journals
from .journal import Journal
from .worktree import Bench
from .worktree import Kept


class Stopped(ForkError):
    """A sequence waits for the maintainer."""

    exit_code = 3
    label = "stopped"


@dataclass
class Result:
    """What a finished sequence has done.

    :param outcomes: the name of each patch, and what became of it.
    :param written: the files of the project that changed.
    :param replayed: the resolutions of conflicts that were used again.
    """

    outcomes: tuple[tuple[str, str], ...]
    written: list[pathlib.Path] = field(default_factory=list)
    replayed: list[Resolution] = field(default_factory=list)


def begin(
    project: Project, bench: Bench, journal: Journal, added: list[Change] | None = None
) -> Result:
    """Run a new sequence.

    :param added: patches that the queue does not have yet, each made to what the last
        one made.
    :raises Stopped: it waits for the maintainer.
    :raises ForkError: there is work in the checkout that is not exported; nothing was
        changed.
    """
    journals.check_idle(project)
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    exports.settle(project, bench.tree)
    bench.tree.apply(pin, upstream.files(project, pin), queue.patches)
    if added:
        journal = replace(journal, incoming=bench.take_in(pin, added))
    return _advance(project, bench, journal, [])


def proceed(project: Project, bench: Bench) -> Result:
    """Take what the maintainer has done at a stop, and go on.

    :raises Stopped: it waits for the maintainer again.
    :raises ForkError: nothing is stopped, or the work is not finished there.
    """
    journal = _load_stopped(project, bench)
    if not journal.there:
        # Killed while it was about to stop: nobody has seen the work tree yet.
        kept = Kept(*journal.commits)
        done = bench.done(kept, but_last=journal.why == "edit")
        return _advance(project, bench, journal, done)
    if journal.why == "absorbed":
        raise stopped(bench, journal)

    change = _changes(project, bench, journal)[journal.todo[0]]
    done = bench.taken(
        Kept(*journal.commits), change.patch, amend=journal.why == "edit"
    )
    kind = "edited"
    if journal.why == "conflict":
        journal, kind = _remember(project, journal, change, done), "resolved"
        done = _folded(journal, done)
    return _advance(project, bench, replace(_after(journal, kind), edit=None), done)


def skip(project: Project, bench: Bench, reason: str | None = None) -> Result:
    """Leave the patch out at which a sequence is stopped, and go on.

    :param reason: why, for the changelog, if not for what was told at the stop.
    :raises Stopped: it waits for the maintainer again.
    :raises ForkError: it is stopped to edit a patch.
    """
    journal = _load_stopped(project, bench)
    if journal.why == "edit":
        raise ForkError(
            f"it is stopped to edit {journal.todo[0]}, there is nothing to skip",
            where=bench.tree.shown,
            mend="`scripts/fork refresh` goes on, `scripts/fork rebase --abort` back",
        )
    why = journal.reason if reason is None else changelog.clause(reason)
    done = bench.done(Kept(*journal.commits))
    bench.put_away()
    dropped = (*journal.dropped, (journal.todo[0], why))
    journal = replace(_after(journal, "dropped"), dropped=dropped)
    return _advance(project, bench, journal, done)


def abort(project: Project, bench: Bench) -> str | None:
    """Go back to where the sequence began.

    :return: the ref that keeps what was changed in the work tree, if anything was.
    :raises ForkError: nothing is stopped.
    """
    if not project.journal.exists():
        raise _idle(project)
    saved = bench.leave() if bench.tree.exists() else None
    transaction.commit(project, {project.journal: None})
    return saved


def load(project: Project) -> Journal:
    """The journal of the stopped sequence.

    :raises ForkError: none is stopped, or the journal is damaged.
    """
    if not project.journal.exists():
        raise _idle(project)
    where = project.relative(project.journal)
    data = read(project.journal, mend="give read access to it")
    return journals.parse(data, where=where)


def _load_stopped(project: Project, bench: Bench) -> Journal:
    """The journal, whose checkout is there."""
    journal = load(project)
    if not bench.tree.exists():
        raise ForkError(
            "the checkout in which a command was stopped is gone",
            where=bench.tree.shown,
            mend="run `scripts/fork rebase --abort`, and begin again",
        )
    releases.fetch(project, journal.pin)
    return journal


def _advance(
    project: Project, bench: Bench, journal: Journal, steps: list[Step]
) -> Result:
    """Carry the patches that are left, until one of them needs the maintainer."""
    new = upstream.files(project, journal.pin)
    changes = _changes(project, bench, journal)
    memory = Memory({**resolutions.load(project), **_new_resolutions(journal)})
    with merge.scratch() as merger:
        while journal.todo:
            name = journal.todo[0]
            below = steps[-1].files if steps else new
            outcome = replay.carry(changes[name], below, merger, memory)
            if outcome.kind == "resolved":
                asked = memory.file_name(changes[name], below, outcome.conflicts)
                journal = replace(journal, replayed=(*journal.replayed, asked))
            why = _why_to_stop(journal, outcome)
            if outcome.kind not in {"conflict", "absorbed"}:
                steps.append(Step(changes[name].patch, outcome.files))
                steps = _folded(journal, steps)
            if why:
                journal = replace(journal, why=why, conflicts=outcome.conflicts)
                if why == "edit":
                    tests = _how_to_test(project, bench, changes[name])
                    journal = replace(journal, story=(tests,))
                else:
                    carried = [n for n, k in journal.outcomes if k != "dropped"]
                    upto = [changes[other] for other in (*carried, name)]
                    told = story.tell(project, upto, outcome, journal.pin, merger)
                    journal = replace(journal, story=told.lines, reason=told.reason)
                raise _stop(project, bench, journal, new, steps, changes[name])
            journal = _after(journal, outcome.kind)
    return _finish(project, bench, journal, new, steps)


def _how_to_test(project: Project, bench: Bench, change: Change) -> str:
    """How the tests of a patch are run at a stop."""
    tests = project.root / change.patch.trailer("Tests")
    command = shlex.join([sys.executable, "-m", "pytest", str(tests)])
    return f"its tests run there: cd {bench.tree.shown} && PYTHONPATH=src {command}"


def _after(journal: Journal, kind: str) -> Journal:
    """The journal when the first patch of those that were left is done."""
    return replace(
        journal,
        todo=journal.todo[1:],
        outcomes=(*journal.outcomes, (journal.todo[0], kind)),
        why=None,
        conflicts=(),
        story=(),
        reason="",
        there=False,
    )


def _folded(journal: Journal, steps: list[Step]) -> list[Step]:
    """``steps``, the last one folded into the one before if it shall be."""
    if steps[-1].patch.name != journal.fold:
        return steps
    *rest, into, folded = steps
    return [*rest, Step(into.patch, folded.files)]


def _why_to_stop(journal: Journal, outcome: Outcome) -> str | None:
    if outcome.kind in {"conflict", "absorbed"}:
        return outcome.kind
    return "edit" if outcome.name == journal.edit else None


def _stop(
    project: Project,
    bench: Bench,
    journal: Journal,
    new: Files,
    steps: list[Step],
    change: Change,
) -> Stopped:
    kept = bench.prepare(journal.pin, new, steps, change)
    journal = replace(journal, commits=kept)
    # If it is killed from here on, the next command comes back to this patch.
    transaction.commit(
        project, {project.journal: journals.render(replace(journal, there=False))}
    )
    bench.stop(kept, conflict=journal.why == "conflict")
    transaction.commit(
        project, {project.journal: journals.render(replace(journal, there=True))}
    )
    return stopped(bench, journal)


def stopped(bench: Bench, journal: Journal) -> Stopped:
    """What there is to say of a stop."""
    name = journal.todo[0]
    mends = {
        "conflict": "resolve it there, then `scripts/fork rebase --continue`",
        "absorbed": "its lines are in the release: leave it out with"
        " `scripts/fork rebase --skip`",
        "edit": "change it there, then `scripts/fork refresh`",
    }
    what = {
        "conflict": f"{name} conflicts in {', '.join(journal.conflicts)}",
        "absorbed": f"{name} changes nothing any more",
        "edit": f"at {name}, to change it",
    }
    return Stopped(
        "\n  ".join([what[str(journal.why)], *journal.story]),
        where=bench.tree.shown,
        mend=f"{mends[str(journal.why)]}; `scripts/fork rebase --abort` goes back",
    )


def _remember(
    project: Project, journal: Journal, change: Change, done: list[Step]
) -> Journal:
    """The journal with how the conflict was resolved at which it is stopped."""
    new = upstream.files(project, journal.pin)
    ours = done[-2].files if len(done) > 1 else new
    with merge.scratch() as merger:
        outcome = replay.carry(change, ours, merger)
    found = resolutions.record(
        change,
        ours,
        outcome.files,
        outcome.conflicts,
        done[-1].files,
        done[-1].patch.diffs,
    )
    if found is None:
        return journal
    text = resolutions.render(found).decode("utf-8", "surrogateescape")
    return replace(journal, resolved=(*journal.resolved, (found.file_name, text)))


def _new_resolutions(journal: Journal) -> dict[str, Resolution]:
    return {
        name: resolutions.parse(text.encode("utf-8", "surrogateescape"), where=name)
        for name, text in journal.resolved
    }


def _finish(
    project: Project, bench: Bench, journal: Journal, new: Files, steps: list[Step]
) -> Result:
    """Change everything at once."""
    patches = bench.render(journal.pin, new, steps)
    dropped = [name for name, _ in journal.dropped]
    dropped += [journal.fold] if journal.fold else []
    contents = exports.contents(
        project, journal.pin, patches, dropped, journal.disabled
    )
    contents |= disabled.carried(project, journal.pin, new, steps)
    for name, text in journal.resolved:
        contents[project.resolutions / name] = text.encode("utf-8", "surrogateescape")
    contents |= releases.moved(project, journal.pin, journal.dropped)
    transaction.commit(project, {**contents, project.journal: None})
    bench.adopt()
    known = {**resolutions.load(project), **_new_resolutions(journal)}
    replayed = [known[name] for name in journal.replayed]
    return Result(journal.outcomes, list(contents), replayed)


def _changes(project: Project, bench: Bench, journal: Journal) -> dict[str, Change]:
    """The patches of the project, and those that are added, by name."""
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    files = upstream.files(project, pin)
    found = replay.changes(queue.patches, files)
    found += disabled.changes(queue, files, set(journal.todo))
    if journal.incoming:
        found += bench.taken_in(journal.incoming)
    return {change.patch.name: change for change in found}


def _idle(project: Project) -> ForkError:
    return ForkError(
        "no command is stopped here",
        where=project.relative(project.checkout),
        mend="`scripts/fork status` tells how things are",
    )
