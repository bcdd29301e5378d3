"""The table of differences from Flask in README.md, written from the queue."""

from __future__ import annotations

from ..base.errors import ForkError
from ..base.files import read_text
from ..base.paths import Project
from .patch import Patch
from .queue import Queue

_BEGIN = "<!-- differences: written by `scripts/fork readme` -->\n"
_END = "<!-- /differences -->\n"


def with_table(project: Project, queue: Queue) -> bytes:
    """The text of README.md with the table of this queue.

    :raises ForkError: the marks around the table are missing.
    """
    path = project.root / "README.md"
    text = read_text(path, hint="restore it from git")
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ForkError(
            "the marks of the table of differences are missing",
            where="README.md",
            hint=f"put these two lines where the table belongs:\n{_BEGIN}{_END}",
        )
    return f"{head}{begin}{table(queue)}{end}{tail}".encode()


def table(queue: Queue) -> str:
    """One row per patch: what differs, where it was asked for, when it is dropped."""
    rows = ["| What differs | Asked for in | Goes away | Patch |", "|---|---|---|---|"]
    rows += map(_row, queue.patches)
    return "\n".join(rows) + "\n"


def _row(patch: Patch) -> str:
    bugs = ", ".join(map(_bug_link, patch.message.bugs)) or "-"
    goes = patch.message.drop_when.render().replace("upstream", "Flask")
    link = f"[{patch.name}](patches/{patch.name}.patch)"
    cells = (patch.subject, bugs, goes, link)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _bug_link(bug: str) -> str:
    repository, _, number = bug.partition("#")
    name = repository.rpartition("/")[2]
    return f"[{name}#{number}](https://github.com/{repository}/issues/{number})"
