"""The queue: the patches in the order in which they apply."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..base import diff
from ..base.errors import ForkError
from ..base.errors import raise_findings
from ..base.files import Files
from ..base.files import read
from ..base.paths import Project
from ..upstream.pin import Pin
from .patch import Patch
from .series import Series


@dataclass(frozen=True)
class Queue:
    """The series and its patches, in the same order.

    :param disabled: the patches that are kept but not applied.
    """

    series: Series
    patches: tuple[Patch, ...]
    disabled: tuple[Patch, ...] = ()

    @classmethod
    def load(cls, project: Project, pin: Pin) -> Queue:
        """Read the series and every patch that it names.

        :raises ForkError: something in ``patches/`` is missing, unlisted or malformed;
            one error reports it all.
        """
        series = _load_series(project)
        problems = _compare_folder(project, series)
        there, loaded = _plain_files(project), {}
        for name in (*series.names, *series.disabled):
            if name not in there:
                continue
            try:
                loaded[name] = patch = _load_patch(project, name)
                if name not in series.disabled:
                    problems += misplaced(project, pin, patch, where=patch.where)
            except ForkError as e:
                problems += e.problems
        raise_findings(problems)
        return cls(
            series,
            tuple(loaded[name] for name in series.names),
            tuple(loaded[name] for name in series.disabled),
        )

    def __getitem__(self, name: str) -> Patch:
        for patch in self.patches:
            if patch.name == name:
                return patch
        if name in self.series.disabled:
            raise ForkError(
                f"the patch {name} is disabled",
                where="patches/series",
                hint=f"run `scripts/fork enable {name}` first",
            )
        raise ForkError(
            f"there is no patch {name!r} in the queue",
            where="patches/series",
            hint="`scripts/fork series` lists the names",
        )

    def known(self, name: str) -> Patch:
        """The patch of that name, disabled or not."""
        for patch in self.disabled:
            if patch.name == name:
                return patch
        return self[name]

    def without(self, name: str, files: Files) -> tuple[Files, list[str]]:
        """Apply the queue without one patch; the others may apply at other lines.

        :param files: those of the release.
        :return: the files, and the names of the later patches that need that one
            and so are left out too.
        """
        needing = []
        for patch in self.patches:
            if patch.name == name:
                continue
            try:
                files = diff.apply(patch.diffs, files, where=patch.name, offsets=True)
            except ForkError:
                needing.append(patch.name)
        return files, needing


def apply_patches(
    patches: t.Iterable[Patch], files: Files, *, offsets: bool = False
) -> Files:
    """Return ``files`` with the patches applied, strictly.

    :param offsets: as in :func:`forkkit.base.diff.apply`.
    :raises ForkError: a patch does not apply; the error names the patch, the file and
        the hunk.
    """
    for patch in patches:
        files = diff.apply(patch.diffs, files, where=patch.where, offsets=offsets)
    return files


def _compare_folder(project: Project, series: Series) -> list[ForkError]:
    there = {path.stem for path in project.patches.glob("*.patch")}
    plain = _plain_files(project)
    listed = (*series.names, *series.disabled)
    missing = [
        ForkError(
            f"{name}.patch is listed, but is missing or not a plain file",
            where=project.relative(project.series),
            hint=f"restore patches/{name}.patch, or remove the line",
        )
        for name in listed
        if name not in plain
    ]
    unlisted = [
        ForkError(
            "is not in the series",
            where=f"patches/{name}.patch",
            hint=f"add a line {name}.patch to patches/series, or remove the file",
        )
        for name in sorted(there.difference(listed))
    ]
    return missing + unlisted


def _plain_files(project: Project) -> set[str]:
    """The names of the patches that are files, and neither folders nor links."""
    paths = project.patches.glob("*.patch")
    return {path.stem for path in paths if path.is_file() and not path.is_symlink()}


def _load_series(project: Project) -> Series:
    where = project.relative(project.series)
    if project.series.is_symlink():
        raise ForkError("is a link", where=where, hint="replace it with the file")
    text = read(project.series, hint="restore patches/series from git")
    return Series.parse(text, where=where)


def _load_patch(project: Project, name: str) -> Patch:
    path = project.patches / f"{name}.patch"
    where = project.relative(path)
    patch = Patch.parse(read(path, hint="give read access to it"), where=where)
    raise_findings(misnamed(patch, name, where=where))
    return patch


def misnamed(patch: Patch, name: str, *, where: object) -> list[ForkError]:
    """The problem if a patch has another name than its file ``name``."""
    if patch.name == name:
        return []
    return [
        ForkError(
            f"the trailer Fork-Patch is {patch.name!r}, not the file's name",
            where=where,
            hint=f"write Fork-Patch: {name}",
        )
    ]


def misplaced(
    project: Project, pin: Pin, patch: Patch, *, where: object
) -> list[ForkError]:
    """The problems of a patch with changes outside the package or without tests."""
    problems = [
        ForkError(
            f"it changes {file.path}, which is outside {pin.package}",
            where=where,
            hint="change only the package, and document the patch in its prose",
        )
        for file in patch.diffs
        if not file.path.startswith(f"{pin.package}/")
    ]
    if not (project.root / patch.trailer("Tests")).is_file():
        problems.append(
            ForkError(
                f"its tests {patch.trailer('Tests')} do not exist",
                where=where,
                hint="write tests that fail without the patch and pass with it",
            )
        )
    return problems
