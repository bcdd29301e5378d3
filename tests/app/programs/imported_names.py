"""Whose are the names that the loaded packages imported from ``flask``?

Run by the Python of an environment, with packages as arguments. Prints as JSON which
names each of their loaded modules took from ``flask``, and whether each of these *is*
the fork's object of that name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import types
import typing as t

import noticeboard


def from_flask(module: types.ModuleType) -> t.Iterator[tuple[str, bool]]:
    """The names that ``module`` imported from flask, and whether each is the fork's."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            package, _, rest = t.cast(str, node.module).partition(".")
            if package != "flask":
                continue
            fork = importlib.import_module(".".join(["flaskfork", rest]).rstrip("."))
            for name in node.names:
                mine = getattr(module, name.asname or name.name)
                yield f"{node.module}.{name.name}", mine is getattr(fork, name.name)


noticeboard.create_app()
loaded = [
    module
    for name, module in sorted(sys.modules.items())
    if name.partition(".")[0] in sys.argv[1:]
]
json.dump({module.__name__: dict(from_flask(module)) for module in loaded}, sys.stdout)
