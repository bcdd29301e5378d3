"""Bisect: finding the patches that make a command fail."""

from __future__ import annotations

import json
import sys

import pytest

import toy

# Each case builds the package about ten times, to run a command on it.
pytestmark = pytest.mark.sampled

LINES = 16
TRAILERS = """\

A reason.

Upstream-Status: Pending
Forwarded: no
Drop-When: never
Tests: tests/patches/test_loud.py
Fork-Patch: {name}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A queue of sixteen more patches, each of which sets a value."""
    made = toy.with_shim(toy.make(tmp_path_factory.mktemp("bisect") / "toy"))
    made.fork("apply")
    file = made.checkout / "src/flask/values.py"
    values = [f"V{n} = 0\n# {n} -\n# {n} -\n# {n} -\n" for n in range(LINES)]
    for name, text in [("values", "".join(values))] + [
        (f"v{n}", None) for n in range(LINES)
    ]:
        if text is None:
            text = file.read_text().replace(
                f"{name.upper()} = 0", f"{name.upper()} = 1"
            )
        file.write_text(text)
        made.git("add", "--all")
        message = f"values: set {name}\n" + TRAILERS.format(name=name)
        made.git("commit", "--quiet", "--message", message)
    made.fork("export")
    return made


def bisect(project: toy.Toy, condition: str, code: int = 0):
    check = (
        "import sys\ntry:\n    import flask.values as v\nexcept ImportError as e:\n"
        f"    v = e\nsys.exit(bool({condition}))"
    )
    done = project.fork("bisect", "--json", "--", "python", "-c", check, code=code)
    return json.loads(done.stdout) if not code else done.stderr


@pytest.mark.parametrize("number", [0, 7, 15])
def test_one_patch(project, number):
    found = bisect(project, f"getattr(v, 'V{number}', 0)")
    assert found["names"] == [f"v{number}"]
    assert found["needed"] == ["values"]
    # Both ends, log2 of eighteen patches, and the culprit by itself.
    assert found["runs"] <= 2 + 5 + 1


def test_two_patches_together(project):
    found = bisect(project, "getattr(v, 'V3', 0) and v.V12")
    assert found["names"] == ["v3", "v12"]
    assert found["runs"] <= 2 + 2 * (5 + 1)


def test_three_patches_together(project):
    found = bisect(project, "getattr(v, 'V1', 0) and v.V2 and v.V14")
    assert found["names"] == ["v1", "v2", "v14"]


def test_where_it_is_run_and_what_it_sees(project):
    """A tool from the maintainer's environment, in the user's folder; both names."""
    (project.root / "test_values.py").write_text(
        "import flask, flaskfork\n\n\ndef test_values():\n"
        "    assert flask is flaskfork\n    assert flask.app.part('x') == 'bye x'\n"
    )
    done = project.fork("bisect", "--", "pytest", "-q", "test_values.py")
    assert done.stdout.startswith("loud: fails it, found in ")


def test_what_cannot_be_bisected(project):
    assert "passes on the whole queue" in bisect(project, "0", code=1)
    assert "also fails on the release without any" in bisect(project, "1", code=1)
    done = project.fork("bisect", "--", "no-such-program", code=1)
    assert "the command cannot be run: No such file or directory" in done.stderr
    done = project.fork("bisect", "--", sys.executable, "-c", "exit(125)", code=1)
    assert "the command cannot be run: it exits with code 125" in done.stderr
