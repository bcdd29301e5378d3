__version__ = "1"
__author__: str = "me"
_one = 1
__two = 2
__private__ = 3


def __dir__() -> list[str]:
    return []
