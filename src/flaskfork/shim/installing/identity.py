"""Compares what is installed with the build of the fork that runs this.

Another ``flaskfork`` or ``Flask`` under the same version is found by its files. A fork
that is itself a stranger's can report anything; it is found by its shim, which has the
hash of the fork that it was made for, or by the command of a fork elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import pathlib
import typing as t
from dataclasses import dataclass

from ... import provenance
from ..errors import ShimError
from ..wheel.build import contents
from ..wheel.build import MADE_FOR

_PROVENANCE = "flaskfork/provenance.json"
_OWN = pathlib.Path(provenance.__file__).parent


@dataclass(frozen=True)
class Stranger:
    """Something that this fork did not build.

    :param what: about the file or folder ``where``, as the rest of a sentence.
    """

    what: str
    where: pathlib.Path


def strangers(
    package: pathlib.Path, fork: pathlib.Path, shim: pathlib.Path | None
) -> t.Iterator[Stranger]:
    """What is not this fork's in a package, its metadata and the shim.

    :param package: the folder of the package flaskfork.
    :param fork: that of its metadata.
    :param shim: that of the shim's metadata, if it is there.
    """
    found = [*_of_fork(package, fork)]
    yield from found
    if shim is None:
        return
    # A fork that has been changed here would write another shim.
    if not (found and package == _OWN):
        yield from _of_shim(shim)
    yield from _made_for_another(package, fork, shim)


def is_upstream(package: pathlib.Path) -> bool:
    """Whether a package is the release of Flask that this fork was built from."""
    upstream = provenance.load().upstream
    # As the pin's: one hash over the sorted paths and hashes of the files.
    root = upstream.folder.removesuffix(package.name)
    lines = (
        f"{_sha256((package.parent / path).read_bytes())}  {root}{path}\n"
        for path in sorted(_files(package))
    )
    return _sha256("".join(lines).encode()) == upstream.package


def _source_of(info: pathlib.Path) -> str:
    """Where a distribution came from, as its installer noted (:pep:`610`)."""
    where = "an index"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        text = (info / "direct_url.json").read_text(encoding="utf-8")
        where = str(json.loads(text)["url"])
    return f"; it was installed from {where}"


def _of_fork(package: pathlib.Path, info: pathlib.Path) -> t.Iterator[Stranger]:
    """The files of the package that are not in the build, or differ from it."""
    expected = provenance.load().files
    for path in sorted({*expected, *_files(package)} - {_PROVENANCE}):
        file = package.parent / path
        if path not in expected:
            yield Stranger(f"does not belong to flaskfork{_source_of(info)}", file)
        elif file.is_file() and expected[path] != _sha256(file.read_bytes()):
            what = "is not the file that flaskfork was built with"
            yield Stranger(what + _source_of(info), file)
    recorded = package / "provenance.json"
    what = "is from another build of flaskfork"
    if not recorded.is_file() or _sha256(recorded.read_bytes()) != provenance.digest():
        yield Stranger(what + _source_of(info), recorded)


def _of_shim(info: pathlib.Path) -> t.Iterator[Stranger]:
    """The files of the shim that this fork would write differently."""
    version = info.name.removesuffix(".dist-info").partition("-")[2]
    try:
        expected = contents(version)
    except ShimError:
        # Doctor reports what is wrong with the fork.
        return
    for path, text in expected.items():
        file = info.parent / path
        if file.name == MADE_FOR and not file.is_file():
            yield Stranger("does not say which flaskfork it was made for", info)
        elif file.name != MADE_FOR and file.is_file() and _differs(file, text):
            yield Stranger("is not the file that belongs in flaskfork's shim", file)


def _made_for_another(
    package: pathlib.Path, fork: pathlib.Path, shim: pathlib.Path
) -> t.Iterator[Stranger]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        wanted = json.loads((shim / MADE_FOR).read_text(encoding="utf-8"))["provenance"]
        if wanted != _sha256((package / "provenance.json").read_bytes()):
            what = "is not the flaskfork that the shim beside it was made for"
            yield Stranger(what + _source_of(fork), fork)


def _files(package: pathlib.Path) -> set[str]:
    """The paths of a package's files, except for byte code."""
    return {
        file.relative_to(package.parent).as_posix()
        for file in package.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }


def _differs(file: pathlib.Path, text: str) -> bool:
    return file.read_bytes() != text.encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
