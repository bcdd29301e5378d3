"""Finds what keeps ``import flask`` from being the fork, and how to fix it.

Nothing that it finds is imported or run.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import site
import sys
import sysconfig
import typing as t
from dataclasses import dataclass
from importlib.machinery import PathFinder

from ... import provenance
from ..errors import ShimError
from ..wheel import records
from . import environment
from . import identity
from . import replacement
from .environment import Installed
from .replacement import Place


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong here.

    :param where: the file or folder.
    :param mend: the command line that fixes it. Users read it as ``hint``; the key
        in the command's JSON is this name, which programs rely on.
    """

    what: str
    where: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  hint: {self.mend}"


def examine(folder: pathlib.Path | None = None) -> list[Trouble]:
    """Everything that is wrong in this environment and the current folder.

    :param folder: look in this one instead, without running anything that is in it: an
        environment, or a folder that was installed into with ``--target``.
    """
    if folder is not None:
        return [t for site in _sites(folder.absolute()) for t in _target(site)]
    try:
        place = environment.own_place()
    except ShimError as e:
        with contextlib.suppress(ShimError):
            site = environment.own_info().parent
            if not environment.is_own(site):
                # Installed there with --target, for example.
                return [*_target(site)]
        return [Trouble(e.what, e.where or sys.prefix, e.hint)]

    if left := place.left_behind():
        # Anything else found now would be half of one state and half of another.
        what = "an install or a removal was interrupted"
        return [Trouble(what, str(left), environment.own("install"))]

    path = environment.search_path()
    return [
        *_fork(),
        *_shim(place),
        *_strange(place),
        *_elsewhere(place, path),
        *_shadows(place, path),
    ]


