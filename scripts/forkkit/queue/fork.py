"""The fork as its project describes it, read once and passed down."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..base.files import file_sha256
from ..base.files import Files
from ..base.paths import Project
from ..upstream.pin import Pin
from ..upstream.source import pinned_source
from ..upstream.source import release_files
from ..upstream.source import Source
from .queue import Queue


@dataclass(frozen=True)
class Fork:
    """The release and the queue on it.

    :param project: the project that they are read from.
    :param pin: the release of upstream.
    :param queue: the patches on it.
    """

    project: Project
    pin: Pin
    queue: Queue

    @classmethod
    def load(cls, project: Project) -> Fork:
        """Read pin and queue.

        :raises ForkError: one of them is missing or malformed.
        """
        pin = Pin.load(project)
        return cls(project, pin, Queue.load(project, pin))

    @functools.cached_property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the pin, the series and each patch, by path."""
        patches = (*self.queue.patches, *self.queue.disabled)
        paths = [self.project.pin, self.project.series]
        paths += [self.project.root / patch.where for patch in patches]
        return {
            self.project.relative(path): file_sha256(path.read_bytes())
            for path in paths
        }

    @functools.cached_property
    def files(self) -> Files:
        """All files of the pinned release.

        :raises ForkError: it has not been fetched, or is not the pinned one.
        """
        return release_files(self.project, self.pin)

    @functools.cached_property
    def source(self) -> Source:
        """The package and the license of the pinned release.

        :raises ForkError: as :func:`forkkit.upstream.source.pinned_source`.
        """
        return pinned_source(self.project, self.pin)
