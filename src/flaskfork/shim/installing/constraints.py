"""Settings that make an installer keep the shim, for each tool's own files.

A tool that looks for a newer Flask finds upstream's. These texts name both wheels of
the fork exactly, by their versions or by where they are.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing as t
import urllib.parse
from dataclasses import dataclass
from dataclasses import replace

from ... import provenance
from ..errors import ShimError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class Wheel:
    """A wheel of the fork, and where it is.

    :param folder: its folder or the folder's URL, unless the wheel is on an index.
    """

    name: str
    version: str
    folder: str | None

    @property
    def file(self) -> str:
        """The name of the wheel's file."""
        return f"{self.name}-{self.version}-py3-none-any.whl"

    @property
    def pin(self) -> str:
        """The version, as a specifier."""
        return f"=={self.version}"

    @property
    def url(self) -> str | None:
        """The URL, if the folder is one."""
        if self.folder is None or not _URL.match(self.folder):
            return None
        # Some servers take a plus sign for a space.
        return f"{self.folder.rstrip('/')}/{urllib.parse.quote(self.file)}"

    @property
    def path(self) -> pathlib.Path | None:
        """The path, if the folder is local."""
        if self.folder is None or self.url:
            return None
        return pathlib.Path(self.folder, self.file)

    @property
    def where(self) -> str | None:
        """The URL or the path, with slashes on every system."""
        return self.path.as_posix() if self.path else self.url


def render(tool: str, folder: str | None = None) -> str:
    """Write the settings that make a tool keep the shim.

    :param tool: one of :data:`TOOLS`.
    :param folder: the folder that both wheels are in, or its URL; without it they come
        from an index that the tool knows. In a project's own file, a relative path
        stays relative.
    :return: the text, whose first line is a comment on where it belongs.
    :raises ShimError: a wheel is not in the folder, or a URL is not that of a folder.
    """
    if folder and _URL.match(folder) and ("?" in folder or "#" in folder):
        raise ShimError(
            f"{folder} is not the URL of a folder",
            hint="leave out everything after '?' or '#'",
        )
    made = provenance.load()
    shim = Wheel("flask", made.shim_version, folder)
    fork = Wheel("flaskfork", made.version, folder)
    for wheel in (shim, fork):
        if wheel.path and not wheel.path.is_file():
            raise ShimError(
                "not found",
                where=wheel.path,
                hint="name the folder that has both wheels of flaskfork"
                f" {made.version}; to build the one named Flask there, run 'python -m"
                f" flaskfork.shim wheel {folder}'",
            )
    return TOOLS[tool](shim, fork)


def _pip(*wheels: Wheel) -> str:
    # By version: pip before 26.1 takes no URL where extras are requested.
    lines = [wheel.name + wheel.pin for wheel in wheels]
    folders = {
        # pip resolves a relative path against the folder that it is called in.
        wheel.path.parent.resolve().as_uri() if wheel.path else wheel.folder
        for wheel in wheels
    }
    lines += [f"--find-links {folder}" for folder in folders if folder]
    return _text("Constraints of pip: --constraint, PIP_CONSTRAINT", *lines)


def _uv_pip(*wheels: Wheel) -> str:
    # By URL: uv takes no --find-links from the constraints of its tools.
    lines = []
    for wheel in wheels:
        url = wheel.path.resolve().as_uri() if wheel.path else wheel.url
        lines.append(f"{wheel.name} @ {url}" if url else wheel.name + wheel.pin)
    return _text("Constraints of uv pip: --constraint, UV_CONSTRAINT", *lines)


def _uv(*wheels: Wheel) -> str:
    # As constraints: overrides would drop the extras that are requested.
    pins = ", ".join(_quoted(wheel.name + wheel.pin) for wheel in wheels)
    sources = [f"{wheel.name} = {_source(wheel)}" for wheel in wheels if wheel.where]
    return _text(
        "pyproject.toml for uv, the one at the root of a workspace",
        "[tool.uv]",
        f"constraint-dependencies = [{pins}]",
        *(["", "[tool.uv.sources]", *sources] if sources else []),
    )


def _poetry(*wheels: Wheel) -> str:
    # A group: it constrains the others, and is not in the project's metadata.
    lines = ["[tool.poetry.group.flaskfork.dependencies]"]
    for wheel in wheels:
        if wheel.path:
            # Poetry locks a relative path, and then fails on an absolute one.
            wheel = replace(wheel, folder=os.path.relpath(wheel.path.parent))
        lines.append(f"{wheel.name} = {_source(wheel)}")
    return _text("pyproject.toml for Poetry", *lines)


def _pdm(*wheels: Wheel) -> str:
    lines = []
    for wheel in wheels:
        source = wheel.url or wheel.pin
        if wheel.path and wheel.path.is_absolute():
            source = wheel.path.as_uri()
        elif wheel.path:
            path = urllib.parse.quote(wheel.path.as_posix())
            source = f"file:///${{PROJECT_ROOT}}/{path}"
        lines.append(f"{wheel.name} = {_quoted(source)}")
    return _text("pyproject.toml for PDM", "[tool.pdm.resolution.overrides]", *lines)


def _pipenv(*wheels: Wheel) -> str:
    return _text(
        "Pipfile, below [packages], in place of the lines there that name the same",
        *(
            f"{wheel.name} = {_source(wheel, path='file', url='file')}"
            for wheel in wheels
        ),
    )


#: The tools by name, and the function that writes the text for each.
TOOLS: t.Mapping[str, t.Callable[..., str]] = {
    "pip": _pip,
    "uv-pip": _uv_pip,
    "uv": _uv,
    "poetry": _poetry,
    "pdm": _pdm,
    "pipenv": _pipenv,
}


def _text(where: str, *lines: str) -> str:
    made = provenance.load()
    return "\n".join([f"# {where} (flaskfork {made.version})", *lines, ""])


def _source(wheel: Wheel, *, path: str = "path", url: str = "url") -> str:
    """Where a wheel comes from, as a value in TOML; the keys are the tool's."""
    if wheel.where is None:
        return _quoted(wheel.pin)
    return f"{{ {path if wheel.path else url} = {_quoted(wheel.where)} }}"


def _quoted(text: str) -> str:
    # A string in JSON is one in TOML too, as long as non-ASCII letters are kept.
    return json.dumps(text, ensure_ascii=False)
