"""Reading an untrusted source archive.

Nothing is unpacked: the members are checked and read into memory.
"""

from __future__ import annotations

import functools
import gzip
import io
import tarfile
import typing as t
import unicodedata
import zlib
from dataclasses import dataclass
from dataclasses import field

from ..base.errors import ForkError
from ..base.files import check_path
from ..base.files import Files

#: The limit for an archive's unpacked size, in bytes: twenty times that of Flask's.
LIMIT = 64 * 2**20
_MEMBERS = 20_000
#: Longer paths cannot be written on some systems.
_LONGEST = 1000
_HINT = "do not use this archive; fetch the release again from a source that you trust"


def read(content: bytes, *, where: object) -> Files:
    """The files of a ``.tar.gz`` archive, without its one top folder.

    :param content: its bytes, so that what is read is what was checked.
    :raises ForkError: it is not such an archive, it unpacks to more than
        :data:`LIMIT`, it has more than one top folder, or it has a member that is a
        link, a device or a duplicate, or whose path leaves the folder. A duplicate is
        also what has another's name on some systems, or is both file and folder.
    """
    return dict(_read(content, str(where)))


# Commands that go through many releases read each of them many times.
@functools.lru_cache(maxsize=32)
def _read(content: bytes, where: str) -> Files:
    try:
        with gzip.open(io.BytesIO(content)) as unpacked:
            bounded = io.BufferedReader(_Bounded(unpacked, where))
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                files = dict(_members(archive, where))
            # Read to the end, where gzip verifies its checksum.
            while bounded.read(2**16):
                pass
    except (OSError, EOFError, tarfile.TarError, ValueError, zlib.error) as e:
        raise _refused(where, f"cannot be read as a .tar.gz archive: {e}") from e
    return _strip_top(files, where)


class _Bounded(io.RawIOBase):
    """Stops a decompression bomb, in any part of the archive."""

    def __init__(self, file: gzip.GzipFile, where: object) -> None:
        self.file = file
        self.where = where
        self.left = LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        data = self.file.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise _refused(self.where, f"it unpacks to more than {LIMIT // 2**20} MiB")
        buffer[: len(data)] = data
        return len(data)


def _members(archive: tarfile.TarFile, where: object) -> t.Iterator[tuple[str, bytes]]:
    names = _Names(where)
    for member in archive:
        name = member.name.rstrip("/") if member.isdir() else member.name
        if len(name) > _LONGEST:
            raise _refused(where, f"it has a path of more than {_LONGEST} characters")
        try:
            check_path(name, where=where)
        except ForkError as e:
            raise _refused(where, e.what) from e
        names.add(name, is_folder=member.isdir())
        if member.isdir():
            continue
        # A sparse member claims to be larger than its data.
        if not member.isreg() or member.issparse():
            raise _refused(where, f"{name} is a link or a device, not a file")
        if member.size > LIMIT:
            raise _refused(where, f"{name} is larger than {LIMIT // 2**20} MiB")
        content = archive.extractfile(member)
        yield name, content.read() if content else b""


@dataclass(frozen=True)
class _Names:
    """The members so far, by a key that is equal if any system confuses their names.

    Windows and macOS do not tell upper from lower case, macOS not an accented letter
    from its two parts (Unicode's NFC and NFD), and Windows drops the dots and spaces
    that a name ends with.
    """

    where: object
    known: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def add(self, name: str, *, is_folder: bool) -> None:
        """Add a member, and the folders that it is in.

        :raises ForkError: there are too many, or one has the name of another.
        """
        parts, key = name.split("/"), ""
        for count, part in enumerate(parts, 1):
            key = f"{key}/{_folded(part)}"
            one = ("/".join(parts[:count]), is_folder or count < len(parts))
            other = self.known.setdefault(key, one)
            if one != other or (other is not one and not one[1]):
                raise _refused(self.where, _clash(one, other))
        if len(self.known) > _MEMBERS:
            raise _refused(self.where, f"it has more than {_MEMBERS} files and folders")


def _folded(part: str) -> str:
    """A key that names have in common if they are the same on some system."""
    plain = unicodedata.normalize("NFKC", part).casefold()
    return unicodedata.normalize("NFKC", plain).rstrip(". ")


def _clash(one: tuple[str, bool], other: tuple[str, bool]) -> str:
    if one[0] != other[0]:
        return f"it contains {one[0]} twice, also as {other[0]}"
    both = "as a file and as a folder" if one[1] != other[1] else "twice"
    return f"it contains {one[0]} {both}"


def _strip_top(files: Files, where: object) -> Files:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or not all("/" in name for name in files):
        raise _refused(
            where, f"expected one folder at the top, found {sorted(tops)[:5]}"
        )
    return {name.partition("/")[2]: content for name, content in files.items()}


def _refused(where: object, what: str) -> ForkError:
    return ForkError(f"refused: {what}", where=where, hint=_HINT)
