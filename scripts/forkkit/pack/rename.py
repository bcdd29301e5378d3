"""The mechanical layer: ``flask`` becomes ``flaskfork``, by a table of rules.

Prose (comments and docstrings) still says Flask, which is what an application imports.
In code, every ``flask`` is either renamed by a rule or explicitly allowed.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import typing as t
from dataclasses import dataclass

from ..base import toml
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files

_WORD = re.compile(r"\bflask\b")


@dataclass(frozen=True)
class Rule:
    """Replaces what ``find`` matches.

    :param files: a glob of paths.
    :param find: a regular expression; ``^`` and ``$`` are those of a line.
    :param put: the replacement; ``\\1`` is the first group.
    :param count: how many matches there are in the pinned release.
    """

    files: str
    find: re.Pattern[str]
    put: str
    count: int


@dataclass(frozen=True)
class Allowed:
    """A ``flask`` that stays.

    :param files: a glob of paths.
    :param find: a regular expression.
    :param why: the reason.
    """

    files: str
    find: re.Pattern[str]
    why: str


@dataclass(frozen=True)
class Table:
    """The rules for one tree, and what they leave in it."""

    rules: tuple[Rule, ...]
    allowed: tuple[Allowed, ...]


def parse(data: bytes, *, where: object) -> dict[str, Table]:
    """Read the tables, by name.

    :raises ForkError: an entry is malformed.
    """
    found = {}
    for name, table in toml.loads(data, where=where).items():
        if not isinstance(table, dict) or set(table) - {"rule", "allow"}:
            raise ForkError(f"{name} is not a table of rule and allow", where=where)
        found[name] = Table(
            tuple(_entries(Rule, table.get("rule", []), f"{where}: {name}.rule")),
            tuple(_entries(Allowed, table.get("allow", []), f"{where}: {name}.allow")),
        )
    return found


def apply(table: Table, files: Files, *, where: object, strict: bool = True) -> Files:
    """Return ``files`` renamed.

    :param strict: whether to check the counts and what is left over.
    :raises ForkError: a rule has more or fewer matches than expected, a ``flask`` is
        left that is not allowed, or an entry allows nothing; the error names file
        and line.
    """
    renamed = files
    problems: list[ForkError] = []
    for rule in table.rules:
        renamed, found = _replace(rule, renamed)
        if len(found) != rule.count:
            problems.append(
                ForkError(
                    f"expected {rule.count} matches of {rule.find.pattern!r} in"
                    f" {rule.files}, found {len(found)}"
                    + "".join(f"\n  {place}" for place in found),
                    where=where,
                    hint="look at each place, then correct the rule or its count",
                )
            )
    if strict:
        raise_findings(problems + left_over(table, renamed, where=where))
    return renamed


def left_over(table: Table, files: Files, *, where: object) -> list[ForkError]:
    """Every ``flask`` in code that nothing allows, and every stale entry."""
    problems = []
    used: set[Allowed] = set()
    for path, number, line in _suspects(files):
        rest = line
        for entry in table.allowed:
            if fnmatch.fnmatchcase(path, entry.files) and entry.find.search(rest):
                rest = entry.find.sub("", rest)
                used.add(entry)
        if _WORD.search(rest):
            problems.append(
                ForkError(
                    f"'flask' is left in: {line.strip()}",
                    where=f"{path}:{number}",
                    hint=f"add a rule or an allowed entry with its reason to {where}",
                )
            )
    problems += [
        ForkError(
            f"the entry {entry.find.pattern!r} for {entry.files} allows nothing",
            where=where,
            hint="remove the entry",
        )
        for entry in table.allowed
        if entry not in used
    ]
    return problems


def matches(table: Table, files: Files) -> list[str]:
    """Every place that a rule would still change; none in a renamed tree."""
    return [place for rule in table.rules for place in _replace(rule, files)[1]]


_E = t.TypeVar("_E", Rule, Allowed)


def _entries(kind: type[_E], tables: t.Any, where: str) -> t.Iterator[_E]:
    if not isinstance(tables, list):
        raise ForkError("is not an array of tables", where=where)
    for number, values in enumerate(tables, 1):
        place = f"{where} {number}"
        wanted = set(kind.__dataclass_fields__)
        if not isinstance(values, dict) or set(values) != wanted:
            raise ForkError(
                f"the keys must be {', '.join(sorted(wanted))}", where=place
            )
        for key, value in values.items():
            if not isinstance(value, int if key == "count" else str):
                raise ForkError(f"{key} has the invalid value {value!r}", where=place)
        try:
            find = re.compile(values["find"], re.MULTILINE)
            # A missing group shows only in a match.
            re.compile(f"{values['find']}|", re.MULTILINE).sub(
                values.get("put", ""), ""
            )
        except (re.error, IndexError) as e:
            raise ForkError(
                f"find is not a regular expression: {e}", where=place
            ) from e
        yield kind(**{**values, "find": find})


def _replace(rule: Rule, files: Files) -> tuple[Files, list[str]]:
    renamed, found = dict(files), []
    for path, content in files.items():
        if not fnmatch.fnmatchcase(path, rule.files):
            continue
        text = _text(path, content)
        for match in rule.find.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{number}: {match[0].strip()}")
        renamed[path] = rule.find.sub(rule.put, text).encode()
    return renamed, found


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as e:
        raise ForkError(f"is not UTF-8: {e}", where=path) from e


def _parse(path: str, text: str) -> ast.AST:
    try:
        return ast.parse(text, path)
    except (SyntaxError, ValueError) as e:
        raise ForkError(f"is not Python: {e}", where=path, hint="fix the patch") from e


def _suspects(files: Files) -> t.Iterator[tuple[str, int, str]]:
    """Path, line number and text of each place with a ``flask`` that is not prose."""
    for path, content in files.items():
        text = _text(path, content)
        if not _WORD.search(text):
            continue
        lines = content.split(b"\n")
        if path.endswith(".py"):
            spans = sorted(set(_code_spans(_parse(path, text), lines)))
        else:
            spans = [(number, 0, len(line)) for number, line in enumerate(lines, 1)]
        for number, start, end in spans:
            piece = lines[number - 1][start:end].decode()
            if _WORD.search(piece):
                yield path, number, piece


def _code_spans(tree: ast.AST, lines: list[bytes]) -> t.Iterator[tuple[int, int, int]]:
    """Line number, start and end column of string values and imports, in bytes."""
    prose = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Constant, ast.Import, ast.ImportFrom)):
            continue
        if isinstance(node, ast.Constant) and (
            node in prose or not _WORD.search(str(node.value))
        ):
            continue
        last = node.end_lineno or node.lineno
        for number in range(node.lineno, last + 1):
            start = node.col_offset if number == node.lineno else 0
            end = node.end_col_offset if number == last else None
            yield number, start, len(lines[number - 1]) if end is None else end
