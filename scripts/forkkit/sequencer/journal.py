"""A stopped sequence on disk: its plan, its progress and the stop."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from ..base.errors import ForkError
from ..base.files import read
from ..base.paths import Project
from ..carry.changes import Kind
from ..carry.changes import SIGNS
from ..carry.resolutions import Resolution
from ..upstream.pin import Pin

_FORMAT = 2
_SHA = re.compile(r"[0-9a-f]{40,64}")
#: What reading anything but a journal comes to.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)

#: Why a patch needs the maintainer.
Why = t.Literal["conflict", "absorbed", "edit"]
#: What became of a patch in a sequence.
Ending = t.Union[Kind, t.Literal["edited"]]


class Kept(t.NamedTuple):
    """The ids of the commits that the checkout keeps for a stop.

    :param base: the release.
    :param done: the last patch that is done, on top of ``base``.
    :param pick: the patch at which the sequence stopped, on its previous base.
    """

    base: str
    done: str
    pick: str


@dataclass(frozen=True)
class Plan:
    """The queue that a sequence is to produce.

    :param verb: the command that started it.
    :param target: the argument of the command: a patch or a release.
    :param pin: the release that the new queue applies to.
    :param names: the patches of the new queue, in order.
    :param edit: the patch at which to stop for the maintainer's changes.
    :param fold: the patch to fold into the one before it.
    :param disabled: the patches to keep but no longer apply.
    :param incoming: the commits, kept in the checkout, of the patches to add; see
        :meth:`forkkit.sequencer.worktree.Worktree.take_in`.
    :param hashes: those of the project's files that it began with, by path.
    """

    verb: str
    target: str
    pin: Pin
    names: tuple[str, ...]
    edit: str | None = None
    fold: str | None = None
    disabled: tuple[str, ...] = ()
    incoming: tuple[str, ...] = ()
    hashes: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command in short, as a user would type it."""
        return f"{self.verb} {self.target}"


