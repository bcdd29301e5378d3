"""Virtual environments, made by uv from what a front end would install."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t
from dataclasses import dataclass

from .errors import ForkError

# An inherited setting must not decide what runs inside.
_INHERITED = (
    *("PYTHON", "FLASK_", "FLASKFORK_", "VIRTUAL_ENV", "GIT_"),
    *("PYTEST_", "COV_", "MYPY", "RUFF_", "SOURCE_DATE_EPOCH"),
)


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

        :param timeout: in seconds.
        :raises ForkError: it took too long, or it failed and ``check`` is true; the
            error has its output.
        """
        shown = " ".join(map(str, args))
        try:
            done = subprocess.run(
                [self.python, *args],
                capture_output=True,
                text=True,
                cwd=cwd or self.path,
                env=clean_environ(**(env or {})),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise ForkError(f"not done after {timeout} s", where=shown) from e
        if check and done.returncode:
            raise ForkError(
                f"exit code {done.returncode}\n{done.stdout}{done.stderr}", where=shown
            )
        return done

    def evaluate(self, code: str, **kwargs: t.Any) -> str:
        """Run ``code`` in a fresh interpreter and return what it printed, stripped."""
        return self.run("-c", code, **kwargs).stdout.strip()

    def install(self, *requirements: str | os.PathLike[str]) -> None:
        """Install ``requirements``.

        :raises ForkError: uv could not.
        """
        uv("pip", "install", "--python", self.python, *requirements)


def create(
    path: pathlib.Path,
    *requirements: str | os.PathLike[str],
    python: str | os.PathLike[str] = sys.executable,
    seed: bool = False,
) -> Environment:
    """Make a virtual environment and install ``requirements`` into it.

    :param python: the interpreter to make it from.
    :param seed: whether pip is put into it as well.
    :raises ForkError: uv could not.
    """
    uv("venv", "--clear", "--python", python, *(["--seed"] if seed else []), path)
    environment = Environment(path)
    if requirements:
        environment.install(*requirements)
    return environment


def uv(*args: str | os.PathLike[str]) -> str:
    """Run uv and return its standard output.

    :raises ForkError: uv failed; the error has what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *args],
        capture_output=True,
        text=True,
        env=clean_environ(),
        check=False,
    )
    if done.returncode:
        raise ForkError(
            f"failed: {(done.stderr or done.stdout).strip()}",
            where=f"uv {' '.join(map(str, args))}",
            mend="check the network and uv's index settings",
        )
    return done.stdout


def clean_environ(**extra: str) -> dict[str, str]:
    """The caller's variables without those that steer what is run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_INHERITED)}
    return {**kept, **extra}
