"""Reading a source archive that nobody has vouched for.

Nothing is unpacked: the members are checked and read into memory.
"""

from __future__ import annotations

import gzip
import io
import pathlib
import tarfile
import typing as t

from .errors import ForkError
from .project import check_path
from .project import Files

#: What an archive may hold unpacked, in bytes: twenty times what Flask's does.
LIMIT = 64 * 2**20
_MEMBERS = 20_000
_MEND = "do not use this archive; fetch the release again from where you trust it"


def read(path: pathlib.Path) -> Files:
    """The files of a ``.tar.gz`` archive, without its one top folder.

    :raises ForkError: it is no such archive, unpacks to more than :data:`LIMIT`, has
        more than one top folder, or a member that is a link, a device, doubled, or
        whose path leaves the folder.
    """
    try:
        with gzip.open(path) as unpacked:
            bounded = io.BufferedReader(_Bounded(unpacked, path))
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                return _strip_top(dict(_members(archive, path)), path)
    except (OSError, EOFError, tarfile.TarError, ValueError) as e:
        raise _refused(path, f"cannot be read as a .tar.gz archive: {e}") from e


class _Bounded(io.RawIOBase):
    """Ends a decompression bomb, whichever part of the archive it hides in."""

    def __init__(self, file: gzip.GzipFile, path: pathlib.Path) -> None:
        self.file = file
        self.path = path
        self.left = LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        data = self.file.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise _refused(self.path, f"it unpacks to more than {LIMIT // 2**20} MiB")
        buffer[: len(data)] = data
        return len(data)


def _members(
    archive: tarfile.TarFile, path: pathlib.Path
) -> t.Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    for member in archive:
        name = member.name.rstrip("/") if member.isdir() else member.name
        try:
            check_path(name, where=path)
        except ForkError as e:
            raise _refused(path, e.what) from e
        if member.isdir():
            continue
        if not member.isreg():
            raise _refused(path, f"{name} is a link or a device, not a file")
        if name.casefold() in seen:
            raise _refused(path, f"{name} is in it twice")
        if len(seen) >= _MEMBERS:
            raise _refused(path, f"it has more than {_MEMBERS} files")
        seen.add(name.casefold())
        if member.size > LIMIT:
            raise _refused(path, f"{name} is larger than {LIMIT // 2**20} MiB")
        content = archive.extractfile(member)
        yield name, content.read() if content else b""


def _strip_top(files: Files, path: pathlib.Path) -> Files:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or not all("/" in name for name in files):
        raise _refused(
            path, f"expected one folder at the top, found {sorted(tops)[:5]}"
        )
    return {name.partition("/")[2]: content for name, content in files.items()}


def _refused(path: pathlib.Path, what: str) -> ForkError:
    return ForkError(f"refused: {what}", where=path, mend=_MEND)
