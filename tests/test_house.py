"""The structure of the tools: their imports, and how often they read the files."""

from __future__ import annotations

import ast
import collections
import pathlib
import subprocess
import sys
import typing as t

import pytest

import forkkit
import toy
from forkkit import cli
from forkkit.queue.fork import Fork
from forkkit.queue.patch import Patch
from forkkit.sequencer import edit
from forkkit.sequencer.worktree import Worktree
from forkkit.upstream.pin import Pin

FOLDER = pathlib.Path(forkkit.__file__).parent
MODULES = {
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts): path
    for path in FOLDER.rglob("*.py")
}
#: The modules that a build may import: hatchling and the standard library.
BUILD = {"forkkit", "hatchling", "tomli"}


def test_imports_go_down():
    """The contract is in pyproject.toml, the only place that lists the layers."""
    done = subprocess.run(
        [pathlib.Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=FOLDER.parents[1],
        env=toy.clean_environ(PYTHONPATH=str(FOLDER.parent)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_every_package_has_a_layer():
    import tomllib

    settings = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    [contract] = settings["tool"]["importlinter"]["contracts"]
    listed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    there = {path.name for path in FOLDER.iterdir() if (path / "__init__.py").exists()}
    there |= {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert listed == there


@pytest.mark.skipif(sys.version_info < (3, 10), reason="needs sys.stdlib_module_names")
def test_the_build_needs_hatchling_and_the_standard_library_only():
    allowed = BUILD | set(sys.stdlib_module_names)
    code = (
        "import sys, hatchling.build; before = {*sys.modules}; import forkkit.backend;"
        "print(*{name for name in sys.modules if name not in before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=toy.clean_environ(PYTHONPATH=str(FOLDER.parent)),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert "forkkit.pack.stage" in loaded
    assert {name.partition(".")[0] for name in loaded} <= allowed
    assert {name.partition(".")[0] for name in late_imports(loaded)} <= allowed | LATE


#: Imported inside functions that a build does not call.
LATE = {"filelock", "tomlkit"}


def late_imports(loaded: list[str]) -> t.Iterator[str]:
    """The third-party modules that the loaded ones import later."""
    for name in loaded:
        if name in MODULES:
            for node in ast.walk(ast.parse(MODULES[name].read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    yield str(node.module)


@pytest.mark.parametrize(
    "name", sorted(set(MODULES) - {"forkkit.cli", "forkkit.launch"})
)
def test_only_the_command_prints_and_exits(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Name):
            assert node.id not in {"print", "exit", "quit"}
        if isinstance(node, ast.Attribute):
            assert (getattr(node.value, "id", ""), node.attr) != ("sys", "exit")
            if not name.startswith("forkkit.verbs."):
                assert (getattr(node.value, "id", ""), node.attr) != ("click", "echo")


def test_no_module_is_imported_by_another_name():
    """For the module queue, a name such as queues would be a second vocabulary."""
    known = {"typing", "hatchling.build", "xml.etree.ElementTree"}
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                module = getattr(node, "module", None)
                for alias in node.names:
                    name = f"{module}.{alias.name}" if module else alias.name
                    if alias.asname and name not in known | {"tomli"}:
                        pytest.fail(f"{path}: {ast.unparse(node)}")


def test_the_world_is_read_once(tmp_path, monkeypatch):
    """A rebase of two patches loads the pin once, and parses each patch twice.

    Once at the start; once at the end, when the written file is read again.
    """
    project = toy.with_releases(tmp_path / "toy")
    counts: collections.Counter[str] = collections.Counter()

    def count(kind: type, method: str, name: t.Callable[..., str]) -> None:
        plain = getattr(kind, method).__func__

        def counted(cls: type, *args: t.Any, **kwargs: t.Any) -> t.Any:
            made = plain(cls, *args, **kwargs)
            counts[name(made)] += 1
            return made

        monkeypatch.setattr(kind, method, classmethod(counted))

    count(Pin, "load", lambda pin: "the pin")
    count(Patch, "parse", lambda patch: patch.name)
    fork = Fork.load(project.project)
    edit.rebase(fork, Worktree.of(project.project), "1.1")
    assert counts == {"the pin": 1, "loud": 2, "comma": 2}


def test_helps_are_short():
    for verb in cli.VERBS:
        command = cli.cli.get_command(None, verb)
        assert command is not None
        text = command.get_short_help_str(100)
        assert 0 < len(text) <= 45, f"{verb}: {text}"


def test_help_fits_a_terminal(tmp_path):
    project = toy.make(tmp_path / "toy")
    for args in (["--help"], *([verb, "--help"] for verb in cli.VERBS)):
        lines = project.fork(*args).stdout.splitlines()
        assert max(map(len, lines)) <= 80, args
