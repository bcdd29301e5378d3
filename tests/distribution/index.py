"""A package index on the loopback interface, with a newer Flask than the fork's.

It has what an application needs, and no other index is asked. Neither of the fork's
wheels is on it; they are on a second index, and in a folder that is served as is.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sys
import typing as t
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.utils import parse_wheel_filename
from packaging.version import Version
from wheel.wheelfile import WheelFile

from forkkit.base import venv
from servers import free_port
from servers import HOST
from servers import serving

#: Besides Flask: extensions, and what a lock file names for any system and Python.
OTHERS = (
    *("Flask-Login", "Flask-Cors", "asgiref", "python-dotenv", "pip", "pytest"),
    *("colorama", "exceptiongroup", "importlib-metadata", "tomli", "typing-extensions"),
)


@dataclass(frozen=True)
class Index:
    """The address of the index, and the versions of Flask that it has.

    :param url: the address below which everything is.
    :param level: the version of Flask that the fork is made from.
    :param newer: a version that upstream has not released.
    """

    url: str
    level: str
    newer: str

    @property
    def public(self) -> str:
        """The index that everybody uses: upstream's Flask, in both versions."""
        return f"{self.url}/public"

    @property
    def team(self) -> str:
        """The index of a team: both wheels of the fork, and nothing else."""
        return f"{self.url}/team"

    @property
    def wheels(self) -> str:
        """The folder with both wheels."""
        return f"{self.url}/wheels"


@contextlib.contextmanager
def serve(folder: pathlib.Path, fork: t.Sequence[pathlib.Path]) -> t.Iterator[Index]:
    """Fill a new ``folder`` and serve it while the ``with`` block runs.

    :param fork: both wheels of the fork.
    """
    [level] = [v.public for v in map(_version, fork) if v.local]
    newer = f"{Version(level).major}.{Version(level).minor + 1}.0"
    found = folder / "found"
    _download(found, f"Flask==={level}")
    [flask] = found.glob(f"flask-{level}-*.whl")
    _bump(flask, newer)
    for wheel in found.iterdir():
        _add(wheel, folder / "public")
    for wheel in fork:
        _add(wheel, folder / "team")
        shutil.copy(wheel, _made(folder / "wheels"))

    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", HOST, str(port)]
    with serving(*command, port=port, log=folder / "log", cwd=folder) as url:
        yield Index(url, level, newer)


def _download(folder: pathlib.Path, *requirements: str) -> None:
    """Download the wheels for this Python from the index that is configured here."""
    pip = venv.create(folder.with_name("pip"), seed=True)
    options = ["--quiet", "--only-binary", ":all:", "--dest", folder]
    pip.run("-m", "pip", "download", *options, *requirements, *OTHERS)


def _bump(wheel: pathlib.Path, version: str) -> None:
    """Write a copy of the wheel, with another version, next to it."""
    name, old, rest = wheel.name.split("-", 2)
    path = wheel.with_name(f"{name}-{version}-{rest}")
    with WheelFile(wheel) as source, WheelFile(path, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == f"{source.dist_info_path}/RECORD":
                continue
            if member == f"{source.dist_info_path}/METADATA":
                was, now = (f"\nVersion: {v}\n".encode() for v in (old, version))
                assert content.count(was) == 1
                content = content.replace(was, now)
            renamed = member.replace(source.dist_info_path, target.dist_info_path)
            target.writestr(renamed, content)


def _add(wheel: pathlib.Path, index: pathlib.Path) -> None:
    name = canonicalize_name(wheel.name.partition("-")[0])
    shutil.copy(wheel, _made(index / name))


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _version(wheel: pathlib.Path) -> Version:
    return parse_wheel_filename(wheel.name)[1]
