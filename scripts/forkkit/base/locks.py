"""A lock that keeps a second command out."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

from .errors import ForkError
from .files import writing


@contextlib.contextmanager
def locked(path: pathlib.Path, what: str, *, hint: str) -> t.Iterator[None]:
    """Hold the lock at ``path`` in the ``with`` block.

    :param what: the error if another command holds it.
    :param hint: the hint of that error.
    :raises ForkError: another command holds it.
    """
    # Imported late: the build neither needs nor has it.
    import filelock

    with contextlib.ExitStack() as stack:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(filelock.FileLock(path, blocking=False))
            except filelock.Timeout as e:
                raise ForkError(what, where=path, hint=hint) from e
        yield
