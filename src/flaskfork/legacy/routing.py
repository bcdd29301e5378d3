"""How Werkzeug took the rule of a route apart."""

from __future__ import annotations

import re
import typing as t

_VARIABLE = re.compile(r"<(?:([a-zA-Z_]\w*)(?:\((.*?)\))?:)?([a-zA-Z_]\w*)>")


def parse_rule(rule: str) -> t.Iterator[tuple[str | None, str | None, str]]:
    """Take a rule apart.

    :return: converter, its arguments and variable of each part; the converter of a
        part that is not a variable is None.
    :raises ValueError: a variable occurs twice, or the rule is malformed.
    """
    end = 0
    seen = set()
    for match in _VARIABLE.finditer(rule):
        if match.start() > end:
            yield None, None, _text(rule, end, match.start())
        end = match.end()
        converter, arguments, variable = match.groups()
        if variable in seen:
            raise ValueError(f"variable name {variable!r} used twice.")
        seen.add(variable)
        yield converter or "default", arguments or None, variable
    if end < len(rule):
        yield None, None, _text(rule, end, len(rule))


def _text(rule: str, start: int, end: int) -> str:
    text = rule[start:end]
    if "<" in text or ">" in text:
        raise ValueError(f"malformed url rule: {rule!r}")
    return text
