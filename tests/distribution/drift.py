"""Print, by module, the names for which a type checker is shown something wrong.

Runs inside an environment that has both wheels. The code shown to checkers is executed:
each import in it must work, and yield the very object that the module has.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import pathlib
import sys
import textwrap
import typing as t


def main() -> dict[str, list[str]]:
    return {
        pathlib.PurePath(*file.parts[1:]).as_posix(): wrong_names(file)
        for file in importlib.metadata.files("flask") or []
        if file.parts[0] == "flask" and file.suffix == ".py"
    }


def wrong_names(file: importlib.metadata.PackagePath) -> list[str]:
    shown, _, _ = file.read_text().partition("TYPE_CHECKING:\n")[2].partition("\nelse:")
    name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    seen: dict[str, t.Any] = {"__package__": ".".join(file.parts[:-1])}
    exec(textwrap.dedent(shown), seen)
    if name.endswith(".__main__"):
        # Importing it would run it.
        return []

    module = importlib.import_module(name)
    there = {x: value for x, value in vars(module).items() if x != "annotations"}
    needless = {x for x in seen if seen[x] is not there.get(x, seen)}
    missing = {x for x in there if not x.startswith("__")} - seen.keys()
    # A package gets its submodules as attributes as soon as something imports them.
    missing -= {x for x in missing if f"{module.__name__}.{x}" in sys.modules}
    return sorted((needless | missing) - {"__builtins__", "__package__"})


if __name__ == "__main__":
    print(json.dumps(main()))
