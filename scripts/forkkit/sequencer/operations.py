"""The log of operations, each of which can be undone and redone.

Each operation is a commit in the checkout whose parent is the operation before it; the
commit holds the changed files as they were before and after. One ref points to the last
operation, another to the last one that is not undone.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timezone

from ..base import fast_import
from ..base import transaction
from ..base.errors import ForkError
from ..base.files import check_path
from ..base.files import Files
from ..base.files import read
from ..base.paths import Project
from ..queue import refs
from ..queue.checkout import Checkout
from ..queue.export import Contents
from ..queue.fork import Fork
from ..upstream import releases
from .journal import check_idle

_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True)
class Operation:
    """What a verb changed.

    :param sha: the commit that records it.
    :param what: the command, such as ``drop teardown-all``.
    :param when: when the command was run.
    :param before: the previous content of each changed file, unless it was added.
    :param after: the new content of each changed file, unless it was removed.
    """

    sha: str
    what: str
    when: datetime
    before: Files
    after: Files

    @property
    def paths(self) -> list[str]:
        """The files that the operation added, changed or removed."""
        return sorted(self.before.keys() | self.after.keys())


@dataclass(frozen=True)
class Log:
    """The operations of a project, oldest first.

    :param checkout: where they are kept.
    :param shas: the commits of all operations, including the undone ones.
    :param done: how many of them are in effect; the others are undone.
    """

    checkout: Checkout
    shas: tuple[str, ...]
    done: int

    def __getitem__(self, number: int) -> Operation:
        """An operation, by its place.

        :raises ForkError: it is damaged.
        """
        return _read(self.checkout, self.shas[number])


@contextlib.contextmanager
def recorded(
    project: Project, checkout: Checkout, what: str, contents: Contents
) -> t.Iterator[None]:
    """Record the change that the ``with`` block makes, so that it can be undone.

    :param what: the command.
    :param contents: the new content of each file; ``None`` to remove it.
    """
    names = {path.relative_to(project.root).as_posix(): path for path in contents}
    before = _present(project, names)
    after = {n: data for n, p in names.items() if (data := contents[p]) is not None}
    form = ("for-each-ref", "--format=%(objectname)")
    there = {ref: checkout.git.text(*form, ref) for ref in (refs.LOG, refs.LOG_AT)}
    if before != after:
        last = _last(project, checkout)
        _append(checkout, what, before, after, last)
        _move(checkout, last)
    try:
        yield
    except ForkError:
        # Otherwise the change is in effect, or will be with the next command.
        if _present(project, names) == before and not project.transaction.exists():
            for ref, sha in there.items():
                _move(checkout, sha, ref=ref)
        raise
    if before != after:
        checkout.git("update-ref", refs.LOG_AT, refs.LOG)


def load(project: Project, checkout: Checkout) -> Log:
    """Read the log.

    :raises ForkError: there is no checkout, or the log is damaged.
    """
    checkout.check_ours()
    shas, done = _shas(checkout, refs.LOG), _shas(checkout, refs.LOG_AT)
    if shas[: len(done)] != done:
        raise _damaged(checkout)
    log = Log(checkout, tuple(shas), len(done))
    # A killed command may have changed the files without moving the ref.
    if log.done < len(shas) and _is_done(project, log[log.done]):
        return replace(log, done=log.done + 1)
    if log.done and _is_undone(project, log[log.done - 1]):
        return replace(log, done=log.done - 1)
    return log


def undo(project: Project, checkout: Checkout) -> Operation:
    """Undo the last operation that is in effect.

    :return: the operation.
    :raises ForkError: there is none, or its files have changed since; nothing was
        changed.
    """
    log = load(project, checkout)
    if not log.done:
        raise _nothing("undo", checkout)
    operation = log[log.done - 1]
    below = log.shas[log.done - 2] if log.done > 1 else None
    _go(project, checkout, operation, operation.after, operation.before, below)
    return operation


def redo(project: Project, checkout: Checkout) -> Operation:
    """Redo the operation that was undone last.

    :return: the operation.
    :raises ForkError: there is none, or its files have changed since; nothing was
        changed.
    """
    log = load(project, checkout)
    if log.done == len(log.shas):
        raise _nothing("redo", checkout)
    operation = log[log.done]
    _go(project, checkout, operation, operation.before, operation.after, operation.sha)
    return operation


def _go(
    project: Project,
    checkout: Checkout,
    operation: Operation,
    expected: Files,
    wanted: Files,
    at: str | None,
) -> None:
    """Replace the files of an operation, and update the checkout to match.

    :param expected: the content that the files must have now.
    :param wanted: the content to give them.
    :param at: the last operation that is in effect afterwards.
    """
    check_idle(project)
    checkout.check_nothing_unsaved()
    present = _present(project, operation.paths)
    if changed := [p for p in operation.paths if present.get(p) != expected.get(p)]:
        raise ForkError(
            f"{', '.join(changed)} changed since `{operation.what}`",
            hint="undo these changes first, with git for example; `scripts/fork log`"
            " lists the operations",
        )

    def follow() -> None:
        fork = Fork.load(project)
        releases.fetch(project, fork.pin)
        checkout.apply(fork)

    contents = {project.root / path: wanted.get(path) for path in operation.paths}
    transaction.commit(project, contents, follow)
    _move(checkout, at)


def _move(checkout: Checkout, at: str | None, ref: str = refs.LOG_AT) -> None:
    """Make an operation the last one that is in effect, or that there is."""
    command = (ref, at) if at else ("-d", ref)
    checkout.git("update-ref", *command)


def _last(project: Project, checkout: Checkout) -> str | None:
    """The last operation in effect; ``None`` if a damaged log has to begin anew."""
    try:
        log = load(project, checkout)
    except ForkError:
        return None
    return log.shas[log.done - 1] if log.done else None


def _append(
    checkout: Checkout, what: str, before: Files, after: Files, last: str | None
) -> None:
    """Add an operation after the last one in effect; the undone ones are forgotten."""
    files = {f"{_BEFORE}/{path}": data for path, data in before.items()}
    files |= {f"{_AFTER}/{path}": data for path, data in after.items()}
    stamp = f"{int(time.time())} +0000"
    if last:
        made = fast_import.commit(
            *(refs.LOG, files, (_BEFORE, _AFTER)),
            parent=last,
            message=what,
            stamp=stamp,
        )
    else:
        made = fast_import.root(refs.LOG, files, what, stamp=stamp)
    checkout.git("fast-import", "--quiet", "--force", stdin=made)


def _shas(checkout: Checkout, ref: str) -> list[str]:
    """The commits of the log up to a ref, oldest first; none if the ref is missing."""
    if not checkout.git.holds("show-ref", "--quiet", "--verify", ref):
        return []
    done = checkout.git.attempt("rev-list", "--reverse", ref)
    if done.returncode:
        raise _damaged(checkout)
    return done.stdout.decode().split()


def _read(checkout: Checkout, sha: str) -> Operation:
    stamp, what = checkout.git.text("log", "-1", "--format=%ct%n%B", sha).split("\n", 1)
    when = datetime.fromtimestamp(int(stamp), timezone.utc)
    sides: dict[str, Files] = {_BEFORE: {}, _AFTER: {}}
    for path, data in checkout.git.read_tree(sha).items():
        side, _, name = path.partition("/")
        if side not in sides:
            raise _damaged(checkout)
        sides[side][check_path(name, where=checkout.shown)] = data
    return Operation(sha, what.strip(), when, sides[_BEFORE], sides[_AFTER])


def _present(project: Project, paths: t.Iterable[str]) -> Files:
    """The current content of those files of the project that exist."""
    found = {path: project.root / path for path in paths}
    hint = "give read access to it"
    return {n: read(file, hint=hint) for n, file in found.items() if file.exists()}


def _is_done(project: Project, operation: Operation) -> bool:
    return _present(project, operation.paths) == operation.after


def _is_undone(project: Project, operation: Operation) -> bool:
    return _present(project, operation.paths) == operation.before


def _damaged(checkout: Checkout) -> ForkError:
    return ForkError(
        "the log of operations is damaged",
        where=checkout.shown,
        hint=f"delete it with `git -C {checkout.shown} update-ref -d {refs.LOG}` and"
        f" `git -C {checkout.shown} update-ref -d {refs.LOG_AT}`; the project is not"
        " affected",
    )


def _nothing(verb: str, checkout: Checkout) -> ForkError:
    return ForkError(
        f"there is nothing to {verb}",
        where=checkout.shown,
        hint="`scripts/fork log` lists the operations",
    )
