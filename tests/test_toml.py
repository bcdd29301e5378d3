"""Changing a value in TOML leaves everything else as it is."""

from __future__ import annotations

import pytest

import toy
from forkkit.base import toml
from forkkit.base.errors import ForkError
from forkkit.base.paths import Project
from forkkit.sequencer import repin

OWN = toy.HERE.joinpath("pyproject.toml").read_bytes()


def with_version(data, version="2.0.1"):
    return toml.with_value(data, "project", "version", version, where="x.toml")


@pytest.mark.parametrize(
    "line",
    [
        b'version = "1.0.1"',
        b"version = '1.0.1'",
        b'version="1.0.1"',
        b'  version   =\t"1.0.1"   # version = "1.0.1"',
        b"'version' = '1.0.1' # why",
        b'"version" = "1.0.1"\t#',
    ],
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_only_the_value_changes(line, newline):
    lines = [
        b"# A comment.",
        b"[tool.a]",
        b'version = "1.0.1"',
        b"",
        b"[project] # Ours.",
        b'name = "x"  # version = "1.0.1"',
        line,
        b"list = [",
        b'    "b",   # Sorted.',
        b"    'a',",
        b"]",
        b'text = """',
        b'version = "1.0.1"',
        b'"""',
        b"",
        b"[project.urls]",
        b"version = '1.0.1'",
        b"",
        b"[z]",
        b'version = "1.0.1"',
    ]
    # Without a comment, the value is the last on the line; with one, the first.
    changed = [*lines]
    place = line.rindex(b"1.0.1") if b"#" not in line else line.index(b"1.0.1")
    changed[6] = line[:place] + b"2.0.1" + line[place + 5 :]
    for end in (b"", newline):
        assert with_version(newline.join(lines) + end) == newline.join(changed) + end


@pytest.mark.parametrize(
    "text",
    [
        b'project.version = "1.0.1"\nproject.name = "x"\n',
        b'project = {name = "x", version = "1.0.1"}\n',
        b'[project.urls]\na = "b"\n[z]\n[project]\nname = "x"\nversion = "1.0.1" # c\n',
        b'[project]\nversion = "1.0.1"\n[z]\nversion = "0"\n[project.urls]\na = "b"\n',
    ],
)
def test_tables_of_every_form(text):
    assert with_version(text) == text.replace(b"1.0.1", b"2.0.1")


def test_own_file_keeps_its_bytes():
    old = toml.loads(OWN, where="pyproject.toml")["project"]["version"]
    assert with_version(OWN, old) == OWN
    new = with_version(OWN)
    assert new == OWN.replace(old.encode(), b"2.0.1", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "there is no string [project] version"),
        (b"version = '1'\n", "there is no string [project] version"),
        (b"project = 1\n", "there is no string [project] version"),
        (b"[project]\ndynamic = ['version']\n", "no string [project] version"),
        (b"[project]\nversion = 1\n", "there is no string [project] version"),
        (b"[project\n", "is not valid TOML"),
        (b"\xff\n", "is not valid TOML"),
    ],
)
def test_no_version_to_change(text, expected):
    with pytest.raises(ForkError) as error:
        with_version(text)
    assert str(error.value).startswith("x.toml: ")
    assert expected in str(error.value)


def test_version_of_another_pin(tmp_path):
    tmp_path.joinpath("pyproject.toml").write_bytes(b"[project]\nversion = '1.0.1'#\n")
    changed = repin.with_version(Project(tmp_path), "2.0.1")
    assert changed == b"[project]\nversion = '2.0.1'#\n"
