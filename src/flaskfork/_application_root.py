"""``APPLICATION_ROOT`` as the path that it stands for."""

from __future__ import annotations

import string
import typing as t


def application_root(config: t.Mapping[str, t.Any]) -> str:
    """Return ``APPLICATION_ROOT``, beginning with exactly one slash. A path that does
    not is taken for another host, or relative to the current page.

    A slash at the end is kept, as it is part of the path of a cookie that browsers
    have already (:rfc:`6265`, section 5.1.4).

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

    # Browsers take a backslash for a slash, and leave out tabs and line breaks.
    return "/" + root.lstrip(f"/\\{string.whitespace}").rstrip()
