"""Imports modules and reports the results; run by the Python that has the modules.

Its arguments are an output file and the names of the modules. After each import it
appends a line of JSON to the file: the name, and the error of the import or null. The
last line is a list of what is wrong with ``flask``, if that is the fork at all.

Standard library only. It is run with ``-c``: as a script it would put its own folder on
the path, where its sibling modules could shadow others.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import types
import typing as t

_FORK = "flaskfork"
_ALIAS = "flask"


def main(out: str, names: list[str]) -> None:
    """Import the modules ``names`` in turn, then inspect ``flask``.

    :param out: the file to append the results to.
    """
    # Reopened each time: a module may close unknown files, or end the interpreter.
    for name in names:
        _append(out, [name, _import(name)])
    _append(out, _strangers())


def _append(out: str, value: object) -> None:
    with open(out, "a", encoding="utf-8") as file:
        file.write(f"{json.dumps(value)}\n")


def _import(name: str) -> str | None:
    try:
        importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        # Some modules are programs, which exit when imported.
        return f"{type(e).__name__}: {e}"[:500]
    return None


def _strangers() -> list[str]:
    """Modules of ``flask`` that are not the fork's, or are loaded twice."""
    if importlib.util.find_spec(_FORK) is None:
        return []
    flask = importlib.import_module(_ALIAS)
    fork = importlib.import_module(_FORK)
    modules = {n: m for n, m in list(sys.modules.items()) if m is not None}
    found = [
        f"{name} is {_file(module)}, not the fork's module"
        for name, module in sorted(modules.items())
        if name.partition(".")[0] == _ALIAS
        and module is not modules.get(_FORK + name[len(_ALIAS) :])
    ]
    if flask.Flask is not fork.Flask:
        found.append("flask.Flask is not flaskfork.Flask")
    return found + list(_doubled(modules, os.path.dirname(str(fork.__file__))))


def _doubled(modules: dict[str, types.ModuleType], folder: str) -> t.Iterator[str]:
    loaded: dict[str, dict[int, str]] = {}
    for name, module in sorted(modules.items()):
        file = str(_file(module))
        if file.startswith(folder + os.sep):
            loaded.setdefault(file, {}).setdefault(id(module), name)
    for file, names in loaded.items():
        if len(names) > 1:
            yield f"{file} is loaded more than once, as {', '.join(names.values())}"


def _file(module: types.ModuleType) -> object:
    # Reading an attribute of a lazy module would trigger its import.
    return getattr(module, "__dict__", {}).get("__file__")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
