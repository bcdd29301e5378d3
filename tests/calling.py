"""Calls the maintainer's command within the process of the tests.

A separate process would spend most of its time on starting Python. The state that
processes do not share is restored after each call: streams, folder, environment
variables, arguments and caches.
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

#: Environment variables that Python or its library reads only once, at the start.
_READ_ONCE = ("LANG", "LC_", "TEMP", "TMP", "TZ")


def can_be_called(env: t.Mapping[str, str]) -> bool:
    """Whether a command with these variables can run without a separate process."""
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
    """Run the command on a project, as a process in the project's folder would.

    :param args: the arguments of the command.
    :param env: its environment variables.
    """
    forget()
    before = os.getcwd()
    with contextlib.ExitStack() as stack:
        stack.enter_context(at(project))
        stack.enter_context(mock.patch.object(sys, "argv", ["scripts/fork", *args]))
        stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
        # Warnings are errors here, as in every test.
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
    """Make the tools work only on this project in the ``with`` block."""
    with contextlib.ExitStack() as stack:
        # In every module that imports it: a verb must never touch the real project.
        for module in modules():
            if "here" in vars(module):
                patch = mock.patch.object(module, "here", return_value=project)
                stack.enter_context(patch)
        yield


def modules() -> list[types.ModuleType]:
    """All modules of the tools, including every verb."""
    for verb in cli.VERBS:
        assert cli.cli.get_command(click.Context(cli.cli), verb)
    return [
        module
        for name, module in [*sys.modules.items()]
        if name.partition(".")[0] == "forkkit"
    ]


def forget() -> None:
    """Clear the caches of the tools, which would not outlive a process."""
    for module in modules():
        for value in [*vars(module).values()]:
            if clear := getattr(value, "cache_clear", None):
                clear()


def _run() -> int:
    """Run the command, and return the exit code that the interpreter would."""
    try:
        cli.main()
    except SystemExit as e:
        _let_go(e)
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
            return 1
        return int(e.code or 0)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _let_go(error: BaseException | None) -> None:
    """Release what the frames of an error hold, as the end of a process would."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


@contextlib.contextmanager
def _streams() -> t.Iterator[tuple[t.IO[str], t.IO[str]]]:
    """Redirect the streams of this process and its child processes to files."""
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
            # Error messages show the name.
            stream.buffer.raw.name = f"<{name}>"
            stack.enter_context(mock.patch.object(sys, name, stream))
        yield out, err
