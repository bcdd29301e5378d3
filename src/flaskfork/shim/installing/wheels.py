"""Finds both wheels of the fork in a folder or at a URL, and accepts no others.

What is found is read and compared: the shim's bytes with those that this fork writes,
and the files in the fork's wheel with those of its build.
"""

from __future__ import annotations

import hashlib
import html.parser
import io
import os
import pathlib
import re
import typing as t
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass

from ... import provenance
from ..errors import ShimError
from ..wheel.build import pack

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class Wheel:
    """A wheel of the fork, and where it is.

    :param folder: the folder that it is in, or the folder's URL.
    :param sha256: its hash, in hexadecimal.
    :param link: its URL, if the folder's page links to it elsewhere.
    """

    name: str
    version: str
    folder: str
    sha256: str = ""
    link: str | None = None

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
        if not _URL.match(self.folder):
            return None
        # Some servers take a plus sign for a space. Files have no server, and tools
        # read a quoted one literally if there is a variable before it.
        safe = "+" if self.folder.lower().startswith("file:") else ""
        return self.link or f"{self.folder.rstrip('/')}/{_quoted(self.file, safe)}"

    @property
    def path(self) -> pathlib.Path | None:
        """The path, if the folder is local."""
        return None if self.url else pathlib.Path(self.folder, self.file)

    @property
    def absolute(self) -> str:
        """The URL, also of a path."""
        if self.url:
            return self.url
        # Not resolved: a link in a project stays below the project.
        folder = pathlib.Path(os.path.abspath(self.folder)).as_uri()
        return f"{folder}/{_quoted(self.file, '+')}"

    @property
    def hashed(self) -> str:
        """The URL with the hash, which installers check (:pep:`503`)."""
        return f"{self.absolute}#sha256={self.sha256}"


def find(folder: str) -> tuple[Wheel, Wheel]:
    """The shim's wheel and the fork's.

    :param folder: the folder that both are in, or its URL, or that of an index
        (:pep:`503`). Variables in a URL are expanded to read it, and stay in the text.
    :raises ShimError: one of them is missing, cannot be read, or is not this fork's.
    """
    if _URL.match(folder) and ("?" in folder or "#" in folder):
        raise ShimError(
            f"{folder} is not the URL of a folder",
            hint="leave out everything after '?' or '#'",
        )
    made = provenance.load()
    shim = _read(Wheel("flask", made.shim_version, folder), _check_shim)
    return shim, _read(Wheel("flaskfork", made.version, folder), _check_fork)


def _read(wheel: Wheel, check: t.Callable[[bytes], str | None]) -> Wheel:
    link = None
    if wheel.path:
        content = _content_of(wheel.path, wheel)
    else:
        content, link = _download(wheel)
    if strange := check(content):
        raise ShimError(
            f"is not the wheel of flaskfork {provenance.load().version}: {strange}",
            where=wheel.path or link or wheel.url,
            hint="do not install it; build both wheels again, or use the command"
            " 'flaskfork-shim' of the build that these belong to",
        )
    sha256 = hashlib.sha256(content).hexdigest()
    return Wheel(wheel.name, wheel.version, wheel.folder, sha256, link)


def _content_of(path: pathlib.Path, wheel: Wheel) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as e:
        raise ShimError(
            "not found",
            where=path,
            hint="name the folder that has both wheels of flaskfork"
            f" {provenance.load().version}; to build the one named Flask there, run"
            f" 'python -m flaskfork.shim wheel {wheel.folder}'",
        ) from e


def _download(wheel: Wheel) -> tuple[bytes, str | None]:
    """The content of a wheel at a URL, and its own URL if a page links to it."""
    try:
        return _get(str(wheel.url))[0], None
    except OSError as e:
        first = e
    for page in (f"{wheel.folder.rstrip('/')}/{wheel.name}/", f"{wheel.folder}/"):
        try:
            content, address = _get(page)
            for link in _links(content, address):
                if urllib.parse.unquote(link.rpartition("/")[2]) == wheel.file:
                    return _get(link)[0], link
        except OSError:
            continue
    raise ShimError(
        f"cannot be read: {first}",
        where=wheel.url,
        hint="name a folder, its URL, or that of an index, that has both wheels of"
        f" flaskfork {provenance.load().version}",
    ) from first


def _get(url: str) -> tuple[bytes, str]:
    expanded = os.path.expandvars(url)
    if "${" in expanded:
        raise ShimError(
            "this URL has a variable that is not set",
            where=url,
            hint="set it, so that the wheels can be read",
        )
    # The scheme is the user's choice.
    with urllib.request.urlopen(expanded, timeout=60) as response:  # noqa: S310
        return response.read(), response.url


def _links(page: bytes, address: str) -> list[str]:
    parser = _Anchors()
    parser.feed(page.decode(errors="replace"))
    links = (urllib.parse.urljoin(address, href) for href in parser.found)
    return [link.partition("#")[0] for link in links]


class _Anchors(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for key, value in attrs if key == "href" and value]


def _check_shim(content: bytes) -> str | None:
    if content == pack(provenance.load().shim_version):
        return None
    return "this flaskfork builds a different one"


def _check_fork(content: bytes) -> str | None:
    """What is strange in the fork's wheel, if anything."""
    made = provenance.load()
    info = f"flaskfork-{made.version}.dist-info/"
    known = {**made.files, "flaskfork/provenance.json": provenance.digest()}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as e:
        return str(e)
    for name in sorted(found.keys() | known.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in known and not name.startswith(info):
            return f"{name} does not belong in it"
        if name in known and known[name] != hashlib.sha256(found[name]).hexdigest():
            return f"{name} differs from the build"
    return None


def _quoted(file: str, safe: str) -> str:
    return urllib.parse.quote(file, safe=safe)
