"""Helpers that were replaced by Werkzeug's or Python's own."""

from __future__ import annotations

import threading
import typing as t

from werkzeug import security
from werkzeug.exceptions import NotFound
from werkzeug.utils import cached_property

if t.TYPE_CHECKING:
    from datetime import timedelta

    from ..app import Flask
    from ..testing import EnvironBuilder


class locked_cached_property(cached_property[t.Any]):
    """A cached property that only one thread computes at a time."""

    def __init__(
        self,
        fget: t.Callable[[t.Any], t.Any],
        name: str | None = None,
        doc: str | None = None,
    ) -> None:
        super().__init__(fget, name=name, doc=doc)
        self.lock = threading.RLock()

    def __get__(self, obj: t.Any, owner: t.Any = None) -> t.Any:
        if obj is None:
            return self
        with self.lock:
            return super().__get__(obj, owner)


def safe_join(directory: str, *pathnames: str) -> str:
    """Join untrusted paths to a directory.

    :raises NotFound: the result would be outside of ``directory``.
    """
    path = security.safe_join(directory, *pathnames)
    if path is None:
        raise NotFound
    return path


def total_seconds(td: timedelta) -> int:
    """The seconds of a duration, as a whole number."""
    return td.days * 24 * 60 * 60 + td.seconds


def make_test_environ_builder(
    app: Flask, *args: t.Any, **kwargs: t.Any
) -> EnvironBuilder:
    """Make the builder of a test request's environment."""
    from ..testing import EnvironBuilder

    return EnvironBuilder(app, *args, **kwargs)
