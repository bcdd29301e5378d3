"""Virtual environments for the tests, made by real uv and real pip."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t
from dataclasses import dataclass

# An inherited setting must not decide what a test sees.
_INHERITED = ("PYTHON", "FLASK_", "VIRTUAL_ENV", "COV_", "GIT_")


def clean_environ(**extra: str) -> dict[str, str]:
    """The caller's environment variables less those that steer Python, Flask or git."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_INHERITED)}
    return {**kept, **extra}


@dataclass(frozen=True)
class Environment:
    """A virtual environment at ``path``."""

    path: pathlib.Path

    @property
    def python(self) -> pathlib.Path:
        return self.path / "bin" / "python"

    def program(self, name: str) -> pathlib.Path:
        """The path of an installed console script."""
        return self.path / "bin" / name

    def run(
        self,
        *args: str | os.PathLike[str],
        check: bool = True,
        cwd: pathlib.Path | None = None,
        env: t.Mapping[str, str] | None = None,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python with ``args`` and return the finished process.

        :raises AssertionError: it failed and ``check`` is true; the message is its
            output.
        """
        done = subprocess.run(
            [self.python, *args],
            capture_output=True,
            text=True,
            cwd=cwd or self.path,
            env=clean_environ(**(env or {})),
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{args}: {done.stdout}{done.stderr}"
        return done

    def evaluate(self, code: str, **kwargs: t.Any) -> str:
        """Run ``code`` in a fresh interpreter and return what it printed, stripped."""
        return self.run("-c", code, **kwargs).stdout.strip()

    def install(self, *requirements: str | os.PathLike[str]) -> None:
        """Install ``requirements`` with uv."""
        uv("pip", "install", "--python", self.python, *requirements)


def uv(*args: str | os.PathLike[str]) -> str:
    """Run uv and return its standard output.

    :raises AssertionError: uv failed; the message is its output.
    """
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *args],
        capture_output=True,
        text=True,
        env=clean_environ(),
        check=False,
    )
    assert done.returncode == 0, f"uv {args}: {done.stdout}{done.stderr}"
    return done.stdout


def create(
    path: pathlib.Path,
    *requirements: str | os.PathLike[str],
    python: str | os.PathLike[str] = sys.executable,
    seed: bool = False,
) -> Environment:
    """Make a virtual environment and install ``requirements`` into it.

    :param python: the interpreter to make it from.
    :param seed: whether pip is put into it as well.
    """
    uv("venv", "--python", python, *(["--seed"] if seed else []), path)
    environment = Environment(path)
    if requirements:
        environment.install(*requirements)
    return environment
