"""The reports of test runners, in JUnit's format as pytest writes it."""

from __future__ import annotations

import pathlib
import typing as t
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

Outcome = t.Literal["passed", "skipped", "failed", "errors"]
#: Every outcome, from the best to the worst.
OUTCOMES: tuple[Outcome, ...] = t.get_args(Outcome)


@dataclass(frozen=True)
class Case:
    """The result of one test.

    :param file: its path, if the report has it (the family xunit1 does).
    :param classname: the dotted name of its module or class.
    """

    file: str | None
    classname: str
    name: str
    outcome: Outcome


def read(path: pathlib.Path) -> list[Case]:
    """The cases of a report, in its order.

    A test that passes but fails in its teardown is in the report twice.

    :param path: a report from our own pytest; any other could hold an XML bomb.
    """
    return [
        Case(
            case.get("file"),
            case.get("classname", ""),
            case.get("name", ""),
            _outcome(case),
        )
        for case in ElementTree.parse(path).iter("testcase")  # noqa: S314
    ]


def _outcome(case: ElementTree.Element) -> Outcome:
    if case.find("error") is not None:
        return "errors"
    if case.find("failure") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"
