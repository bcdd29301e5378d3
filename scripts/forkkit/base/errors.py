"""Errors that say what is wrong, where, and how to fix it."""

from __future__ import annotations


class ForkError(Exception):
    """A problem that the maintainer can fix.

    :param what: what is wrong, as a clause that can follow the file's name.
    :param where: the file, and the line if there is one.
    :param hint: what to do about it.
    """

    exit_code = 1
    #: The word that the terminal prints in front of it.
    label = "error"

    def __init__(
        self, what: str, *, where: object = None, hint: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint

    @property
    def problems(self) -> list[ForkError]:
        """The problems that this error reports: itself, or several."""
        return [self]

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"


class Findings(ForkError):
    """Several problems, reported together."""

    def __init__(self, problems: list[ForkError]) -> None:
        super().__init__(f"{len(problems)} problems")
        self._problems = problems

    @property
    def problems(self) -> list[ForkError]:
        return self._problems

    def __str__(self) -> str:
        return "\n".join(map(str, self._problems))


def raise_findings(problems: list[ForkError]) -> None:
    """Raise ``problems`` together; return when there are none.

    :raises ForkError: the only problem, or :exc:`Findings` for several.
    """
    if len(problems) == 1:
        raise problems[0]

    if problems:
        raise Findings(problems)
