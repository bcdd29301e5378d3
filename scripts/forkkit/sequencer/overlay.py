"""The overlay in the checkout, at a stop: what tests of a patch may need there."""

from __future__ import annotations

import pathlib

from ..base.files import read_folder
from ..pack import stage
from ..queue import bodies
from ..queue import lean
from ..queue.checkout import Checkout
from ..queue.fork import Fork
from ..upstream.pin import Pin


def lay(fork: Fork, checkout: Checkout, pin: Pin) -> None:
    """Put the overlay beside upstream's package, out of git's sight.

    Its files are links, so that whoever changes one there changes the overlay itself.
    Lean bodies for functions that are not the same there are left out.

    :param pin: the release in the checkout.
    """
    overlay = fork.project.overlay
    package = pathlib.PurePosixPath(pin.package)
    links = {
        str(package / path.relative_to(overlay)): path
        for folder in (overlay, overlay / bodies.FOLDER)
        for path in sorted(folder.glob("*"))
        if path.name not in {"__pycache__", bodies.FOLDER}
    }
    known = sorted(stage.read_overlay(fork.project))
    generated = {str(package / "provenance.json"): stage.provenance(fork, known)}
    # In place of the overlay's own.
    if links.pop(str(package / lean.LEFT_OUT), None):
        there = {
            f"{package}/{path}": content
            for path, content in read_folder(checkout.folder / package).items()
        }
        parts = lean.left_out(
            lean.states(bodies.load(fork.project), there, pin.package)
        )
        generated[str(package / lean.LEFT_OUT)] = lean.render_left_out(parts)
    for path, content in stage.metadata(fork).items():
        generated[str(package.parent / path)] = content
    checkout.lay(links, generated)
