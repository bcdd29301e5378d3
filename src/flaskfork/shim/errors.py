"""Errors that say what happened and how to mend it."""

from __future__ import annotations


class ShimError(Exception):
    """A problem that the user of the command can mend.

    :param what: what is wrong.
    :param mend: what to do about it.
    """

    def __init__(self, what: str, *, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  mend: {self.mend}"
