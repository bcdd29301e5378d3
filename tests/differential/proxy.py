"""A stand-in for what a module's name stands for, which notes what is done with it."""

from __future__ import annotations

import typing as t

_SPECIAL = [
    *("bool", "len", "iter", "contains", "getitem", "setitem", "delitem", "enter"),
    *("exit", "or", "ror", "and", "add", "radd", "mod", "eq", "ne", "lt", "gt", "le"),
    *("ge", "hash", "str", "int", "index", "next"),
]


class Watched:
    """Does what the object does, and notes it.

    :param note: called with what is done.
    """

    def __init__(self, plain: t.Any, name: str, note: t.Callable[[str], None]) -> None:
        vars(self).update(_plain=plain, _name=name, _note=note)

    def __getattr__(self, name: str) -> t.Any:
        self._note(f"{self._name}.{name}")
        return getattr(self._plain, name)

    def __setattr__(self, name: str, value: t.Any) -> None:
        self._note(f"{self._name}.{name} =")
        setattr(self._plain, name, value)

    def __call__(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        names = "".join(f", {name}=" for name in sorted(kwargs))
        self._note(f"{self._name}({len(args)}{names})")
        return self._plain(*args, **kwargs)

    def __instancecheck__(self, other: t.Any) -> bool:
        self._note(f"isinstance {self._name}")
        return isinstance(other, self._plain)

    def __subclasscheck__(self, other: t.Any) -> bool:
        self._note(f"issubclass {self._name}")
        return issubclass(other, self._plain)


def _special(name: str) -> t.Callable[..., t.Any]:
    def call(self: Watched, *args: t.Any) -> t.Any:
        self._note(f"{self._name} {name.strip('_')}")
        if name == "__bool__":
            return bool(self._plain)
        return getattr(self._plain, name)(*args)

    return call


for _word in _SPECIAL:
    setattr(Watched, f"__{_word}__", _special(f"__{_word}__"))
