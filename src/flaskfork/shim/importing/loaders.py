"""Loaders that give both names the fork's one module, whichever is imported first.

The import system gives each module that it loads a spec of its own. So a loader for the
name ``flask`` imports the fork's module and hands the import system a stand-in to write
into; by the end of the import the fork's module has replaced the stand-in.
"""

from __future__ import annotations

import sys
import types
import typing as t
from importlib.abc import Loader
from importlib.machinery import ModuleSpec

from .aliases import ALIAS
from .aliases import enter
from .aliases import forget_replaced
from .aliases import import_aliases
from .aliases import import_fork

# What the import system sets on a module that it loads, and what a stand-in needs.
_IMPORT_SYSTEMS = frozenset(
    (
        "__cached__",
        "__class__",
        "__file__",
        "__fork__",
        "__loader__",
        "__name__",
        "__package__",
        "__path__",
        "__spec__",
    )
)


def swap(name: str) -> None:
    """Replace a module of the shim wheel with the fork's; the module itself calls this.

    :param name: the name under which the shim wheel's module is being imported.
    :raises ImportError: the fork's module failed to import.
    """
    fork = import_fork(name)
    module = sys.modules.get(name, fork)
    if module is not fork:
        # A thread that asked for the same name meanwhile continues with this object.
        module.__dict__["__fork__"] = fork
        module.__class__ = _StandIn
    enter(name, fork)


class AliasLoader(Loader):
    """Imports the fork's module and enters it under the other name.

    :param name: the name that ``loader`` knows the module by.
    :param loader: the real loader; a namespace package has none.
    """

    def __init__(self, name: str, loader: t.Any) -> None:
        self.name = name
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        module = _StandIn(spec.name)
        module.__fork__ = import_fork(spec.name)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        enter(name, import_fork(name))

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


class ForkLoader(Loader):
    """Loads a module of the fork, then has it imported under the other name as well.

    :param loader: the real loader, which becomes the module's own.
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
        forgotten = forget_replaced(module.__name__)
        self.loader.exec_module(module)
        if ALIAS in forgotten:
            sys.modules[ALIAS] = module
        import_aliases(loaded=module.__name__)


class _StandIn(types.ModuleType):
    """A module that passes every read and write on to the fork's module.

    What the import system writes stays here. As it is much slower than the module that
    it stands for, it is never left in ``sys.modules``; only a thread that lost a race
    ever has it.
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
