"""Errors that say what happened, where, and how to mend it."""

from __future__ import annotations


class ShimError(Exception):
    """A problem that the user of the command can mend.

    :param what: what is wrong.
    :param where: the file or folder, where there is one.
    :param mend: what to do about it.
    """

    def __init__(self, what: str, *, where: object = None, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.mend = mend

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n  mend: {self.mend}"
