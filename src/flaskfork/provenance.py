"""What this release of the fork was made from."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Upstream:
    """The release of upstream that the fork was built from.

    :param sha256: the hash of its sdist.
    :param folder: the folder of its package in there.
    :param package: one hash over the files of that folder.
    """

    name: str
    version: str
    sha256: str
    folder: str
    package: str


@dataclass(frozen=True)
class Patch:
    """One difference from upstream."""

    name: str
    subject: str


@dataclass(frozen=True)
class Provenance:
    """A release of the fork.

    :param overlay: the files that only the fork has, by their path in the wheel.
    :param patches: in the order in which they were applied.
    :param files: the SHA-256 of each other file of the package, by its path in the
        wheel.
    """

    version: str
    upstream: Upstream
    overlay: tuple[str, ...]
    patches: tuple[Patch, ...]
    files: t.Mapping[str, str]

    @property
    def api_level(self) -> str:
        """The version of Flask whose interface this is."""
        return self.upstream.version

    @property
    def revision(self) -> str:
        """The number of the fork's release on that version."""
        return self.version[len(self.api_level) + 1 :]

    @property
    def shim_version(self) -> str:
        """The version of the shim wheel that belongs to this release."""
        return f"{self.api_level}+flaskfork.{self.revision}"


@functools.cache
def load() -> Provenance:
    """Read what the build wrote next to this file.

    :raises FileNotFoundError: this is not a built package.
    """
    values = json.loads(_file().read_text(encoding="utf-8"))
    return Provenance(
        version=values["version"],
        upstream=Upstream(**values["upstream"]),
        overlay=tuple(values["overlay"]),
        patches=tuple(Patch(**patch) for patch in values["patches"]),
        files=dict(values["files"]),
    )


def digest() -> str:
    """The SHA-256 of the file, and so of all that it names; in hexadecimal.

    :raises FileNotFoundError: this is not a built package.
    """
    return hashlib.sha256(_file().read_bytes()).hexdigest()


def describe() -> str:
    """The release in one line, as ``--version`` shows it."""
    made = load()
    return (
        f"flaskfork {made.version}"
        f" ({made.upstream.name} {made.api_level} with {len(made.patches)} patches)"
    )


def _file() -> t.Any:
    return importlib.resources.files(__package__).joinpath("provenance.json")
