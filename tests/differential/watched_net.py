"""Upstream's methods and module names, which the nets of calls replace.

Played on upstream only: what counts as a method is not for the fork to say.
"""

from __future__ import annotations

import dis
import functools
import importlib
import inspect
import pathlib
import types
import typing as t
from random import Random

import flask
from flask.ctx import AppContext
from flask.ctx import RequestContext
from flask.sessions import SecureCookieSessionInterface
from werkzeug.utils import cached_property

CLASSES: dict[str, type] = {
    "Flask": flask.Flask,
    "Request": flask.Request,
    "Response": flask.Response,
    "SecureCookieSessionInterface": SecureCookieSessionInterface,
    "AppContext": AppContext,
    "RequestContext": RequestContext,
}
MODULES = [
    *("app", "blueprints", "config", "ctx", "globals", "helpers", "json", "logging"),
    *("json.provider", "json.tag", "sansio.app", "sansio.blueprints", "templating"),
    *("sansio.scaffold", "sessions", "signals", "views", "wrappers", "debughelpers"),
]
#: Overridden like plain methods; the other special ones are Python's to call.
SPECIAL = {"__init__", "__call__", "__enter__", "__exit__"}


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Yield each method with its class and kind, and each name with its module."""
    for title, cls in CLASSES.items():
        for name, kind in methods(cls):
            yield {"class": title, "name": name, "kind": kind}
    for module in MODULES:
        for name in names(importlib.import_module(f"flask.{module}")):
            yield {"module": module, "name": name}


def methods(cls: type) -> t.Iterator[tuple[str, str]]:
    """The methods and properties that a class has, with what they are."""
    found = {
        name: value
        for base in reversed(cls.__mro__[:-1])
        for name, value in vars(base).items()
    }
    for name, value in sorted(found.items()):
        if name.startswith("__") and name not in SPECIAL:
            continue
        if inspect.isfunction(value):
            yield name, "method"
        elif isinstance(value, classmethod):
            yield name, "classmethod"
        elif isinstance(value, (property, cached_property, functools.cached_property)):
            yield name, "property"


def names(module: types.ModuleType) -> list[str]:
    """The names of a module that its functions read as globals."""
    found: set[str] = set()
    for code in codes(module):
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                found.add(instruction.argval)
    return sorted(name for name in found & set(vars(module)) if is_seam(module, name))


def codes(module: types.ModuleType) -> t.Iterator[types.CodeType]:
    """The code of each function in the source of a module, not of the module."""
    source = pathlib.Path(str(module.__file__)).read_text(encoding="utf-8")
    found = [compile(source, module.__name__, "exec")]
    while found:
        code = found.pop()
        found += [
            const for const in code.co_consts if isinstance(const, types.CodeType)
        ]
        # The bodies of a module and of its classes run at import only.
        if code.co_flags & inspect.CO_NEWLOCALS:
            yield code


def is_seam(module: types.ModuleType, name: str) -> bool:
    """Whether something else can take the place of what a name stands for."""
    value = vars(module)[name]
    if isinstance(value, type) and issubclass(value, BaseException):
        # Named in `except`, where only a class of errors can be.
        return False
    return value is not t and not name.startswith("__")
