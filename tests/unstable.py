"""A root of Debian unstable, for the Pythons that a machine does not have yet.

They run outside it, with the root's own loader and libraries: nothing is mounted, and
anything that can run a Python can run one of these.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

PYTHONS = ("3.14", "3.15")
#: Passes on the name it was called with, so that a virtual environment finds itself.
_PROGRAM = """\
#!/bin/sh
exec '{loader}' --library-path '{libraries}' --argv0 "$0" '{python}' "$@"
"""


def programs(folder: pathlib.Path) -> pathlib.Path:
    """The folder below ``folder`` that has the interpreters, once they are made."""
    return folder / "bin"


def why_not() -> str:
    """The reason why such a root cannot be made here, or an empty string."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can make it"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed"
    if not _archive():
        return "apt is not set up for an archive of Debian"
    return ""


def make(folder: pathlib.Path) -> str:
    """Make it, once, in ``folder``; return why that failed, or an empty string."""
    if programs(folder).is_dir():
        return ""
    root = folder / "root"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    packages = [f"python{version}" for version in PYTHONS]
    done = subprocess.run(
        [
            *("debootstrap", "--force-check-gpg", "--variant=minbase"),
            f"--include={','.join(['ca-certificates', *packages])}",
            *("unstable", root, _archive()),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        return "debootstrap failed: " + done.stdout.strip().rpartition("\n")[2]
    # Under another name first, so that the final name means that it is complete.
    aside = folder / "bin.new"
    aside.mkdir()
    for name in packages:
        _wrap(root, root / "usr" / "bin" / name)
        (aside / name).symlink_to(root / "usr" / "bin" / name)
    aside.rename(programs(folder))
    return ""


def _wrap(root: pathlib.Path, python: pathlib.Path) -> None:
    """Replace an interpreter with a script that runs it from the same folder."""
    [loader] = root.glob("usr/lib*/ld-linux*.so.?")
    [libraries] = root.glob("usr/lib/*-linux-gnu")
    program = python.rename(python.with_name(f".{python.name}"))
    python.write_text(
        _PROGRAM.format(loader=loader, libraries=libraries, python=program)
    )
    python.chmod(0o755)


def _archive() -> str:
    """Debian's archive, from the machine's own settings, or an empty string."""
    if not shutil.which("apt-get"):
        return ""
    wanted = ["Created-By: Packages", "Origin: Debian", "Label: Debian"]
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    return next(iter(done.stdout.split()), "")
