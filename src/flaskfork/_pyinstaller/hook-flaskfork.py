"""What of the fork is needed and cannot be found by reading its imports."""

from __future__ import annotations

import contextlib
import importlib.metadata
import pathlib
import pkgutil

from PyInstaller.utils.hooks import copy_metadata

_package = pathlib.Path(__file__).parents[1]

# What ``flask --version`` shows.
datas = [(str(_package / "provenance.json"), "flaskfork")]
# What a program is told that asks for the version of either.
for _name in ("flaskfork", "Flask"):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        datas += copy_metadata(_name)
# A program that imports flaskfork.shim imports these by the other name, and what gives
# back old names is named in tables.
hiddenimports = [
    f"{parent}.{module.name}"
    for parent in ("flaskfork", "flaskfork.legacy")
    for module in pkgutil.iter_modules([str(_package.joinpath(*parent.split(".")[1:]))])
    if module.name != "_pyinstaller"
]
