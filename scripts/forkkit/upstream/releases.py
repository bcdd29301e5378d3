"""Bringing releases of upstream into the cache."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import re

from ..base.errors import ForkError
from ..base.files import file_sha256
from ..base.files import files_sha256
from ..base.files import read
from ..base.files import write_file
from ..base.paths import Project
from . import archive
from . import index
from .index import Release
from .pin import Pin
from .source import cached_archive
from .source import check_archive
from .source import check_source
from .source import FETCH

_VERSION = re.compile(r"\d+(\.\d+)+")
_HEADER = re.compile(rb"^(Name|Version): (.+?)\r?$", re.MULTILINE)


def obtain(
    project: Project, old: Pin, version: str, local: pathlib.Path | None = None
) -> Pin:
    """Bring a release into the cache and return its pin.

    It comes from ``local`` if that is given, else from the cache, else from the package
    index.

    :raises ForkError: there is no such release, or the archive is not that release.
    """
    if not _VERSION.fullmatch(version):
        raise ForkError(
            f"{version!r} is not a release version",
            hint="use a form such as 3.1.3",
        )
    if local is not None:
        content = read(local, hint="name the archive of the release")
        return _keep(project, old, version, local.name, content)

    for name in (
        f"{old.name}-{version}.tar.gz",
        f"{old.name.lower()}-{version}.tar.gz",
    ):
        if (project.cache / name).exists():
            content = read(project.cache / name, hint="give read access to it")
            return _keep(project, old, version, name, content)

    name, content = _download(old.name, version, index.releases(old.name))
    return _keep(project, old, version, name, content)


def _download(name: str, version: str, found: list[Release]) -> tuple[str, bytes]:
    """Name and content of the archive of one of the releases on the package index."""
    for release in found:
        if release.version == version:
            content = index.download(name, release)
            sha256 = file_sha256(content)
            if release.sha256 not in (None, sha256):
                raise ForkError(
                    f"the hash of {release.file} is wrong: the index says"
                    f" {release.sha256}, found {sha256}",
                    hint="do not use it; try again, or try another index",
                )
            return release.file, content
    raise ForkError(
        f"the package index has no source archive of {name} {version}",
        hint="`scripts/fork upstream` lists the available releases; --from FILE"
        " takes a local copy",
    )


def fetch(project: Project, pin: Pin, local: pathlib.Path | None = None) -> bool:
    """Bring the pinned archive into the cache. None of its code is run.

    It comes from ``local`` if that is given, else from the package index unless the
    cache already has it.

    :return: whether it was written to the cache.
    :raises ForkError: it cannot be obtained, or is not the pinned one.
    """
    cached = cached_archive(project, pin)
    if local is None and cached.exists():
        found = read(cached, hint=FETCH)
        check_archive(found, pin, where=project.relative(cached))
        return False

    if local is not None:
        content = read(local, hint="name the archive of the pinned release")
        where = str(local)
    else:
        where, content = _download(
            pin.name, pin.version, index.releases(pin.name, yanked=True)
        )
    check_archive(content, pin, where=where)
    files = archive.read(content, where=pin.sdist)
    check_source(files, pin, where=pin.sdist)
    write_file(cached, content)
    return True


def in_cache(
    project: Project, pin: Pin, *, between: tuple[str, str] | None = None
) -> list[Pin]:
    """The releases in the cache, oldest first.

    An archive that is not what its name says is left out.

    :param pin: the pin of any release of the same project.
    :param between: only those after the first version and before the second.
    """
    from packaging.version import Version

    archives = re.compile(rf"{re.escape(pin.name)}-({_VERSION.pattern})\.tar\.gz", re.I)
    matches = map(archives.fullmatch, os.listdir(project.cache))
    versions = sorted((m[1] for m in matches if m), key=Version)
    found = []
    for version in versions:
        if between:
            low, high = map(Version, between)
            if not low < Version(version) < high:
                continue
        with contextlib.suppress(ForkError):
            found.append(obtain(project, pin, version))
    return found


def cached_beyond(project: Project, pin: Pin) -> list[str]:
    """The cached versions that are newer than the pin, oldest first."""
    from packaging.version import Version

    return [
        other.version
        for other in in_cache(project, pin)
        if Version(other.version) > Version(pin.version)
    ]


def beyond(pin: Pin) -> list[Release]:
    """The releases on the package index that are newer than the pin, oldest first.

    :raises ForkError: the index cannot be queried.
    """
    from packaging.version import Version

    return [
        release
        for release in index.releases(pin.name)
        if Version(release.version) > Version(pin.version)
    ]


@functools.lru_cache(maxsize=64)
def pin_of(content: bytes, name: str, old: Pin, version: str) -> Pin:
    """The pin of an archive.

    :param content: the archive.
    :param name: the archive's file name.
    :param old: the pin of another release of the same project.
    :raises ForkError: it is not an archive of that release.
    """
    files = archive.read(content, where=name)
    said = dict(_HEADER.findall(files.get("PKG-INFO", b"").partition(b"\n\n")[0]))
    wanted = {b"Name": old.name.lower(), b"Version": version}
    for key, value in wanted.items():
        if said.get(key, b"").decode("utf-8", "replace").lower() != value:
            raise ForkError(
                f"it is not {old.name} {version}: PKG-INFO has"
                f" {key.decode()} {said.get(key, b'').decode('utf-8', 'replace')!r}",
                where=name,
                hint="name the source archive of that release",
            )
    folders = [
        folder
        for folder in (f"src/{old.module}", old.module)
        if f"{folder}/__init__.py" in files
    ]
    licenses = sorted(path for path in files if re.fullmatch(r"LICENSE(\.\w+)?", path))
    if not folders or not licenses:
        raise ForkError(
            f"it contains no package {old.module}, or no license", where=name
        )
    prefix = f"{folders[0]}/"
    package = {path: data for path, data in files.items() if path.startswith(prefix)}
    return Pin(
        name=old.name,
        version=version,
        sdist=name,
        sdist_sha256=file_sha256(content),
        package=folders[0],
        package_sha256=files_sha256(package),
        license=licenses[0],
        license_sha256=file_sha256(files[licenses[0]]),
    )


def _keep(project: Project, old: Pin, version: str, name: str, content: bytes) -> Pin:
    pin = pin_of(content, name, old, version)
    if not (project.cache / name).exists():
        write_file(project.cache / name, content)
    return pin
