"""The functions of Flask that lean bodies were written for, in a patched package."""

from __future__ import annotations

import ast
import functools
import hashlib
import typing as t

from ..base.diff import split_lines

_Definition = t.Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]


def digest(content: bytes, name: str) -> str | None:
    """The hash of a function's source: its lines as they are, with its decorators.

    :param content: the file that it is in.
    :param name: its qualified name. If it is defined more than once, as a property is
        with its setter, all definitions count.
    :return: the SHA-256 in hexadecimal; ``None`` if there is no such function.
    """
    lines = split_lines(content)
    sources = [
        b"".join(lines[_first_line(node) - 1 : node.end_lineno])
        for node in _definitions(content, name)
    ]
    return hashlib.sha256(b"".join(sources)).hexdigest() if sources else None


def is_decorated(content: bytes, name: str, folder: str) -> bool:
    """Whether a function, or its class, has a decorator from a folder of the overlay.

    :param folder: the name that the file imports it by, without the dots before it.
    """
    imported = {
        alias.asname or alias.name
        for node in _parsed(content).body
        if isinstance(node, ast.ImportFrom)
        and node.level
        and f"{node.module}.".startswith(f"{folder}.")
        for alias in node.names
    }
    return any(
        ast.unparse(decorator) in imported
        for node in _definitions(content, name.rpartition(".")[0] or name)
        for decorator in node.decorator_list
    )


def _definitions(content: bytes, name: str) -> list[_Definition]:
    scope: list[ast.stmt] = _parsed(content).body
    nodes: list[_Definition] = []
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        nodes = [
            node for node in scope if isinstance(node, kinds) and node.name == part
        ]
        scope = [inner for node in nodes for inner in node.body]
    return nodes


@functools.lru_cache(maxsize=16)
def _parsed(content: bytes) -> ast.Module:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        # Whatever this Python cannot read has no function that is known.
        return ast.Module(body=[], type_ignores=[])


def _first_line(node: _Definition) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])
