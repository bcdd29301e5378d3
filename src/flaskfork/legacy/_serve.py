"""Serves the names of a table from modules, loaded or not, and removed modules.

Modules answer by a ``__getattr__`` (:pep:`562`), which leaves their namespace alone. It
is set again whenever a module is executed, :func:`importlib.reload` included.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import threading
import types
import typing as t
from importlib.abc import Loader
from importlib.machinery import ModuleSpec

from ._names import FORK
from ._names import Name
from ._names import Table
from ._warn import call_as_user
from ._warn import is_import_check
from ._warn import warn

# Reentrant: an import made while it is held may need it too.
_lock = threading.RLock()
#: The served names by the real name of the module, and the removed modules.
_names: dict[str, t.Mapping[str, Name]] = {}
_modules: dict[str, Name] = {}
#: What else is done to a module, by its real name.
_restorers: dict[str, str] = {}

_EXT = "flask.ext"


def serve(table: Table) -> None:
    """Serve the names and modules of a table from here on."""
    with _lock:
        _names.update({_real(name): names for name, names in table.names.items()})
        _modules.update(table.modules)
        _restorers.update(
            {_real(n): restorer for n, restorer in table.restorers.items()}
        )
        # By its name: once the fork is reloaded, the class is a different one.
        others = [f for f in sys.meta_path if type(f).__module__ != __name__]
        sys.meta_path[:] = [_finder, *others]
        for name in _names.keys() | _restorers.keys():
            module = sys.modules.get(name)
            if module is not None:
                _attach_when_done(module)


def resolve(target: str) -> t.Any:
    """Import a module, and get an attribute of it if one is named.

    :param target: ``module:attribute`` or ``module``; with a leading dot the module is
        one of this package.
    :raises ImportError: there is no such module.
    :raises AttributeError: there is no such attribute.
    """
    module, _, attribute = target.partition(":")
    found = importlib.import_module(module, __package__)
    return getattr(found, attribute) if attribute else found


def _attach_when_done(module: types.ModuleType) -> None:
    spec = module.__spec__
    if type(spec) is ModuleSpec and getattr(spec, "_initializing", False):
        # What imports it has asked for this.
        spec.__class__ = _Unfinished
    else:
        _attach(module)


class _Unfinished(ModuleSpec):
    """The spec of a module that is being executed, which notices when that ends."""

    @property
    def _initializing(self) -> bool:
        return True

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self.__class__ = ModuleSpec  # type: ignore[assignment]
        self._initializing = value
        _attach(sys.modules[self.name])


def _attach(module: types.ModuleType) -> None:
    """Let a module serve its names, and restore what its classes have lost."""
    if module.__name__ in _restorers:
        resolve(_restorers[module.__name__])(module)
    if module.__name__ in _names:
        own = module.__dict__.get("__getattr__")
        module.__dict__["__getattr__"] = _answer(module, getattr(own, "own", own))


def _answer(
    module: types.ModuleType, own: t.Callable[[str], t.Any] | None
) -> t.Callable[[str], t.Any]:
    """Make the ``__getattr__`` of a module.

    :param own: the one that the module has, which is asked for all other names.
    """
    names = _names[module.__name__]

    def __getattr__(name: str) -> t.Any:
        if name not in names:
            if own is None:
                _fail(module, name)
            return call_as_user(own, name)
        given = names[name]
        try:
            value = resolve(given.target)
        except (ImportError, AttributeError):
            # A later version of the library has removed the target as well.
            _fail(module, name)
        if not is_import_check(1):
            shown = f"{_public(module.__name__)}.{name}"
            warn(given.describe(shown), instead=given.instead)
        return value

    __getattr__.own = own  # type: ignore[attr-defined]
    return __getattr__


def _fail(module: types.ModuleType, name: str) -> t.NoReturn:
    """Raise what a module without a ``__getattr__`` raises."""
    error = AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    if sys.version_info >= (3, 10):
        error.name, error.obj = name, module
    raise error


class _Finder:
    """Finds removed modules, and watches the execution of those that serve names."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: t.Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        if sys.modules.get(__name__) is not _this:
            return _renewed(fullname, path, target)
        public = _public(fullname)
        if public == _EXT or public.startswith(f"{_EXT}."):
            return _find_extension(fullname, public)
        if public in _modules:
            given = _modules[public]
            if given.target:
                return ModuleSpec(fullname, _Alias(given.target, public, given))
            return _package(fullname, public)
        if fullname not in _names and fullname not in _restorers:
            return None

        spec = _find_elsewhere(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Watcher(spec.loader)
        return spec


_finder = _Finder()
_this = sys.modules[__name__]


class _Watcher(Loader):
    """Executes a module as its own loader does, then serves names from it."""

    def __init__(self, loader: t.Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return t.cast("types.ModuleType | None", self._loader.create_module(spec))

    def exec_module(self, module: types.ModuleType) -> None:
        # From here on this loader leaves no trace.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if sys.modules.get(__name__) is _this:
            _attach(module)

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._loader, name)


class _Alias(Loader):
    """Imports an existing module under a name that was removed.

    :param target: the module to import.
    :param shown: the removed name, as a warning shows it.
    :param given: what the warning says; without it there is no warning.
    """

    def __init__(self, target: str, shown: str, given: Name | None) -> None:
        self.target = target
        self.shown = shown
        self.given = given
        self.spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        if self.given is not None:
            warn(self.given.describe(self.shown), instead=self.given.instead)
        module: types.ModuleType = resolve(self.target)
        # The import system overwrites it with its own.
        self.spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self.spec


class _Empty(Loader):
    """Makes a package that has nothing but the modules that are imported from it."""

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _Renewer(_Watcher):
    """Executes the fork's package as its own loader does, then restores names again."""

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        legacy = importlib.import_module(f"{FORK}.shim").legacy
        legacy(werkzeug="werkzeug" in _names)


def _renewed(
    fullname: str, path: t.Sequence[str] | None, target: types.ModuleType | None
) -> ModuleSpec | None:
    """Find the fork's package, where it was deleted together with this module."""
    spec = _find_elsewhere(fullname, path, target) if fullname == FORK else None
    if spec is not None:
        spec.loader = _Renewer(spec.loader)
    return spec


def _find_extension(fullname: str, public: str) -> ModuleSpec | None:
    """Find ``flask.ext.x.y``, which is ``flask_x.y`` or ``flaskext.x.y``."""
    extension = public[len(_EXT) + 1 :]
    if not extension:
        return _package(fullname, public)

    parent = public.rpartition(".")[0]
    if parent != _EXT:
        # The extension may have either name: take the one that was imported.
        real = sys.modules[fullname.rpartition(".")[0]].__name__
        target = f"{real}.{extension.rpartition('.')[2]}"
        return (
            ModuleSpec(fullname, _Alias(target, public, None))
            if _exists(target)
            else None
        )
    for target in (f"flask_{extension}", f"flaskext.{extension}"):
        if _exists(target):
            given = Name(target, "Flask 1.0", f"'import {target}'")
            return ModuleSpec(fullname, _Alias(target, public, given))
    return None


def _package(fullname: str, public: str) -> ModuleSpec:
    if fullname != public:
        return ModuleSpec(fullname, _Alias(public, public, None))
    return ModuleSpec(fullname, _Empty(), is_package=True)


def _exists(name: str) -> bool:
    """Whether a module can be found, without importing it or its parent."""
    parent, _, _ = name.rpartition(".")
    if name in sys.modules:
        return True
    if not parent:
        return _find_elsewhere(name, None, None) is not None
    if parent in sys.modules:
        path = getattr(sys.modules[parent], "__path__", None)
    else:
        spec = _find_elsewhere(parent, None, None)
        path = spec and spec.submodule_search_locations
    return path is not None and _find_elsewhere(name, path, None) is not None


def _find_elsewhere(
    fullname: str,
    path: t.Sequence[str] | None,
    target: types.ModuleType | None,
) -> ModuleSpec | None:
    """Ask the other finders, in their order."""
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        if finder is _finder or find is None:
            continue
        spec: ModuleSpec | None = find(fullname, path, target)
        if spec is not None:
            return spec
    return None


def _real(name: str) -> str:
    """The name in the fork of a module whose public name is ``flask...``."""
    top, dot, rest = name.partition(".")
    return f"{FORK}{dot}{rest}" if top == "flask" else name


def _public(name: str) -> str:
    top, dot, rest = name.partition(".")
    return f"flask{dot}{rest}" if top == FORK else name
