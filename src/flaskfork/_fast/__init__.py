"""What makes the fork fast, and the switch for it.

Each part can be switched off with an environment variable, which is read when Flask is
imported: ``FLASKFORK_FAST=0`` switches all of them off, and
``FLASKFORK_FAST=-proxies,-signing`` those two. A program then runs as if the patch
of that part did not exist.
"""

from __future__ import annotations

import os
import warnings

#: The name of each part, which is also that of its patch, without ``fast-``.
PARTS = (
    *("proxies", "request", "response", "routing", "sessions", "signing", "tagging"),
    *("adapters", "dispatch", "contexts", "static", "urls", "templating"),
)


def enabled(part: str) -> bool:
    """Whether a part is in use.

    :param part: one of :data:`PARTS`.
    """
    return part not in _OFF


def parse(text: str) -> frozenset[str]:
    """The parts that a value of ``FLASKFORK_FAST`` switches off.

    :param text: empty or ``1`` for none, ``0`` for all, or names with a ``-`` before
        each, separated by commas. Anything else is ignored with a warning.
    """
    if text.strip() == "0":
        return frozenset(PARTS)

    words = [word.strip() for word in text.split(",")]
    known = {f"-{part}" for part in PARTS}

    for word in words:
        if word not in known | {"", "1"}:
            warnings.warn(
                f"FLASKFORK_FAST: {word!r} is ignored. It can be 0, 1, or a list of"
                f" {', '.join(sorted(known))}.",
                RuntimeWarning,
                stacklevel=2,
            )

    return frozenset(word[1:] for word in words if word in known)


_OFF = parse(os.environ.get("FLASKFORK_FAST", ""))
