"""Finding the files that changes from elsewhere were made to."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

from ..base.errors import ForkError
from ..base.files import Files
from ..carry.changes import Change
from ..carry.changes import changes_of
from ..queue.fork import Fork
from ..queue.incoming import Origin
from ..queue.patch import Patch
from ..upstream import releases
from ..upstream.history import History
from ..upstream.source import release_files


def changes(
    fork: Fork, patches: list[Patch], below: Files, origin: Origin
) -> list[Change]:
    """The changes of patches from elsewhere, in the files that they were made to.

    These are the queue's own, or else those that have the blobs that the diff names:
    a release's, or some commit's of upstream's. Without such blobs, it is the first
    release to which the patches apply.

    :param below: the files of the queue where the patches are to be.
    :raises ForkError: the patches apply to none of these.
    """
    try:
        return changes_of(patches, below, offsets=True)
    except ForkError as e:
        for files in _candidates(fork, below, origin):
            with contextlib.suppress(ForkError):
                return changes_of(patches, files, offsets=True)
        raise ForkError(
            f"{e.what}; nor does it apply to any release in upstream/cache",
            where=e.where,
            hint="download the release it was made for with `scripts/fork forecast"
            " VERSION`, keep a clone of upstream at upstream/history, or recreate the"
            " patch on the queue",
        ) from e


def _candidates(fork: Fork, below: Files, origin: Origin) -> t.Iterator[Files]:
    cached = releases.in_cache(fork.project, fork.pin)
    found = [release_files(fork.project, release) for release in cached]
    # With the blobs, a merge begins where the change was made, as that of `git am -3`.
    if any(origin.blobs.values()):
        yield from (files for files in found if _has(files, origin.blobs))
    if history := History.find(fork.project):
        yield from _in_history(history, fork.pin.package, below, origin)
    yield from found


def _in_history(
    history: History, package: str, below: Files, origin: Origin
) -> t.Iterator[Files]:
    """Files of commits that may be those that a change was made to.

    :param below: has the files outside the package.
    """
    around = {p: data for p, data in below.items() if not p.startswith(f"{package}/")}
    for commit in origin.commits[:1]:
        if there := history.before(commit, package):
            yield around | there
    known = {path: blob for path, blob in origin.blobs.items() if blob}
    if there := history.files_with(known, package):
        for files in (around | there, below | {path: there[path] for path in known}):
            yield {p: d for p, d in files.items() if origin.blobs.get(p) != ""}


def _has(files: Files, blobs: t.Mapping[str, str]) -> bool:
    """Whether files are those that git gave these ids, which may be shortened."""
    return all(
        path in files and _blob_id(files[path]).startswith(blob)
        if blob
        else path not in files
        for path, blob in blobs.items()
    )


def _blob_id(content: bytes) -> str:
    whole = b"blob %d\0%s" % (len(content), content)
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
