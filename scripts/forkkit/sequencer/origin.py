"""What changes from elsewhere were made to."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

from ..base.errors import ForkError
from ..base.files import Files
from ..carry.changes import Change
from ..carry.changes import changes_of
from ..queue.fork import Fork
from ..queue.patch import Patch
from ..upstream import releases
from ..upstream.history import History
from ..upstream.source import release_files


def changes(
    fork: Fork, patches: list[Patch], below: Files, blobs: t.Mapping[str, str]
) -> list[Change]:
    """The changes of patches from elsewhere, in the files that they were made to.

    These are the queue's own, or else those that have the blobs that the diff names:
    a release's, or some commit's of upstream's. Without such blobs, it is the first
    release to which the patches apply.

    :param below: the files of the queue where the patches are to be.
    :param blobs: git's ids of files before the patches, by path.
    :raises ForkError: the patches apply to none of these.
    """
    try:
        return changes_of(patches, below, offsets=True)
    except ForkError as e:
        for files in _candidates(fork, below, blobs):
            with contextlib.suppress(ForkError):
                return changes_of(patches, files, offsets=True)
        raise ForkError(
            f"{e.what}; nor does it apply to any release in upstream/cache",
            where=e.where,
            hint="download the release it was made for with `scripts/fork forecast"
            " VERSION`, keep a clone of upstream at upstream/history, or recreate the"
            " patch on the queue",
        ) from e


def _candidates(
    fork: Fork, below: Files, blobs: t.Mapping[str, str]
) -> t.Iterator[Files]:
    cached = releases.in_cache(fork.project, fork.pin)
    found = [release_files(fork.project, release) for release in cached]
    # With the blobs, a merge begins where the change was made, as that of `git am -3`.
    yield from (files for files in found if blobs and _has(files, blobs))
    history = History.find(fork.project)
    if history and blobs:
        package = f"{fork.pin.package}/"
        around = {p: data for p, data in below.items() if not p.startswith(package)}
        there = history.files_with(blobs, fork.pin.package)
        if there:
            yield {**around, **there}
            yield {**below, **{path: there[path] for path in blobs if path in there}}
    yield from found


def _has(files: Files, blobs: t.Mapping[str, str]) -> bool:
    """Whether files are those that git gave these ids, which may be shortened."""
    return all(
        path in files and _blob_id(files[path]).startswith(blob)
        for path, blob in blobs.items()
    )


def _blob_id(content: bytes) -> str:
    whole = b"blob %d\0%s" % (len(content), content)
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
