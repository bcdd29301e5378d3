"""The patch application-root: ``APPLICATION_ROOT`` with one leading slash."""

from __future__ import annotations

import string
import typing as t


def application_root(config: t.Mapping[str, t.Any]) -> str:
    """Return ``APPLICATION_ROOT``, beginning with exactly one slash. With another
    number of slashes, browsers take it for another host or a relative path.

    A trailing slash is kept, since it is part of the path of cookies that browsers
    already have (:rfc:`6265`, section 5.1.4).

    :raises TypeError: the value is neither a string nor ``None``.
    """
    root = config.get("APPLICATION_ROOT")

    if root is None:
        return "/"

    if not isinstance(root, str):
        raise TypeError(
            "'APPLICATION_ROOT' must be a string or None,"
            f" not an object of type {type(root).__name__!r}."
        )

    # Browsers take a backslash for a slash, and ignore tabs and line breaks.
    return "/" + root.lstrip(f"/\\{string.whitespace}").rstrip()
