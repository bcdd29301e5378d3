"""Replaces one installed Flask with another: all of it, or nothing.

Several folders have to change, and no system call changes more than one. So the new
Flask is first made in a folder of its own. Then one rename puts a ``.pth`` file in
place, which makes every Python look into that folder before site-packages: from then
on Flask is the new one, including its metadata. Only then is the old one moved out of
site-packages and the new one in, and the file deleted.

Whenever this is interrupted, Flask is either the old one or the new one, and complete.
The next replacement finishes what was interrupted, or clears it away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
import shutil
import sys
import typing as t
from dataclasses import dataclass

from ..errors import ShimError
from ..wheel import records

_PACKAGE = "flask"


@dataclass(frozen=True)
class Place:
    """Where an environment keeps its Flask.

    :param site: the folder that distributions are installed in.
    :param command: the path of the command ``flask``.
    """

    site: pathlib.Path
    command: pathlib.Path

    @property
    def switch(self) -> pathlib.Path:
        """The file that makes Python look for the new Flask first."""
        return self.site / "flaskfork-swap.pth"

    @property
    def work(self) -> pathlib.Path:
        """The folder that exists only while Flask is being replaced."""
        return self.site / ".flaskfork-swap"

    @property
    def new(self) -> pathlib.Path:
        return self.work / "new"

    @property
    def old(self) -> pathlib.Path:
        return self.work / "old"

    @property
    def plan(self) -> pathlib.Path:
        return self.work / "plan.json"

    @property
    def new_command(self) -> pathlib.Path:
        return self.command.with_name(f".{self.command.name}.flaskfork-new")

    @property
    def old_command(self) -> pathlib.Path:
        return self.command.with_name(f".{self.command.name}.flaskfork-old")

    def left_behind(self) -> pathlib.Path | None:
        """What an interrupted replacement left behind, if anything."""
        names = (self.switch, self.work, self.new_command, self.old_command)
        return next((path for path in names if path.exists()), None)


def infos(site: pathlib.Path) -> list[pathlib.Path]:
    """The metadata of the distributions named Flask that are installed in a folder."""
    found = [*site.glob("*.dist-info"), *site.glob("*.egg-info")]
    return sorted(i for i in found if i.stem.partition("-")[0].lower() == _PACKAGE)


def present(site: pathlib.Path) -> list[str]:
    """The names in the folder ``site`` that belong to a Flask; they need not exist."""
    found = infos(site)
    # An editable install has a .pth file there, or a finder.
    single = {
        row.path
        for info in found
        for row in records.read(info)
        if "/" not in row.path and (site / row.path).is_file()
    }
    return [_PACKAGE, *(info.name for info in found), *sorted(single)]


def replace(
    place: Place, source: pathlib.Path, command: pathlib.Path, *, command_first: bool
) -> None:
    """Replace the installed Flask, if there is one, with the one in ``source``.

    :param source: a folder with the package and its metadata.
    :param command: a file with the content that the command ``flask`` will have.
    :param command_first: whether the command is replaced before the package, because
        the new command runs the old Flask too; otherwise it is replaced after.
    :raises ShimError: a file cannot be written or moved; nothing has changed.
    """
    with _changing(place):
        _finish(place)
        _replace(place, source, command, command_first)


def finish(place: Place) -> None:
    """Finish a replacement that was interrupted, or undo it if it had no effect yet.

    :raises ShimError: a file cannot be written or moved.
    """
    with _changing(place):
        _finish(place)


def _finish(place: Place) -> None:
    if place.switch.exists() and place.plan.exists():
        _move_in(place)
        _clear_away(place)
    else:
        _move_back(place)


def _replace(
    place: Place, source: pathlib.Path, command: pathlib.Path, command_first: bool
) -> None:
    try:
        switch = _prepare(place, source, command)
        if command_first:
            _move_command_in(place)
        os.replace(switch, place.switch)
        _move_in(place)
    except BaseException:
        _move_back(place)
        raise
    _clear_away(place)


def _prepare(place: Place, source: pathlib.Path, command: pathlib.Path) -> pathlib.Path:
    """Make the new Flask, and return the switch that is still to be put in place."""
    place.work.mkdir()
    place.new.mkdir()
    place.old.mkdir()
    [info] = infos(source)
    for folder in (source / _PACKAGE, info):
        shutil.copytree(folder, place.new / folder.name, copy_function=shutil.copyfile)
    path = os.path.relpath(place.command, place.site.resolve())
    records.write(
        place.new / info.name, command, path=pathlib.PurePath(path).as_posix()
    )
    shutil.copy(command, place.new_command)

    plan = {"old": present(place.site), "new": [_PACKAGE, info.name]}
    aside = place.work / f".{place.plan.name}.new"
    # On the disk before anything moves, in case the power fails.
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, place.plan)
    switch = place.work / place.switch.name
    # In ASCII: Python versions differ in the encoding that they assume here.
    site, new = ascii(str(place.site)), ascii(str(place.new))
    switch.write_text(
        f"import sys; sys.path.insert(sys.path.index({site}) if {site} in sys.path"
        f" else 0, {new})\n",
        encoding="ascii",
    )
    return switch


def _move_in(place: Place) -> None:
    """Move the old Flask out of site-packages and the new one in.

    The files show what has already been done, so that this can be repeated.
    """
    for name, path, aside in _outgoing(place):
        if os.path.lexists(path) and not _has_come(place, name):
            _move_out(path, aside)
    for name in _plan(place)["new"]:
        if not _has_come(place, name):
            os.rename(place.new / name, place.site / name)
    if place.new_command.exists():
        _move_command_in(place)


def _move_back(place: Place) -> None:
    """Restore the old Flask."""
    if not any(place.old.glob("*")) and not _is_whole(place.plan):
        # Nothing is moved before the plan is on the disk.
        place.plan.unlink(missing_ok=True)
    if place.plan.exists():
        for name in _plan(place)["new"]:
            if _has_come(place, name):
                os.rename(place.site / name, place.new / name)
        for _, path, aside in _outgoing(place):
            if os.path.lexists(aside) and os.path.lexists(path):
                # A copy of a folder that could not be deleted completely.
                shutil.copytree(aside, path, symlinks=True, dirs_exist_ok=True)
            elif os.path.lexists(aside):
                os.rename(aside, path)
    if place.old_command.exists():
        os.replace(place.old_command, place.command)
    _clear_away(place)


def _clear_away(place: Place) -> None:
    # In this order, so that what is left at any point does not look like a replacement
    # that is to be finished or undone.
    place.old_command.unlink(missing_ok=True)
    place.plan.unlink(missing_ok=True)
    place.switch.unlink(missing_ok=True)
    place.new_command.unlink(missing_ok=True)
    _delete(place.work)


def _plan(place: Place) -> dict[str, list[str]]:
    plan: dict[str, list[str]] = json.loads(place.plan.read_text(encoding="utf-8"))
    return plan


def _is_whole(plan: pathlib.Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return isinstance(json.loads(plan.read_text(encoding="utf-8")), dict)
    return False


def _outgoing(place: Place) -> t.Iterator[tuple[str, pathlib.Path, pathlib.Path]]:
    """The parts of the old Flask: name, place in site-packages, and place aside."""
    for i, name in enumerate(_plan(place)["old"]):
        yield name, place.site / name, place.old / str(i)


def _has_come(place: Place, name: str) -> bool:
    """Whether this part of the new Flask has been moved into site-packages."""
    is_new = name in _plan(place)["new"]
    return is_new and not os.path.lexists(place.new / name)


def _move_out(path: pathlib.Path, aside: pathlib.Path) -> None:
    try:
        os.rename(path, aside)
    except OSError as e:
        # Containers cannot rename a folder that is in a lower layer of the image.
        if e.errno != errno.EXDEV or not path.is_dir():
            raise
        copy = aside.with_name(f"{aside.name}.copy")
        _delete(copy)
        shutil.copytree(path, copy, symlinks=True)
        os.rename(copy, aside)
        _delete(path)


def _move_command_in(place: Place) -> None:
    if place.command.exists():
        copy = place.work / "command"
        shutil.copy(place.command, copy)
        os.replace(copy, place.old_command)
    os.replace(place.new_command, place.command)


def _delete(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _changing(place: Place) -> t.Iterator[None]:
    try:
        with _only_one(place.site):
            yield
    except OSError as e:
        raise ShimError(
            f"cannot be changed ({e.strerror or e}), so Flask is unchanged",
            where=e.filename or place.site,
            hint="run this as a user who may write there, or in a virtual environment"
            " of your own",
        ) from e


@contextlib.contextmanager
def _only_one(site: pathlib.Path) -> t.Iterator[None]:
    """Wait until no other process is replacing the Flask in a folder."""
    if sys.platform == "win32":
        yield
        return

    import fcntl

    folder = os.open(site, os.O_RDONLY)
    try:
        # Not every network file system has locks.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
