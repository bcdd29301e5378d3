"""A separate Python, like an operating system's: not a virtual environment."""

from __future__ import annotations

import pathlib
import shutil
import sys
import sysconfig

from forkkit.base.venv import Environment


def make(root: pathlib.Path) -> Environment:
    """Make a Python at ``root`` like the running one, without packages.

    They share the standard library.
    """
    base = pathlib.Path(sys.base_prefix)
    stdlib = pathlib.Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    here = root / stdlib.relative_to(base)
    for folder in (stdlib, stdlib.parent):
        target = root / folder.relative_to(base)
        target.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path != stdlib and path.name != "site-packages":
                target.joinpath(path.name).symlink_to(path)
    here.joinpath("site-packages").mkdir()
    root.joinpath("bin").mkdir()
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    shutil.copy(base / "bin" / name, root / "bin" / "python")
    return Environment(root)
