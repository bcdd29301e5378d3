"""A package index on the loopback interface, in several kinds.

It has what an application needs, and no other index is asked. Neither of the fork's
wheels is on it; they are on a second one, and in a folder that is served as it is. The
index has a newer Flask than the fork's, or has none, or also has wheels of somebody
else's that go by the names of the fork's.
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
    *("setuptools", "wheel"),
    *("colorama", "exceptiongroup", "importlib-metadata", "tomli", "typing-extensions"),
)


@dataclass(frozen=True)
class Index:
    """The address of the index, and the versions of Flask that it has.

    :param url: the address below which everything is.
    :param level: the version of Flask that the fork is made from.
    :param newer: a version that upstream has not released.
    :param made: the folder of the strangers' wheels.
    :param kind: which index everybody uses: one whose newest Flask is ``newer`` or the
        ``same``, or one with ``strangers``.
    """

    url: str
    level: str
    newer: str
    made: pathlib.Path
    kind: str = "newer"

    @property
    def public(self) -> str:
        """The index that everybody uses."""
        return f"{self.url}/{self.kind}"

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
        for kind in ("newer", "strangers"):
            _add(wheel, folder / kind)
        if not wheel.name.startswith(f"flask-{newer}-"):
            _add(wheel, folder / "same")
    for wheel in fork:
        for stranger in strangers(wheel, _made(folder / "made")):
            _add(stranger, folder / "strangers")
        _add(wheel, folder / "team")
        shutil.copy(wheel, _made(folder / "wheels"))

    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", HOST, str(port)]
    with serving(*command, port=port, log=folder / "log", cwd=folder) as url:
        yield Index(url, level, newer, folder / "made")


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


def strangers(wheel: pathlib.Path, folder: pathlib.Path) -> list[pathlib.Path]:
    """Wheels of somebody else's that go by the name of one of the fork's.

    One has a build tag, which makes it better than the same version without, one has a
    higher version, and one a version that is equal for whoever asks with ``==``. They
    work, and their package has the attribute ``STRANGER``.
    """
    name, version, rest = wheel.name.split("-", 2)
    tags = [f"{version}-1", f"{version}.9" if "+" in version else "99"]
    tags += [f"{version}+x"] * ("+" not in version)
    return [_disguise(wheel, folder / f"{name}-{tag}-{rest}") for tag in tags]


def _disguise(wheel: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    with WheelFile(wheel) as source, WheelFile(path, "w") as target:
        was, now = (_version(w) for w in (wheel, path))
        for member in source.namelist():
            content = source.read(member)
            if member == f"{source.dist_info_path}/RECORD":
                continue
            if member.endswith("/METADATA"):
                content = content.replace(
                    f"\nVersion: {was}\n".encode(), f"\nVersion: {now}\n".encode()
                )
            if member in ("flask/__init__.py", "flaskfork/__init__.py"):
                content += b"\nSTRANGER = True\n"
            renamed = member.replace(source.dist_info_path, target.dist_info_path)
            target.writestr(renamed, content)
    return path


def _add(wheel: pathlib.Path, index: pathlib.Path) -> None:
    name = canonicalize_name(wheel.name.partition("-")[0])
    shutil.copy(wheel, _made(index / name))


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _version(wheel: pathlib.Path) -> Version:
    return parse_wheel_filename(wheel.name)[1]
