"""Running other programs, and reporting their output if they fail."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

from .errors import ForkError

#: A word of a command line.
Argument = t.Union[str, "os.PathLike[str]"]
# Prefixes of variables that must not reach the programs run here.
_INHERITED = (
    *("PYTHON", "FLASK_", "FLASKFORK_", "VIRTUAL_ENV", "GIT_"),
    *("PYTEST_", "COV_", "MYPY", "RUFF_", "SOURCE_DATE_EPOCH"),
)


def run(
    *command: Argument,
    cwd: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
    fine: t.Container[int] | None = (0,),
    timeout: float | None = None,
    hint: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return the finished process.

    :param env: variables to set besides those of :func:`clean_environ`.
    :param fine: the exit codes that mean success; ``None`` for all.
    :param timeout: the time limit, in seconds.
    :param hint: what to do if it fails.
    :raises ForkError: it cannot be run, takes too long, or fails; the error has its
        output.
    """
    shown = " ".join(
        pathlib.Path(word).name if word == sys.executable else str(word)
        for word in command
    )
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=clean_environ(**(env or {})),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        what = f"timed out after {timeout:g} s"
        raise ForkError(what, where=shown, hint=hint) from e
    except OSError as e:
        what = f"cannot be run: {e.strerror}"
        raise ForkError(what, where=shown, hint=hint) from e
    if fine is not None and done.returncode not in fine:
        said = f"{done.stdout}{done.stderr}".strip()
        what = f"failed with exit code {done.returncode}:\n{said}"
        raise ForkError(what, where=shown, hint=hint)
    return done


def python(*args: Argument, **options: t.Any) -> subprocess.CompletedProcess[str]:
    """Run this Python with ``args``; the options are those of :func:`run`."""
    return run(sys.executable, *args, **options)


def clean_environ(**extra: str) -> dict[str, str]:
    """The caller's environment without the variables that affect what runs here."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_INHERITED)}
    return {**kept, **extra}
