"""From the commits in the checkout back to the files in ``patches/``."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t
from dataclasses import replace

from ..base import diff
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.paths import Project
from ..upstream.pin import Pin
from . import refs
from .checkout import Checkout
from .fork import Fork
from .patch import Patch
from .queue import apply_patches
from .queue import misplaced
from .queue import Queue
from .series import Series

#: The new content of files; ``None`` for one to delete.
Contents = dict[pathlib.Path, t.Optional[bytes]]


def plan(fork: Fork, checkout: Checkout) -> Contents:
    """Work out what an export of the checkout would change in ``patches/``.

    :return: the new content of each file that would change.
    :raises ForkError: a commit cannot be written as a patch, or the commit of a listed
        patch is missing.
    """
    return contents(fork, fork.pin, fork.source.package, checkout.patches())


def check_ready(fork: Fork, checkout: Checkout) -> None:
    """Make sure that an export loses nothing.

    :raises ForkError: there are uncommitted changes, or ``patches/`` was changed since
        the checkout was made.
    """
    checkout.check_at_rest()
    settle(fork, checkout)
    _check_current(fork, checkout)


def settle(fork: Fork, checkout: Checkout) -> None:
    """Record the commits as exported if ``patches/`` already has them.

    An export that is killed at its very end does not record that.
    """
    # Commits that cannot be exported are not exported yet.
    with contextlib.suppress(ForkError):
        if checkout.exists() and not checkout.exported() and not plan(fork, checkout):
            checkout.mark_exported()


def contents(
    fork: Fork,
    pin: Pin,
    files: Files,
    patches: t.Sequence[Patch],
    dropped: t.Collection[str] = (),
    disabled: t.Collection[str] = (),
) -> Contents:
    """The changes that make ``patches/`` hold other patches.

    A patch on disk that says the same and leads to the same files is kept byte for
    byte: an export alone gives nobody a diff to review.

    :param pin: the release that the patches are for.
    :param files: those of that release.
    :param dropped: the patches to delete.
    :param disabled: the patches to keep without applying them.
    :return: the new content of each file that changes; ``None`` for one to delete.
    :raises ForkError: as :func:`plan`.
    """
    project, queue = fork.project, fork.queue
    left_out = {*dropped, *disabled}
    listed = [patch.name for patch in queue.patches if patch.name not in left_out]
    _check_names(project, listed, patches)
    _check_readable(project, pin, patches)

    there = {patch.name: patch for patch in (*queue.patches, *queue.disabled)}
    changes: Contents = {}
    for patch in patches:
        before, files = files, apply_patches([patch], files)
        if not say_the_same(there.get(patch.name), patch, before, files):
            changes[project.root / patch.where] = patch.render()
    if (series := _series(queue, patches, disabled)) != queue.series:
        changes[project.series] = series.render()
    for name in dropped:
        changes[project.patches / f"{name}.patch"] = None
    return changes


def say_the_same(
    there: Patch | None, patch: Patch, before: Files, after: Files
) -> bool:
    """Whether a patch on disk has the same head as another, and leads to ``after``."""
    if there is None or replace(there, diffs=()) != replace(patch, diffs=()):
        return False
    try:
        return diff.apply(there.diffs, before, where=there.name) == after
    except ForkError:
        return False


def _series(
    queue: Queue, patches: t.Sequence[Patch], disabled: t.Iterable[str]
) -> Series:
    series = queue.series
    for name in disabled:
        series = series.with_disabled(name)
    names = tuple(patch.name for patch in patches)
    for name in series.disabled.keys() & names:
        series = series.with_enabled(name)
    return series.with_names(names)


def changed_on_disk(fork: Fork, checkout: Checkout) -> list[str]:
    """What has changed in ``patches/`` since the checkout was made from it.

    :return: the files, or what is wrong with them.
    """
    try:
        known = checkout.known_patches()
        changes = contents(fork, fork.pin, fork.source.package, known)
    except ForkError as e:
        return [f"{fork.project.relative(fork.project.patches)}/ ({e.what})"]
    return [fork.project.relative(path) for path in changes]


def _check_current(fork: Fork, checkout: Checkout) -> None:
    """Make sure that ``patches/`` is still what the checkout was made from.

    :raises ForkError: it was changed, and an export would change it back.
    """
    changed = ", ".join(changed_on_disk(fork, checkout))
    if not changed:
        return
    if checkout.exported():
        hint = "run `scripts/fork apply` to switch to it"
    else:
        hint = (
            f"keep your commits with `git -C {checkout.shown} branch mine`, switch to"
            f" patches/ with `git -C {checkout.shown} reset --hard {refs.KNOWN}` and"
            " `scripts/fork apply`, then `git cherry-pick` them there"
        )
    raise ForkError(
        f"patches/ has changed since the checkout was made: {changed}",
        where=checkout.shown,
        hint=hint,
    )


def _check_readable(project: Project, pin: Pin, patches: t.Sequence[Patch]) -> None:
    """Make sure that each patch can be read back as it is written."""
    problems: list[ForkError] = []
    for patch in patches:
        where = f"{project.relative(project.checkout)}: commit of {patch.name}"
        try:
            again = Patch.parse(patch.render(), where=where)
        except ForkError as e:
            problems += e.problems
            continue
        problems += misplaced(project, pin, patch, where=where)
        if again != patch:
            problems.append(
                ForkError(
                    "its author, date or message cannot be written into a patch",
                    where=where,
                    hint="use one line of printable characters for each of author and"
                    " subject, and plain text for the rest",
                )
            )
    raise_findings(problems)


def _check_names(
    project: Project, listed: list[str], patches: t.Sequence[Patch]
) -> None:
    names = [patch.name for patch in patches]
    for name in names:
        if names.count(name) > 1:
            raise ForkError(
                f"two commits have the trailer Fork-Patch: {name}",
                where=project.relative(project.checkout),
                hint="fold them into one, or give one of them another name",
            )
    for name in listed:
        if name not in names:
            raise ForkError(
                f"the commit of the patch {name} is missing",
                where=project.relative(project.checkout),
                hint=f"to drop it, remove {name}.patch and its line in patches/series"
                " first; to bring it back, look for it in `git reflog` there",
            )
