"""Starts the maintainer's command in its own environment below build/.

Needs only a bare Python: it imports nothing but the standard library, and defers
imports that are needed only to create the environment.
"""

from __future__ import annotations

import contextlib
import os
import sys

_SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ROOT = os.path.dirname(_SCRIPTS)
_ENVIRONMENT = os.path.join(_ROOT, "build", "environment")
_PYTHON = os.path.join(_ENVIRONMENT, "bin", "python")
_MADE_FROM = os.path.join(_ENVIRONMENT, "made-from")


def main() -> None:
    """Create the environment if it is missing or outdated; run the command in it."""
    if _is_current():
        with contextlib.suppress(OSError):
            # Newer than pyproject.toml, so that scripts/fork takes its short cut.
            os.utime(_MADE_FROM)
    else:
        _make()
    # Isolated: PYTHONPATH and the current folder must not affect the command.
    os.execv(  # noqa: S606
        _PYTHON, [_PYTHON, "-I", os.path.abspath(__file__), *sys.argv[1:]]
    )


def _is_current() -> bool:
    """Whether the environment is complete and matches pyproject.toml."""
    try:
        with open(_MADE_FROM, "rb") as file:
            return file.read() == _wanted() and os.access(_PYTHON, os.X_OK)
    except OSError:
        return False


def _wanted() -> bytes:
    with open(os.path.join(_ROOT, "pyproject.toml"), "rb") as file:
        text = file.read()
    start = text.index(b"[dependency-groups]")
    end = text.find(b"\n[", start)
    return text[start : end + 1 or len(text)]


def _make() -> None:
    import fcntl

    try:
        os.makedirs(os.path.dirname(_ENVIRONMENT), exist_ok=True)
        with open(f"{_ENVIRONMENT}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another command may have created it while this one waited.
            if not _is_current():
                _install()
    except OSError as e:
        sys.exit(
            f"error: could not create the environment of scripts/fork: {e}\n"
            "  hint: check the network, pip's index settings and the free space below"
            " build/, and that this Python has the venv module (a separate package,"
            " python3-venv, on some systems)"
        )


def _install() -> None:
    import shutil
    import subprocess

    print(
        "creating the environment of scripts/fork below build/ (once only);"
        " this needs the package index",
        file=sys.stderr,
        flush=True,
    )
    if os.path.lexists(_ENVIRONMENT):
        shutil.rmtree(_ENVIRONMENT)
    install = [_PYTHON, "-m", "pip", "install", "--quiet"]
    group = os.path.join(_ROOT, "pyproject.toml") + ":maintain"
    for command in (
        [sys.executable, "-m", "venv", _ENVIRONMENT],
        # Older versions do not support dependency groups (PEP 735).
        [*install, "--upgrade", "pip>=25.1"],
        [*install, "--group", group],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise OSError(f"{' '.join(command[1:])} failed:\n{said}")
    with open(_MADE_FROM, "wb") as file:
        file.write(_wanted())


if __name__ == "__main__":
    sys.path.insert(0, _SCRIPTS)
    from forkkit import cli

    cli.main()
