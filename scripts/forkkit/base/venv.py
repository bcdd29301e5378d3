"""Virtual environments, created and filled by uv."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t
from dataclasses import dataclass

from . import programs
from .programs import Argument


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
        *args: Argument,
        check: bool = True,
        cwd: pathlib.Path | None = None,
        env: t.Mapping[str, str] | None = None,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python with ``args`` and return the finished process.

        :param check: whether a nonzero exit code is an error.
        :param timeout: in seconds.
        :raises ForkError: it takes too long or fails; the error has its output.
        """
        return programs.run(
            *(self.python, *args),
            cwd=cwd or self.path,
            env=env,
            fine=(0,) if check else None,
            timeout=timeout,
        )

    def evaluate(self, code: str, **kwargs: t.Any) -> str:
        """Run ``code`` in a fresh interpreter and return what it printed, stripped."""
        return self.run("-c", code, **kwargs).stdout.strip()

    def install(self, *requirements: Argument) -> None:
        """Install ``requirements``.

        :raises ForkError: uv fails; the error has its output.
        """
        uv("pip", "install", "--python", self.python, *requirements)


def create(
    path: pathlib.Path,
    *requirements: Argument,
    python: Argument = sys.executable,
    seed: bool = False,
) -> Environment:
    """Make a virtual environment and install ``requirements`` into it.

    :param python: the interpreter to make it from.
    :param seed: whether to install pip into it as well.
    :raises ForkError: uv fails; the error has its output.
    """
    uv("venv", "--clear", "--python", python, *(["--seed"] if seed else []), path)
    environment = Environment(path)
    if requirements:
        environment.install(*requirements)
    return environment


def uv(*args: Argument) -> str:
    """Run uv and return its standard output.

    :raises ForkError: uv fails; the error has its output.
    """
    hint = "check the network and uv's index settings"
    return programs.python("-m", "uv", "--quiet", *args, hint=hint).stdout
