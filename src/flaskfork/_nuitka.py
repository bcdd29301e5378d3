"""The plugin with which Nuitka compiles an application that runs on the fork.

``python -m flaskfork._nuitka`` prints its path, for Nuitka's option ``--user-plugin``.
Nuitka looks for packages' configuration only where an option says.
"""

from __future__ import annotations

import functools
import importlib
import pathlib
import pkgutil
import re
import sys
import typing as t
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

try:
    from nuitka.plugins import PluginBase  # type: ignore[import-not-found]

    _Base: t.Any = PluginBase.NuitkaPluginBase
except ImportError:
    # Something else than Nuitka imports all modules, or asks for the path.
    _Base = object

_PACKAGE = pathlib.Path(__file__).resolve().parent
# Those of other programs than the one that is compiled.
_LEFT_OUT = ("_nuitka", "_pyinstaller")
_SWAP = "__shim__ = True\nfrom flaskfork.shim import swap\nswap(__name__)\n"


class FlaskforkPlugin(_Base):  # type: ignore[misc]
    """Tells Nuitka what it cannot find by reading the fork's imports."""

    plugin_name = "flaskfork"
    plugin_desc = "Makes 'import flask' mean flaskfork in the program."

    def __init__(self) -> None:
        # Nuitka looks up versions that a program asks for while it compiles it.
        sys.meta_path.insert(0, _Versions)

    def getImplicitImports(self, module: t.Any) -> t.Iterator[str]:
        """Name the modules that are imported by their other name, or by tables."""
        if module.getFullName() == "flaskfork":
            yield from _modules("flaskfork")
            yield from _modules("flaskfork.legacy")

    def onModuleSourceCode(
        self, module_name: t.Any, source_filename: str, source_code: str
    ) -> str:
        """Replace another Flask's modules by what the wheel named Flask has."""
        if f"{module_name}.".startswith("flask.") and "__shim__" not in source_code:
            return _SWAP
        return source_code

    def decideCompilation(self, module_name: t.Any) -> str | None:
        """Keep the bytecode of the module that changes some of its own."""
        return "bytecode" if module_name == "flaskfork.legacy._warn" else None

    def considerDataFiles(self, module: t.Any) -> t.Iterator[t.Any]:
        """Include what tells the program the versions of both."""
        if module.getFullName() != "flaskfork":
            return
        for path in _PACKAGE.parent.glob("*.dist-info/METADATA"):
            if re.match("flask(fork)?-", path.parent.name, re.IGNORECASE):
                yield self._data_file(path)
        yield self._data_file(_PACKAGE / "provenance.json")

    def _data_file(self, path: pathlib.Path) -> t.Any:
        return self.makeIncludedDataFile(
            source_path=str(path),
            dest_path=str(path.relative_to(_PACKAGE.parent)),
            reason="the version of flaskfork",
        )


class _Versions:
    """A finder that answers Nuitka as the fork's own answers the program."""

    @staticmethod
    def find_spec(name: str, path: t.Any = None, target: t.Any = None) -> None:
        return None

    @classmethod
    def find_distributions(cls, context: t.Any) -> t.Iterator[t.Any]:
        others = [finder for finder in sys.meta_path if finder is not cls]
        found: t.Iterator[t.Any] = _distributions().find(context, others)
        return found


@functools.cache
def _distributions() -> t.Any:
    """Import the module without the fork itself, whose libraries Nuitka has as well."""
    spec: t.Any = PathFinder.find_spec("importing", [str(_PACKAGE / "shim")])
    sys.modules[spec.name] = module_from_spec(spec)
    return importlib.import_module("importing.distributions")


def _modules(name: str) -> t.Iterator[str]:
    folder = _PACKAGE.joinpath(*name.split(".")[1:])
    for module in pkgutil.iter_modules([str(folder)]):
        if module.name not in _LEFT_OUT:
            yield f"{name}.{module.name}"


if __name__ == "__main__":
    print(__file__)
