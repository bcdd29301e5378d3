"""Both sides, upstream's Flask and the fork, and the comparison of what they play."""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import typing as t
from dataclasses import dataclass
from dataclasses import field

from forkkit.base import programs
from forkkit.base.venv import Environment

HERE = pathlib.Path(__file__).parent
#: How many differences a failure shows.
SHOWN = 5
Seen = dict[str, t.Any]
#: Puts documented differences aside, and returns the names of those that there were.
PutAside = t.Callable[[Seen, Seen], t.Iterable[str]]


@dataclass
class Sides:
    """Both sides, which have the same dependencies.

    :param folder: for the files of the applications and what is played.
    :param seed: what everything random is made from.
    """

    upstream: Environment
    fork: Environment
    folder: pathlib.Path
    seed: str
    #: How often each documented difference occurred, by net.
    occurred: dict[str, collections.Counter[str]] = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )

    def command(self, side: Environment, net: str, chunks: str) -> list[str]:
        files = str(self.folder / "files")
        return [str(side.python), str(HERE / "play.py"), net, self.seed, chunks, files]

    def play(
        self, net: str, chunks: str, *, fault: pathlib.Path | None = None
    ) -> tuple[pathlib.Path, pathlib.Path]:
        """Play the same on both sides at once, and return the files with the lines.

        :param fault: a folder with a ``sitecustomize`` for the fork's side.
        """
        outs = self.folder / f"{net}.upstream", self.folder / f"{net}.fork"
        running = []
        for side, out in zip((self.upstream, self.fork), outs):
            environ = self.environ(fault if side is self.fork else None)
            with out.open("wb") as file:
                running.append(
                    subprocess.Popen(
                        self.command(side, net, chunks),
                        stdout=file,
                        stderr=subprocess.PIPE,
                        env=environ,
                        cwd=self.folder,
                    )
                )
        said = [process.communicate()[1].decode() for process in running]
        for process, text in zip(running, said):
            assert process.returncode == 0, text
        return outs

    def environ(self, fault: pathlib.Path | None) -> dict[str, str]:
        # The order of a set depends on it, and so does the order in `Allow`.
        extra = {"PYTHONHASHSEED": "0"}
        # uv compiles nothing, and this folder stays as it is.
        extra["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        with contextlib.suppress(KeyError):
            extra["FLASKFORK_FAST"] = os.environ["FLASKFORK_FAST"]
        if fault is not None:
            extra["PYTHONPATH"] = f"{fault}{os.pathsep}{HERE}"
        return programs.clean_environ(**extra)

    def differences(
        self,
        net: str,
        chunks: str,
        put_aside: PutAside = lambda upstream, fork: (),
        fault: pathlib.Path | None = None,
    ) -> list[str]:
        """Play chunks of a net, and describe what differs.

        :raises AssertionError: a side fails, or leaves threads behind.
        """
        found = []
        played = self.play(net, chunks, fault=fault)
        with played[0].open() as theirs, played[1].open() as ours:
            line = other = ""
            for line, other in itertools.zip_longest(theirs, ours, fillvalue="{}"):
                if line != other:
                    upstream, fork = json.loads(line), json.loads(other)
                    names = [*put_aside(upstream, fork)]
                    self.occurred[net].update(names)
                    if upstream != fork:
                        found.append(described(upstream, fork))
            for last in (line, other):
                assert json.loads(last) == {"case": "end", "threads": 0}, last
        return found

    def check(self, net: str, chunks: str, put_aside: PutAside) -> None:
        """Fail with the first differences, and how to replay them, if there are any."""
        found = self.differences(net, chunks, put_aside)
        if found:
            commands = [
                " ".join(["PYTHONHASHSEED=0", *self.command(side, net, chunks)])
                for side in (self.upstream, self.fork)
            ]
            replay = f"replay with FORK_TEST_SEED={self.seed} or, with other chunks,"
            shown = [f"{len(found)} differences", *found[:SHOWN], replay, *commands]
            raise AssertionError("\n".join(shown))


def described(upstream: Seen, fork: Seen) -> str:
    """What differs in one case, part by part."""
    lines = [f"{ {k: v for k, v in upstream.items() if is_title(k)} }"]
    for name, theirs, ours in parts(upstream, fork):
        if isinstance(theirs, list) and isinstance(ours, list):
            same = sum(1 for _ in itertools.takewhile(bool, map(equal, theirs, ours)))
            theirs, ours = theirs[same:], ours[same:]
            name = f"{name}, from number {same}"
        lines += [f"  {name}", f"    upstream {theirs!r}", f"    fork     {ours!r}"]
    return "\n".join(lines)


def is_title(name: str) -> bool:
    return name not in ("got", "events", "calls")


def equal(theirs: object, ours: object) -> bool:
    return theirs == ours


def parts(
    upstream: Seen, fork: Seen, prefix: str = ""
) -> t.Iterator[tuple[str, t.Any, t.Any]]:
    """The smallest parts that differ, with their names."""
    for name in sorted({*upstream, *fork}):
        theirs, ours = upstream.get(name), fork.get(name)
        if isinstance(theirs, dict) and isinstance(ours, dict):
            yield from parts(theirs, ours, f"{prefix}{name}.")
        elif theirs != ours:
            yield f"{prefix}{name}", theirs, ours
