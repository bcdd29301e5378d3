"""Findings of ruff and mypy in the built package that upstream's package lacks."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import tempfile

from ..base.errors import ForkError
from ..base.files import Files
from ..base.files import write_files
from ..base.programs import python
from ..pack import stage
from ..queue.fork import Fork
from ..queue.queue import apply_patches

#: The rules that upstream selects in its pyproject.toml.
_RUFF_RULES = "B,E,F,I,UP,W"
_MYPY_SETTINGS = """\
[mypy]
strict = true
[mypy-asgiref.*,cryptography.*,dotenv.*,importlib_metadata]
ignore_missing_imports = true
"""
#: Both exit with 1 if there are findings.
_FINE = (0, 1)
_MYPY_LINE = re.compile(r"(\S+?\.py):\d+: error: (.*)")


def new(fork: Fork) -> list[ForkError]:
    """The findings in the package that ships that are not in the pinned release.

    :raises ForkError: the package cannot be built, or a checker did not run.
    """
    pin, theirs = fork.pin, fork.source.package
    prefix = f"{pin.package}/"
    pristine = {f"{pin.module}/{p[len(prefix) :]}": d for p, d in theirs.items()}
    built = stage.package(fork, apply_patches(fork.queue.patches, theirs))
    known = _findings(pristine, pin.module)
    found = _findings(built, stage.MODULE)
    return [
        ForkError(text, where=path, hint="fix the patch or the overlay")
        for path, text in (found - known).elements()
    ]


def _findings(files: Files, module: str) -> collections.Counter[tuple[str, str]]:
    """The path and text of each finding, with ``module`` renamed to ``flask``."""
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
    done = python(
        *("-m", "ruff", "check", "--isolated", "--no-cache", "--target-version=py39"),
        *(f"--select={_RUFF_RULES}", "--output-format=json", "--config"),
        "lint.isort = {force-single-line = true, order-by-type = false}",
        "src",
        cwd=folder,
        fine=_FINE,
    )
    source = folder.resolve() / "src"
    return [
        (
            pathlib.Path(finding["filename"]).relative_to(source).as_posix(),
            f"ruff {finding['code']}: {finding['message']}",
        )
        for finding in json.loads(done.stdout)
    ]


def _mypy(folder: pathlib.Path, module: str) -> list[tuple[str, str]]:
    done = python(
        *(
            "-m",
            "mypy",
            "--config-file=mypy.ini",
            "--no-incremental",
            "--package",
            module,
        ),
        cwd=folder,
        env={"MYPYPATH": "src"},
        fine=_FINE,
    )
    return [
        (match[1].removeprefix("src/"), f"mypy: {match[2]}")
        for match in map(_MYPY_LINE.match, done.stdout.splitlines())
        if match
    ]
