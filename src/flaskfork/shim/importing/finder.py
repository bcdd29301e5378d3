"""The finder behind ``import flask``: one module under two names, never a copy.

The import system runs ``find_spec`` under a lock that all threads share, so the finder
imports nothing: it only looks for files, and leaves the rest to the loaders.

It comes right before Python's own finder for files. Import hooks come before it, and
see ``flask`` being imported as they would see upstream's. For finders that call
Python's own themselves, a path hook makes the fork's folders answer in the same way.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import types
import typing as t
from importlib.machinery import ModuleSpec
from importlib.machinery import PathFinder
from itertools import filterfalse

from . import distributions
from .aliases import ALIAS
from .aliases import find_foreign
from .aliases import FORK
from .aliases import has_alias
from .loaders import AliasLoader
from .loaders import ForkLoader

_SHIM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PACKAGE = os.path.dirname(_SHIM)


def install() -> None:
    """Make ``import flask`` mean the fork from here on.

    Calling it again only puts the finder back where it belongs.

    :raises ImportError: another ``flask`` has already been imported, and which modules
        use it is unknown; or Nuitka compiled another one into the program.
    """
    foreign = find_foreign()
    if foreign is not None:
        raise ImportError(
            "flaskfork.shim comes too late: another 'flask' has already been imported,"
            f" from {getattr(foreign, '__file__', None) or 'no file'}. Import"
            " 'flaskfork.shim' before anything that imports 'flask', or uninstall"
            " Flask, or replace it with the shim by running 'python -m flaskfork.shim"
            " install'.",
            name=ALIAS,
        )

    _put_finder()
    _put_path_hook()
    if "__compiled__" in globals():
        _check_program()


class Finder:
    """Finds ``flask`` and ``flask.*`` in the fork's package (:pep:`451`)."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: t.Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        # Without any global: IPython clears a module to load it anew, this one too.
        if fullname.startswith("flaskfork.shim"):
            return None

        top = fullname.partition(".")[0]
        if top == ALIAS:
            return _find_alias(fullname)
        if top == FORK and has_alias(fullname):
            return _find_fork(fullname, path)
        return None

    @staticmethod
    def find_distributions(context: t.Any) -> t.Iterator[t.Any]:
        """Find Flask by its name, as ``importlib.metadata`` asks for it."""
        return distributions.find(context, filterfalse(_is_ours, sys.meta_path))


class FolderFinder:
    """Finds modules in a folder of the fork, for finders that ask there.

    :param finder: the folder's real finder.
    """

    def __init__(self, finder: t.Any) -> None:
        self.finder = finder

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.finder, name)

    def find_spec(
        self, fullname: str, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        # Without a global, as above.
        if fullname.startswith("flask."):
            return _find_alias(fullname)
        spec: ModuleSpec | None = self.finder.find_spec(fullname, target)
        return spec

    def iter_modules(self, prefix: str = "") -> t.Any:
        return pkgutil.iter_importer_modules(  # type: ignore[attr-defined]
            self.finder, prefix
        )


def find_in_folder(path: str) -> FolderFinder:
    """The path hook (:pep:`302`).

    :raises ImportError: ``path`` is not a folder of the fork, or nothing else finds
        modules there.
    """
    if not _is_folder_of_fork(path):
        raise ImportError("not a folder of the fork", path=path)

    for hook in sys.path_hooks:
        if not _is_ours(hook):
            try:
                finder = hook(path)
            except ImportError:
                continue
            # The finder for archives has find_spec since Python 3.10.
            if hasattr(finder, "find_spec"):
                return FolderFinder(finder)
    raise ImportError("nothing finds modules here", path=path)


_finder = Finder()


def _find_alias(name: str) -> ModuleSpec | None:
    spec = _find(name.split(".")[1:])
    if spec is None:
        return None

    spec.loader = AliasLoader(spec.name, spec.loader)
    spec.name = name
    if spec.submodule_search_locations is not None:
        # A namespace package's would look for its parent again.
        spec.submodule_search_locations = [*spec.submodule_search_locations]
    return spec


def _find_fork(name: str, path: t.Sequence[str] | None) -> ModuleSpec | None:
    spec = PathFinder.find_spec(name, path)
    # Up to Python 3.9, the loader for archives loads in one step, with no way in.
    if spec is not None and hasattr(spec.loader, "exec_module"):
        spec.loader = ForkLoader(spec.loader)
    return spec


def _find(parts: list[str]) -> ModuleSpec | None:
    """Find a module of the fork; neither it nor its parents need be imported."""
    folder, parent = os.path.split(_PACKAGE)
    spec = PathFinder.find_spec(parent, [folder])
    if spec is None or spec.loader is None:
        return _find_in_program(parts)

    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        # A program may have added a folder to a package.
        path = getattr(sys.modules.get(parent), "__path__", None)
        # The last part of the name is enough. Given all of it, Python would look for
        # the parent of a namespace package in sys.modules.
        spec = PathFinder.find_spec(part, path or spec.submodule_search_locations)
        parent = f"{parent}.{part}"
    return spec


def _find_in_program(parts: list[str]) -> ModuleSpec | None:
    """Find a module of the fork in a program that it was compiled into, by Nuitka."""
    name = ".".join([FORK, *parts])
    path = [os.path.join(_PACKAGE, *parts[:-1])] if parts else None
    finders = filterfalse(_is_ours, sys.meta_path)
    for find_spec in (getattr(finder, "find_spec", None) for finder in finders):
        spec: ModuleSpec | None = find_spec and find_spec(name, path)
        if spec is not None:
            return spec
    return None


def _check_program() -> None:
    # What Nuitka compiled in, it imports without asking any finder.
    if ALIAS not in sys.modules and importlib.import_module(ALIAS).__name__ != FORK:
        raise ImportError(
            "another 'flask' was compiled into this program: compile it with Nuitka's"
            " option --user-plugin and what 'python -m flaskfork._nuitka' prints.",
            name=ALIAS,
        )


def _put_finder() -> None:
    others = [finder for finder in sys.meta_path if not _is_ours(finder)]
    place = others.index(PathFinder) if PathFinder in others else 0
    finders = [*others[:place], _finder, *others[place:]]
    if sys.meta_path != finders:
        # In one step, for the sake of other threads' imports.
        sys.meta_path[:] = finders


def _put_path_hook() -> None:
    hooks = [hook for hook in sys.path_hooks if not _is_ours(hook)]
    if sys.path_hooks != [find_in_folder, *hooks]:
        sys.path_hooks[:] = [find_in_folder, *hooks]
        for path in filter(_is_folder_of_fork, [*sys.path_importer_cache]):
            sys.path_importer_cache.pop(path, None)
            # At once, since the hook has globals.
            pkgutil.get_importer(path)


def _is_folder_of_fork(path: str) -> bool:
    return (path + os.sep).startswith(_PACKAGE + os.sep)


def _is_ours(hook: object) -> bool:
    # By its module: once the fork is reloaded, the object is a different one.
    return getattr(hook, "__module__", None) == __name__