@dataclass(frozen=True)
class Progress:
    """How far a sequence has come.

    :param endings: the patches that are done, and what became of each.
    :param dropped: the patches that were left out, and why.
    :param resolved: the new resolutions.
    :param replayed: the file names of the resolutions that were reused.
    """

    endings: tuple[tuple[str, Ending], ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    resolved: tuple[Resolution, ...] = ()
    replayed: tuple[str, ...] = ()

    def ended(self, name: str, ending: Ending) -> Progress:
        """The progress after one more patch is done."""
        return replace(self, endings=(*self.endings, (name, ending)))

    def without(self, name: str, reason: str) -> Progress:
        """The progress after one more patch is left out."""
        left = replace(self, dropped=(*self.dropped, (name, reason)))
        return left.ended(name, "dropped")


@dataclass(frozen=True)
class Stop:
    """Where a sequence waits for the maintainer.

    :param why: why it waits.
    :param kept: the commits that the checkout keeps for the stop.
    :param conflicts: the paths that conflict.
    :param story: the explanation that is printed for the maintainer.
    :param reason: the default reason for leaving out the patch.
    :param there: whether the work tree is at the stop already.
    """

    why: Why
    kept: Kept
    conflicts: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    reason: str = ""
    there: bool = False


@dataclass(frozen=True)
class Journal:
    """A sequence, which rebuilds the queue patch by patch."""

    plan: Plan
    progress: Progress = field(default_factory=Progress)
    stop: Stop | None = None

    @classmethod
    def load(cls, project: Project) -> Journal:
        """Read the journal of the stopped sequence.

        :raises ForkError: no sequence is stopped, or the journal is damaged.
        """
        if not project.journal.exists():
            raise idle(project)
        data = read(project.journal, hint="give read access to it")
        return cls.parse(data, where=project.relative(project.journal))

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Journal:
        """Read a journal.

        :param where: the file, for the error.
        :raises ForkError: it is damaged, or was written by another version of the
            tools.
        """
        try:
            values = json.loads(data)
            if values["format"] != _FORMAT:
                raise ValueError("unknown format")
            journal = cls(
                _parse_plan(values["plan"], where),
                _parse_progress(values["progress"], where),
                _parse_stop(values["stop"]),
            )
            if not journal.todo:
                raise ValueError("there is no patch at which it is stopped")
            return journal
        except (*_DAMAGE, ForkError) as e:
            raise ForkError(
                f"the journal is damaged: {e}",
                where=where,
                hint="run `scripts/fork abort`, which does not read the journal",
            ) from e

    def render(self) -> bytes:
        """The content of the file."""
        plan, progress = vars(self.plan), vars(self.progress)
        values = {
            "format": _FORMAT,
            "plan": {**plan, "pin": self.plan.pin.render().decode()},
            "progress": {
                **progress,
                "resolved": list(map(_text, progress["resolved"])),
            },
            "stop": self.stop and vars(self.stop),
        }
        return (json.dumps(values, indent=1) + "\n").encode()

    @property
    def todo(self) -> tuple[str, ...]:
        """The patches that are left, starting with the one at which it stopped."""
        done = dict(self.progress.endings)
        return tuple(name for name in self.plan.names if name not in done)

    @property
    def position(self) -> str:
        """The position of the next patch, such as ``patch 2 of 5``."""
        count = len(self.plan.names)
        return f"patch {count - len(self.todo) + 1} of {count}"

    @property
    def stopped(self) -> Stop:
        """The stop of a stopped sequence."""
        return t.cast(Stop, self.stop)

    def going_on(self, progress: Progress) -> Journal:
        """The journal after its stop has been dealt with."""
        return replace(self, progress=progress, stop=None)


def check_idle(project: Project) -> None:
    """Make sure that no sequence is stopped.

    :raises ForkError: one is.
    """
    if project.journal.exists():
        raise ForkError(
            "another command is stopped half-way",
            where=project.relative(project.journal),
            hint="`scripts/fork status` shows where; finish it with `scripts/fork"
            " continue`, or undo it with `scripts/fork abort`",
        )


def idle(project: Project) -> ForkError:
    """The error for a command that needs a stopped sequence."""
    return ForkError(
        "no command is stopped here",
        where=project.relative(project.checkout),
        hint="`scripts/fork status` shows the state of the queue",
    )


def _parse_plan(values: dict[str, t.Any], where: object) -> Plan:
    return Plan(
        verb=str(values["verb"]),
        target=str(values["target"]),
        pin=Pin.parse(values["pin"].encode(), where=where),
        names=_words(values["names"]),
        edit=values["edit"],
        fold=values["fold"],
        disabled=_words(values["disabled"]),
        incoming=_shas(values["incoming"], (0, 2)),
        hashes={str(k): str(v) for k, v in values["hashes"].items()},
    )


def _parse_progress(values: dict[str, t.Any], where: object) -> Progress:
    return Progress(
        endings=tuple((str(name), _ending(kind)) for name, kind in values["endings"]),
        dropped=tuple((str(name), str(why)) for name, why in values["dropped"]),
        resolved=tuple(_resolution(text, where) for text in values["resolved"]),
        replayed=_words(values["replayed"]),
    )


def _parse_stop(values: dict[str, t.Any]) -> Stop:
    if values["why"] not in t.get_args(Why):
        raise ValueError(f"unknown kind of stop {values['why']!r}")
    return Stop(
        why=values["why"],
        kept=Kept(*_shas(values["kept"], (3,))),
        conflicts=_words(values["conflicts"]),
        story=_words(values["story"]),
        reason=str(values["reason"]),
        there=bool(values["there"]),
    )


def _ending(text: str) -> Ending:
    if text != "edited" and text not in SIGNS:
        raise ValueError(f"unknown ending of a patch {text!r}")
    return t.cast(Ending, text)


def _shas(values: t.Iterable[t.Any], counts: tuple[int, ...]) -> tuple[str, ...]:
    """The ids of commits, as many as there may be."""
    found = _words(values)
    if len(found) not in counts or not all(map(_SHA.fullmatch, found)):
        raise ValueError(f"these are not the ids of commits: {found}")
    return found


def _words(values: t.Iterable[t.Any]) -> tuple[str, ...]:
    return tuple(map(str, values))


def _text(resolution: Resolution) -> str:
    return resolution.render().decode("utf-8", "surrogateescape")


def _resolution(text: str, where: object) -> Resolution:
    return Resolution.parse(text.encode("utf-8", "surrogateescape"), where=where)
