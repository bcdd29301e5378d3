"""The lean bodies of the overlay, as its source describes them."""

from __future__ import annotations

import ast
import typing as t
from dataclasses import dataclass

from ..base.diff import split_lines
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import read
from ..base.paths import Project

#: The folder of the overlay that has the bodies.
FOLDER = "_fast"
_KINDS = ("stand_for", "relies_on")
_HINT = "write it as shown in `Lean bodies` in CONTRIBUTING.md"


@dataclass(frozen=True)
class Original:
    """A function of Flask that a body was written for.

    :param module: its module in the package, such as ``sansio.app``.
    :param name: its qualified name.
    :param sha256: the hash of its source at that time.
    :param span: where the hash is in the overlay's file, in bytes.
    """

    module: str
    name: str
    sha256: str
    span: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass(frozen=True)
class Body:
    """A function of the overlay that stands for one of Flask.

    :param path: its file in the project.
    :param line: the line of its factory there.
    :param part: what it belongs to; a part is put in as a whole or not at all.
    :param originals: the one that it stands for, then those that it relies on.
    """

    path: str
    line: int
    part: str
    originals: tuple[Original, ...]

    @property
    def name(self) -> str:
        """The name of the original that it stands for."""
        return str(self.originals[0])

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


def load(project: Project) -> list[Body]:
    """Read the lean bodies of the overlay, of which nothing is run.

    :raises ForkError: as :func:`parse`, or the part of a body is not one of ``PARTS``
        in the overlay, and so cannot be switched off; one error reports it all.
    """
    bodies: list[Body] = []
    problems: list[ForkError] = []
    parts: list[str] = []
    for path in sorted((project.overlay / FOLDER).rglob("*.py")):
        content, where = read(path, hint="restore it from git"), project.relative(path)
        try:
            bodies += parse(content, where=where)
            if path.parent.name == FOLDER and path.name == "__init__.py":
                parts = _parts(content)
        except ForkError as e:
            problems += e.problems
    problems += [
        ForkError(
            f"there is no part {body.part!r}",
            where=body.where,
            hint=f"name one of PARTS in {FOLDER}/__init__.py, or add it there",
        )
        for body in bodies
        if body.part not in parts
    ]
    raise_findings(problems)
    return bodies


def parse(content: bytes, *, where: str) -> list[Body]:
    """The lean bodies in a file of the overlay, in order.

    :param where: its path in the project.
    :raises ForkError: it is not Python, or says in another way than by plain strings
        what a body stands for.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as e:
        raise ForkError(f"is not Python: {e}", where=where, hint=_HINT) from e
    reader = _Reader(content, where)
    for node in tree.body:
        reader.read(node)
    reader.refuse_others(tree)
    raise_findings(reader.problems)
    return reader.bodies


def render(content: bytes, hashes: t.Mapping[Original, str]) -> bytes:
    """The content of a file of the overlay with another hash for some originals."""
    for original in sorted(hashes, key=lambda each: each.span, reverse=True):
        start, end = original.span
        content = content[:start] + f'"{hashes[original]}"'.encode() + content[end:]
    return content


def _parts(content: bytes) -> list[str]:
    """The strings in the assignment to ``PARTS``."""
    return [
        text.value
        for node in ast.parse(content).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PARTS"
        for text in ast.walk(node.value)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]


class _Reader:
    """Reads the bodies from the statements of a file, and notes what is wrong."""

    def __init__(self, content: bytes, where: str) -> None:
        self.bodies: list[Body] = []
        self.problems: list[ForkError] = []
        self._lines = split_lines(content)
        self._where = where
        #: The modules of Flask by the variable that has the bodies for them.
        self._modules: dict[str, str] = {}
        #: The expressions, such as ``bodies.stand_for``, that have been read.
        self._known: set[ast.expr] = set()

    def read(self, node: ast.stmt) -> None:
        try:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                if ast.unparse(node.value.func) == "Bodies":
                    module = self._text(node.value, 0)
                    self._modules[ast.unparse(node.targets[0])] = module
            elif isinstance(node, ast.FunctionDef):
                self._read_factory(node)
        except ForkError as e:
            self.problems.append(e)

    def refuse_others(self, tree: ast.Module) -> None:
        """Note each place that Python would run, but that this class does not read."""
        self.problems += [
            self._error(node, f"{node.attr} does not decorate a function of the module")
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr in _KINDS
            and node not in self._known
        ]

    def _read_factory(self, node: ast.FunctionDef) -> None:
        asked = [
            (call, call.func)
            for call in node.decorator_list
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        ]
        self._known.update(func for _, func in asked)
        stood = [each for each in asked if each[1].attr == "stand_for"]
        relied = [
            self._original(*each) for each in asked if each[1].attr == "relies_on"
        ]
        if relied and not stood:
            raise self._error(node, "relies_on needs a stand_for beside it")
        for call, func in stood:
            originals = (self._original(call, func), *relied)
            part = self._part(call)
            self.bodies.append(Body(self._where, node.lineno, part, originals))

    def _original(self, call: ast.Call, func: ast.Attribute) -> Original:
        variable = ast.unparse(func.value)
        if variable not in self._modules:
            raise self._error(call, f"{variable} is not a Bodies of the module")
        name, sha256 = (self._text(call, place) for place in (0, 1))
        return Original(self._modules[variable], name, sha256, self._span(call.args[1]))

    def _part(self, call: ast.Call) -> str:
        for keyword in call.keywords:
            if keyword.arg == "part":
                return self._plain(keyword.value, call, "part")
        raise self._error(call, "has no part")

    def _text(self, call: ast.Call, place: int) -> str:
        given = call.args[place] if place < len(call.args) else None
        return self._plain(given, call, f"argument {place + 1}")

    def _plain(self, given: ast.expr | None, call: ast.Call, what: str) -> str:
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            return given.value
        function = ast.unparse(call.func)
        raise self._error(call, f"{what} of {function} is not a plain string")

    def _span(self, node: ast.expr) -> tuple[int, int]:
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(
                t.cast(int, node.end_lineno), t.cast(int, node.end_col_offset)
            ),
        )

    def _offset(self, line: int, column: int) -> int:
        return sum(map(len, self._lines[: line - 1])) + column

    def _error(self, node: ast.expr | ast.stmt, what: str) -> ForkError:
        return ForkError(what, where=f"{self._where}:{node.lineno}", hint=_HINT)
