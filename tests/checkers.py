"""Runs type checkers, and makes their findings in two environments comparable."""

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
#: The Python versions that both the fork and the checker support.
TARGETS = {
    "mypy": _VERSIONS[max(mypy.defaults.PYTHON3_VERSION_MIN[1] - 9, 0) :],
    "pyright": _VERSIONS,
}

_SITE_PACKAGES = re.compile(r".*/site-packages/")
#: By these, mypy distinguishes type variables of the same name.
_SERIAL_NUMBER = re.compile(r"(?<=\w)`-?\d+")


class Finding(t.NamedTuple):
    """One message of a checker."""

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
    """Run a checker in its strictest mode.

    In its messages, the fork's name is replaced by upstream's, because the fork's
    classes are in its own modules and checkers say so. Otherwise, only the path of the
    environment, the numbers of type variables, and the line numbers in Flask itself,
    which the patches shift, are left out.

    :param checker: ``mypy`` or ``pyright``.
    :param environment: the environment to check against.
    :param folder: where the code is, which may be the environment's ``site-packages``.
    :param names: files and folders in that folder.
    :param target: the version of Python to check for, if not the environment's.
    """
    find = {"mypy": _mypy, "pyright": _pyright}[checker]
    return collections.Counter(
        map(_comparable, find(environment, folder, names, target))
    )


def _comparable(finding: Finding) -> Finding:
    """The parts of a finding that are the same for upstream and the fork."""
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
    # It refuses files of an environment unless they are passed as packages.
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
    # Both exit with 1 when they find something.
    assert done.returncode in {0, 1}, f"{done.stdout}{done.stderr}"
    return done.stdout
