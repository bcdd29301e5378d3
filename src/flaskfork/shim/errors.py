"""Errors that say what is wrong, where, and what to do about it."""

from __future__ import annotations


class ShimError(Exception):
    """A problem that the user can solve.

    :param what: what is wrong.
    :param where: the file or folder, if there is one.
    :param hint: what to do about it.
    """

    def __init__(self, what: str, *, where: object = None, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n  hint: {self.hint}"
