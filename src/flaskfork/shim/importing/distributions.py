"""The distribution that programs find by the name ``flask``: its version is Flask's.

The wheel named Flask has a version with a local part, by which installers tell it from
upstream's. Programs take Flask's version apart and know no local part. So while the
fork is loaded, ``importlib.metadata.version("flask")`` is the version of Flask that the
fork is based on, regardless of which Flask is installed, if any.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import pathlib
import re
import sys
import typing as t

from .aliases import ALIAS
from .aliases import FORK

_PACKAGE = pathlib.Path(os.path.abspath(__file__)).parents[2]
# Where the metadata of wheels, of eggs, and of eggs that are one file is read.
_METADATA = ("METADATA", "PKG-INFO", "")


def find(context: t.Any, finders: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
    """Find Flask where it is searched for by name, and not in a folder.

    Tools that list distributions, or look into an environment, see what is installed.

    :param context: a ``DistributionFinder.Context``, also that of the backport
        ``importlib_metadata``.
    :param finders: the other finders on ``sys.meta_path``.
    """
    if str(context.name).lower() == ALIAS and context.path is sys.path:
        finders = [one for one in finders if hasattr(one, "find_distributions")]
        yield _installed(context, finders) or _made_up(context, finders)


def _installed(context: t.Any, finders: t.Iterable[t.Any]) -> t.Any:
    """The Flask that is installed, if any, with Flask's own version."""
    if found := _first(context, finders):
        found.read_text = functools.partial(_read_text, found.read_text)
    return found


def _made_up(context: t.Any, finders: t.Iterable[t.Any]) -> t.Any:
    """A Flask that requires and offers what the fork does, as upstream's would."""
    found = _first(type(context)(name=FORK), finders)
    text = found and found.read_text("METADATA")
    if not text:
        # The fork was copied here, or frozen, without its metadata.
        from importlib.metadata import PathDistribution

        found = PathDistribution(_PACKAGE)
        text = "Metadata-Version: 2.1\nName:\nVersion:\n"
    text = re.sub("(?m)^Name:.*", "Name: Flask", text, count=1)
    found.read_text = functools.partial(_read_text, {"METADATA": text}.get)
    return found


def _first(context: t.Any, finders: t.Iterable[t.Any]) -> t.Any:
    for finder in finders:
        for found in finder.find_distributions(context):
            # The finder may keep its own.
            return copy.copy(found)
    return None


def _read_text(read: t.Callable[[str], str | None], filename: str) -> str | None:
    """Read a file of the metadata, with Flask's own version."""
    text = read(filename)
    if text and filename in _METADATA:
        version = f"Version: {_api_level()}"
        return re.sub("(?m)^Version:.*", version, text, count=1)
    return text


@functools.cache
def _api_level() -> str:
    # Through the loader: the fork's own module could be asked only by importing the
    # fork, which may be what this is called from.
    loader: t.Any = t.cast(t.Any, __spec__).loader
    try:
        made = json.loads(loader.get_data(str(_PACKAGE / "provenance.json")))
    except OSError:
        # Compiled into a program, without the file. Nuitka computes this call.
        import importlib.metadata

        return importlib.metadata.version("flaskfork").rpartition(".")[0]
    return str(made["upstream"]["version"])
