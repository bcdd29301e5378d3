import typing as t


def __getattr__(name: str) -> t.Any: ...


known = 1
