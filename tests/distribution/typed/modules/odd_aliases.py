import typing as t
from typing import Callable

Int = int
Explicit: t.Any = 1
T = t.TypeVar("T")
U = t.Union[int, str]
Fn = Callable[[], T]
Constant: t.Final = 3
P = t.NewType("P", int)
one = two = 2
later: int


class Dictionary(t.TypedDict):
    x: int


class Pair(t.NamedTuple):
    y: int


@t.overload
def overloaded(x: int) -> int: ...
@t.overload
def overloaded(x: str) -> str: ...
def overloaded(x): return x


async def waiting() -> int:
    return 1


count = 1
count += 1
Pair.z = 3
