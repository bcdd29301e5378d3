"""Plays the cases of a net on the installed package `flask`, whichever that is.

    python play.py NET SEED CHUNKS FOLDER

Writes one line of JSON for each case that it plays. CHUNKS are numbers as in a slice,
such as 0:20 or 3:640:16. What is random comes from the seed and the number of the chunk
only. FOLDER holds the files of the applications, and is the same for both sides.
"""

from __future__ import annotations

import gc
import importlib
import json
import pathlib
import sys
import threading
import time
import warnings
from random import Random

import clock


def main(net: str, seed: str, chunks: str, folder: str) -> None:
    """Play chunks and, at the end, say how many threads are left."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(f"{net}_net")
    for chunk in range(*map(int, chunks.split(":"))):
        rng = Random(f"{seed} {net} {chunk}")
        for number, seen in enumerate(module.play(rng, chunk, pathlib.Path(folder))):
            print(json.dumps({"case": [chunk, number], **seen}))
        # The executor of asgiref's loop is in a cycle, and holds a thread.
        gc.collect()
    print(json.dumps({"case": "end", "threads": threads_left()}))


def threads_left() -> int:
    """The number of threads besides this one, after those that end have ended."""
    for _ in range(40):
        gc.collect()
        if threading.active_count() == 1:
            break
        time.sleep(0.05)
    return threading.active_count() - 1


if __name__ == "__main__":
    clock.stop()
    main(*sys.argv[1:])
