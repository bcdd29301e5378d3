"""What of the fork is needed and cannot be found by reading its imports."""

from __future__ import annotations

import pathlib
import pkgutil

_package = pathlib.Path(__file__).parents[1]

# What ``flask --version`` shows.
datas = [(str(_package / "provenance.json"), "flaskfork")]
# A program that imports flaskfork.shim imports these by the other name.
hiddenimports = [f"flaskfork.{m.name}" for m in pkgutil.iter_modules([str(_package)])]
