"""What ruff and mypy find in the built package that they do not in upstream's."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import Project
from ..base.files import write_files
from ..base.venv import clean_environ
from ..pack import stage as materialise
from ..queue import queue as queues
from ..upstream import source as upstream

#: Upstream's own choice of rules, in its pyproject.toml.
_RUFF_RULES = "B,E,F,I,UP,W"
_MYPY_SETTINGS = """\
[mypy]
strict = true
[mypy-asgiref.*,cryptography.*,dotenv.*,importlib_metadata]
ignore_missing_imports = true
"""
_MYPY_LINE = re.compile(r"(\S+?\.py):\d+: error: (.*)")


def new(project: Project) -> list[ForkError]:
    """Each finding in the package that ships and not in the pinned release.

    :raises ForkError: the package cannot be made, or a checker did not run.
    """
    pin = upstream.load_pin(project)
    queue = queues.load(project, pin)
    theirs = upstream.source(project, pin).package
    prefix = f"{pin.package}/"
    pristine = {f"{pin.module}/{p[len(prefix) :]}": d for p, d in theirs.items()}
    patched = queues.apply(queue.patches, theirs)
    built = materialise.package(project, pin, queue, patched)
    known = _findings(pristine, pin.module)
    found = _findings(built, materialise.MODULE)
    return [
        ForkError(text, where=path, mend="mend the patch or the overlay")
        for path, text in (found - known).elements()
    ]


def _findings(files: Files, module: str) -> collections.Counter[tuple[str, str]]:
    """Path in the package and text of each finding, under upstream's name."""
    with tempfile.TemporaryDirectory(prefix="flaskfork-findings-") as name:
        folder = pathlib.Path(name)
        write_files(folder, {f"src/{path}": data for path, data in files.items()})
        (folder / "mypy.ini").write_text(_MYPY_SETTINGS)
        found = [*_ruff(folder), *_mypy(folder, module)]
    word = re.compile(rf"\b{module}\b")
    return collections.Counter(
        (word.sub("flask", path), word.sub("flask", text)) for path, text in found
    )


def _ruff(folder: pathlib.Path) -> list[tuple[str, str]]:
    output = _run(
        folder,
        *("ruff", "check", "--isolated", "--no-cache", "--target-version=py39"),
        *(f"--select={_RUFF_RULES}", "--output-format=json", "--config"),
        "lint.isort = {force-single-line = true, order-by-type = false}",
        "src",
    )
    source = folder.resolve() / "src"
    return [
        (
            pathlib.Path(finding["filename"]).relative_to(source).as_posix(),
            f"ruff {finding['code']}: {finding['message']}",
        )
        for finding in json.loads(output)
    ]


def _mypy(folder: pathlib.Path, module: str) -> list[tuple[str, str]]:
    output = _run(
        folder,
        *("mypy", "--config-file=mypy.ini", "--no-incremental", "--package", module),
        MYPYPATH="src",
    )
    return [
        (match[1].removeprefix("src/"), f"mypy: {match[2]}")
        for match in map(_MYPY_LINE.match, output.splitlines())
        if match
    ]


def _run(folder: pathlib.Path, *args: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *args],
        cwd=folder,
        env=clean_environ(**env),
        capture_output=True,
        text=True,
        check=False,
    )
    # Both exit with 1 when they found something.
    if done.returncode not in {0, 1}:
        said = f"{done.stdout}{done.stderr}".strip()
        raise ForkError(f"did not run:\n{said}", where=f"python -m {args[0]}")
    return done.stdout
