"""The pin: one release of upstream, identified by hash."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..base import toml
from ..base.errors import ForkError
from ..base.files import read
from ..base.paths import Project

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RESTORE = "restore upstream/pin.toml from git, or pin the release again"


@dataclass(frozen=True)
class Pin:
    """One release of upstream.

    :param name: the distribution's name on the package index.
    :param version: its version.
    :param sdist: the file name of its source archive.
    :param sdist_sha256: the hash of that archive, in hexadecimal.
    :param package: the package's folder in the archive.
    :param package_sha256: :func:`forkkit.base.files.files_sha256` of that folder.
    :param license: the license file in the archive.
    :param license_sha256: the hash of that file, in hexadecimal.
    """

    name: str
    version: str
    sdist: str
    sdist_sha256: str
    package: str
    package_sha256: str
    license: str
    license_sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def requirement(self) -> str:
        # `==` would also match the fork's own 3.1.3+flaskfork.1 (PEP 440).
        return f"{self.name}==={self.version}"

    @property
    def module(self) -> str:
        """The import name."""
        return self.package.rpartition("/")[2]

    @classmethod
    def load(cls, project: Project) -> Pin:
        """Read the project's pin.

        :raises ForkError: it is missing or malformed.
        """
        where = project.relative(project.pin)
        return cls.parse(read(project.pin, hint=_RESTORE), where=where)

    @classmethod
    def parse(cls, data: bytes, *, where: object) -> Pin:
        """Read a pin.

        :param where: the file to name in errors.
        :raises ForkError: a key is missing, unknown or malformed.
        """
        tables = toml.loads(data, where=where)
        flat = {
            f"{table}.{key}": value
            for table, values in tables.items()
            for key, value in (
                values.items() if isinstance(values, dict) else [("", "")]
            )
        }
        if odd := sorted(set(flat) ^ set(_KEYS.values())):
            raise ForkError(
                f"missing or unknown keys: {', '.join(odd)}", where=where, hint=_RESTORE
            )

        for key, value in flat.items():
            _check(key, value, where)
        return cls(**{field: flat[key] for field, key in _KEYS.items()})

    def render(self) -> bytes:
        """The text of the file."""
        lines = ["# The release of upstream that the fork is built from, by hash."]
        table = ""
        for field, key in _KEYS.items():
            if not key.startswith(f"{table}."):
                table = key.partition(".")[0]
                lines += ["", f"[{table}]"]
            lines.append(f'{key.partition(".")[2]} = "{getattr(self, field)}"')
        return "\n".join([*lines, ""]).encode()


_KEYS = {
    "name": "upstream.name",
    "version": "upstream.version",
    "sdist": "sdist.file",
    "sdist_sha256": "sdist.sha256",
    "package": "package.folder",
    "package_sha256": "package.sha256",
    "license": "license.file",
    "license_sha256": "license.sha256",
}


def _check(key: str, value: t.Any, where: object) -> None:
    if not isinstance(value, str):
        raise ForkError(f"{key} is not a string", where=where, hint=_RESTORE)

    if key.endswith(".sha256"):
        fine, form = _SHA256.fullmatch(value), "64 hexadecimal digits"
    elif key == "upstream.version":
        fine, form = re.fullmatch(r"\d+(\.\d+)+\w*", value), "a release version"
    else:
        fine = re.fullmatch(r"(?!\.|.*/\.)\w[\w./-]*", value, re.ASCII)
        form = "a plain name or relative path"

    if not fine:
        raise ForkError(f"{key} is {value!r}, not {form}", where=where, hint=_RESTORE)
