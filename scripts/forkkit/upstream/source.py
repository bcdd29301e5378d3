"""Getting the pinned release, and no other."""

from __future__ import annotations

import pathlib
import re
import typing as t
from dataclasses import dataclass

from ..base.errors import ForkError
from ..base.files import file_sha256
from ..base.files import Files
from ..base.files import files_sha256
from ..base.files import read
from ..base.files import read_folder
from ..base.paths import Project
from . import archive
from .pin import Pin

if t.TYPE_CHECKING:
    from importlib.metadata import Distribution

#: The file name of upstream's license, next to the fork's own.
LICENSE = "LICENSE.flask.txt"

#: The hint if the archive is missing.
FETCH = "run `scripts/fork fetch`, or `scripts/fork fetch --from FILE` without network"


@dataclass(frozen=True)
class Source:
    """What the fork takes from the pinned release, checked against the pin.

    :param package: the package's files, below the folder that the pin names.
    :param license: the text of its license.
    """

    package: Files
    license: bytes


def cached_archive(project: Project, pin: Pin) -> pathlib.Path:
    """Where the pinned archive is cached."""
    return project.cache / pin.sdist


def check_archive(content: bytes, pin: Pin, *, where: object) -> None:
    """Compare an archive with the pin.

    :raises ForkError: its hash differs; the error has both hashes.
    """
    found = file_sha256(content)
    if found != pin.sdist_sha256:
        raise _mismatch(pin.sdist, pin.sdist_sha256, found, where)


def release_files(project: Project, pin: Pin) -> Files:
    """All files of the pinned release, from the cache.

    :raises ForkError: it has not been fetched, or is not the pinned one.
    """
    cached = cached_archive(project, pin)
    where = project.relative(cached)
    if not cached.exists():
        raise ForkError(f"{pin} has not been fetched yet", where=where, hint=FETCH)
    content = read(cached, hint=FETCH)
    check_archive(content, pin, where=where)
    return archive.read(content, where=pin.sdist)


def pinned_source(project: Project, pin: Pin) -> Source:
    """The pinned package from the first place that has it.

    The places are the folder in the fork's own sdist, the cache, and the build
    environment, where a front end installs it (PEP 517).

    :raises ForkError: none has it, or the first one has another release.
    """
    if project.source.is_dir():
        where, found = project.relative(project.source), _carried(project, pin)
    elif cached_archive(project, pin).exists():
        where, found = pin.sdist, release_files(project, pin)
    else:
        where, found = _installed(pin)
    return check_source(found, pin, where=where)


def is_at_hand(project: Project, pin: Pin) -> bool:
    """Whether the package is available without the package index."""
    return project.source.is_dir() or cached_archive(project, pin).exists()


def check_source(found: Files, pin: Pin, *, where: object) -> Source:
    """Take the package and the license from ``found``.

    :raises ForkError: one of them is not the pinned one.
    """
    package = {
        path: content
        for path, content in found.items()
        if path.startswith(f"{pin.package}/")
    }
    sha256 = files_sha256(package)
    if sha256 != pin.package_sha256:
        raise _mismatch(pin.package, pin.package_sha256, sha256, where)

    license_text = found.get(pin.license, b"")
    sha256 = file_sha256(license_text)
    if sha256 != pin.license_sha256:
        raise _mismatch(pin.license, pin.license_sha256, sha256, where)
    return Source(package, license_text)


def _carried(project: Project, pin: Pin) -> Files:
    hint = "unpack the fork's sdist again"
    found = read_folder(project.source)
    return {**found, pin.license: read(project.root / LICENSE, hint=hint)}


def _installed(pin: Pin) -> tuple[str, Files]:
    import importlib.metadata

    try:
        distribution = importlib.metadata.distribution(pin.name)
    except importlib.metadata.PackageNotFoundError as e:
        raise ForkError(
            f"{pin} is neither in the cache nor installed in the build environment",
            hint=f"build with isolation, or {FETCH}",
        ) from e

    module, folder = pin.module, pin.package.rpartition("/")[0]
    found: Files = {}
    _check_installed(distribution, pin)
    for file in distribution.files or ():
        path = pathlib.Path(str(file.locate()))
        if file.parts[0] == module and "__pycache__" not in file.parts:
            found["/".join([folder, *file.parts] if folder else file.parts)] = (
                path.read_bytes()
            )
        elif file.parts[0].endswith(".dist-info") and file.name == pin.license:
            found[pin.license] = path.read_bytes()
    return f"{pin.name} {distribution.version}, installed", found


def _check_installed(distribution: Distribution, pin: Pin) -> None:
    """Refuse a distribution that has anything that upstream's has not.

    Python may already have run some of it: a .pth file, for example, runs when Python
    starts. Such code could defeat this check as well.

    :raises ForkError: it has files elsewhere, or entry points of other kinds.
    """
    where = f"{pin.name} {distribution.version}, installed"
    hint = f"do not use that index, and check what it may have run here; {FETCH}"
    for file in distribution.files or ():
        if not _belongs(file, pin):
            raise ForkError(f"{file} does not belong to it", where=where, hint=hint)
    for point in distribution.entry_points:
        if (point.group, point.name) != ("console_scripts", pin.module):
            what = (
                f"the entry point {point.name} of {point.group} does not belong to it"
            )
            raise ForkError(what, where=where, hint=hint)


def _belongs(file: pathlib.PurePosixPath, pin: Pin) -> bool:
    """Whether upstream's distribution has such a file, wherever it is installed."""
    if ".." in file.parts:
        folder = file.parent.name.lower()
        return folder in ("bin", "scripts") and file.stem == pin.module
    info = re.fullmatch(r"(.+)-[^-]+\.dist-info", file.parts[0])
    mine = bool(info) and info[1].lower() == pin.module  # type: ignore[index]
    return len(file.parts) > 1 and (file.parts[0] == pin.module or mine)


def _mismatch(what: str, expected: str, found: str, where: object) -> ForkError:
    return ForkError(
        f"the hash of {what} is wrong: expected {expected}, found {found}",
        where=where,
        hint="do not use it; delete it and fetch the release again; if that does not"
        " help, compare upstream/pin.toml with the project's history",
    )
