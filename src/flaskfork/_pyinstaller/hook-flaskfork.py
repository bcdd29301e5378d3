"""The parts of the fork that PyInstaller cannot find by reading its imports."""

from __future__ import annotations

import pathlib
import pkgutil

_package = pathlib.Path(__file__).parents[1]

# What ``flask --version`` shows.
datas = [(str(_package / "provenance.json"), "flaskfork")]
# What tells a program the versions of both.
datas += [
    (str(_info), _info.name)
    for _name in ("flaskfork", "[Ff]lask")
    for _info in _package.parent.glob(f"{_name}-*.dist-info")
]
# A program that imports flaskfork.shim imports these by the other name, and the modules
# that restore old names are named in tables only.
hiddenimports = [
    f"{parent}.{module.name}"
    for parent in ("flaskfork", "flaskfork.legacy")
    for module in pkgutil.iter_modules([str(_package.joinpath(*parent.split(".")[1:]))])
    if module.name not in ("_nuitka", "_pyinstaller")
]
