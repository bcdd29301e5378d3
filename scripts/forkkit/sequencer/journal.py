"""How far a sequence has come, while it is stopped."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.files import Project
from ..upstream import pin as pins
from ..upstream.pin import Pin

_FORMAT = 1


@dataclass(frozen=True)
class Journal:
    """A sequence: patches that are made anew, one after another.

    :param verb: the command that began it.
    :param pin: the release that the queue shall stand on.
    :param todo: the names of the patches that are left, the one at which the sequence
        is stopped first.
    :param edit: the patch at which to stop for the maintainer's own changes.
    :param fold: the patch that is folded into the one before it.
    :param dropped: names that are left out, and the reason.
    :param disabled: names of patches that are kept, but not applied any more.
    :param incoming: the commits that the checkout keeps of patches that are added;
        see :meth:`forkkit.sequencer.worktree.Bench.take_in`.
    :param why: ``conflict``, ``absorbed`` or ``edit`` if it is stopped.
    :param conflicts: the paths of the conflict.
    :param story: what the maintainer is told of it.
    :param reason: why the patch would be left out, if the maintainer says no more.
    :param there: whether the work tree is at the stop already.
    :param commits: what the checkout keeps for the stop; see
        :class:`forkkit.sequencer.worktree.Kept`.
    :param outcomes: names, and what became of them so far.
    :param resolved: the file names of new resolutions, and their text.
    :param replayed: the file names of those that were used again.
    """

    verb: str
    pin: Pin
    todo: tuple[str, ...]
    edit: str | None = None
    fold: str | None = None
    dropped: tuple[tuple[str, str], ...] = ()
    disabled: tuple[str, ...] = ()
    incoming: tuple[str, ...] = ()
    why: str | None = None
    conflicts: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    reason: str = ""
    there: bool = False
    commits: tuple[str, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    resolved: tuple[tuple[str, str], ...] = ()
    replayed: tuple[str, ...] = ()


def parse(data: bytes, *, where: object) -> Journal:
    """Read a journal.

    :raises ForkError: it is damaged, or written by another version of the tools.
    """
    try:
        values = json.loads(data)
        if values.pop("format") != _FORMAT:
            raise ValueError("another format")
        values["pin"] = pins.parse(values["pin"].encode(), where=where)
        for key in (
            *("todo", "conflicts", "story", "commits"),
            *("disabled", "incoming", "replayed"),
        ):
            values[key] = tuple(map(str, values[key]))
        for key in ("dropped", "outcomes", "resolved"):
            values[key] = tuple((str(a), str(b)) for a, b in values[key])
        return Journal(**values)
    except (ValueError, KeyError, TypeError, AttributeError, ForkError) as e:
        raise ForkError(
            f"is damaged: {e}",
            where=where,
            mend="run `scripts/fork rebase --abort`, which needs nothing of it",
        ) from e


def render(journal: Journal) -> bytes:
    """The file's text for ``journal``."""
    values = dict(vars(journal))
    values["pin"] = pins.render(journal.pin).decode()
    return (json.dumps({"format": _FORMAT, **values}, indent=1) + "\n").encode()


def check_idle(project: Project) -> None:
    """Make sure that no sequence is stopped.

    :raises ForkError: one is.
    """
    if project.journal.exists():
        raise ForkError(
            "another command is stopped half-way",
            where=project.relative(project.journal),
            mend="`scripts/fork rebase --status` tells where; go on with --continue, or"
            " back with --abort",
        )
