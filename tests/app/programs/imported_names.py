"""Tells whether the names that modules imported from ``flask`` are the fork's.

``imported_names.py MODULE...`` imports each MODULE and prints as JSON, for each loaded
module of the same packages, which names it took from ``flask`` and whether each of them
*is* the fork's object of that name. Run by the Python of the environment in question.
"""

from __future__ import annotations

import ast
import importlib
import json
import pathlib
import sys
import types
import typing as t


def from_flask(module: types.ModuleType) -> t.Iterator[tuple[str, bool]]:
    """The names that ``module`` imported from flask, and whether each is the fork's."""
    taken = vars(module)
    source = pathlib.Path(taken["__file__"]).read_bytes()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        package, *rest = t.cast(str, node.module).split(".")
        if package != "flask":
            continue
        fork = importlib.import_module(".".join(["flaskfork", *rest]))
        for name in node.names:
            mine = taken.get(name.asname or name.name)
            # Otherwise, it was imported inside a function, or for a type checker.
            if mine is not None:
                yield f"{node.module}.{name.name}", mine is getattr(fork, name.name)


def main(names: list[str]) -> None:
    for name in names:
        importlib.import_module(name)
    packages = {name.partition(".")[0] for name in names}
    found = {
        name: dict(from_flask(module))
        for name, module in sorted(sys.modules.items())
        # A namespace package has no file, so it imports nothing.
        if name.partition(".")[0] in packages and getattr(module, "__file__", None)
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
