"""Building the release files: the fork's wheel and sdist, and the shim's wheel."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
import typing as t
import zipfile

from ..base.errors import ForkError
from ..base.files import read_text
from ..base.files import writing
from ..base.metadata import fork_version
from ..base.paths import Project
from ..base.programs import python
from . import stage


class Built(t.NamedTuple):
    """The files of a build."""

    wheel: pathlib.Path
    sdist: pathlib.Path
    shim: pathlib.Path

    @property
    def wheels(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.wheel, self.shim


def build(project: Project, out: pathlib.Path) -> Built:
    """Build both wheels and the sdist into ``out``.

    The wheel is built from the sdist, which proves that the sdist builds.

    :raises ForkError: one of them cannot be built, and ``out`` is left unchanged; or
        ``out`` cannot be written, and each file in it is the old one or the new one.
    """
    with tempfile.TemporaryDirectory(prefix="flaskfork-build-") as name:
        folder = pathlib.Path(name)
        # Not in the user's folder, which may contain something named `build`.
        command = ("-m", "build", "--no-isolation", "--outdir", folder, project.root)
        python(*command, cwd=folder)
        build_shim(_only(folder, "*.whl"), folder)
        wheel, shim = wheels_in(folder)
        sdist = _only(folder, "*.tar.gz")
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            moved = [_move(path, out) for path in (wheel, sdist, shim)]
        return Built(*moved)


def wheels_in(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The fork's wheel and the shim's wheel in the folder of a build.

    :raises ForkError: one of them is missing, or there are several.
    """
    return _only(folder, f"{stage.MODULE}-*.whl"), _only(folder, "flask-*.whl")


def build_shim(wheel: pathlib.Path, out: pathlib.Path) -> None:
    """Build the shim's wheel into ``out``, with the fork in ``wheel``.

    :raises ForkError: it cannot be built.
    """
    with _unpacked(wheel) as path:
        build_shim_of(path, out)


def build_shim_of(package: pathlib.Path, out: pathlib.Path) -> None:
    """Build the shim's wheel into ``out``, with the fork in the folder ``package``.

    :raises ForkError: it cannot be built.
    """
    command = ("-m", f"{stage.MODULE}.shim", "wheel", out.resolve())
    python(*command, cwd=package, env={"PYTHONPATH": str(package)})


@contextlib.contextmanager
def _unpacked(wheel: pathlib.Path) -> t.Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="flaskfork-wheel-") as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        yield pathlib.Path(folder)


def expected_contents(project: Project) -> list[str]:
    """The exact list of paths in the fork's wheel, as recorded in the project."""
    where = project.wheel_contents
    text = read_text(where, hint="restore it from git")
    version = fork_version(project)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return sorted(line.replace("{version}", version) for line in lines)


def contents(wheel: pathlib.Path) -> list[str]:
    """The paths in a wheel, sorted."""
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def _only(folder: pathlib.Path, pattern: str) -> pathlib.Path:
    found: list[pathlib.Path] = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ForkError(f"expected one {pattern}, found {len(found)}", where=folder)
    return found[0]


def _move(path: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    # Copied first, since `out` may be on another disk; then replaced in one step.
    aside = out / f".{path.name}.new"
    shutil.copyfile(path, aside)
    os.replace(aside, out / path.name)
    return out / path.name
