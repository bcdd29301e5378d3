"""Settings that make an installer keep the shim, for each tool's own files.

A tool that looks for a newer Flask finds upstream's, and one that looks for flaskfork
finds any package that somebody has put on an index under that name. So these texts name
both wheels by their location, with their hashes wherever the tool accepts them.
"""

from __future__ import annotations

import json
import os
import pathlib
import typing as t
import urllib.parse

from ... import provenance
from .wheels import find
from .wheels import Wheel


def render(tool: str, folder: str) -> str:
    """Write the settings that make a tool keep the shim.

    :param tool: one of :data:`TOOLS`.
    :param folder: the folder that both wheels are in, its URL, or that of an index. In
        a project's own file, a relative path stays relative.
    :return: the text, whose first line is a comment on where it belongs.
    :raises ShimError: a wheel is not there, or is not this fork's.
    """
    return TOOLS[tool](*find(folder))


def _pip(*wheels: Wheel) -> str:
    # Not by version with --hash: pip would then ask for hashes of everything.
    lines = [f"{wheel.name} @ {wheel.hashed}" for wheel in wheels]
    return _text("Constraints of pip: --constraint, PIP_CONSTRAINT", *lines)


def _uv_pip(*wheels: Wheel) -> str:
    lines = []
    for wheel in wheels:
        where = wheel.hashed
        if "${" in where:
            # uv copies this into locks as a path, which has no fragment.
            where = f"{wheel.absolute} --hash=sha256:{wheel.sha256}"
        lines.append(f"{wheel.name} @ {where}")
    return _text("Constraints of uv pip: --constraint, UV_CONSTRAINT", *lines)


def _uv(*wheels: Wheel) -> str:
    # As constraints: overrides would drop the extras that are requested.
    pins = [f"{w.name} @ {w.hashed}" if w.url else w.name + w.pin for w in wheels]
    # A source may be relative, but may not have a hash.
    sources = [
        f"{wheel.name} = {{ path = {_quoted(wheel.path.as_posix())} }}"
        for wheel in wheels
        if wheel.path
    ]
    return _text(
        "pyproject.toml for uv, the one at the root of a workspace",
        "[tool.uv]",
        f"constraint-dependencies = [{', '.join(map(_quoted, pins))}]",
        *(["", "[tool.uv.sources]", *sources] if sources else []),
    )


def _poetry(*wheels: Wheel) -> str:
    # A group: it constrains the others, and is not in the project's metadata.
    lines = ["[tool.poetry.group.flaskfork.dependencies]"]
    for wheel in wheels:
        source = f"url = {_quoted(wheel.hashed)}"
        if wheel.path:
            # Poetry locks a relative path, and then fails on an absolute one.
            path = pathlib.Path(os.path.relpath(wheel.path))
            source = f"path = {_quoted(path.as_posix())}"
        lines.append(f"{wheel.name} = {{ {source} }}")
    return _text("pyproject.toml for Poetry", *lines)


def _pdm(*wheels: Wheel) -> str:
    lines = []
    for wheel in wheels:
        source = wheel.hashed
        if wheel.path and not wheel.path.is_absolute():
            path = urllib.parse.quote(wheel.path.as_posix(), safe="/+")
            source = f"file:///${{PROJECT_ROOT}}/{path}#sha256={wheel.sha256}"
        lines.append(f"{wheel.name} = {_quoted(source)}")
    return _text("pyproject.toml for PDM", "[tool.pdm.resolution.overrides]", *lines)


def _pipenv(*wheels: Wheel) -> str:
    lines = []
    for wheel in wheels:
        file = _quoted(wheel.hashed)
        if wheel.path:
            # Without these it locks the hashes of what an index has by this name.
            hashes = _quoted(f"sha256:{wheel.sha256}")
            file = f"{_quoted(wheel.path.as_posix())}, hashes = [{hashes}]"
        lines.append(f"{wheel.name} = {{ file = {file} }}")
    return _text(
        "Pipfile, below [packages], in place of the lines there that name the same",
        *lines,
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


def _quoted(text: str) -> str:
    # A string in JSON is one in TOML too, as long as non-ASCII letters are kept.
    return json.dumps(text, ensure_ascii=False)
