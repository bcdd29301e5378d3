"""From the pin to the package that ships: queue, rename, overlay, provenance."""

from __future__ import annotations

import json
import pathlib
import shutil

from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import file_sha256
from ..base.files import Files
from ..base.files import read
from ..base.files import read_folder
from ..base.files import write_files
from ..base.files import write_folder
from ..base.files import writing
from ..base.metadata import fork_version
from ..base.paths import Project
from ..queue import bodies
from ..queue import lean
from ..queue.fork import Fork
from ..queue.queue import apply_patches
from ..upstream import source
from ..upstream.pin import Pin
from ..upstream.source import pinned_source
from . import rename
from .rename import Table

#: The fork's import name.
MODULE = "flaskfork"
#: The file in the package that records what it was made from.
PROVENANCE = f"{MODULE}/provenance.json"
#: The file name of upstream's license in the wheel.
LICENSE = source.LICENSE
#: The files and folders of the project that are in its sdist.
SDIST = (
    ".github",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "benchmarks",
    "docs",
    "noxfile.py",
    "patches",
    "pyproject.toml",
    "scripts",
    "src",
    "tests",
    "upstream/README.md",
    "upstream/known-failures.toml",
    "upstream/pin.toml",
    "upstream/wheel-contents.txt",
)
_STAGED = ("LICENSE", "README.md", "pyproject.toml")
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def write_stage(project: Project, folder: pathlib.Path) -> list[str]:
    """Make ``folder`` the stage, which hatchling packs into the wheel, in one step.

    :return: the paths of its files.
    :raises ForkError: a step fails; the folder is left unchanged.
    """
    files = stage(project)
    write_folder(folder, files)
    return sorted(files)


def stage(project: Project) -> Files:
    """The files of the stage.

    :raises ForkError: the queue does not apply, or as :func:`package`.
    """
    fork = Fork.load(project)
    files = package(fork, apply_patches(fork.queue.patches, fork.source.package))
    files[LICENSE] = fork.source.license
    files.update({name: _own(project, name) for name in _STAGED})
    return files


def write_sdist(project: Project, folder: pathlib.Path) -> None:
    """Fill ``folder`` with the content of the fork's sdist: project and pinned package.

    :raises ForkError: a file is missing, or the package is not the pinned one.
    """
    pinned = pinned_source(project, Pin.load(project))
    read_overlay(project)
    with writing(folder):
        for name in SDIST:
            path = project.root / name
            if path.is_dir():
                _check_plain(project, path)
                shutil.copytree(path, folder / name, ignore=_LEFT_BEHIND)
            else:
                content = _own(project, name)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
                shutil.copymode(path, folder / name)
        (folder / LICENSE).write_bytes(pinned.license)
        write_files(Project(folder).source, pinned.package)


def package(fork: Fork, patched: Files, *, strict: bool = True) -> Files:
    """Turn the patched package into the one that ships.

    The parts of the lean bodies that are stale on it are left out.

    :param strict: whether the rename table must match exactly, which it may not on a
        part of the queue.
    :raises ForkError: a rename rule does not match as expected, a file of the overlay
        is in upstream's package too, or a lean body does not say what it stands for.
    """
    project, prefix = fork.project, f"{fork.pin.package}/"
    moved = {f"{MODULE}/{p[len(prefix) :]}": data for p, data in patched.items()}
    where = project.relative(project.rename)
    table = tables(project)["package"]
    files = rename.apply(table, moved, where=where, strict=strict)
    overlay = read_overlay(project)
    collisions = sorted(overlay.keys() & files.keys())
    raise_findings(
        [
            ForkError(
                "is in upstream's package too",
                where=path,
                hint="rename the overlay's file, or change upstream's with a patch",
            )
            for path in collisions
        ]
    )
    files.update(overlay)
    files.update(_left_out(fork, patched))
    files[PROVENANCE] = provenance(fork, sorted(overlay), files)
    return files


def read_overlay(project: Project) -> Files:
    """The files that the fork adds, by their path in the package."""
    _check_plain(project, project.overlay)
    for path in sorted(project.overlay.rglob(".*")):
        raise ForkError(
            "a hidden file does not belong in the package",
            where=project.relative(path),
            hint="remove it",
        )
    files = read_folder(project.overlay)
    return {f"{MODULE}/{path}": content for path, content in files.items()}


def tables(project: Project) -> dict[str, Table]:
    """The rename tables, ``package`` and ``tests``."""
    where = project.relative(project.rename)
    data = read(project.rename, hint="restore patches/rename.toml from git")
    found = rename.parse(data, where=where)
    if set(found) != {"package", "tests"}:
        raise ForkError("the tables must be package and tests", where=where)
    return found


def metadata(fork: Fork) -> Files:
    """The metadata that marks a package that is not installed as the fork's."""
    version = fork_version(fork.project)
    text = f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: {version}\n"
    return {f"{MODULE}-{version}.dist-info/METADATA": text.encode()}


def provenance(fork: Fork, overlay: list[str], files: Files | None = None) -> bytes:
    """What the package was made from, as JSON.

    :param files: the other files of the package, whose hashes it holds.
    """
    pin, patches = fork.pin, fork.queue.patches
    values = {
        "version": fork_version(fork.project),
        "upstream": {
            "name": pin.name,
            "version": pin.version,
            "sha256": pin.sdist_sha256,
            "folder": pin.package,
            "package": pin.package_sha256,
        },
        "overlay": [*overlay, PROVENANCE],
        "patches": [{"name": p.name, "subject": p.subject} for p in patches],
        "files": {p: file_sha256(c) for p, c in sorted((files or {}).items())},
    }
    return (json.dumps(values, indent=2) + "\n").encode()


def _left_out(fork: Fork, patched: Files) -> Files:
    """The file that names the stale parts, if there are any."""
    found = lean.states(bodies.load(fork.project), patched, fork.pin.package)
    parts = lean.left_out(found)
    return {f"{MODULE}/{lean.LEFT_OUT}": lean.render_left_out(parts)} if parts else {}


def _own(project: Project, name: str) -> bytes:
    return read(project.root / name, hint="restore it from git")


def _check_plain(project: Project, folder: pathlib.Path) -> None:
    """Make sure that there are no links in ``folder``."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise ForkError(
                "a link does not belong in a build",
                where=project.relative(path),
                hint="replace it with a file",
            )
