"""Changing several files of the project, either all or none.

The new contents are staged first; then a single rename commits to them. If the command
is killed after that, the next command completes the change.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import typing as t

from .errors import ForkError
from .files import check_path
from .files import read
from .files import sync_folder
from .files import write_file
from .files import writing
from .locks import locked
from .paths import Project

_INDEX = "index.json"
#: The new content of files; ``None`` for one that is removed.
Contents = t.Mapping[pathlib.Path, t.Optional[bytes]]


@contextlib.contextmanager
def exclusive(project: Project) -> t.Iterator[None]:
    """Be the only command that changes the project, during the ``with`` block.

    :raises ForkError: another command is changing it.
    """
    what = "another scripts/fork is changing this project"
    with locked(project.lock, what, hint="wait until it finishes, or stop it"):
        recover(project)
        yield


def commit(
    project: Project,
    contents: Contents,
    then: t.Callable[[], object] = lambda: None,
) -> None:
    """Write files, and remove those whose content is ``None``, all or none.

    :param then: is called afterwards; if it raises a :exc:`ForkError`, the files get
        their old content back.
    :raises ForkError: a file cannot be written; either nothing was changed, or the next
        command completes the change.
    """
    hint = "give read access to it"
    before = {p: read(p, hint=hint) if p.exists() else None for p in contents}
    if contents:
        _commit(project, contents)
    try:
        then()
    except ForkError:
        if contents:
            _commit(project, before)
        raise


def _commit(project: Project, contents: Contents) -> None:
    upstream = project.transaction.parent
    with writing(project.transaction), contextlib.ExitStack() as undo:
        aside = pathlib.Path(tempfile.mkdtemp(dir=upstream, prefix=".transaction."))
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        index = {}
        for number, (path, content) in enumerate(contents.items()):
            name = path.relative_to(project.root).as_posix()
            index[name] = None if content is None else str(number)
            if content is not None:
                write_file(aside / str(number), content)
                (aside / str(number)).chmod(_mode(path))
        write_file(aside / _INDEX, json.dumps(index).encode())
        _try_all(project, index)
        aside.rename(project.transaction)
        sync_folder(upstream)
    recover(project)


def recover(project: Project) -> bool:
    """Complete the change of a command that was killed.

    :return: whether there was anything to do.
    :raises ForkError: a file cannot be written.
    """
    folder = project.transaction
    for left in folder.parent.glob(".transaction.*"):
        shutil.rmtree(left, ignore_errors=True)
    if not folder.exists():
        return False

    with writing(folder):
        for name, aside in _read_index(project).items():
            path = project.root / name
            if aside is None:
                path.unlink(missing_ok=True)
            elif (folder / aside).exists():
                os.replace(folder / aside, path)
            sync_folder(path.parent)
        done = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=".transaction."))
        folder.rename(done / "done")
        sync_folder(folder.parent)
        shutil.rmtree(done, ignore_errors=True)
    return True


def _try_all(project: Project, index: dict[str, str | None]) -> None:
    """Make sure that all files can be written before committing to the change."""
    for folder in {(project.root / name).parent for name in index}:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _mode(path: pathlib.Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0o644


def _read_index(project: Project) -> dict[str, str | None]:
    path = project.transaction / _INDEX
    where = project.relative(path)
    hint = (
        f"restore the project's files with git, then remove {project.transaction.name}"
    )
    try:
        index = json.loads(read(path, hint=hint))
        return {check_path(name, where=where): aside for name, aside in index.items()}
    except (ValueError, AttributeError) as e:
        raise ForkError("cannot be read", where=where, hint=hint) from e
