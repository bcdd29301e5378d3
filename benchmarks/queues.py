"""Queues of any length, to measure with."""

from __future__ import annotations

import pathlib
import shutil
from dataclasses import replace

from forkkit.base.diff import FileDiff
from forkkit.base.diff import Hunk
from forkkit.base.diff import split_lines
from forkkit.base.files import Files
from forkkit.base.paths import Project
from forkkit.pack import stage
from forkkit.queue.patch import Patch
from forkkit.queue.queue import apply_patches
from forkkit.queue.queue import Queue
from forkkit.upstream import releases
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import pinned_source

#: Lines between two patches, so that neither is in the context of the other.
_SPACING = 9


def copy(here: Project, root: pathlib.Path, version: str | None = None) -> Project:
    """A copy of the project, with its archives.

    :param version: pin this release instead, with an empty queue.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    for name in stage.SDIST:
        if (here.root / name).is_dir():
            shutil.copytree(here.root / name, root / name, ignore=ignore)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(here.root / name, root / name)
    shutil.copytree(here.cache, root / "upstream" / "cache")
    project = Project(root)
    if version:
        old = Pin.load(project)
        pin = releases.obtain(project, old, version)
        project.pin.write_bytes(pin.render())
        text = project.pyproject.read_text()
        text = text.replace(f'version = "{old.version}.', f'version = "{version}.')
        project.pyproject.write_text(text)
        for path in project.patches.glob("*.patch"):
            path.unlink()
        project.series.write_bytes(b"")
    return project


def fill(project: Project, model: Patch, count: int, new: Files) -> list[Patch]:
    """Append ``count`` one-line patches to the queue.

    :param model: the patch whose message they get.
    :param new: the files of another release, with which they must not conflict.
    """
    pin = Pin.load(project)
    queue = Queue.load(project, pin)
    files = apply_patches(queue.patches, pinned_source(project, pin).package)
    made = []
    for number, (path, line) in enumerate(_places(files, new, count)):
        name = f"bench-{number}"
        message = model.message.named(name)
        patch = replace(model, message=message, diffs=(_added(files, path, line),))
        files = apply_patches([patch], files)
        (project.patches / f"{name}.patch").write_bytes(patch.render())
        made.append(patch)
    with project.series.open("a") as series:
        series.writelines(f"{patch.name}.patch\n" for patch in made)
    return made


def _places(files: Files, new: Files, count: int) -> list[tuple[str, int]]:
    """Files and line numbers, from the bottom of each file to its top."""
    places = []
    for path in sorted(files, key=lambda path: -len(files[path])):
        lines = split_lines(files[path])
        for line in range(len(lines) - _SPACING, _SPACING, -_SPACING):
            around = b"".join(lines[line - _SPACING : line + _SPACING])
            if around in new.get(path, b""):
                places.append((path, line))
    return places[:: max(len(places) // count, 1)][:count]


def _added(files: Files, path: str, line: int) -> FileDiff:
    """A diff that adds a comment before a line; line numbers start at 0."""
    lines = split_lines(files[path])
    around = [(b" ", text) for text in lines[line - 3 : line + 3]]
    added = (b"+", b"# One more line.\n")
    hunk = Hunk(line - 2, line - 2, b"", (*around[:3], added, *around[3:]))
    return FileDiff(path, "change", (hunk,))