def _sites(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folders below ``folder`` that distributions are installed in."""
    patterns = ("lib/python*/site-packages", "Lib/site-packages")
    below = [site for pattern in patterns for site in sorted(folder.glob(pattern))]
    return below or [folder]


def _target(site: pathlib.Path) -> t.Iterator[Trouble]:
    """What is wrong with both distributions in a folder of another environment."""
    hint = _again(site)
    forks = sorted(site.glob("flaskfork-*.dist-info"))
    found = environment.installed([str(site)])
    shims = [flask.info for flask in found if flask.shim_of]
    for flask in found:
        if flask.shim_of and not forks:
            what = f"this is the shim of flaskfork {flask.shim_of}, which is not here"
            back = f"Flask==={provenance.load().api_level}"
            also = f"{hint}; to go back to upstream's, install {back} in the same way"
            yield Trouble(what, str(flask.info), also)
        elif not flask.shim_of:
            yield _not_the_shim(flask, hint)
    if not found:
        yield Trouble("no distribution named Flask is installed", str(site), hint)
    if not forks:
        if not shims:
            yield Trouble("flaskfork is not installed", str(site), hint)
        return
    for info in [*forks, *shims]:
        yield from _damage(info, lambda: hint)
    shim = shims[0] if shims else None
    yield from _unknown(site / "flaskfork", forks[0], shim, hint)


def _not_the_shim(flask: Installed, hint: str) -> Trouble:
    what = f"Flask {flask.version} does not require flaskfork: it is not its shim"
    return Trouble(what, str(flask.info), hint)


def _strange(place: Place) -> t.Iterator[Trouble]:
    """What this fork did not build."""
    found = environment.installed([str(place.site)])
    made = provenance.load().version
    shims = [flask.info for flask in found if flask.shim_of == made]
    shim = shims[0] if len(found) == 1 and shims else None
    info = environment.own_info()
    yield from _unknown(environment.PACKAGE, info, shim, _again(place.site))


def _unknown(
    package: pathlib.Path, fork: pathlib.Path, shim: pathlib.Path | None, hint: str
) -> t.Iterator[Trouble]:
    infos = [fork, *([shim] if shim else [])]
    # Files that have changed since they were installed are reported already.
    damaged = {file for info in infos for file, _ in records.damage(info)}
    strange = identity.strangers(package, fork, shim)
    found = [s for s in strange if s.where.resolve() not in damaged]
    for what in dict.fromkeys(s.what for s in found):
        files = [s.where for s in found if s.what == what]
        yield Trouble(what + _and_more(files), str(files[0]), hint)


def _again(site: pathlib.Path) -> str:
    """How to install both wheels again, from where they are kept."""
    made = provenance.load()
    names = (f"flaskfork-{made.version}", f"flask-{made.shim_version}")
    wheels = (f"WHEELS/{name}-py3-none-any.whl" for name in names)
    start = [sys.executable, "-m", "pip", "install", "--force-reinstall"]
    if not environment.is_own(site):
        start = ["pip", "install", "--upgrade", "--target", str(site)]
        if (env := site.parents[2]).joinpath("pyvenv.cfg").exists():
            start = ["pip", "--python", str(env), "install", "--force-reinstall"]
    return environment.command_line(*start, "--no-deps", *wheels)


def _fork() -> t.Iterator[Trouble]:
    """What is wrong with flaskfork itself."""
    info = environment.own_info()
    recorded = records.locate(info, "flaskfork/__init__.py")
    package = environment.PACKAGE.resolve()
    paths = [row.path for row in records.read(info)]
    if recorded.parent != package and "flaskfork/__init__.py" in paths:
        yield Trouble(
            f"flaskfork is found here before the installed one in {recorded.parent}",
            str(package),
            _move_away(package),
        )

    version = environment.version(info)
    made = provenance.load().version
    if version != made and package == recorded.parent:
        yield Trouble(
            f"flaskfork {made} is here with the metadata of flaskfork {version}",
            str(info),
            environment.reinstall(),
        )
    yield from _damage(info, environment.reinstall)


def _shim(place: Place) -> t.Iterator[Trouble]:
    """What is wrong with the Flask that is installed next to flaskfork."""
    hint = environment.own("install")
    package = place.site / "flask"
    found = environment.installed([str(place.site)])
    if not found:
        where = package if package.exists() else place.site
        yield Trouble("no distribution named Flask is installed", str(where), hint)

    made = provenance.load().version
    for flask in found:
        if flask.shim_of is None:
            yield _not_the_shim(flask, hint)
        elif flask.shim_of != made:
            what = f"this is the shim of flaskfork {flask.shim_of}, not of {made}"
            yield Trouble(what, str(flask.info), hint)

    if len(found) > 1:
        what = f"{len(found)} distributions named Flask are installed in one folder"
        yield Trouble(what, str(place.site), hint)
    for flask in found[:1] if len(found) == 1 and found[0].shim_of else []:
        yield from _damage(flask.info, lambda: hint)
        known = {records.locate(flask.info, r.path) for r in records.read(flask.info)}
        strange = sorted(_files(package.resolve()) - known)
        if strange:
            what = f"does not belong to the shim{_and_more(strange)}"
            yield Trouble(what, str(strange[0]), hint)


def _elsewhere(place: Place, path: t.Sequence[str]) -> t.Iterator[Trouble]:
    """Other distributions named Flask that this environment's Python sees."""
    for flask in _others(place, path):
        what = f"another Flask, {flask.version}, is installed next to the fork's shim"
        yield Trouble(what, str(flask.info), _uninstall(flask))


def _shadows(place: Place, path: t.Sequence[str]) -> t.Iterator[Trouble]:
    """What else ``import flask`` may get: before the shim, or once that is removed."""
    reported = {flask.site.resolve() for flask in _others(place, path)}
    reported.add(place.site.resolve())
    before = True
    for entry in [*environment.current_folder(), *path]:
        folder = pathlib.Path(entry).resolve()
        before = before and folder != place.site.resolve()
        for file in environment.candidates([entry]) if folder not in reported else []:
            module = file.parent if file.stem == "__init__" else file
            what = "gets this before" if before else "would get this without"
            yield Trouble(
                f"'import flask' {what} the shim",
                str(module),
                _forget(folder, place.site) or _move_away(module),
            )
        reported.add(folder)


def _damage(info: pathlib.Path, hint: t.Callable[[], str]) -> t.Iterator[Trouble]:
    if not records.read(info):
        yield Trouble("has no RECORD of its files", str(info), hint())
    damage = records.damage(info)
    if not environment.is_own(info.parent):
        # With --target, pip records commands where it has not put them.
        damage = [d for d in damage if info.parent.resolve() in d[0].parents]
    if damage:
        file, how = damage[0]
        yield Trouble(how + _and_more(damage), str(file), hint())


def _and_more(found: t.Sequence[object]) -> str:
    more = len(found) - 1
    files = "file" if more == 1 else "files"
    return f"; the same is true of {more} more {files}" if more > 0 else ""


def _files(package: pathlib.Path) -> set[pathlib.Path]:
    """The files of a package, except for byte code."""
    files = {file for file in package.rglob("*") if file.is_file()}
    return {file for file in files if file.parent.name != "__pycache__"}


def _others(place: Place, path: t.Sequence[str]) -> list[Installed]:
    own = place.site.resolve()
    found = environment.installed([*environment.current_folder(), *path])
    return [flask for flask in found if flask.site.resolve() != own]


def _uninstall(flask: Installed) -> str:
    """How to remove a Flask that is not in the folder where the shim belongs."""
    # A virtual environment's is a link to the system's, except on Windows.
    python = os.path.realpath(sys.executable)
    if os.name == "nt":
        python = getattr(sys, "_base_executable", python)
    user = pathlib.Path(site.getusersitepackages())
    in_user_site = flask.site.resolve() == user.resolve()
    base = pathlib.Path(sys.base_prefix).resolve()
    if not in_user_site and base not in flask.site.resolve().parents:
        return _move_away(flask.site / "flask", flask.info)

    allowed = ["--break-system-packages"] * environment.managed().exists()
    packages = sysconfig.get_path("purelib", vars={"base": sys.base_prefix})
    if PathFinder.find_spec("pip", [str(flask.site), packages]):
        # Without -s pip would uninstall the one in the user's folder.
        pip = [python, *["-s"] * (not in_user_site), "-m", "pip", "uninstall", "-y"]
        return environment.command_line(*pip, *allowed, "Flask")

    if not in_user_site and (uv := shutil.which("uv")):
        start = (uv, "pip", "uninstall", "--python", python)
        return environment.command_line(*start, *allowed, "Flask")

    return _move_away(flask.site / "flask", flask.info)


def _forget(folder: pathlib.Path, packages: pathlib.Path) -> str | None:
    """How to take ``folder`` off the path, if a ``.pth`` file puts it there."""
    for file in packages.glob("*.pth"):
        text = file.read_text(encoding="utf-8", errors="replace")
        # Like Python, which ignores a line that cannot be a path.
        lines = [
            line for line in text.splitlines() if line.strip() and "\0" not in line
        ]
        entries = [line for line in lines if not line.startswith(("#", "import"))]
        found = [e for e in entries if (packages / e.rstrip()).resolve() == folder]
        if found and file.name in replacement.present(packages):
            # An editable install of upstream's, which is removed as a whole.
            return environment.own("install")

        if found and len(lines) > 1:
            drop = f"\\|^{_quoted(found[0])}$|d"
            return environment.command_line("sed", "-i.bak", drop, str(file))

        if found:
            return environment.command_line(
                "del" if os.name == "nt" else "rm", str(file)
            )
    return None


def _quoted(line: str) -> str:
    """A basic regular expression (POSIX) that matches the line, between two |."""
    return re.sub(r"[\\.*\[^$|]", r"\\\g<0>", line)


def _move_away(*paths: pathlib.Path) -> str:
    # It may be the user's own work: nothing is deleted.
    program = "move" if os.name == "nt" else "mv"
    return " && ".join(
        environment.command_line(program, str(path), f"{path}.aside")
        for path in paths
        if path.exists()
    )
