"""The lock of the overlay's lean bodies: whether each may still be put in.

A lean body names the functions of Flask that it was written for, by the hashes of their
source after the queue. If one of them has changed, the body's part is left out.
"""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import read
from ..base.paths import Project
from . import bodies
from . import originals
from .bodies import Body
from .bodies import Original
from .fork import Fork
from .queue import apply_patches

#: The file of the overlay that names the parts that are left out.
LEFT_OUT = f"{bodies.FOLDER}/_left_out.py"
_LEFT_OUT = '''\
"""The parts whose lean bodies stand for originals that have changed since. Written
by the build; see "Lean bodies" in CONTRIBUTING.md.
"""

from __future__ import annotations

LEFT_OUT: frozenset[str] = frozenset('''


@dataclass(frozen=True)
class State:
    """What a body finds in a patched package.

    :param found: the hash of each original; ``None`` for one that is gone.
    :param is_reached: whether the original, or its class, has the decorator that puts
        the body in.
    """

    body: Body
    found: tuple[str | None, ...]
    is_reached: bool

    @property
    def stale(self) -> dict[Original, str | None]:
        """The originals that are not what the body was written for, as found."""
        pairs = zip(self.body.originals, self.found)
        return {original: sha for original, sha in pairs if sha != original.sha256}

    @property
    def text(self) -> str:
        """``current``, or what has become of the originals."""
        said = [
            f"{original} {'has changed' if sha else 'is gone'}"
            for original, sha in self.stale.items()
        ]
        return ", ".join(said) or "current"


def states(locked: t.Iterable[Body], files: Files, package: str) -> list[State]:
    """What each body finds in a package.

    :param files: its files after the queue, in upstream's names.
    :param package: its path among them.
    """
    return [
        State(
            body,
            tuple(digest(each, files, package) for each in body.originals),
            _is_reached(body, files, package),
        )
        for body in locked
    ]


def states_of(fork: Fork) -> list[State]:
    """What each body finds in the fork's package.

    :raises ForkError: as :func:`.bodies.load`, or the queue does not apply.
    """
    patched = apply_patches(fork.queue.patches, fork.source.package)
    return states(bodies.load(fork.project), patched, fork.pin.package)


def accepted(project: Project, found: t.Iterable[State]) -> dict[pathlib.Path, bytes]:
    """Have bodies stand for what they find.

    :return: the new content of each file of the overlay that changes.
    :raises ForkError: an original is gone.
    """
    hashes: dict[pathlib.Path, dict[Original, str]] = {}
    problems = []
    for state in found:
        for original, sha in state.stale.items():
            if sha:
                path = project.root / state.body.path
                hashes.setdefault(path, {})[original] = sha
            else:
                problems.append(
                    ForkError(
                        f"{original} is gone",
                        where=state.body.where,
                        hint="remove the body, or name the function that it stands for",
                    )
                )
    raise_findings(problems)
    return {
        path: bodies.render(read(path, hint="give read access to it"), new)
        for path, new in hashes.items()
    }


def values(state: State) -> dict[str, t.Any]:
    """A state as JSON values."""
    return {
        "name": state.body.name,
        "part": state.body.part,
        "where": state.body.where,
        "put_in": state.is_reached and not state.stale,
        "stale": {
            str(original): "changed" if sha else "gone"
            for original, sha in state.stale.items()
        },
    }


def left_out(found: t.Iterable[State]) -> dict[str, list[State]]:
    """The parts that are left out, each with its stale bodies."""
    parts: dict[str, list[State]] = {}
    for state in found:
        if state.stale:
            parts.setdefault(state.body.part, []).append(state)
    return dict(sorted(parts.items()))


def report(found: t.Iterable[State]) -> list[str]:
    """A line for each part that is left out, with the reason."""
    return [
        f"lean part {part}: left out, since {'; '.join(s.text for s in stale)}"
        for part, stale in left_out(found).items()
    ]


def render_left_out(parts: t.Collection[str]) -> bytes:
    """The content of :data:`LEFT_OUT`."""
    names = "".join(f'        "{part}",\n' for part in sorted(parts))
    value = f"\n    {{\n{names}    }}\n" if names else ""
    return f"{_LEFT_OUT}{value})\n".encode()


def digest(original: Original, files: Files, package: str) -> str | None:
    """The hash of an original in a package; ``None`` if it is gone."""
    content = files.get(_path(original, files, package), b"")
    return originals.digest(content, original.name)


def changed_by(fork: Fork, original: Original) -> list[str]:
    """The patches that changed an original after it was as a body names it.

    If it never was like that on this release: all patches that change it.
    """
    files, package = fork.source.package, fork.pin.package
    names: list[str] = []
    before = digest(original, files, package)
    for patch in fork.queue.patches:
        files = apply_patches([patch], files)
        after = digest(original, files, package)
        if after == original.sha256:
            names.clear()
        elif after != before:
            names.append(patch.name)
        before = after
    return names


def _path(original: Original, files: Files, package: str) -> str:
    path = f"{package}/{original.module.replace('.', '/')}"
    return f"{path}.py" if f"{path}.py" in files else f"{path}/__init__.py"


def _is_reached(body: Body, files: Files, package: str) -> bool:
    original = body.originals[0]
    content = files.get(_path(original, files, package), b"")
    return originals.is_decorated(content, original.name, bodies.FOLDER)
