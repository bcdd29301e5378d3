"""A sequence on disk, while it is stopped: its plan, its progress and the stop."""

from __future__ import annotations

import json
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

#: What a patch needs the maintainer for.
Why = t.Literal["conflict", "absorbed", "edit"]
#: What became of a patch in a sequence.
Ending = t.Union[Kind, t.Literal["edited"]]


class Kept(t.NamedTuple):
    """The commits that the checkout keeps for a stop, by their ids.

    :param base: the release.
    :param done: the last patch that is done, on top of it.
    :param pick: the patch at which it is stopped, where it applied before.
    """

    base: str
    done: str
    pick: str


@dataclass(frozen=True)
class Plan:
    """What a sequence is to make.

    :param verb: the command that began it.
    :param target: what it was given: a patch, or a release.
    :param pin: the release that the queue is to stand on.
    :param names: the patches of the new queue, in order.
    :param edit: the patch at which to stop for the maintainer's own changes.
    :param fold: the patch that is folded into the one before it.
    :param disabled: patches that are kept, but no longer applied.
    :param incoming: the commits that the checkout keeps of patches that are added; see
        :meth:`forkkit.sequencer.worktree.Worktree.take_in`.
    """

    verb: str
    target: str
    pin: Pin
    names: tuple[str, ...]
    edit: str | None = None
    fold: str | None = None
    disabled: tuple[str, ...] = ()
    incoming: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command, as a person would write it in short."""
        return f"{self.verb} {self.target}"


@dataclass(frozen=True)
class Progress:
    """How far a sequence has come.

    :param endings: patches, and what became of each so far.
    :param dropped: patches that are left out, and why.
    :param resolved: the resolutions that are new.
    :param replayed: the file names of resolutions that were used again.
    """

    endings: tuple[tuple[str, Ending], ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    resolved: tuple[Resolution, ...] = ()
    replayed: tuple[str, ...] = ()

    def ended(self, name: str, ending: Ending) -> Progress:
        """The progress when one more patch is done."""
        return replace(self, endings=(*self.endings, (name, ending)))

    def without(self, name: str, reason: str) -> Progress:
        """The progress when one more patch is left out."""
        left = replace(self, dropped=(*self.dropped, (name, reason)))
        return left.ended(name, "dropped")


@dataclass(frozen=True)
class Stop:
    """Where a sequence waits for the maintainer.

    :param why: what for.
    :param kept: the commits that the checkout keeps for it.
    :param conflicts: the paths of the conflict.
    :param story: what the maintainer is told of it.
    :param reason: why the patch would be left out, unless the maintainer says.
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
    """A sequence: patches that are made anew, one after another."""

    plan: Plan
    progress: Progress = field(default_factory=Progress)
    stop: Stop | None = None

    @classmethod
    def load(cls, project: Project) -> Journal:
        """Read the journal of the stopped sequence.

        :raises ForkError: none is stopped, or the journal is damaged.
        """
        if not project.journal.exists():
            raise idle(project)
        data = read(project.journal, hint="give read access to it")
        return cls.parse(data, where=project.relative(project.journal))

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Journal:
        """Read a journal.

        :raises ForkError: it is damaged, or written by another version of the tools.
        """
        try:
            values = json.loads(data)
            if values["format"] != _FORMAT:
                raise ValueError("another format")
            stop = values["stop"]
            return cls(
                _parse_plan(values["plan"], where),
                _parse_progress(values["progress"], where),
                stop and _parse_stop(stop),
            )
        except (ValueError, KeyError, TypeError, AttributeError, ForkError) as e:
            raise ForkError(
                f"is damaged: {e}",
                where=where,
                hint="run `scripts/fork abort`, which needs nothing of it",
            ) from e

    def render(self) -> bytes:
        """The text of the file."""
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
        """The patches that are left, the one at which it is stopped first."""
        done = dict(self.progress.endings)
        return tuple(name for name in self.plan.names if name not in done)

    @property
    def position(self) -> str:
        """Which patch of how many is next."""
        count = len(self.plan.names)
        return f"patch {count - len(self.todo) + 1} of {count}"

    @property
    def stopped(self) -> Stop:
        """The stop of a sequence that has one."""
        return t.cast(Stop, self.stop)

    def going_on(self, progress: Progress) -> Journal:
        """The journal when what it was stopped for is done."""
        return replace(self, progress=progress, stop=None)


def check_idle(project: Project) -> None:
    """Make sure that no sequence is stopped.

    :raises ForkError: one is.
    """
    if project.journal.exists():
        raise ForkError(
            "another command is stopped half-way",
            where=project.relative(project.journal),
            hint="`scripts/fork status` says where; finish it with `scripts/fork"
            " continue`, or go back with `scripts/fork abort`",
        )


def idle(project: Project) -> ForkError:
    """The error where no sequence is stopped."""
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
        incoming=_words(values["incoming"]),
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
        raise ValueError(f"it is stopped for {values['why']!r}")
    return Stop(
        why=values["why"],
        kept=Kept(*_words(values["kept"])),
        conflicts=_words(values["conflicts"]),
        story=_words(values["story"]),
        reason=str(values["reason"]),
        there=bool(values["there"]),
    )


def _ending(text: str) -> Ending:
    if text != "edited" and text not in SIGNS:
        raise ValueError(f"a patch is {text!r}")
    return t.cast(Ending, text)


def _words(values: t.Iterable[t.Any]) -> tuple[str, ...]:
    return tuple(map(str, values))


def _text(resolution: Resolution) -> str:
    return resolution.render().decode("utf-8", "surrogateescape")


def _resolution(text: str, where: object) -> Resolution:
    return Resolution.parse(text.encode("utf-8", "surrogateescape"), where=where)
