"""Whether upstream has taken what a patch does.

No single test finds every such patch: upstream may take a fix with other tests, other
comments, or in two steps. So all evidence is listed, and a person decides.
"""

from __future__ import annotations

import ast
import copy
import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base.errors import ForkError
from ..base.files import Files
from ..upstream.history import History
from ..upstream.pin import Pin
from .changes import Change
from .changes import Outcome
from .drop_when import is_met


@dataclass(frozen=True)
class Release:
    """A release, with all its files."""

    pin: Pin
    files: Files

    def __str__(self) -> str:
        return str(self.pin)


def gather(
    change: Change,
    outcome: Outcome,
    old: Release,
    new: Release,
    history: History | None,
) -> tuple[str, ...]:
    """The evidence that ``new`` has what a patch changes.

    :param outcome: what became of the patch on the release.
    :param old: the release that the patch is made for.
    """
    found = []
    if outcome.kind == "absorbed":
        found.append("merging it changes nothing")
    before = new != old and _can_be_taken_back(change, old.files)
    if _can_be_taken_back(change, new.files) and not before:
        found.append("it applies in reverse to the release")
    if _has_its_code(change, new.files):
        found.append("what it changes reads the same there, apart from comments")
    if history:
        found += _commits(change, old, new, history)
    return tuple(found)


def _can_be_taken_back(change: Change, files: Files) -> bool:
    """Whether the patch applies in reverse."""
    try:
        diff.apply(diff.reverse(change.patch.diffs), files, where="", offsets=True)
    except ForkError:
        return False
    return True


def _has_its_code(change: Change, files: Files) -> bool:
    """Whether the release has all statements that it adds, and none that it removes."""
    changed = False
    for path in change.touched:
        before, after, there = (
            _scopes(side.get(path, b""))
            for side in (change.before, change.after, files)
        )
        for name in before.keys() | after.keys():
            old, new = before.get(name, set()), after.get(name, set())
            if old == new:
                continue
            changed = True
            found = there.get(name, set())
            if not found or not new - old <= found or (old - new) & found:
                return False
    return changed


def _scopes(source: bytes) -> dict[str, set[str]]:
    """The statements of the module and of each class and function, by dotted name."""
    try:
        return dict(_outline(ast.parse(source), ""))
    except (SyntaxError, ValueError):
        return {}


def _outline(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> t.Iterator[tuple[str, set[str]]]:
    statements = set()
    for number, statement in enumerate(node.body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from _outline(statement, f"{name}.{statement.name}")
            head = copy.copy(statement)
            head.body = []
            statements.add(ast.dump(head))
        elif number or not _is_docstring(statement):
            statements.add(ast.dump(statement))
    yield name, statements


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _commits(
    change: Change, old: Release, new: Release, history: History
) -> t.Iterator[str]:
    first, last = history.tag(old.pin.version), history.tag(new.pin.version)
    when = change.patch.message.drop_when
    if when.kind == "commit" and is_met(when, new.pin.version, history):
        yield f"the commit of its Drop-When, {when.value[:10]}, is in the release"
    if not (first and last):
        return
    diffs = change.patch.diffs
    if commit := history.same_change(diffs, first, last):
        yield f"{commit} is the same change"
    elif commit := history.same_change(diffs, first, last, new.pin.package):
        yield f"{commit} makes the same change to the package, and other changes"
