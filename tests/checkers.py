"""Runs type checkers, and makes what they find in two environments comparable."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import subprocess
import sys
import typing as t

import mypy.defaults

from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment

_VERSIONS = [f"3.{minor}" for minor in range(9, 14)]
#: The Pythons that the fork supports and that each checker knows of.
TARGETS = {
    "mypy": _VERSIONS[max(mypy.defaults.PYTHON3_VERSION_MIN[1] - 9, 0) :],
    "pyright": _VERSIONS,
}

_SITE_PACKAGES = re.compile(r".*/site-packages/")
#: By which mypy tells type variables of one name apart.
_SERIAL_NUMBER = re.compile(r"(?<=\w)`-?\d+")


class Finding(t.NamedTuple):
    """One thing that a checker says."""

    file: str
    line: int
    column: int
    rule: str
    text: str


Findings = t.Counter[Finding]


def run(
    checker: str,
    environment: Environment,
    folder: pathlib.Path,
    *names: str,
    target: str | None = None,
) -> Findings:
    """Run a checker at its strictest.

    In what it says, the fork's name is replaced by upstream's: its classes are in
    modules of its own, and checkers say so. Beside that, only the path of the
    environment and the numbers of type variables are left out, and the lines of what is
    in Flask itself, where the patches are.

    :param checker: ``mypy`` or ``pyright``.
    :param environment: what is installed.
    :param folder: where the code is, which may be the environment's ``site-packages``.
    :param names: files and folders in there.
    :param target: the version of Python to check for, if not the environment's.
    """
    find = {"mypy": _mypy, "pyright": _pyright}[checker]
    return collections.Counter(
        map(_comparable, find(environment, folder, names, target))
    )


def _comparable(finding: Finding) -> Finding:
    """What is the same for upstream and the fork."""
    file = _named_as_upstream(_SITE_PACKAGES.sub("", finding.file))
    return finding._replace(
        file=file,
        line=0 if file.startswith("flask/") else finding.line,
        text=_named_as_upstream(_SERIAL_NUMBER.sub("", finding.text)),
    )


def _named_as_upstream(text: str) -> str:
    return re.sub(r"\bflaskfork\b", "flask", text)


def _mypy(
    environment: Environment,
    folder: pathlib.Path,
    names: t.Sequence[str],
    target: str | None,
) -> t.Iterator[Finding]:
    installed = folder.name == "site-packages"
    # It refuses files of an environment, unless they are told as packages.
    here = environment.path if installed else folder
    output = _output(
        here,
        *("mypy", "--strict", "--output=json", "--config-file="),
        f"--cache-dir={environment.path / 'mypy-cache'}",
        f"--python-executable={environment.python}",
        *([f"--python-version={target}"] if target else []),
        *(x for name in names for x in (["--package", name] if installed else [name])),
    )
    for found in map(json.loads, filter(None, output.splitlines())):
        rule = f"{found['severity']}: {found['code']}"
        place = (str(here / found["file"]), found["line"], found["column"])
        yield Finding(*place, rule, found["message"])


def _pyright(
    environment: Environment,
    folder: pathlib.Path,
    names: t.Sequence[str],
    target: str | None,
) -> t.Iterator[Finding]:
    output = _output(
        folder,
        *("pyright", "--outputjson", f"--pythonpath={environment.python}"),
        *([f"--pythonversion={target}"] if target else []),
        *(str(folder / name) for name in names),
    )
    for found in json.loads(output)["generalDiagnostics"]:
        line, column = found["range"]["start"].values()
        rule = f"{found['severity']}: {found.get('rule')}"
        yield Finding(found["file"], line + 1, column, rule, found["message"])


def _output(folder: pathlib.Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *args],
        cwd=folder,
        env=clean_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    # Both exit with 1 when they found something.
    assert done.returncode in {0, 1}, f"{done.stdout}{done.stderr}"
    return done.stdout
