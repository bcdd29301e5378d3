"""The maintainer's command, called in the process of the tests.

A process of its own spends most of its time on starting Python. What two of them do not
share is put back after each call: streams, folder, variables, arguments and caches.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import traceback
import types
import typing as t
import warnings
from unittest import mock

import click

from forkkit import cli

if t.TYPE_CHECKING:
    from toy import Project

#: The variables that are read once: when Python or a module of its library starts.
_READ_ONCE = ("LANG", "LC_", "TEMP", "TMP", "TZ")


def can_be_called(env: t.Mapping[str, str]) -> bool:
    """Whether a command with these variables needs no process of its own."""
    if any(name.startswith("PYTHON") for name in env):
        return False
    ours, theirs = (
        {name: text for name, text in variables.items() if name.startswith(_READ_ONCE)}
        for variables in (os.environ, env)
    )
    return ours == theirs


def call(
    project: Project, args: t.Sequence[str], env: t.Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command on a project as a process in its folder would."""
    forget()
    before = os.getcwd()
    with contextlib.ExitStack() as stack:
        stack.enter_context(at(project))
        stack.enter_context(mock.patch.object(sys, "argv", ["scripts/fork", *args]))
        stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
        # What warns is an error here, as in every test.
        stack.enter_context(warnings.catch_warnings())
        out, err = stack.enter_context(_streams())
        stack.callback(os.chdir, before)
        os.chdir(project.root)
        code = _run()
        sys.stdout.flush()
        sys.stderr.flush()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(args, code, out.read(), err.read())


@contextlib.contextmanager
def at(project: Project) -> t.Iterator[None]:
    """Have the tools work on a project in the ``with`` block, and on no other."""
    with contextlib.ExitStack() as stack:
        # Wherever it was imported to: a verb must never work on the maintainer's own.
        for module in modules():
            if "here" in vars(module):
                patch = mock.patch.object(module, "here", return_value=project)
                stack.enter_context(patch)
        yield


def modules() -> list[types.ModuleType]:
    """The modules of the tools, all verbs among them."""
    for verb in cli.VERBS:
        assert cli.cli.get_command(click.Context(cli.cli), verb)
    return [
        module
        for name, module in [*sys.modules.items()]
        if name.partition(".")[0] == "forkkit"
    ]


def forget() -> None:
    """Empty the caches of the tools, which end with a process."""
    for module in modules():
        for value in [*vars(module).values()]:
            if clear := getattr(value, "cache_clear", None):
                clear()


def _run() -> int:
    """Run the command, and end as the interpreter would."""
    try:
        cli.main()
    except SystemExit as e:
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
            return 1
        return int(e.code or 0)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextlib.contextmanager
def _streams() -> t.Iterator[tuple[t.IO[str], t.IO[str]]]:
    """Have the streams of this process, and of all that it starts, go to files."""
    like = [sys.__stdin__, sys.__stdout__, sys.__stderr__]
    with contextlib.ExitStack() as stack:
        nothing = stack.enter_context(open(os.devnull))
        out, err = (
            stack.enter_context(tempfile.TemporaryFile("w+", encoding=stream.encoding))
            for stream in like[1:]
        )
        for number, file in enumerate((nothing, out, err)):
            name, mode = ("stdin", "stdout", "stderr")[number], "rw"[number > 0]
            if number:
                getattr(sys, name).flush()
            stack.callback(os.close, kept := os.dup(number))
            stack.callback(os.dup2, kept, number)
            os.dup2(file.fileno(), number)
            stream = stack.enter_context(
                open(
                    number,
                    mode,
                    buffering=1 if name == "stderr" else -1,
                    encoding=like[number].encoding,
                    errors=like[number].errors,
                    closefd=False,
                )
            )
            # Errors tell it.
            stream.buffer.raw.name = f"<{name}>"
            stack.enter_context(mock.patch.object(sys, name, stream))
        yield out, err
