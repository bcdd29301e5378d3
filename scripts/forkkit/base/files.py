"""Reading files, and writing files and whole folders atomically."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import tempfile
import typing as t

from .errors import ForkError

#: A tree of files: slash-separated relative path to content.
Files = dict[str, bytes]


def read(path: pathlib.Path, *, hint: str) -> bytes:
    """Return the content of a file that must exist.

    :raises ForkError: it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as e:
        raise ForkError(f"cannot be read: {e.strerror}", where=path, hint=hint) from e


def read_text(path: pathlib.Path, *, hint: str) -> str:
    """Return the text of a file that must exist.

    :raises ForkError: it is missing, cannot be read, or is not UTF-8.
    """
    try:
        return read(path, hint=hint).decode()
    except UnicodeDecodeError as e:
        raise ForkError(f"is not UTF-8: {e}", where=path, hint=hint) from e


@contextlib.contextmanager
def writing(path: pathlib.Path) -> t.Iterator[None]:
    """Turn a failed write below ``path`` into an error with a hint."""
    try:
        yield
    except OSError as e:
        raise ForkError(
            f"cannot be written: {e.strerror}",
            where=e.filename or path,
            hint="free some space or grant write access there, then run the command"
            " again; nothing was changed",
        ) from e


def write_file(path: pathlib.Path, content: bytes) -> None:
    """Write a file completely or not at all, even if the power fails.

    :raises ForkError: it cannot be written; it is left unchanged.
    """
    with writing(path), contextlib.ExitStack() as undo:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        aside = pathlib.Path(name)
        undo.callback(aside.unlink, missing_ok=True)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        os.replace(aside, path)
        sync_folder(path.parent)


def sync_folder(path: pathlib.Path) -> None:
    """Sync a folder to disk, so that changed names in it survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_folder(folder: pathlib.Path, files: Files) -> None:
    """Replace everything in ``folder`` with ``files``, in one step.

    :raises ForkError: a file cannot be written; the folder is left unchanged.
    """
    with writing(folder), contextlib.ExitStack() as undo:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = pathlib.Path(
            tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.")
        )
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        new, old = aside / "new", aside / "old"
        new.mkdir()
        write_files(new, files)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def write_files(folder: pathlib.Path, files: Files) -> None:
    """Write ``files`` below ``folder``, which nothing else uses.

    :raises ForkError: a path is not safe.
    """
    for name, content in files.items():
        path = folder / check_path(name, where=folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read_folder(folder: pathlib.Path) -> Files:
    """All files below ``folder``, except those in ``__pycache__``."""
    return {
        path.relative_to(folder).as_posix(): read(path, hint="make it readable")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def check_path(name: str, *, where: object) -> str:
    """Return ``name`` if it stays inside its folder on every system.

    :raises ForkError: it is absolute, climbs out, reaches into ``.git``, or contains a
        backslash, a colon, a double quote or a control character.
    """
    parts = name.split("/")
    unsafe = (
        not name
        or any(part in {"", ".", ".."} for part in parts)
        or any(_is_git_folder(part) for part in parts)
        or any(c in '\\:"' or not c.isprintable() for c in name)
    )
    if unsafe:
        raise ForkError(
            f"the path {name!r} is not safe",
            where=where,
            hint="use plain relative paths with slashes, outside of .git",
        )
    return name


def file_sha256(content: bytes) -> str:
    """The SHA-256 of one file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def files_sha256(files: Files) -> str:
    """One SHA-256 over the sorted paths and hashes of ``files``, in hexadecimal."""
    lines = (f"{file_sha256(files[path])}  {path}\n" for path in sorted(files))
    return file_sha256("".join(lines).encode())


def _is_git_folder(part: str) -> bool:
    # HFS+ and NTFS treat these names as .git too (CVE-2014-9390).
    plain = part.rstrip(". ").casefold()
    return plain in {".git", "git~1"} or (not part.isascii() and ".git" in plain)
