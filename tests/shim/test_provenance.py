"""The fork knows what it was made from."""

from __future__ import annotations

import importlib.metadata
import typing as t

from flaskfork import provenance

RunPython = t.Callable[..., str]


def test_versions_are_those_of_the_installed_distributions() -> None:
    made = provenance.load()
    assert made.version == importlib.metadata.version("flaskfork")
    assert made.shim_version == importlib.metadata.version("flask")
    assert made.version == f"{made.api_level}.{made.revision}"
    assert made.upstream.name == "Flask"


def test_overlay_names_installed_files() -> None:
    files = importlib.metadata.files("flaskfork") or []
    overlay = set(provenance.load().overlay)
    assert overlay <= {file.as_posix() for file in files}
    assert {"flaskfork/provenance.json", "flaskfork/shim/__init__.py"} <= overlay
    assert "flaskfork/app.py" not in overlay


def test_one_line_says_it() -> None:
    made = provenance.load()
    assert provenance.describe() == (
        f"flaskfork {made.version}"
        f" (Flask {made.api_level} with {len(made.patches)} patches)"
    )


def test_it_is_read_when_asked_for_only(run_python: RunPython) -> None:
    code = """
        import sys
        import flask, flaskfork.shim
        assert "flaskfork.provenance" not in sys.modules
        from flaskfork import provenance
        assert provenance.load() is provenance.load()
    """
    run_python("-c", code)
