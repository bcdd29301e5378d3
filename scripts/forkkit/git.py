"""Running git, whatever the user's git is set to."""

from __future__ import annotations

import os
import pathlib
import subprocess
from dataclasses import dataclass

from .errors import ForkError

#: Makes the text of a diff the same under every version and setting of git.
DIFF_FLAGS = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-relative",
    "--text",
    "--full-index",
    "--ignore-submodules=none",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--unified=3",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_SETTINGS = {
    "commit.gpgSign": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "diff.noprefix": "false",
    "diff.orderFile": os.devnull,
    "diff.suppressBlankEmpty": "false",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "log.showSignature": "false",
}


@dataclass(frozen=True)
class Git:
    """The git repository in ``folder``, and no other above it."""

    folder: pathlib.Path

    def __call__(self, *args: str, stdin: bytes = b"") -> bytes:
        """Run ``git ARGS`` and return its standard output.

        :raises ForkError: git is not installed, or it failed; the error has what it
            said.
        """
        done = self._run(args, stdin)
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise ForkError(
                f"git {args[0]} failed with exit code {done.returncode}: {said}",
                where=self.folder,
                mend="mend what git says, then run the command again",
            )
        return done.stdout

    def holds(self, *args: str) -> bool:
        """Whether ``git ARGS`` exits with 0."""
        return self._run(args, b"").returncode == 0

    def text(self, *args: str) -> str:
        """The output of ``git ARGS``, decoded and stripped."""
        return self(*args).decode("utf-8", "replace").strip()

    def _run(
        self, args: tuple[str, ...], stdin: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        # A checkout in a mounted volume may belong to another user.
        values = {**_SETTINGS, "safe.directory": str(self.folder.resolve())}
        settings = [
            word for key, value in values.items() for word in ("-c", f"{key}={value}")
        ]
        try:
            return subprocess.run(
                ["git", *settings, *args],
                cwd=self.folder,
                env=_environ(self.folder),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as e:
            if not self.folder.is_dir():
                raise ForkError("there is no such folder", where=self.folder) from e
            raise ForkError(
                "git is not installed, or not on PATH",
                mend="install git 2.35 or newer from your system's packages",
            ) from e


def _environ(folder: pathlib.Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return {
        **kept,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": "false",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "TZ": "UTC",
    }
