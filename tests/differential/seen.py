"""What a program can see, as text that is the same under both names of the package."""

from __future__ import annotations

import contextvars
import re
import typing as t


class Case:
    """One case that is played: its random choices, and what happened, in order."""

    def __init__(self, rng: t.Any) -> None:
        self.rng = rng
        self.events: list[str] = []

    def note(self, *words: object) -> None:
        self.events.append(" ".join(map(text, words)))


#: A context variable, because async functions may run in another thread.
_case: contextvars.ContextVar[Case] = contextvars.ContextVar("case")


def case() -> Case:
    """The case that is being played."""
    return _case.get()


def begin(rng: t.Any) -> Case:
    """Begin a case in the current context."""
    begun = Case(rng)
    _case.set(begun)
    return begun


def note(*words: object) -> None:
    """Add to what happened."""
    case().note(*words)


def attempt(name: str, function: t.Callable[..., t.Any], *args: t.Any, **kw: t.Any):
    """Call a function, note what it returned or raised, and return that or ``None``."""
    try:
        value = function(*args, **kw)
    except Exception as e:
        note(name, "raised", error(e))
        return None
    note(name, value)
    return value


def text(value: object) -> str:
    """A value as text, without addresses and the fork's name."""
    return plain(value if isinstance(value, str) else repr(value))


def plain(said: str) -> str:
    said = re.sub(r"0x[0-9a-f]{6,}", "0x", said)
    return said.replace("flaskfork", "flask")


def error(exc: BaseException) -> str:
    """The type and text of an error, and of those that a group has."""
    kind = type(exc)
    said = plain(f"{kind.__module__}.{kind.__qualname__}: {exc}")
    inner = getattr(exc, "exceptions", ())
    return said + "".join(f" [{error(each)}]" for each in inner)


def outcome(function: t.Callable[..., object], *args: t.Any, **kwargs: t.Any) -> str:
    """What a call returns or raises, as text."""
    try:
        return text(function(*args, **kwargs))
    except Exception as e:
        return f"raised {error(e)}"
