"""RECORD, the file that says which files an installed distribution has."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import pathlib
import typing as t


class Row(t.NamedTuple):
    """A file of a distribution.

    :param path: from the folder that the distribution is installed in.
    :param digest: ``sha256=`` and the hash of the content, or empty.
    """

    path: str
    digest: str
    size: str


def read(info: pathlib.Path) -> list[Row]:
    """The files of an installed distribution; none if it does not say.

    :param info: its ``.dist-info`` folder.
    """
    try:
        with open(info / "RECORD", encoding="utf-8", newline="") as file:
            return [Row(*row) for row in csv.reader(file) if len(row) == 3]
    except FileNotFoundError:
        return []


def write(info: pathlib.Path, command: pathlib.Path, *, path: str) -> None:
    """Record all files that lie beside ``info``, and a command that lies elsewhere.

    :param info: the ``.dist-info`` folder.
    :param command: the file with the content of the command.
    :param path: of the command, from the folder that it all will be installed in.
    """
    folder = info.parent
    record = info / "RECORD"
    record.unlink(missing_ok=True)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rows = [_row(file, file.relative_to(folder).as_posix()) for file in files]
    rows.append(_row(command, path))
    rows.append(Row(record.relative_to(folder).as_posix(), "", ""))
    with open(record, "w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


def damage(info: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    """The files that are not as recorded, and how each differs."""
    found = []
    for row in read(info):
        file = locate(info, row.path)
        if not file.is_file():
            # Byte code comes and goes.
            if file.suffix != ".pyc":
                found.append((file, "is missing"))
        elif row.digest.startswith("sha256=") and row.digest != digest(file):
            found.append((file, "is not as it was installed"))
    return found


def locate(info: pathlib.Path, path: str) -> pathlib.Path:
    """Where a recorded file is."""
    return pathlib.Path(os.path.normpath(info.parent.resolve() / path))


def digest(file: pathlib.Path) -> str:
    """The hash of a file as RECORD has it."""
    raw = hashlib.sha256(file.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _row(file: pathlib.Path, path: str) -> Row:
    return Row(path, digest(file), str(file.stat().st_size))
