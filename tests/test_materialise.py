from __future__ import annotations

import json

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.pack import rename
from forkkit.pack import stage as materialise


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def stage(project: toy.Toy) -> dict[str, bytes]:
    project.fork("materialise")
    folder = project.project.stage
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_stage_is_queue_rename_and_overlay(project):
    files = stage(project)
    assert sorted(files) == [
        "LICENSE",
        "LICENSE.flask.txt",
        "README.md",
        "flaskfork/__init__.py",
        "flaskfork/app.py",
        "flaskfork/extra.py",
        "flaskfork/provenance.json",
        "pyproject.toml",
    ]
    assert b'NAME = "flaskfork"' in files["flaskfork/app.py"]
    assert b"BYE" in files["flaskfork/app.py"]
    assert b'COMMA = ","' in files["flaskfork/app.py"]
    assert files["LICENSE.flask.txt"] == toy.UPSTREAM["LICENSE.txt"]


def test_provenance_says_what_the_package_was_made_of(project):
    values = json.loads(stage(project)["flaskfork/provenance.json"])
    assert values["version"] == "1.0.1"
    assert values["upstream"]["name"] == "Flask"
    assert values["upstream"]["version"] == "1.0"
    assert [patch["name"] for patch in values["patches"]] == ["loud", "comma"]
    assert values["overlay"] == ["flaskfork/extra.py", "flaskfork/provenance.json"]


def test_stage_holds_nothing_from_before(project):
    stage(project)
    (project.project.stage / "flaskfork" / "old.py").write_text("")
    assert "flaskfork/old.py" not in stage(project)


def test_failure_leaves_the_stage_as_it_was(project):
    before = stage(project)
    project.edit("patches/comma.patch", "# Keep it short.", "# Keep it long.")
    project.fork("materialise", code=1)
    folder = project.project.stage
    assert (folder / "flaskfork/app.py").read_bytes() == before["flaskfork/app.py"]
    assert [path.name for path in project.project.build.iterdir()] == ["stage"]


def test_overlay_must_not_hide_what_upstream_has(project):
    (project.root / "src/flaskfork/app.py").write_text("")
    done = project.fork("materialise", code=1)
    assert "flaskfork/app.py: is in upstream's package too" in done.stderr


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("count = 1", "count = 2", "in flaskfork/app.py, found 1"),
        ('NAME = "flask"$', 'NAME = "nope"$', "found 0"),
        ('NAME = "flask"$', 'NAME = "nope"$', "flaskfork/app.py:1: 'flask' is left"),
        ("find = '^NAME", "find = '^NAME(", "find is not a regular expression"),
        ('files = "flaskfork/app.py"', 'file = "x"', "the keys must be count, files"),
    ],
)
def test_rename_table_that_does_not_fit(project, before, after, expected):
    path = project.root / "patches/rename.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    done = project.fork("materialise", code=1)
    assert expected in done.stderr


def test_entry_that_allows_nothing_is_stale(project):
    path = project.root / "patches/rename.toml"
    path.write_text(
        path.read_text() + "[[package.allow]]\nfiles = '*'\nfind = 'x'\nwhy = 'y'\n"
    )
    done = project.fork("materialise", code=1)
    assert "the entry 'x' for * allows nothing" in done.stderr


SOURCE = b'''\
"""Speaks of flask, as in `import flask`."""
# flask
import flask
from flask.app import x
from flask_login import y
A = "flask"
B = f"see flask {A} here"
C = "flaskish https://flask.palletsprojects.com"
D = """
one
flask two
"""
E = flask.g


def f():
    """The flask docstring."""
    return b"flask"
'''


def test_every_flask_in_code_is_seen_and_prose_is_not():
    table = rename.Table((), ())
    found = rename.left_over(table, {"a.py": SOURCE}, where="rename.toml")
    assert [error.where for error in found] == [
        f"a.py:{number}" for number in (3, 4, 6, 7, 8, 11, 18)
    ]


def test_other_files_are_looked_at_as_a_whole():
    files = {"a.html": b"<p>\nflask</p>\n", "b.txt": b"flask_x Flask FLASK_APP\n"}
    found = rename.left_over(rename.Table((), ()), files, where="rename.toml")
    assert [error.where for error in found] == ["a.html:2"]


def test_rename_twice_changes_nothing(project):
    tables = materialise.tables(project.project)
    files = {"flaskfork/app.py": toy.UPSTREAM["src/flask/app.py"]}
    once = rename.apply(tables["package"], files, where="x")
    assert rename.matches(tables["package"], once) == []
    with pytest.raises(ForkError, match="found 0"):
        rename.apply(tables["package"], once, where="x")
