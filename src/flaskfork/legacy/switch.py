"""Names that Flask and its libraries removed, given back to old code on request.

Loaded by :func:`flaskfork.shim.legacy` or the variable ``FLASKFORK_LEGACY`` only.
``_flask_names`` and ``_werkzeug_names`` are the tables of what is given back;
docs/legacy.md shows them.
"""

from __future__ import annotations

from ..shim.errors import ShimError
from ._flask_names import FLASK
from ._serve import serve
from ._werkzeug_names import WERKZEUG

#: The environment variable, and what each of its values gives back.
VARIABLE = "FLASKFORK_LEGACY"
_MEANINGS = {"1": False, "werkzeug": True}


def switch_on(*, werkzeug: bool = False) -> None:
    """Give back Flask's names, and with ``werkzeug`` those of its libraries.

    Doing so again changes nothing, nor does doing it with less.
    """
    serve(FLASK)
    if werkzeug:
        serve(WERKZEUG)


def check(value: str) -> None:
    """Assert that a value of the environment variable means something.

    :raises ShimError: it does not.
    """
    if value not in _MEANINGS:
        raise ShimError(
            f"{VARIABLE} is {value!r}, which means nothing",
            mend="set it to 1 for the names of flask, to 'werkzeug' for those of"
            " Werkzeug, Jinja2, itsdangerous and MarkupSafe as well, or to 0",
        )


def switch_on_as(value: str) -> None:
    """Give back what a value of the environment variable asks for."""
    switch_on(werkzeug=_MEANINGS[value])
