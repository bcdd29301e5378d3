"""One in four of what takes long, and over the commits all of it."""

from __future__ import annotations

import functools
import os
import pathlib
import random
import subprocess
import typing as t

T = t.TypeVar("T")

#: One in how many is chosen.
SHARE = 4


def sampled(items: t.Iterable[T], *, everything: bool) -> list[T]:
    """The items that are tried, in their order.

    :param everything: whether that is all of them.
    """
    items = [*items]
    if everything or not items:
        return items
    chance = random.Random(f"{seed()} {len(items)}")
    chosen = chance.sample(range(len(items)), -(-len(items) // SHARE))
    return [items[number] for number in sorted(chosen)]


@functools.lru_cache(maxsize=1)
def seed() -> str:
    """What decides which ones are chosen: FORK_TEST_SEED, or the commit's hash."""
    if given := os.environ.get("FORK_TEST_SEED"):
        return given
    root = pathlib.Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        # As in an unpacked sdist.
        return "no commit"
    return done.stdout.strip()
