"""Lean bodies: functions that stand for functions of Flask, and do the same faster."""

from __future__ import annotations

import typing as t
from types import FunctionType

from . import enabled
from ._left_out import LEFT_OUT

T = t.TypeVar("T")
#: Takes the original function, and returns the one that stands for it.
Factory = t.Callable[[t.Any], t.Callable[..., t.Any]]


class Bodies:
    """The lean bodies for one of Flask's modules. ``scripts/fork lean`` reads the
    arguments in the source, so these must be plain strings.

    :param module: its name in the package, such as ``"sansio.app"``.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._factories: dict[str, Factory] = {}

    def stand_for(
        self, name: str, sha256: str, *, part: str
    ) -> t.Callable[[Factory], Factory]:
        """Decorate the factory of a body.

        :param name: the qualified name of the original.
        :param sha256: the hash of the original's source that the body was written for.
        :param part: what it is switched off with. A part is put in as a whole or not
            at all.
        """

        def decorate(factory: Factory) -> Factory:
            if part not in LEFT_OUT and enabled(part):
                self._factories[name] = factory

            return factory

        return decorate

    def relies_on(self, name: str, sha256: str) -> t.Callable[[Factory], Factory]:
        """Decorate the factory of a body that assumes what another function does.

        :param name: the qualified name of that function.
        :param sha256: the hash of its source that the body was written for.
        """
        return lambda factory: factory

    def put_in(self, target: T) -> T:
        """Decorate a class or a function of the module: put the bodies in that stand
        for its methods, or for itself.
        """
        name: str = target.__qualname__  # type: ignore[attr-defined]

        if not isinstance(target, type):
            factory = self._factories.get(name)
            return _replaced(target, factory) if factory else target

        for full_name, factory in self._factories.items():
            owner, _, method = full_name.rpartition(".")

            if owner == name:
                setattr(target, method, _replaced(vars(target)[method], factory))

        return target


def _replaced(original: t.Any, factory: Factory) -> t.Any:
    """Return what takes the place of a function, a property, or a class method."""
    if isinstance(original, property):
        return original.getter(_replaced(original.fget, factory))

    if isinstance(original, (classmethod, staticmethod)):
        return type(original)(_replaced(original.__func__, factory))

    body = factory(original)

    if body is original:
        return original

    # What is compiled has no code that could run with other globals.
    if type(original) is not FunctionType or type(body) is not FunctionType:
        return original

    return _disguised(body, original)


def _disguised(body: FunctionType, original: FunctionType) -> FunctionType:
    """Return ``body`` with the globals of the original's module, where names may be
    replaced at run time, and with everything that can be seen of the original.
    """
    plain: t.Any = original

    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__

    made: t.Any = FunctionType(
        body.__code__,
        plain.__globals__,
        original.__name__,
        plain.__defaults__,
        body.__closure__,
    )
    made.__kwdefaults__ = plain.__kwdefaults__
    made.__qualname__ = original.__qualname__
    made.__module__ = original.__module__
    made.__doc__ = original.__doc__
    made.__dict__.update(original.__dict__)

    # Python 3.14 evaluates annotations when they are first asked for.
    if getattr(original, "__annotate__", None) is not None:
        made.__annotate__ = original.__annotate__  # type: ignore[attr-defined]
    else:
        made.__annotations__ = original.__annotations__

    return made  # type: ignore[no-any-return]
