"""RECORD, the list of an installed distribution's files (:pep:`376`, :pep:`627`)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import pathlib
import typing as t


class Row(t.NamedTuple):
    """A file of a distribution.

    :param path: relative to the folder that the distribution is installed in.
    :param digest: ``sha256=`` and the hash of the content, or empty.
    """

    path: str
    digest: str
    size: str


def read(info: pathlib.Path) -> list[Row]:
    """The files of an installed distribution; none if it has no RECORD.

    :param info: its ``.dist-info`` folder.
    """
    try:
        # A name that cannot be decoded matches no file, and so shows as missing.
        with open(
            info / "RECORD", encoding="utf-8", errors="replace", newline=""
        ) as file:
            return [Row(*row) for row in csv.reader(file) if len(row) == 3]
    except FileNotFoundError:
        return []


def write(info: pathlib.Path, command: pathlib.Path, *, path: str) -> None:
    """Record all files next to ``info``, and a command that is elsewhere.

    :param info: the ``.dist-info`` folder.
    :param command: a file with the content of the command.
    :param path: the command's path, relative to the folder of installation.
    """
    folder = info.parent
    record = info / "RECORD"
    record.unlink(missing_ok=True)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rows = [
        row(file.relative_to(folder).as_posix(), file.read_bytes()) for file in files
    ]
    rows.append(row(path, command.read_bytes()))
    rows.append(Row(record.relative_to(folder).as_posix(), "", ""))
    record.write_bytes(render(rows).encode())


def damage(info: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    """The files that differ from the record, and what is wrong with each."""
    found = []
    for listed in read(info):
        file = locate(info, listed.path)
        if not file.is_file():
            # Byte code comes and goes.
            if file.suffix != ".pyc":
                found.append((file, "is missing"))
            continue
        now = row(listed.path, file.read_bytes())
        if listed.digest.startswith("sha256=") and listed.digest != now.digest:
            found.append((file, "has changed since it was installed"))
    return found


def locate(info: pathlib.Path, path: str) -> pathlib.Path:
    """Where a recorded file is."""
    return pathlib.Path(os.path.normpath(info.parent.resolve() / path))


def render(rows: t.Iterable[Row]) -> str:
    """The text of RECORD."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def row(path: str, content: bytes) -> Row:
    """The row for a file with this content (:pep:`376`, :pep:`427`)."""
    hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return Row(path, f"sha256={hashed.rstrip(b'=').decode()}", str(len(content)))
