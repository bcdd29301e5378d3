"""Running git, independently of the user's own settings."""

from __future__ import annotations

import contextlib
import email.utils
import os
import pathlib
import subprocess
import typing as t
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone

from .errors import ForkError
from .files import Files

#: Makes diffs identical under every version and setting of git.
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
#: Makes merges follow files that upstream moved, regardless of the user's settings.
MERGE_FLAGS = (
    # Git's default; since 2.47 cherry-pick, unlike merge-tree, reads it from settings.
    *("-c", "diff.algorithm=histogram"),
    *("-c", "merge.directoryRenames=true"),
    *("-c", "merge.renames=true"),
    *("-c", "merge.conflictStyle=diff3"),
    *("-c", "merge.renameLimit=0"),
    *("-c", "merge.renormalize=false"),
)
_IDENTITY = {
    "GIT_AUTHOR_NAME": "flaskfork",
    "GIT_AUTHOR_EMAIL": "flaskfork@localhost",
    "GIT_COMMITTER_NAME": "flaskfork",
    "GIT_COMMITTER_EMAIL": "flaskfork@localhost",
}
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
    # Git must not fetch anything on its own.
    "protocol.allow": "never",
}


@dataclass(frozen=True)
class Git:
    """The git repository in ``folder``, never one in a parent folder.

    :param index: an index file to use instead of the repository's own.
    :param lasting: whether writes must survive a power failure.
    """

    folder: pathlib.Path
    index: pathlib.Path | None = None
    lasting: bool = True

    def __call__(
        self, *args: str, stdin: bytes = b"", fine: tuple[int, ...] = (0,)
    ) -> bytes:
        """Run ``git ARGS`` and return its standard output.

        :param fine: the exit codes that mean success.
        :raises ForkError: git is not installed, or fails; the error has its output.
        """
        done = self.attempt(*args, stdin=stdin)
        if done.returncode not in fine:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            verb = next(arg for arg in args if arg != "-c" and "=" not in arg)
            raise ForkError(
                f"git {verb} failed with exit code {done.returncode}: {said}",
                where=self.folder,
                hint="fix what git reports, then run the command again",
            )
        return done.stdout

    def holds(self, *args: str) -> bool:
        """Whether ``git ARGS`` exits with 0."""
        return self.attempt(*args).returncode == 0

    def text(self, *args: str, fine: tuple[int, ...] = (0,)) -> str:
        """The output of ``git ARGS``, decoded and stripped."""
        return self(*args, fine=fine).decode("utf-8", "replace").strip()

    def read_tree(self, tree: str, *paths: str) -> Files:
        """The files of a tree or a commit, or only those at or below ``paths``.

        :raises ForkError: one of them is a link, a submodule or an executable file.
        """
        listed = self("ls-tree", "-r", "-z", "--full-tree", tree, *paths)
        entries = [line.partition(b"\t") for line in listed.split(b"\0")[:-1]]
        for entry, _, path in entries:
            if not entry.startswith(b"100644 blob "):
                raise ForkError(
                    f"{path.decode('utf-8', 'replace')} is not a plain file",
                    where=self.folder,
                    hint="replace it with a text file that is not executable",
                )
        shas = [entry.split()[2] for entry, _, _ in entries]
        blobs = _split_batch(
            self("cat-file", "--batch", stdin=b"".join(b"%s\n" % sha for sha in shas))
        )
        names = [path.decode("utf-8", "surrogateescape") for _, _, path in entries]
        return dict(zip(names, blobs))

    @contextlib.contextmanager
    def importing(self) -> t.Iterator[Importer]:
        """Keep a ``git fast-import`` running for the duration of the ``with`` block."""
        with subprocess.Popen(
            self._command(
                "-c", "core.compression=0", "fast-import", "--quiet", "--force"
            ),
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            yield Importer(
                t.cast(t.IO[bytes], process.stdin), t.cast(t.IO[bytes], process.stdout)
            )

    def attempt(
        self, *args: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run ``git ARGS`` and return the finished process, whether it failed or not.

        :raises ForkError: git is not installed, or the folder does not exist.
        """
        try:
            return subprocess.run(
                self._command(*args),
                cwd=self.folder,
                env=self._environ(),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as e:
            if not self.folder.is_dir():
                raise ForkError("there is no such folder", where=self.folder) from e
            raise ForkError(
                "git is not installed, or not on PATH",
                hint="install git 2.38 or newer from your system's packages",
            ) from e

    def _environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        index = {"GIT_INDEX_FILE": str(self.index)} if self.index else {}
        return {
            **kept,
            **_IDENTITY,
            **index,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "false",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    def _command(self, *args: str) -> list[str]:
        # A checkout in a mounted volume may belong to another user.
        values = {
            **_SETTINGS,
            # By default, git does not sync loose objects to disk.
            "core.fsync": "committed,loose-object" if self.lasting else "none",
            "safe.directory": str(self.folder.resolve()),
        }
        settings = [
            word for key, value in values.items() for word in ("-c", f"{key}={value}")
        ]
        return ["git", *settings, *args]


@dataclass(frozen=True)
class Importer:
    """A running ``git fast-import``."""

    input: t.IO[bytes]
    output: t.IO[bytes]

    def write(self, *pieces: bytes) -> None:
        """Import a part of a stream; other processes can then see its commits.

        :raises ForkError: git fast-import exits early.
        """
        self.input.write(b"".join([*pieces, b"checkpoint\nprogress done\n"]))
        self.input.flush()
        if not self.output.readline():
            raise ForkError("git fast-import exited", hint="run the command again")


def author_of(folder: pathlib.Path) -> tuple[str, str]:
    """The user's identity by their own git settings, and the current date.

    :return: name and address, and the date in the form of RFC 5322.
    :raises ForkError: git has no identity configured.
    """
    done = subprocess.run(
        ["git", "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ForkError(
            "git does not know who you are",
            hint="run `git config user.name NAME` and `git config user.email ADDRESS`",
        )
    author, stamp, _ = done.stdout.rsplit(" ", 2)
    when = datetime.fromtimestamp(int(stamp), timezone.utc)
    return author, email.utils.format_datetime(when)


def _split_batch(output: bytes) -> t.Iterator[bytes]:
    """Split the output of ``git cat-file --batch`` into contents."""
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        size = int(output[position:end].split()[2])
        yield output[end + 1 : end + 1 + size]
        position = end + 1 + size + 1
