"""The head of a patch as its maintainer writes it: subject, reason and trailers."""

from __future__ import annotations

import email.utils
import subprocess
import typing as t
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timezone

from ..base.diff import FileDiff
from ..base.errors import ForkError
from ..base.files import Project
from . import patch as patches
from .patch import Patch

_HELP = """\
# A line that says what the patch does, a reason in prose, and the trailers, with a
# blank line between the three. Lines that begin with # are not kept.
"""


@dataclass(frozen=True)
class Header:
    """What a message says, whether it is complete or not.

    :param trailers: key and value, in order.
    """

    subject: str
    prose: str
    trailers: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str | None:
        """The name that it gives to the patch."""
        return dict(self.trailers).get("Fork-Patch")

    @property
    def message(self) -> str:
        """The text of the three parts."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return f"{self.subject}\n\n{self.prose}\n\n{trailers}".strip()

    def named(self, name: str) -> Header:
        """The same for a patch of that name."""
        rest = [pair for pair in self.trailers if pair[0] != "Fork-Patch"]
        return replace(self, trailers=(*rest, ("Fork-Patch", name)))


def parse(text: str) -> Header:
    """Read a message, of which anything may be missing."""
    empty = {f"{key}:" for key in patches.REQUIRED}
    lines = [
        line
        for line in text.splitlines()
        if not line.startswith("#") and line.rstrip() not in empty
    ]
    subject, _, body = "\n".join(lines).strip().partition("\n")
    prose, _, last = body.strip().rpartition("\n\n")
    trailers = patches.parse_trailers(last)
    if not trailers:
        prose, trailers = body, ()
    return Header(subject.strip(), prose.strip(), trailers)


def template(header: Header) -> str:
    """The text of a message to complete, with the form of each trailer."""
    values = dict(header.trailers)
    if name := header.name:
        values.setdefault("Tests", patches.tests_of(name))
    forms = "".join(f"# {key}: {patches.form(key)}\n" for key in patches.REQUIRED)
    others = [pair for pair in header.trailers if pair[0] not in patches.REQUIRED]
    required = [(key, values.get(key, "")) for key in patches.REQUIRED]
    trailers = "".join(f"{key}: {value}\n" for key, value in [*others, *required])
    return f"{header.subject}\n\n{header.prose}\n\n{trailers}\n{_HELP}{forms}"


def person(project: Project) -> tuple[str, str]:
    """Who works here, as the user's git knows it, and the present date.

    :raises ForkError: git does not know.
    """
    done = subprocess.run(
        ["git", "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ForkError(
            "git does not know who you are",
            mend="run `git config user.name NAME` and `git config user.email ADDRESS`",
        )
    author, stamp, _ = done.stdout.rsplit(" ", 2)
    when = datetime.fromtimestamp(int(stamp), timezone.utc)
    return author, email.utils.format_datetime(when)


def complete(
    header: Header, author: str, date: str, diffs: tuple[FileDiff, ...], where: object
) -> Patch:
    """The patch that has this head.

    :raises ForkError: something is missing, or not of its form.
    """
    patch = patches.from_message(author, date, header.message, diffs, where)
    patches.check_header(patch, where=where)
    return patch


def joined(headers: t.Sequence[Header]) -> Header:
    """One message for several changes that become one patch."""
    first, *rest = headers
    prose = [first.prose, *(f"{h.subject}\n\n{h.prose}" for h in rest)]
    trailers = dict.fromkeys(pair for header in headers for pair in header.trailers)
    text = "\n\n".join(part.strip() for part in prose if part.strip())
    return Header(first.subject, text, tuple(trailers))
