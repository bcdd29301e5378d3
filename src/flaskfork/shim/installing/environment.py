"""The environment of the running interpreter, and which Flask it has."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
import typing as t
import zipfile
from dataclasses import dataclass
from importlib.machinery import PathFinder

from ... import provenance
from ..errors import ShimError
from ..wheel import records
from ..wheel.build import build
from ..wheel.build import MARK
from . import replacement
from .replacement import Place

_FORK = "flaskfork"
#: The fork's package that is running.
PACKAGE = pathlib.Path(__file__).parents[2]

# What would have an installer put Flask elsewhere, or another Flask.
_ASTRAY = {
    *("PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REQUIREMENT", "PIP_EDITABLE"),
    *("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"),
}


@dataclass(frozen=True)
class Installed:
    """A distribution named Flask.

    :param info: the folder of its metadata.
    :param version: as its metadata has it, or the name of that folder.
    :param shim_of: the version of the fork whose shim it is, if it is one.
    """

    info: pathlib.Path
    version: str
    shim_of: str | None

    @property
    def site(self) -> pathlib.Path:
        """The folder that it is installed in."""
        return self.info.parent


@dataclass(frozen=True)
class Status:
    """What ``flask`` is in this environment.

    :param flaskfork: the version of the fork.
    :param flask: the version of the installed distribution Flask, if there is one.
    :param shim_of: the version of the fork whose shim that is, if it is one.
    :param in_use: whether ``import flask`` gets the fork.
    :param file: the file that ``import flask`` gets, if it gets one.
    :param error: what it fails with, if it fails.
    :param shadowed_by: what programs in the current folder get instead, if anything.
    """

    flaskfork: str
    flask: str | None
    shim_of: str | None
    in_use: bool
    file: str | None
    error: str | None
    shadowed_by: str | None

    @property
    def outcome(self) -> str:
        """What ``import flask`` does, as the end of a sentence."""
        return f"fails: {self.error}" if self.error else f"gets {self.file}"


def status() -> Status:
    """Find out what ``flask`` is here, without importing it."""
    check_provenance()
    path = search_path()
    found = next(iter(installed(path)), None)
    file = next(iter(candidates(path)), None)
    in_use = file is not None and is_shim(file)
    # That is where the shim's own module leads to.
    got = PACKAGE / "__init__.py" if in_use else file
    here = next(iter(candidates(current_folder())), None)
    return Status(
        flaskfork=provenance.load().version,
        flask=found.version if found else None,
        shim_of=found.shim_of if found else None,
        in_use=in_use,
        file=str(got) if got else None,
        error=None if file else "ModuleNotFoundError: No module named 'flask'",
        shadowed_by=str(here) if here else None,
    )


def install() -> Status:
    """Put the shim in the place of upstream's Flask, or where there is no Flask.

    :raises ShimError: it cannot be put there, and nothing has changed; or ``import
        flask`` gets something else even so.
    """
    place = own_place()
    with tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        shim = build(pathlib.Path(folder))
        source = pathlib.Path(folder, "shim")
        with zipfile.ZipFile(shim) as archive:
            archive.extractall(source)
        [info] = replacement.infos(source)
        info.joinpath("INSTALLER").write_text(f"{_FORK}\n", encoding="utf-8")
        info.joinpath("REQUESTED").touch()
        # The fork's command does what the shim's has to do, under its own name.
        replacement.replace(place, source, own_command(), command_first=False)

    now = status()
    if not now.in_use:
        raise ShimError(
            f"the shim is installed, but 'import flask' {now.outcome}",
            mend=f"see that no other 'flask' comes first on sys.path, PYTHONPATH"
            f" included: {own('doctor')}",
        )
    return now


def remove() -> Status:
    """Put upstream's Flask, of the version that the fork is made from, back.

    Where the shim is not installed there is nothing to do.

    :raises ShimError: Flask cannot be had or put there: the shim is still in place.
    """
    place = own_place()
    replacement.finish(place)
    if not any(found.shim_of for found in installed([str(place.site)])):
        return status()

    with tempfile.TemporaryDirectory(prefix="flaskfork-") as folder:
        source = pathlib.Path(folder, "upstream")
        _fetch_upstream(source)
        command = next(source.glob(f"*/{place.command.name}"))
        replacement.replace(place, source, command, command_first=True)
    return status()


def search_path() -> list[str]:
    """Where a program of this environment looks for modules, its own folder aside."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # What runs at every start may print something, too.
    entries = json.loads(done.stdout.splitlines()[-1])
    once = {os.path.realpath(entry): entry for entry in reversed(entries) if entry}
    return [*reversed(once.values())]


def current_folder() -> list[str]:
    """Where ``python -m`` and a program of the current folder look first."""
    # Not where Python was told not to.
    safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    # It may have been deleted.
    with contextlib.suppress(FileNotFoundError):
        return [] if safe else [os.getcwd()]
    return []


def candidates(path: t.Sequence[str]) -> list[pathlib.Path]:
    """What ``import flask`` may get from ``path``, the first of which it gets.

    Nothing is imported.
    """
    importlib.invalidate_caches()
    specs = [PathFinder.find_spec("flask", [entry]) for entry in path]
    return [pathlib.Path(s.origin) for s in specs if s and s.loader and s.origin]


def installed(path: t.Sequence[str]) -> list[Installed]:
    """The distributions named Flask in ``path``, the first of which is in force."""
    folders = [pathlib.Path(entry) for entry in path]
    return [_read(info) for folder in folders for info in replacement.infos(folder)]


def is_shim(file: pathlib.Path) -> bool:
    """Whether this module of the name ``flask`` hands over to the fork."""
    return file.is_file() and file.read_bytes().startswith(MARK.encode())


