"""Which lines of a package tests run, measured by coverage."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from ..base.diff import FileDiff
from ..base.venv import clean_environ
from ..pack import stage as materialise

_SETTINGS = """\
[run]
data_file = {folder}/data
dynamic_context = test_function
source = {package}
"""


def lines(root: pathlib.Path, package: pathlib.Path, tests: str) -> dict[str, set[int]]:
    """Run tests, and tell which lines run in them, and not just by an import.

    :param root: the project's folder.
    :param package: the folder that the package is in.
    :return: the numbers of the lines, from 1, by their file's path in ``package``.
    """
    settings = package.with_name(f"{package.name}.coverage")
    settings.write_text(_SETTINGS.format(folder=settings.parent, package=package))
    _coverage(root, package, settings, "run", "-m", *pytest(tests))
    report = settings.with_suffix(".json")
    _coverage(root, package, settings, "json", "--show-contexts", "-o", str(report))
    found: dict[str, set[int]] = {}
    if report.exists():
        for name, file in json.loads(report.read_bytes())["files"].items():
            path = pathlib.Path(root, name).relative_to(package).as_posix()
            contexts = file.get("contexts", {})
            found[path] = {int(line) for line, names in contexts.items() if any(names)}
    return found


def pytest(tests: str) -> list[str]:
    """The arguments of Python's ``-m`` that run tests with the fork as ``flask``."""
    shim = f"{materialise.MODULE}.shim"
    return ["pytest", "-q", "-p", "no:cacheprovider", "-p", shim, tests]


def touched(diff: FileDiff) -> set[int]:
    """The lines of a changed file that are new, or stand beside those that went."""
    found = set()
    for hunk in diff.hunks:
        number = hunk.new_start
        for mark, _ in hunk.lines:
            if mark == b"-":
                found |= {number - 1, number}
            else:
                found |= {number} if mark == b"+" else set()
                number += 1
    return found


def _coverage(
    root: pathlib.Path, package: pathlib.Path, settings: pathlib.Path, *args: str
) -> None:
    subprocess.run(
        [sys.executable, "-m", "coverage", args[0], f"--rcfile={settings}", *args[1:]],
        cwd=root,
        env=clean_environ(PYTHONPATH=str(package), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        check=False,
    )
