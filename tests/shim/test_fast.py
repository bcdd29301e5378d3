"""The switch of what makes the fork fast, and the releases of Werkzeug it knows."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
import werkzeug

from flaskfork import _fast
from flaskfork._fast import _werkzeug

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Prints the parts that are in use.
PROGRAM = """
import flask, werkzeug.local, werkzeug.routing, werkzeug.wrappers, itsdangerous
from flask import globals, json, sansio, sessions
pairs = {
    "proxies": (type(flask.request), werkzeug.local.LocalProxy),
    "request": (flask.Request.__base__, werkzeug.wrappers.Request),
    "response": (flask.Response.__base__, werkzeug.wrappers.Response),
    "routing": (flask.Flask.url_map_class, werkzeug.routing.Map),
    "sessions": (sessions.SessionInterface.is_null_session.__closure__, None),
    "signing": (sessions.URLSafeTimedSerializer, itsdangerous.URLSafeTimedSerializer),
    "tagging": (json.tag.TaggedJSONSerializer.loads.__closure__, None),
}
print(*(part for part, (mine, theirs) in pairs.items() if mine is not theirs))
bodies = {
    "adapters": flask.Flask.create_url_adapter,
    "dispatch": flask.Flask.dispatch_request,
    "contexts": flask.ctx.RequestContext.pop,
    "static": flask.Flask.send_static_file,
    "urls": flask.Flask.url_for,
    "templating": flask.templating._render,
}
for part, body in bodies.items():
    if "_fast" in body.__code__.co_filename:
        print(part)
"""
NEED_WERKZEUG = {"request", "response", "routing", "sessions", "urls"}


def run(switch: str | None, *options: str, path: str = "") -> tuple[set[str], str]:
    """The parts that are in use, and what was written to standard error."""
    environ = {k: v for k, v in os.environ.items() if k != "FLASKFORK_FAST"}
    if switch is not None:
        environ["FLASKFORK_FAST"] = switch
    if path:
        environ["PYTHONPATH"] = path
    command = [sys.executable, *options, "-c", PROGRAM]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()), done.stderr


ALL = NEED_WERKZEUG | {"proxies", "signing", "tagging"}
ALL |= {"adapters", "dispatch", "contexts", "static", "templating"}


@pytest.mark.parametrize(
    ("switch", "off"),
    [
        (None, set()),
        ("", set()),
        ("1", set()),
        ("0", ALL),
        (" 0 ", ALL),
        ("-proxies", {"proxies"}),
        ("-proxies,-signing", {"proxies", "signing"}),
        (" -request , -response,", {"request", "response"}),
    ],
)
def test_the_switch(switch: str | None, off: set[str]) -> None:
    assert run(switch) == (ALL - off, "")


@pytest.mark.parametrize("switch", ["proxies", "-nothing", "off", "-proxies -signing"])
def test_a_wrong_switch_is_named(switch: str) -> None:
    parts, errors = run(switch)
    assert parts == ALL
    assert f"FLASKFORK_FAST: {switch!r} is ignored" in errors
    assert "-signing" in errors


@pytest.mark.parametrize(
    ("version", "known"),
    [
        *(("3.1.0", True), ("3.1.9", True), ("3.1.10", False), ("3.2.0", False)),
        *(("3.0.9", False), ("3.1.3rc1", False), ("3.1", False), ("", False)),
    ],
)
def test_known_releases_of_werkzeug(version: str, known: bool) -> None:
    assert _werkzeug.is_known(version) is known


def test_the_installed_werkzeug_is_known() -> None:
    """Otherwise, most of these tests would compare Werkzeug with itself."""
    assert run(None)[0] >= NEED_WERKZEUG


@pytest.mark.parametrize("version", ["3.2.0", "3.1.99", "4.0.0.dev1"])
def test_an_unknown_werkzeug(tmp_path: pathlib.Path, version: str) -> None:
    """The installed one, with metadata of a release that is not known."""
    (tmp_path / "werkzeug").symlink_to(pathlib.Path(werkzeug.__file__).parent)
    metadata = tmp_path / f"werkzeug-{version}.dist-info"
    metadata.mkdir()
    text = f"Metadata-Version: 2.1\nName: Werkzeug\nVersion: {version}\n"
    (metadata / "METADATA").write_text(text)
    assert run(None, path=str(tmp_path)) == (ALL - NEED_WERKZEUG, "")


def test_a_werkzeug_without_metadata(tmp_path: pathlib.Path) -> None:
    """Its release cannot be told."""
    (tmp_path / "werkzeug").symlink_to(pathlib.Path(werkzeug.__file__).parent)
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata\n"
        "known = metadata.version\n"
        "def version(name):\n"
        "    if name == 'werkzeug':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "metadata.version = version\n"
    )
    assert run(None, path=str(tmp_path)) == (ALL - NEED_WERKZEUG, "")


def test_the_page_has_each_part() -> None:
    page = (ROOT / "docs" / "fast.md").read_text("utf-8")
    assert re.findall(r"(?m)^\| `([a-z-]+)` \|", page) == list(_fast.PARTS)


def test_each_patch_is_a_part() -> None:
    series = (ROOT / "patches" / "series").read_text().split()
    patches = {line[5:-6] for line in series if line.startswith("fast-")}
    parts = {
        "wrappers": ["request", "response"],
        "app": ["adapters", "dispatch", "static"],
    }
    parts["url-for"] = ["urls"]
    found = [part for name in patches for part in parts.get(name, [name])]
    assert sorted(found) == sorted(_fast.PARTS)