def own_place() -> Place:
    """Where the shim belongs: beside the fork.

    :raises ShimError: the fork is not installed in this environment, or the
        environment is another program's to manage.
    """
    check_provenance()
    if sys.prefix == sys.base_prefix and managed().exists():
        raise ShimError(
            "this Python is managed by the operating system, or by another program",
            where=managed(),
            mend="install flaskfork into a virtual environment and run this there",
        )

    folder = own_info().parent
    if not is_own(folder):
        raise ShimError(
            f"flaskfork is here, which is not in the environment of {sys.executable}",
            where=folder,
            mend=f"install flaskfork there, or install the wheel that {own('wheel')}"
            " DIR builds beside it",
        )
    command = own_command()
    return Place(folder, command.with_name(f"flask{command.suffix}"))


def check_provenance() -> None:
    """Assert that the fork knows which release it is.

    :raises ShimError: it does not.
    """
    try:
        provenance.load()
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ShimError(
            f"cannot be read: {e}",
            where=PACKAGE / "provenance.json",
            mend=reinstall(),
        ) from e


def managed() -> pathlib.Path:
    """The file that says that a Python's packages are another program's to manage."""
    return pathlib.Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")


def is_own(folder: pathlib.Path) -> bool:
    """Whether the environment's installers install into ``folder``."""
    own = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if site.ENABLE_USER_SITE and sys.prefix == sys.base_prefix:
        own.append(site.getusersitepackages())
    return os.path.realpath(folder) in map(os.path.realpath, own)


def own_info() -> pathlib.Path:
    """The folder of flaskfork's metadata.

    :raises ShimError: it is not installed.
    """
    for entry in sys.path:
        for info in pathlib.Path(entry or os.curdir).glob(f"{_FORK}-*.dist-info"):
            return info

    raise ShimError(
        "flaskfork can be imported, but is not installed",
        where=PACKAGE,
        mend="install it, so that the shim knows what it requires and offers",
    )


def version(info: pathlib.Path) -> str:
    """The version of an installed distribution: as its metadata has it, or the name of
    their folder.
    """
    with contextlib.suppress(ValueError, TypeError):
        if known := importlib.metadata.Distribution.at(info).metadata["Version"]:
            return str(known)
    return info.stem.partition("-")[2]


def own_command() -> pathlib.Path:
    """The command ``flaskfork`` of this environment.

    :raises ShimError: the fork is not installed, or not completely.
    """
    info = own_info()
    paths = [records.locate(info, row.path) for row in records.read(info)]
    for path in paths:
        if path.stem == _FORK and path.is_file():
            return path

    raise ShimError(
        "flaskfork is not installed completely: it has no command 'flaskfork'",
        where=info / "RECORD",
        mend=reinstall(),
    )


def own(verb: str) -> str:
    """The command line of a verb of this command, here."""
    return command_line(sys.executable, "-m", "flaskfork.shim", verb)


def reinstall() -> str:
    """The command line that installs the fork once more."""
    requirement = _FORK
    with contextlib.suppress(ShimError, OSError, ValueError, KeyError, TypeError):
        info = own_info()
        requirement = f"{_FORK}=={version(info)}"
        text = (info / "direct_url.json").read_text(encoding="utf-8")
        requirement = f"{_FORK} @ {json.loads(text)['url']}"
    options = ("--no-deps", "--force-reinstall")
    try:
        return command_line(*_installer(), *options, requirement)
    except ShimError:
        pip = command_line(
            sys.executable, "-m", "pip", "install", *options, requirement
        )
        return f"{_ensurepip()} && {pip}"


def command_line(*args: str) -> str:
    """What to type to run a command."""
    return subprocess.list2cmdline(args) if os.name == "nt" else shlex.join(args)


def _read(info: pathlib.Path) -> Installed:
    requires: list[str] = []
    with contextlib.suppress(ValueError, TypeError):
        requires = importlib.metadata.Distribution.at(info).requires or []
    pins = [requirement.partition("==") for requirement in requires]
    shim_of = [pin for name, _, pin in pins if name == _FORK]
    level, shim, revision = version(info).partition(f"+{_FORK}.")
    if shim and not pins:
        # Its metadata cannot be read.
        shim_of = [f"{level}.{revision}"]
    return Installed(info, version(info), shim_of[0] if shim_of else None)


def _fetch_upstream(folder: pathlib.Path) -> None:
    """Have the installer put upstream's Flask into a folder.

    :raises ShimError: it did not.
    """
    level = provenance.load().api_level
    # Three signs: with two, the shim itself would do.
    args = ["--quiet", "--no-deps", "--target", str(folder), f"Flask==={level}"]
    kept = {k: v for k, v in os.environ.items() if k not in _ASTRAY}
    # Its output is for the user, who knows the installer and may have configured it.
    done = subprocess.run(
        [*_installer(), *args],
        env={**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=False,
    )
    got = [(found.version, found.shim_of) for found in installed([str(folder)])]
    if done.returncode or got != [(level, None)]:
        raise ShimError(
            f"Flask {level} could not be had; the shim is still in place",
            mend="see what the installer says above: it needs an index that has"
            f" Flask {level}, and settings that let it install that",
        )


def _installer() -> list[str]:
    """The start of a command that installs into this environment.

    :raises ShimError: there is none.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install"]

    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]

    raise ShimError(
        "there is neither pip in this environment nor uv on the PATH",
        where=sys.prefix,
        mend=f"put pip here by {_ensurepip()}",
    )


def _ensurepip() -> str:
    return command_line(sys.executable, "-m", "ensurepip")
