"""What switches the old names on: a call, or an environment variable."""

from __future__ import annotations

from ..shim.errors import ShimError
from ._flask_names import FLASK
from ._serve import serve
from ._werkzeug_names import WERKZEUG

#: The environment variable, and whether each of its values includes the libraries.
VARIABLE = "FLASKFORK_LEGACY"
_MEANINGS = {"1": False, "werkzeug": True}


def switch_on(*, werkzeug: bool = False) -> None:
    """Restore Flask's names, and with ``werkzeug`` those of its libraries.

    Calling it again changes nothing, even for fewer names.

    :param werkzeug: whether to restore those of Werkzeug, Jinja, itsdangerous and
        MarkupSafe as well.
    """
    serve(FLASK)
    if werkzeug:
        serve(WERKZEUG)


def check(value: str) -> None:
    """Check that a value of the environment variable is valid.

    :raises ShimError: it is not.
    """
    if value not in _MEANINGS:
        raise ShimError(
            f"{VARIABLE} is {value!r}, which is not a valid value",
            hint="set it to 1 for the names of flask, to 'werkzeug' for those of"
            " Werkzeug, Jinja2, itsdangerous and MarkupSafe as well, or to 0 for none",
        )


def switch_on_as(value: str) -> None:
    """Restore what a valid value of the environment variable asks for."""
    switch_on(werkzeug=_MEANINGS[value])
