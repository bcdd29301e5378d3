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
from . import identity
from . import replacement
from .replacement import Place

_FORK = "flaskfork"
#: The fork's package that is running.
PACKAGE = pathlib.Path(__file__).parents[2]

# Settings that would make an installer put Flask elsewhere, or another Flask.
_ASTRAY = {
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_EDITABLE",
    "PIP_CONSTRAINT",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
}


@dataclass(frozen=True)
class Installed:
    """A distribution named Flask.

    :param info: the folder of its metadata.
    :param version: from its metadata, or else from the name of that folder.
    :param shim_of: the version of the fork whose shim it is, if it is a shim.
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
    :param shim_of: the version of the fork whose shim that is, if it is a shim.
    :param in_use: whether ``import flask`` gets the fork.
    :param file: the file that ``import flask`` gets, if any.
    :param error: the error that it fails with, if it fails.
    :param shadowed_by: what programs in the current folder get instead, if anything.
    :param stranger: the first thing here that this fork did not build, if anything.
    """

    flaskfork: str
    flask: str | None
    shim_of: str | None
    in_use: bool
    file: str | None
    error: str | None
    shadowed_by: str | None
    stranger: str | None

    @property
    def outcome(self) -> str:
        """What ``import flask`` does, as the end of a sentence."""
        return f"fails: {self.error}" if self.error else f"gets {self.file}"


def status() -> Status:
    """Find out what ``flask`` is here, without importing it.

    :raises ShimError: the fork does not know which release it is.
    """
    check_provenance()
    path = search_path()
    found = next(iter(installed(path)), None)
    file = next(iter(candidates(path)), None)
    in_use = file is not None and is_shim(file)
    # The shim's own module leads there.
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
        stranger=_stranger(found),
    )


def _stranger(flask: Installed | None) -> str | None:
    with contextlib.suppress(ShimError):
        shim = flask.info if flask and flask.shim_of else None
        for found in identity.strangers(PACKAGE, own_info(), shim):
            return f"{found.where} {found.what}"
    return None


def install() -> Status:
    """Install the shim, in place of upstream's Flask if that is installed.

    :return: what ``flask`` is now.
    :raises ShimError: it cannot be installed, and nothing has changed; or it is
        installed, but ``import flask`` still gets something else.
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
        # The fork's command does the same as the shim's, under another name.
        replacement.replace(place, source, own_command(), command_first=False)

    now = status()
    if not now.in_use:
        raise ShimError(
            f"the shim is installed, but 'import flask' {now.outcome}",
            hint="another 'flask' comes first on sys.path, to which PYTHONPATH may add;"
            f" find out how to remove it with: {own('doctor')}",
        )
    return now


def remove() -> Status:
    """Replace the shim with the release of upstream's Flask that the fork is made from.

    Without a shim installed there is nothing to do.

    :return: what ``flask`` is now.
    :raises ShimError: Flask cannot be downloaded or installed; the shim is still in
        place.
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
    """Where a program of this environment looks for modules, except its own folder."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # Code that runs at every start may print something, too.
    entries = json.loads(done.stdout.splitlines()[-1])
    once = {os.path.realpath(entry): entry for entry in reversed(entries) if entry}
    return [*reversed(once.values())]


def current_folder() -> list[str]:
    """Where ``python -m`` and a program of the current folder look first."""
    # Unless Python was told not to look there.
    safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    # It may have been deleted.
    with contextlib.suppress(FileNotFoundError):
        return [] if safe else [os.getcwd()]
    return []


def candidates(path: t.Sequence[str]) -> list[pathlib.Path]:
    """The files that ``import flask`` may get from ``path``; it gets the first.

    Nothing is imported.
    """
    importlib.invalidate_caches()
    specs = [PathFinder.find_spec("flask", [entry]) for entry in path]
    return [pathlib.Path(s.origin) for s in specs if s and s.loader and s.origin]


def installed(path: t.Sequence[str]) -> list[Installed]:
    """The distributions named Flask in ``path``, first the one in force."""
    folders = [pathlib.Path(entry) for entry in path]
    return [_read(info) for folder in folders for info in replacement.infos(folder)]


def is_shim(file: pathlib.Path) -> bool:
    """Whether this module named ``flask`` hands over to the fork."""
    return file.is_file() and file.read_bytes().startswith(MARK.encode())


def own_place() -> Place:
    """Where the shim belongs: next to the fork.

    :raises ShimError: the fork is not installed in this environment, or another
        program manages the environment (:pep:`668`).
    """
    check_provenance()
    if sys.prefix == sys.base_prefix and managed().exists():
        raise ShimError(
            "this Python is managed by the operating system, or by another program",
            where=managed(),
            hint="install flaskfork into a virtual environment and run this there",
        )

    folder = own_info().parent
    if not is_own(folder):
        raise ShimError(
            f"flaskfork is here, outside the environment of {sys.executable}",
            where=folder,
            hint="install flaskfork into that environment, or install the wheel that"
            f" {own('wheel')} DIR builds next to flaskfork",
        )
    command = own_command()
    return Place(folder, command.with_name(f"flask{command.suffix}"))


def check_provenance() -> None:
    """Check that the fork knows which release it is.

    :raises ShimError: its ``provenance.json`` cannot be read.
    """
    try:
        provenance.load()
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ShimError(
            f"cannot be read: {e}",
            where=PACKAGE / "provenance.json",
            hint=reinstall(),
        ) from e


def managed() -> pathlib.Path:
    """The file that marks this Python as managed by another program (:pep:`668`)."""
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
        hint="install it: its metadata says what the shim requires and offers",
    )


def version(info: pathlib.Path) -> str:
    """The version of an installed distribution.

    :param info: the folder of its metadata, whose name is used if the metadata
        cannot be read.
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
        "flaskfork is only partly installed: the command 'flaskfork' is missing",
        where=info / "RECORD",
        hint=reinstall(),
    )


