"""The names ``flask`` and ``flaskfork`` in ``sys.modules``, each for the same module.

Anything that watches imports sees each name being imported, as it would see upstream's:
a module that the fork has loaded under its own name is also imported under the other
one, through the import system.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import types
import typing as t
from importlib import _bootstrap
from importlib.abc import FileLoader

FORK = "flaskfork"
ALIAS = "flask"

# Parts of the fork that upstream has no name for.
_OWN = (f"{FORK}.shim", f"{FORK}.legacy")
_DEADLOCK: type[BaseException] = getattr(_bootstrap, "_DeadlockError", RuntimeError)


def has_alias(name: str) -> bool:
    """Whether a module of the fork is also imported under the other name.

    :param name: the fork's own name of the module.
    """
    return not name.startswith(_OWN)


def import_fork(alias: str) -> types.ModuleType:
    """Import the fork's module for the name ``flask`` or ``flask.*``.

    :param alias: that name.
    :raises ImportError: the fork has no such module, or the module failed to import.
    """
    # The whole package first: Python would use what another thread has loaded so far.
    importlib.import_module(FORK)
    fork = FORK + alias[len(ALIAS) :]
    try:
        return importlib.import_module(fork)
    except _DEADLOCK:
        # Another thread has loaded it, and waits to import it under the other name.
        return sys.modules[fork]


def enter(alias: str, module: types.ModuleType) -> None:
    """Enter a module of the fork under the name that is being imported.

    :param alias: that name. With ``flask`` itself, what the package has loaded so far
        is imported under its other names.
    """
    sys.modules[alias] = module
    read_by_both_names(getattr(module, "__loader__", None))
    for name in [*sys.modules] if alias == ALIAS else _lineage(alias):
        if name.startswith(f"{ALIAS}."):
            _replace_namespace(name)
    if alias == ALIAS:
        import_aliases()


def read_by_both_names(loader: t.Any) -> None:
    """Let a module's loader be asked for its code and source by the other name, too.

    What runs a module by name, as :mod:`runpy` does, asks by the name it was given.

    :param loader: one for files, whose name it has; any other is left alone.
    """
    if isinstance(loader, FileLoader) and "get_filename" not in vars(loader):
        get_filename = functools.partial(_get_filename, loader.get_filename)
        loader.get_filename = get_filename  # type: ignore[method-assign]


def import_aliases(loaded: str = "") -> None:
    """Import under the other name everything that the fork has loaded under its own.

    Otherwise anything that waits for that name, to patch the module, waits forever.

    :param loaded: a module that is still being imported, but has been executed.
    """
    if sys.modules.get(ALIAS) is not sys.modules.get(FORK):
        return

    # Packages before their modules.
    for name in sorted(sys.modules):
        alias = ALIAS + name[len(FORK) :]
        if (
            name.startswith(f"{FORK}.")
            and has_alias(name)
            and alias not in sys.modules
            and alias.rpartition(".")[0] in sys.modules
            and not _is_being_located(alias)
            and not _is_being_imported(alias)
            and not any(map(_is_initializing, _lineage(name) - {loaded}))
        ):
            source = sys.modules[name]
            before = [(module, vars(module).copy()) for module in _modules_of_fork()]
            # A thread that is importing it, and waits for this one, will finish it.
            with contextlib.suppress(_DEADLOCK):
                importlib.import_module(alias)
            _hand_on(source, before)


def forget_replaced(name: str) -> list[str]:
    """Forget the other names of modules that the fork is reloading.

    :param name: a module of the fork; the package stands for everything in it.
    :return: the names that were forgotten.
    """
    old = [
        alias
        for alias, module in sys.modules.copy().items()
        if _is_alias(alias)
        and (twin := FORK + alias[len(ALIAS) :]) == getattr(module, "__name__", None)
        and name in (twin, FORK)
        and sys.modules.get(twin) is not module
    ]
    for alias in old:
        del sys.modules[alias]
    return old


def find_foreign() -> types.ModuleType | None:
    """Find a module of another Flask that has already been imported."""
    for name, module in sorted(sys.modules.copy().items()):
        if not _is_alias(name) or module is None:
            continue
        # The shim wheel's own modules are here only while they are being imported. From
        # an archive only the lock shows that: Python 3.9 sets their spec later.
        if (
            not _is_initializing(name)
            and not _is_being_imported(name)
            and _is_foreign(name, module)
        ):
            return module
    return None


def _replace_namespace(alias: str) -> None:
    """Put the fork's module in the place of a namespace package of the shim wheel.

    Such a package has no module that could do it. A thread finds it there if it imports
    from the package before another thread has put the finder in place.
    """
    if _is_namespace(alias, sys.modules.get(alias)):
        with contextlib.suppress(ImportError):
            fork = import_fork(alias)
            sys.modules[alias] = fork
            parent, _, child = fork.__name__.rpartition(".")
            setattr(sys.modules[parent], child, fork)


def _is_namespace(alias: str, module: types.ModuleType | None) -> bool:
    spec: t.Any = getattr(module, "__spec__", None)
    locations = getattr(spec, "submodule_search_locations", None)
    if locations is None or spec.name != alias:
        return False
    # Nuitka says that there is a file, even in a namespace package.
    compiled = "__compiled__" in vars(module) and "__shim__" not in vars(module)
    return spec.origin is None or compiled


def _get_filename(get_filename: t.Callable[[str], str], name: str) -> str:
    return get_filename(FORK + name[len(ALIAS) :] if _is_alias(name) else name)


def _hand_on(
    source: types.ModuleType, before: list[tuple[types.ModuleType, dict[str, t.Any]]]
) -> None:
    """Pass on what hooks replaced in a module to modules that imported the original.

    Upstream's modules would be loaded after the hooks, and import the replacement.

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
    # For anything else it is unknown which module imported it from which.
    kinds = (types.FunctionType, type)
    return isinstance(thing, kinds) and thing.__module__ == module.__name__


def _modules_of_fork() -> list[types.ModuleType]:
    return [m for n, m in sys.modules.copy().items() if f"{n}.".startswith(f"{FORK}.")]


def _is_alias(name: str) -> bool:
    return f"{name}.".startswith(f"{ALIAS}.")


def _lineage(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts) + 1)}


def _is_being_located(alias: str) -> bool:
    # Python warns when a module that it is about to run by '-m' is already imported.
    return alias == f"{ALIAS}.cli" and getattr(sys, "argv", [])[:1] == ["-m"]


def _is_being_imported(alias: str) -> bool:
    # The thread that holds the lock will finish it. Waiting for it would deadlock
    # if it waits for the package, which this thread is importing.
    return alias in getattr(_bootstrap, "_module_locks", {})


def _is_initializing(name: str) -> bool:
    # This is how the import system itself checks.
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _is_foreign(name: str, module: types.ModuleType) -> bool:
    if "__shim__" in vars(module):
        # The shim wheel's, loaded by hand.
        return False
    real = getattr(module, "__name__", None)
    if name == ALIAS:
        return real != FORK
    # A module without a file was put there by a program.
    return real == name and getattr(module, "__file__", None) is not None
