"""The finder behind ``import flask``: one module under two names, never a copy.

The import system runs ``find_spec`` under a lock that all threads share, and gives the
module that it loads a spec of its own. So the finder only looks for files, the fork's
module is imported by the loader, and what the import system gets to write its spec into
is a stand-in, which the fork's module has replaced by the time the import is done.

The finder stands right before Python's own one for files. Whoever watches imports comes
before it and sees each name being imported, as upstream's would be: a module that the
fork has loaded under its own name is imported under the other one as well. For finders
that ask Python's own by themselves, the fork's folders answer in the same way.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import sys
import types
import typing as t
from importlib import _bootstrap
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.machinery import PathFinder

_FORK = "flaskfork"
_ALIAS = "flask"
# What of the fork upstream has no name for.
_OWN = (f"{_FORK}.shim", f"{_FORK}.legacy")
_ROOMS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PACKAGE = os.path.dirname(_ROOMS)
# What it sets on a module that it loads, and what makes one a stand-in.
_IMPORT_SYSTEMS = {
    *("__name__", "__loader__", "__package__", "__spec__", "__path__"),
    *("__file__", "__cached__", "__class__", "__fork__"),
}
_DEADLOCK: type[BaseException] = getattr(_bootstrap, "_DeadlockError", RuntimeError)


def install() -> None:
    """Make ``import flask`` mean the fork from here on.

    Calling it again does nothing but put the finder back where it belongs.

    :raises ImportError: another ``flask`` has been imported already, and what uses it
        cannot be told.
    """
    foreign = _find_foreign()
    if foreign is not None:
        raise ImportError(
            "flaskfork.shim comes too late: another 'flask' has been imported already,"
            f" from {getattr(foreign, '__file__', None) or 'no file'}. Import"
            " 'flaskfork.shim' before anything that imports 'flask', or uninstall"
            " Flask, or replace it with the shim by 'python -m flaskfork.shim"
            " install'.",
            name=_ALIAS,
        )

    _put_finder()
    _put_path_hook()


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

    What the import system writes stays here. Being much slower than what it stands
    for, it is never left in sys.modules; only a thread that lost a race ever has it.
    """

    __fork__: types.ModuleType

    @property
    def __dict__(self) -> dict[str, t.Any]:  # type: ignore[override]
        return self.__fork__.__dict__

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.__fork__, name)

    def __setattr__(self, name: str, value: t.Any) -> None:
        if name in _IMPORT_SYSTEMS:
            super().__setattr__(name, value)
        else:
            setattr(self.__fork__, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _IMPORT_SYSTEMS:
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


class _ForkLoader(Loader):
    """Loads a module of the fork, then has it imported under the other name as well.

    :param loader: the real loader, which the module gets for its own.
    """

    def __init__(self, loader: t.Any) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        module: types.ModuleType | None = self.loader.create_module(spec)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        spec = t.cast(ModuleSpec, module.__spec__)
        module.__loader__ = spec.loader = self.loader
        dropped = _drop_aliases_of_old(module.__name__)
        self.loader.exec_module(module)
        if _ALIAS in dropped:
            sys.modules[_ALIAS] = module
        _import_aliases(loaded=module.__name__)


class _Finder:
    """Finds ``flask`` and ``flask.*`` in the fork's package."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: t.Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if top == _ALIAS:
            return _find_alias(fullname)
        if top == _FORK and not fullname.startswith(_OWN):
            return _find_fork(fullname, path)
        return None


_finder = _Finder()


def _find_alias(name: str) -> ModuleSpec | None:
    spec = _find(name.split(".")[1:])
    if spec is None:
        return None

    spec.loader = _Loader(spec.name, spec.loader)
    spec.name = name
    if spec.submodule_search_locations is not None:
        # A namespace package's would look for its parent again.
        spec.submodule_search_locations = [*spec.submodule_search_locations]
    return spec


def _find_fork(name: str, path: t.Sequence[str] | None) -> ModuleSpec | None:
    spec = PathFinder.find_spec(name, path)
    # That for archives loads in one step up to Python 3.9, which cannot be followed.
    if spec is not None and hasattr(spec.loader, "exec_module"):
        spec.loader = _ForkLoader(spec.loader)
    return spec


def _find(parts: list[str]) -> ModuleSpec | None:
    """Find a module of the fork, which need not be imported, nor its parents."""
    folder, parent = os.path.split(_PACKAGE)
    spec = PathFinder.find_spec(parent, [folder])
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        # A program may have added a folder to a package.
        path = getattr(sys.modules.get(parent), "__path__", None)
        # The last part of the name is enough. By all of it, the parent of a namespace
        # package would be asked for in sys.modules.
        spec = PathFinder.find_spec(part, path or spec.submodule_search_locations)
        parent = f"{parent}.{part}"
    return spec


class _FolderFinder:
    """Finds modules in a folder of the fork, for whoever asks for them there.

    :param finder: the real one of that folder.
    """

    def __init__(self, finder: t.Any) -> None:
        self.finder = finder

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.finder, name)

    def find_spec(
        self, fullname: str, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.startswith(f"{_ALIAS}."):
            return _find_alias(fullname)
        spec: ModuleSpec | None = self.finder.find_spec(fullname, target)
        return spec

    def iter_modules(self, prefix: str = "") -> t.Any:
        return pkgutil.iter_importer_modules(  # type: ignore[attr-defined]
            self.finder, prefix
        )


def _find_in_folder(path: str) -> _FolderFinder:
    """The path hook."""
    if not _is_folder_of_fork(path):
        raise ImportError("not a folder of the fork", path=path)

    for hook in sys.path_hooks:
        if not _is_ours(hook):
            try:
                finder = hook(path)
            except ImportError:
                continue
            # That for archives has find_spec since Python 3.10.
            if hasattr(finder, "find_spec"):
                return _FolderFinder(finder)
    raise ImportError("nothing finds modules here", path=path)


def _alias(name: str, module: types.ModuleType) -> None:
    """Enter a module under the name that is being imported."""
    sys.modules[name] = module
    if name == _ALIAS:
        _import_aliases()


def _drop_aliases_of_old(name: str) -> list[str]:
    """Forget by the other name what the fork is loading anew.

    :param name: a module of the fork; with the package goes all that is in it.
    :return: the other names.
    """
    old = [
        alias
        for alias, module in sys.modules.copy().items()
        if f"{alias}.".startswith(f"{_ALIAS}.")
        and (twin := _FORK + alias[len(_ALIAS) :]) == getattr(module, "__name__", None)
        and name in (twin, _FORK)
        and sys.modules.get(twin) is not module
    ]
    for alias in old:
        del sys.modules[alias]
    return old


def _import_aliases(loaded: str = "") -> None:
    """Import under the other name what the fork has loaded under its own.

    Otherwise whoever waits for that name, to patch the module, would wait for ever.

    :param loaded: a module that is being imported still, but has been executed.
    """
    if sys.modules.get(_ALIAS) is not sys.modules.get(_FORK):
        return

    # Packages before what is in them.
    for name in sorted(sys.modules):
        alias = _ALIAS + name[len(_FORK) :]
        if (
            name.startswith(f"{_FORK}.")
            and not name.startswith(_OWN)
            and alias not in sys.modules
            and alias.rpartition(".")[0] in sys.modules
            and not _is_being_located(alias)
            and not _is_being_imported(alias)
            and not any(map(_is_initializing, _lineage(name) - {loaded}))
        ):
            source = sys.modules[name]
            before = [(module, vars(module).copy()) for module in _modules_of_fork()]
            # A thread that is at it, and waits for this one, will finish it.
            with contextlib.suppress(_DEADLOCK):
                importlib.import_module(alias)
            _hand_on(source, before)


def _hand_on(
    source: types.ModuleType, before: list[tuple[types.ModuleType, dict[str, t.Any]]]
) -> None:
    """Give what hooks have replaced in a module to those that took the old from it.

    Modules of upstream's would have been loaded, and have taken it, after the hooks.

    :param before: what each module of the fork had before the hooks ran.
    """
    [had] = [values for module, values in before if module is source]
    for name, old in had.items():
        new = vars(source).get(name, old)
        if new is not old and _is_defined_in(source, old):
            for module, values in before:
                for key, value in values.items():
                    # The hook may keep the old one in the module, and call it.
                    if value is old and module is not source:
                        setattr(module, key, new)


def _is_defined_in(module: types.ModuleType, thing: object) -> bool:
    # Of anything else it cannot be told who took it from whom.
    kinds = (types.FunctionType, type)
    return isinstance(thing, kinds) and thing.__module__ == module.__name__


def _modules_of_fork() -> list[types.ModuleType]:
    return [m for n, m in sys.modules.copy().items() if f"{n}.".startswith(f"{_FORK}.")]


def _lineage(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts) + 1)}


def _is_being_located(alias: str) -> bool:
    # Python warns when what it is about to run by '-m' is imported already.
    return alias == f"{_ALIAS}.cli" and getattr(sys, "argv", [])[:1] == ["-m"]


def _is_being_imported(alias: str) -> bool:
    # Whoever is at it will finish it. To wait for a thread that itself waits for the
    # package, which this one is importing, would be a deadlock.
    return alias in getattr(_bootstrap, "_module_locks", {})


def _is_initializing(name: str) -> bool:
    # As the import system itself asks.
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _put_finder() -> None:
    others = [finder for finder in sys.meta_path if not _is_ours(finder)]
    place = others.index(PathFinder) if PathFinder in others else 0
    finders = [*others[:place], _finder, *others[place:]]
    if sys.meta_path != finders:
        # In one step, for the sake of the imports of other threads.
        sys.meta_path[:] = finders


def _put_path_hook() -> None:
    hooks = [hook for hook in sys.path_hooks if not _is_ours(hook)]
    if sys.path_hooks != [_find_in_folder, *hooks]:
        sys.path_hooks[:] = [_find_in_folder, *hooks]
        for path in filter(_is_folder_of_fork, [*sys.path_importer_cache]):
            sys.path_importer_cache.pop(path, None)


def _is_folder_of_fork(path: str) -> bool:
    return (path + os.sep).startswith(_PACKAGE + os.sep)


def _is_ours(hook: object) -> bool:
    # By its module: after the fork has been loaded anew the object is another one.
    return getattr(hook, "__module__", None) == __name__


def _find_foreign() -> types.ModuleType | None:
    """Find a module of another Flask that has been imported already."""
    for name, module in sorted(sys.modules.copy().items()):
        if not f"{name}.".startswith(f"{_ALIAS}.") or module is None:
            continue
        # The shim wheel's own modules are here only while they are being imported. From
        # an archive that shows by the lock alone: Python 3.9 gives them no spec before.
        if (
            not _is_initializing(name)
            and not _is_being_imported(name)
            and _is_foreign(name, module)
        ):
            return module
    return None


def _is_foreign(name: str, module: types.ModuleType) -> bool:
    if "__shim__" in vars(module):
        # The shim wheel's, which is being loaded by hand.
        return False
    real = getattr(module, "__name__", None)
    if name == _ALIAS:
        return real != _FORK
    # What has no file has been put there by a program.
    return real == name and getattr(module, "__file__", None) is not None


def _import_fork(name: str) -> types.ModuleType:
    """Import what ``name`` is in the fork."""
    # The whole package first: Python goes on with what another thread has of it so far.
    importlib.import_module(_FORK)
    fork = _FORK + name[len(_ALIAS) :]
    try:
        return importlib.import_module(fork)
    except _DEADLOCK:
        # Another thread has loaded it, and waits to import it by the other name.
        return sys.modules[fork]
