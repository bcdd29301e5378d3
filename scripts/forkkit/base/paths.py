"""The paths of the project's files and folders."""

from __future__ import annotations

import contextlib
import pathlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    """A checkout, or an unpacked sdist, of the fork at ``root``."""

    root: pathlib.Path

    @property
    def pin(self) -> pathlib.Path:
        return self.root / "upstream" / "pin.toml"

    @property
    def cache(self) -> pathlib.Path:
        return self.root / "upstream" / "cache"

    @property
    def checkout(self) -> pathlib.Path:
        return self.root / "upstream" / "checkout"

    @property
    def history(self) -> pathlib.Path:
        """A clone of upstream's repository, if the maintainer keeps one."""
        return self.root / "upstream" / "history"

    @property
    def transaction(self) -> pathlib.Path:
        """The staged files of a transaction that is not complete."""
        return self.root / "upstream" / ".transaction"

    @property
    def journal(self) -> pathlib.Path:
        """The progress of a stopped command."""
        return self.root / "upstream" / ".sequence.json"

    @property
    def lock(self) -> pathlib.Path:
        return self.root / "upstream" / ".lock"

    @property
    def source(self) -> pathlib.Path:
        """The pinned package; only in the fork's own sdist."""
        return self.root / "upstream" / "source"

    @property
    def known_failures(self) -> pathlib.Path:
        return self.root / "upstream" / "known-failures.toml"

    @property
    def wheel_contents(self) -> pathlib.Path:
        """The list of the files in the fork's wheel."""
        return self.root / "upstream" / "wheel-contents.txt"

    @property
    def patches(self) -> pathlib.Path:
        return self.root / "patches"

    @property
    def series(self) -> pathlib.Path:
        return self.patches / "series"

    @property
    def resolutions(self) -> pathlib.Path:
        return self.patches / "resolutions"

    @property
    def rename(self) -> pathlib.Path:
        return self.patches / "rename.toml"

    @property
    def changelog(self) -> pathlib.Path:
        return self.root / "CHANGELOG.md"

    @property
    def overlay(self) -> pathlib.Path:
        return self.root / "src" / "flaskfork"

    @property
    def build(self) -> pathlib.Path:
        return self.root / "build"

    @property
    def stage(self) -> pathlib.Path:
        return self.build / "stage"

    @property
    def pyproject(self) -> pathlib.Path:
        return self.root / "pyproject.toml"

    def relative(self, path: pathlib.Path) -> str:
        """``path`` relative to the project's folder, if it is inside."""
        with contextlib.suppress(ValueError):
            return path.relative_to(self.root).as_posix()
        return str(path)


def here() -> Project:
    """The project that this package belongs to."""
    return Project(pathlib.Path(__file__).resolve().parents[3])