def own(verb: str) -> str:
    """The command line that runs a subcommand of this command here."""
    return command_line(sys.executable, "-m", "flaskfork.shim", verb)


def reinstall() -> str:
    """The command line that reinstalls the fork from where it came from."""
    # By name it would come from an index, where anybody may have put one.
    requirement = f"WHEELS/{_FORK}-VERSION-py3-none-any.whl"
    with contextlib.suppress(ShimError, OSError, ValueError, KeyError, TypeError):
        info = own_info()
        requirement = requirement.replace("VERSION", version(info))
        text = (info / "direct_url.json").read_text(encoding="utf-8")
        noted = json.loads(text)
        requirement = f"{_FORK} @ {noted['url']}{_fragment(noted)}"
    options = ("--no-deps", "--force-reinstall")
    try:
        return command_line(*_installer(), *options, requirement)
    except ShimError:
        pip = command_line(
            sys.executable, "-m", "pip", "install", *options, requirement
        )
        return f"{_ensurepip()} && {pip}"


def _fragment(noted: dict[str, t.Any]) -> str:
    """The hash that an installer noted of a wheel (:pep:`610`), for its URL."""
    archive = noted.get("archive_info") or {}
    sha256 = (archive.get("hashes") or {}).get("sha256")
    return f"#sha256={sha256}" if sha256 else ""


def command_line(*args: str) -> str:
    """A command as it is typed into a shell."""
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
    """Download upstream's Flask into a folder, with the environment's installer.

    :raises ShimError: the installer fails, or installs another version.
    """
    level = provenance.load().api_level
    # Three equals signs: with two, the shim itself would satisfy it.
    args = ["--quiet", "--no-deps", "--target", str(folder), f"Flask==={level}"]
    kept = {k: v for k, v in os.environ.items() if k not in _ASTRAY}
    # Its output is shown: the user knows the installer and may have configured it.
    done = subprocess.run(
        [*_installer(), *args],
        env={**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=False,
    )
    got = [(found.version, found.shim_of) for found in installed([str(folder)])]
    if done.returncode or got != [(level, None)]:
        raise ShimError(
            f"Flask {level} could not be downloaded; the shim is still in place",
            hint="read the installer's output above: it needs an index that has Flask"
            f" {level}, and settings that allow it to install that, so remove any"
            " constraint that names the fork's wheels",
        )
    if not identity.is_upstream(folder / "flask"):
        raise ShimError(
            f"the Flask {level} that the index has is not upstream's; the shim is still"
            " in place",
            hint="do not use it, and find out which of the installer's indexes offers"
            " it",
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
        hint=f"install pip with: {_ensurepip()}",
    )


def _ensurepip() -> str:
    return command_line(sys.executable, "-m", "ensurepip")
