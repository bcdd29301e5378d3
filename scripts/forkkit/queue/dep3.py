"""The headers that Debian gives a patch (DEP-3)."""

from __future__ import annotations

import email.message
import re

#: What is kept as trailers, for :mod:`.proposal` to read.
_KEPT = re.compile(
    r"Bug|Bug-\w+|Origin|Forwarded|Applied-Upstream|Reviewed-By|Acked-By"
)


def description(mail: email.message.Message) -> str:
    """The subject, and after a blank line the rest of a description."""
    subject, _, rest = _one(mail, "Description").partition("\n")
    return f"{subject}\n\n{rest}".strip()


def authors(mail: email.message.Message) -> list[str]:
    """All named authors, as they are written."""
    found = [value for key, value in _fields(mail) if key == "Author"]
    return [name.strip() for line in found for name in re.split(r"(?<=>),", line)]


def last_update(mail: email.message.Message) -> str:
    """When it was changed last; empty if that is not said."""
    return _one(mail, "Last-Update")


def trailers(mail: email.message.Message) -> list[tuple[str, str]]:
    """The other fields that are kept, key by key."""
    found = [(k, " ".join(v.split())) for k, v in _fields(mail) if _KEPT.fullmatch(k)]
    return [(key, value) for key, value in found if value]


def _one(mail: email.message.Message, wanted: str) -> str:
    return next((value for key, value in _fields(mail) if key == wanted), "")


def _fields(mail: email.message.Message) -> list[tuple[str, str]]:
    """The header's fields; a line with a dot alone stands for an empty one."""
    found = []
    for key, value in mail.raw_items():
        text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        lines = (line.strip() for line in text.splitlines())
        text = "\n".join("" if line == "." else line for line in lines).strip()
        found.append(("-".join(map(str.capitalize, key.split("-"))), text))
    return found
