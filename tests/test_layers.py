"""Imports between the tools' modules go down only."""

from __future__ import annotations

import ast
import pathlib

import pytest

import forkkit

FLOORS = [
    {"errors", "probe", "__init__"},
    {"project", "index"},
    {"toml", "git", "environments", "stream", "transaction"},
    {"pin", "series", "rename", "diff", "sdist", "extensions", "merge", "changelog"}
    | {"notes"},
    {"patch", "journal", "history"},
    {"queue", "upstream", "commits", "header", "compare"},
    {"incoming"},
    {"replay"},
    {"tree", "materialise", "readme", "resolution", "needs", "review"},
    {"export", "findings", "packing", "suite", "trial", "bench", "releases"}
    | {"sending", "exercise"},
    {"disabled", "evidence", "culprit", "needed"},
    {"story", "bisect"},
    {"sequence", "forecast"},
    {"verify", "ecosystem", "rebase", "author", "terminal", "absorbed", "page"},
    {"verbs.__init__", "verbs.author", "verbs.build", "verbs.carry"}
    | {"verbs.checkout", "verbs.look", "verbs.review", "verbs.state"},
    {"cli", "backend"},
    {"launch"},
]
FOLDER = pathlib.Path(forkkit.__file__).parent
MODULES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): path
    for path in FOLDER.rglob("*.py")
}
#: What a build may import: it has hatchling and the standard library, no more.
BUILD = {"hatchling", "tomli"}


def imports(path: pathlib.Path) -> set[str]:
    """The modules of forkkit that a module imports, at its top or later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = {alias.name for alias in node.names}
            inside = node.level == 1 and path.parent != FOLDER
            prefix = f"{path.parent.name}." if inside else ""
            found |= {
                prefix + name for name in ({node.module} if node.module else names)
            }
        elif isinstance(node, ast.ImportFrom) and node.module == "forkkit":
            found |= {alias.name for alias in node.names}
    return found


def reached(name: str) -> set[str]:
    """The modules that importing one loads."""
    todo, seen = {name}, set()
    while todo:
        module = todo.pop()
        seen.add(module)
        todo |= imports(MODULES[module]) - seen
    return seen


def test_every_module_has_a_floor():
    assert set().union(*FLOORS) == set(MODULES)
    assert sum(map(len, FLOORS)) == len(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_down(name):
    level = next(n for n, floor in enumerate(FLOORS) if name in floor)
    below = set().union(*FLOORS[:level])
    assert imports(MODULES[name]) <= below


def test_backend_needs_hatchling_and_the_standard_library_only():
    import sys

    if sys.version_info < (3, 10):
        pytest.skip("sys.stdlib_module_names is new in Python 3.10")
    allowed = BUILD | set(sys.stdlib_module_names)
    for name in reached("backend"):
        for node in ast.walk(ast.parse(MODULES[name].read_text())):
            if isinstance(node, ast.Import):
                tops = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                tops = {str(node.module).partition(".")[0]}
            else:
                continue
            assert tops <= allowed, f"{name} imports {tops - allowed}"


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"cli", "launch"}))
def test_only_the_command_prints_and_exits(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Name):
            assert node.id not in {"print", "exit", "quit"}
        if isinstance(node, ast.Attribute):
            assert (getattr(node.value, "id", ""), node.attr) != ("sys", "exit")
