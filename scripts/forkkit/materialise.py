"""From the pin to the package that ships: queue, rename, overlay, provenance."""

from __future__ import annotations

import json

from . import queue as queues
from . import rename
from . import toml
from . import upstream
from .errors import ForkError
from .errors import raise_findings
from .pin import Pin
from .project import Files
from .project import Project
from .project import read
from .project import read_folder
from .project import write_folder
from .queue import Queue
from .rename import Table
from .upstream import Source

#: The fork's import name.
MODULE = "flaskfork"
#: The file of the package that says what it was made of.
PROVENANCE = f"{MODULE}/provenance.json"
#: Upstream's license, under the name that it has in the wheel.
LICENSE = "LICENSE.flask.txt"


def materialise(project: Project) -> list[str]:
    """Make the stage: the package and upstream's license, all at once.

    :return: the paths of its files.
    :raises ForkError: any step before failed; the stage is as it was.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    source = upstream.source(project, pin)
    files = package(project, pin, queue, queues.apply(queue.patches, source.package))
    files[LICENSE] = source.license
    write_folder(project.stage, files)
    return sorted(files)


def package(project: Project, pin: Pin, queue: Queue, patched: Files) -> Files:
    """Turn the patched package into the one that ships.

    :raises ForkError: a rename rule does not match as it should, or a file of the
        overlay stands in upstream's package too.
    """
    prefix = f"{pin.package}/"
    moved = {f"{MODULE}/{p[len(prefix) :]}": data for p, data in patched.items()}
    where = project.relative(project.rename)
    files = rename.apply(tables(project)["package"], moved, where=where)
    overlay = read_overlay(project)
    collisions = sorted(overlay.keys() & files.keys())
    raise_findings(
        [
            ForkError(
                "is in upstream's package too",
                where=path,
                mend="give the overlay's file another name, or change upstream's by a"
                " patch",
            )
            for path in collisions
        ]
    )
    files.update(overlay)
    files[PROVENANCE] = provenance(project, pin, queue, sorted(overlay))
    return files


def read_overlay(project: Project) -> Files:
    """The files that the fork adds, by their path in the package."""
    files = read_folder(project.overlay)
    return {f"{MODULE}/{path}": content for path, content in files.items()}


def tables(project: Project) -> dict[str, Table]:
    """The rename tables, ``package`` and ``tests``."""
    where = project.relative(project.rename)
    data = read(project.rename, mend="restore patches/rename.toml from the history")
    found = rename.parse(data, where=where)
    if set(found) != {"package", "tests"}:
        raise ForkError("the tables are not package and tests", where=where)
    return found


def fork_version(project: Project) -> str:
    """The version of the fork's distribution."""
    values = toml.load(project.pyproject, mend="restore pyproject.toml")
    return str(values["project"]["version"])


def provenance(project: Project, pin: Pin, queue: Queue, overlay: list[str]) -> bytes:
    """What the package was made of, as JSON."""
    values = {
        "version": fork_version(project),
        "upstream": {
            "name": pin.name,
            "version": pin.version,
            "sha256": pin.sdist_sha256,
        },
        "overlay": [*overlay, PROVENANCE],
        "patches": [{"name": p.name, "subject": p.subject} for p in queue.patches],
    }
    return (json.dumps(values, indent=2) + "\n").encode()
