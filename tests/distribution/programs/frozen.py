"""Runs from a single archive or file: the shop, and all that asks for modules.

Without arguments it prints what it found, as JSON; with them it is the command flask.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import multiprocessing
import pickle
import pkgutil
import sys

import flask.cli
import flask.testing
import flask.views
import shop

MODULES = ["", ".app", ".cli", ".json.tag", ".sansio.app", ".testing", ".views"]
VISITS = ["/", "/terms", "/basket/order"]


def main() -> None:
    logging.disable()
    print(
        json.dumps(
            {
                "visits": [shop.visit(path) for path in VISITS],
                "names": [name_of(f"flask{name}") for name in MODULES],
                "missing": [
                    importlib.util.find_spec("flask.nope"),
                    importlib.util.find_spec("flask.views") is not None,
                ],
                "modules": [m.name for m in pkgutil.iter_modules(flask.__path__)],
                "pickled": pickle.loads(b"cflask.views\nMethodView\n.").__name__,
                "reloaded": importlib.reload(flask.signals).__name__,
                "spawned": spawn(),
            }
        )
    )


def name_of(module: str) -> str:
    """The module's ``__name__``, under which it must be the same module."""
    found = importlib.import_module(module)
    assert sys.modules[found.__name__] is sys.modules[module] is found
    return found.__name__


def spawn() -> list[object]:
    """The answer of another process, which imports the modules itself."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(shop.visit, ["/terms"])


if __name__ == "__main__":
    multiprocessing.freeze_support()
    if len(sys.argv) > 1:
        flask.cli.cli.main(prog_name="flask")
    main()
