"""The releases of upstream on the package index that pip is configured to use."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ..base.errors import ForkError
from ..base.programs import python

if t.TYPE_CHECKING:
    from unearth import PackageFinder

_HINT = (
    "check the network and pip's index settings, or name a local copy of the release's"
    " archive with --from FILE"
)


@dataclass(frozen=True)
class Release:
    """A release's source archive on the package index.

    :param file: the archive's name.
    :param url: where it is.
    :param sha256: its hash in hexadecimal, if the index gives it.
    :param when: when it was uploaded, if the index gives it.
    """

    version: str
    file: str
    url: str
    sha256: str | None
    when: datetime | None


def releases(name: str, *, yanked: bool = False) -> list[Release]:
    """The releases of a project that have a source archive, oldest first.

    Pre-releases are left out.

    :param yanked: whether to include yanked releases (PEP 592).
    :raises ForkError: the index cannot be queried.
    """
    from packaging.version import Version

    finder = _finder(name)
    try:
        packages = list(finder.find_all_packages(name, allow_yanked=yanked))
    except Exception as e:
        # Its type depends on the library that fetches, and on its version.
        raise ForkError(f"the package index cannot be queried: {e}", hint=_HINT) from e
    found = {}
    for package in packages:
        link = package.link
        if link.is_wheel or not package.version:
            continue
        if (
            not link.filename.endswith(".tar.gz")
            or Version(package.version).is_prerelease
        ):
            continue
        hashes = link.hashes or {}
        when = getattr(link, "upload_time", None)
        found[Version(package.version)] = Release(
            package.version,
            link.filename,
            link.url_without_fragment,
            hashes.get("sha256"),
            when,
        )
    return [found[version] for version in sorted(found)]


def download(name: str, release: Release) -> bytes:
    """Download the archive of a release. None of its code is run.

    :raises ForkError: it cannot be downloaded.
    """
    try:
        response = _finder(name).session.get(release.url)
        response.raise_for_status()
    except Exception as e:
        raise ForkError(f"{release.file} cannot be downloaded: {e}", hint=_HINT) from e
    return bytes(response.content)


def _finder(name: str) -> PackageFinder:
    from unearth import PackageFinder

    settings = _pip_settings()
    finder = PackageFinder(
        index_urls=settings.get("index-url", []),
        trusted_hosts=settings.get("trusted-host", []),
        no_binary=[name],
        ignore_compatibility=True,
    )
    for url in settings.get("extra-index-url", []):
        finder.add_index_url(url)
    if settings.get("no-index", ["0"])[0].lower() in {"1", "yes", "true", "on"}:
        finder.sources.clear()
    for url in settings.get("find-links", []):
        finder.add_find_links(url)
    return finder


def _pip_settings() -> dict[str, list[str]]:
    """Pip's settings for all commands and ``download``, from files and variables."""
    done = python("-I", "-m", "pip", "config", "list", fine=None)
    found: dict[str, list[str]] = {}
    for section in ("global.", "download.", ":env:."):
        for line in done.stdout.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section):
                found[key[len(section) :]] = value.strip("'\"").split()
    return found
