"""The overlay in the checkout, at a stop: what tests of a patch may need there."""

from __future__ import annotations

import pathlib

from ..pack import stage
from ..queue.checkout import Checkout
from ..queue.fork import Fork
from ..upstream.pin import Pin


def lay(fork: Fork, checkout: Checkout, pin: Pin) -> None:
    """Put the overlay beside upstream's package, out of git's sight.

    Its files are links, so that whoever changes one there changes the overlay itself.

    :param pin: the release in the checkout.
    """
    overlay = fork.project.overlay
    package = pathlib.PurePosixPath(pin.package)
    links = {
        str(package / path.name): path
        for path in sorted(overlay.iterdir())
        if path.name != "__pycache__"
    }
    known = sorted(stage.read_overlay(fork.project))
    generated = {str(package / "provenance.json"): stage.provenance(fork, known)}
    for path, content in stage.metadata(fork).items():
        generated[str(package.parent / path)] = content
    checkout.lay(links, generated)
