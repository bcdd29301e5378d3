"""The environment of the running interpreter, and which Flask it has."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass

from .. import provenance
from . import wheel
from .errors import ShimError

# Nothing of flaskfork.shim: what a program gets that knows nothing of the fork.
_PROBE = """\
import importlib.metadata
import json
import sys

found = {"version": None, "requires": None, "in_use": False, "file": None}
try:
    distribution = importlib.metadata.distribution("Flask")
except importlib.metadata.PackageNotFoundError:
    pass
else:
    found.update(version=distribution.version, requires=distribution.requires)
try:
    import flask
except Exception as e:
    found.update(error=f"{type(e).__name__}: {e}")
else:
    in_use = flask is sys.modules.get("flaskfork")
    found.update(in_use=in_use, file=getattr(flask, "__file__", None))
print()
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Status:
    """What ``flask`` is in this environment.

    :param flaskfork: the version of the fork.
    :param flask: the version of the installed distribution Flask, if there is one.
    :param shim_of: the version of the fork whose shim that is, if it is one.
    :param in_use: whether ``import flask`` gets the fork.
    :param file: the file that ``import flask`` gets, if it gets one.
    :param error: what it fails with, if it fails.
    """

    flaskfork: str
    flask: str | None
    shim_of: str | None
    in_use: bool
    file: str | None
    error: str | None

    @property
    def outcome(self) -> str:
        """What ``import flask`` does, as the end of a sentence."""
        return f"fails: {self.error}" if self.error else f"gets {self.file}"


def status() -> Status:
    """Find out what ``flask`` is here, by a fresh interpreter."""
    # Elsewhere: a flask.py in the current folder would be found first.
    with tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    pins = [r.partition("==") for r in found["requires"] or []]
    shim_of = [version for name, _, version in pins if name == "flaskfork"]
    return Status(
        flaskfork=provenance.load().version,
        flask=found["version"],
        shim_of=shim_of[0] if shim_of else None,
        in_use=found["in_use"],
        file=found["file"],
        error=found.get("error"),
    )


def install() -> Status:
    """Build the shim wheel and install it, in place of upstream's Flask if need be.

    :raises ShimError: there is no installer, it failed, or ``import flask`` gets
        something else even so.
    """
    with tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        path = wheel.build(pathlib.Path(folder))
        _run_installer(
            ("--no-index", path),
            failed="the shim could not be installed",
            mend="see what the installer says above; the shim is a wheel like any"
            " other, which 'python -m flaskfork.shim wheel DIR' builds",
        )
    now = status()
    if not now.in_use:
        raise ShimError(
            f"the shim is installed, but 'import flask' {now.outcome}",
            mend="see that no other 'flask' comes first on sys.path, PYTHONPATH"
            " included",
        )
    return now


def remove() -> Status:
    """Put upstream's Flask, of the version that the fork is made from, back.

    Where the shim is not installed there is nothing to do.

    :raises ShimError: there is no installer, or it failed: the shim is still there.
    """
    now = status()
    if now.shim_of is None:
        return now

    level = provenance.load().api_level
    _run_installer(
        # Three signs: with two, the shim itself would do.
        (f"Flask==={level}",),
        failed=f"Flask {level} could not be installed; the shim is still in place",
        mend="see what the installer says above: it needs an index that has"
        f" Flask {level}",
    )
    return status()


def _run_installer(
    args: t.Sequence[str | pathlib.Path], *, failed: str, mend: str
) -> None:
    # Its output is for the user, who knows the installer and may have configured it.
    if subprocess.run([*_installer(), "--no-deps", *args], check=False).returncode:
        raise ShimError(failed, mend=mend)


def _installer() -> list[str]:
    """The start of a command that installs into this environment."""
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        return [*pip, "--disable-pip-version-check", "--force-reinstall"]

    if uv := shutil.which("uv"):
        install = [uv, "pip", "install", "--quiet", "--python", sys.executable]
        return [*install, "--reinstall"]

    raise ShimError(
        "there is neither pip in this environment nor uv on the PATH",
        mend="put pip here by 'python -m ensurepip', or build the wheel by 'python -m"
        " flaskfork.shim wheel DIR' and install it as you install others",
    )
