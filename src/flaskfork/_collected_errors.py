"""The patch teardown-all: raise what the steps of a teardown have raised."""

from __future__ import annotations

import sys
import traceback


def raise_any(errors: list[BaseException]) -> None:
    """Raise a single error as it is, and several as a group.

    If any of them asks to exit, the first of those is raised instead. Before Python
    3.11, the first error is. The others are then in its ``__notes__``.

    :param errors: at least one error. The list is emptied.
    """
    exits = [e for e in errors if not isinstance(e, Exception)]
    first = (exits or errors)[0]
    others = [e for e in errors if e is not first]

    try:
        if others and not exits and sys.version_info >= (3, 11):
            raise BaseExceptionGroup(  # noqa: F821
                "Errors during teardown", tuple(errors)
            )

        _add_notes(first, others)
        raise first
    finally:
        # The traceback refers to this frame, and to those of the callers.
        errors.clear()
        del exits, first, others


def _add_notes(error: BaseException, others: list[BaseException]) -> None:
    for e in others:
        text = "".join(traceback.format_exception(type(e), e, e.__traceback__))
        notes = error.__dict__.setdefault("__notes__", [])
        notes.append(text)

        if sys.version_info < (3, 11):
            notes.extend(getattr(e, "__notes__", ()))
