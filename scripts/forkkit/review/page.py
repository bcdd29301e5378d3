"""A review as one self-contained HTML page."""

from __future__ import annotations

import base64
import difflib
import hashlib
import pathlib
import re
import typing as t

import jinja2
from markupsafe import Markup

from ..base.text import printable
from ..carry.changes import SIGNS
from ..carry.forecast import Forecast
from . import compare
from .since import Review

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
_WORD = re.compile(r"\w+|\s+|.")
#: Lines less similar than this are unrelated, rather than versions of one line.
_ALIKE = 0.5


def render(review: Review, rows: t.Sequence[Forecast]) -> bytes:
    """The page of a review and a forecast; equal input gives equal bytes.

    :param review: what became of the queue.
    :param rows: the forecast, a row per release.
    :return: the HTML.
    """
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_shown,
        keep_trailing_newline=True,
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style, script = (_text(name) for name in ("report.css", "report.js"))
    environment.filters["slug"] = _slug
    page = environment.get_template("report.html.jinja").render(
        review=review,
        rows=rows,
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
        message=compare.MESSAGE,
        signs=compare.SIGNS,
        outcomes=SIGNS,
        words=words,
    )
    return page.encode()


def words(line: str, other: str | None) -> list[tuple[str, bool]]:
    """Split ``line`` into pieces, each with whether it differs from ``other``.

    :param other: the line's other version; if it is not similar, nothing is marked.
    """
    pieces, others = _WORD.findall(line), _WORD.findall(other or "")
    matcher = difflib.SequenceMatcher(None, pieces, others, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return [(line, False)]
    return [
        ("".join(pieces[start:end]), tag != "equal")
        for tag, start, end, _, _ in matcher.get_opcodes()
        if start < end
    ]


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    """The hash source of an inline style or script in a Content Security Policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _slug(kind: str) -> str:
    return kind.replace(" ", "-")


def _shown(value: t.Any) -> t.Any:
    return printable(value) if type(value) is str else value
