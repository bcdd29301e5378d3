"""The finder behind ``import flask``: one module under two names, never a copy.

The import system runs ``find_spec`` under a lock that all threads share, and gives the
module that it loads a spec of its own. So the finder only looks for files, the fork's
module is imported by the loader, and what the import system gets to write its spec into
is a stand-in, which the fork's module has replaced by the time the import is done.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
import typing as t
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.machinery import PathFinder

_FORK = "flaskfork"
_ALIAS = "flask"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def install() -> None:
    """Make ``import flask`` mean the fork from here on.

    Calling it again does nothing but move the finder back to the front.

    :raises ImportError: another ``flask`` has been imported already, and what uses it
        cannot be told.
    """
    flask = sys.modules.get(_ALIAS)
    if flask is not None and _is_foreign(flask):
        raise ImportError(
            "flaskfork.shim comes too late: another 'flask' has been imported already,"
            f" from {getattr(flask, '__file__', None) or 'no file'}. Import"
            " 'flaskfork.shim' before anything that imports 'flask', or uninstall"
            " Flask, or replace it with the shim by 'python -m flaskfork.shim"
            " install'.",
            name=_ALIAS,
        )

    _move_to_front()


def swap(name: str) -> None:
    """Put the fork's module in the place of the shim wheel's, which calls this.

    :param name: the name under which the shim wheel's module is being imported.
    """
    fork = _import_fork(name)
    module = sys.modules.get(name, fork)
    if module is not fork:
        # A thread that asked for the same name meanwhile goes on with this object.
        module.__dict__["__fork__"] = fork
        module.__class__ = _StandIn
    _alias(name, fork)


class _StandIn(types.ModuleType):
    """A module that passes what it is asked and told on to the fork's module.

    The import system's own attributes stay here. Being much slower than what it stands
    for, it is never left in sys.modules; only a thread that lost a race ever has it.
    """

    __fork__: types.ModuleType

    @property
    def __dict__(self) -> dict[str, t.Any]:  # type: ignore[override]
        return self.__fork__.__dict__

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.__fork__, name)

    def __setattr__(self, name: str, value: t.Any) -> None:
        if _is_dunder(name):
            super().__setattr__(name, value)
        else:
            setattr(self.__fork__, name, value)

    def __delattr__(self, name: str) -> None:
        if _is_dunder(name):
            super().__delattr__(name)
        else:
            delattr(self.__fork__, name)


class _Loader(Loader):
    """Imports the fork's module and enters it under the other name.

    :param name: the name that ``loader`` knows the module by.
    :param loader: the real loader, which a namespace package has none of.
    """

    def __init__(self, name: str, loader: t.Any) -> None:
        self.name = name
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        module = _StandIn(spec.name)
        module.__fork__ = _import_fork(spec.name)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        _alias(name, _import_fork(name))

    def is_package(self, fullname: str) -> bool:
        return self.loader is None or bool(self.loader.is_package(self.name))

    def get_code(self, fullname: str) -> t.Any:
        return self.loader.get_code(self.name)

    def get_source(self, fullname: str) -> t.Any:
        return self.loader.get_source(self.name)

    def get_filename(self, fullname: str) -> t.Any:
        return self.loader.get_filename(self.name)

    def get_resource_reader(self, fullname: str) -> t.Any:
        return self.loader.get_resource_reader(self.name)

    def get_data(self, path: str) -> t.Any:
        return self.loader.get_data(path)


class _Finder:
    """Finds ``flask`` and ``flask.*`` in the fork's package."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: t.Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        top, *parts = fullname.split(".")
        spec = _find(parts) if top == _ALIAS else None
        if spec is None:
            return None

        spec.loader = _Loader(spec.name, spec.loader)
        spec.name = fullname
        if spec.submodule_search_locations is not None:
            # A namespace package's would look for its parent again.
            spec.submodule_search_locations = [*spec.submodule_search_locations]
        return spec


_finder = _Finder()


def _find(parts: list[str]) -> ModuleSpec | None:
    """Find a module of the fork, which need not be imported, nor its parents."""
    folder, package = os.path.split(_PACKAGE)
    spec = PathFinder.find_spec(package, [folder])
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        # The last part of the name is enough. By all of it, the parent of a namespace
        # package would be asked for in sys.modules.
        spec = PathFinder.find_spec(part, spec.submodule_search_locations)
    return spec


def _alias(name: str, module: types.ModuleType) -> None:
    """Enter a module under the name that is being imported.

    Never under any other, though more may be loaded: a thread that is looking for that
    name would take what it finds there for a reason to load the module again.
    """
    sys.modules[name] = module
    if name == _ALIAS:
        # A finder that has come in between could make second modules of the files.
        _move_to_front()


def _move_to_front() -> None:
    if sys.meta_path[:1] == [_finder]:
        return

    # The new one first, for the sake of the imports of other threads.
    sys.meta_path.insert(0, _finder)
    for i in range(len(sys.meta_path) - 1, 0, -1):
        if _is_ours(sys.meta_path[i]):
            del sys.meta_path[i]


def _is_ours(finder: object) -> bool:
    # By its name: after the fork has been loaded anew the class is another one.
    kind = type(finder)
    return (kind.__module__, kind.__name__) == (__name__, _Finder.__name__)


def _is_foreign(flask: types.ModuleType) -> bool:
    # The shim wheel's own module is here only while it is being imported.
    name = getattr(flask, "__name__", None)
    return name != _FORK and not _is_initializing(flask)


def _is_initializing(module: types.ModuleType) -> bool:
    # As the import system itself asks.
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _import_fork(name: str) -> types.ModuleType:
    """Import what ``name`` is in the fork."""
    # The whole package first: Python goes on with what another thread has of it so far.
    importlib.import_module(_FORK)
    return importlib.import_module(_FORK + name[len(_ALIAS) :])
