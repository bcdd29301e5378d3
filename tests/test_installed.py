"""The Flask that a front end has installed beside the build."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.base.files import write_files
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import pinned_source

INFO = "flask-1.0.dist-info"
SCRIPT = "[console_scripts]\nflask = flask.cli:main\n"

Install = t.Callable[..., None]


@pytest.fixture
def project(tmp_path: pathlib.Path) -> toy.Toy:
    """One that has fetched nothing."""
    made = toy.make(tmp_path / "toy")
    for archive in made.project.cache.iterdir():
        archive.unlink()
    return made


@pytest.fixture
def install(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A function that installs the pinned Flask, and what else it is said to have."""
    package = {
        path.partition("/")[2]: content
        for path, content in toy.UPSTREAM.items()
        if path.startswith("src/flask/")
    }

    def install(*others: str, points: str = SCRIPT) -> None:
        files = {
            **package,
            f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: Flask\nVersion: 1.0\n",
            f"{INFO}/licenses/LICENSE.txt": toy.UPSTREAM["LICENSE.txt"],
            f"{INFO}/entry_points.txt": points.encode(),
            **dict.fromkeys(others, b""),
        }
        rows = "".join(f"{name},,\n" for name in [*files, f"{INFO}/RECORD"])
        site = tmp_path / "env" / "lib" / "python3" / "site-packages"
        (tmp_path / "env" / "bin").mkdir(parents=True)
        write_files(site, {k: v for k, v in files.items() if ".." not in k})
        (site / INFO / "RECORD").write_text(rows)
        monkeypatch.syspath_prepend(str(site))

    return install


def source(project: toy.Toy) -> t.Any:
    return pinned_source(project.project, Pin.load(project.project))


@pytest.mark.parametrize(
    "others",
    [
        (),
        ("../../../bin/flask",),
        ("../../Scripts/flask.exe",),
        (f"{INFO}/INSTALLER", f"{INFO}/direct_url.json"),
        ("flask/__pycache__/app.cpython-311.pyc",),
    ],
)
def test_what_upstreams_has(
    project: toy.Toy, install: Install, others: tuple[str, ...]
) -> None:
    install(*others)
    assert "src/flask/app.py" in source(project).package


@pytest.mark.parametrize(
    "other",
    [
        "x.pth",
        "flask.pth",
        "flask.py",
        "_x_build.py",
        "sitecustomize.py",
        "hatchling/build.py",
        "flask_more/x.py",
        "other-1.dist-info/entry_points.txt",
        "flask-1.0.data/purelib/x.pth",
        "../../../bin/python",
        "../../../bin/pip",
        "../../../flask",
        "../x/flask.pth",
        "flask/../x.pth",
    ],
)
def test_what_upstreams_has_not(project: toy.Toy, install: Install, other: str) -> None:
    install(other)
    with pytest.raises(ForkError) as error:
        source(project)
    assert f"Flask 1.0, installed: {other} does not belong to it" in str(error.value)
    assert "scripts/fork fetch" in str(error.value)


@pytest.mark.parametrize(
    "points",
    [
        SCRIPT + "pip = flask.cli:main\n",
        SCRIPT + "\n[hatch]\nx = flask.app\n",
        SCRIPT + "\n[flask.commands]\nflask = flask.app\n",
    ],
)
def test_entry_points_that_upstreams_has_not(
    project: toy.Toy, install: Install, points: str
) -> None:
    install(points=points)
    with pytest.raises(ForkError, match=r"the entry point .* does not belong to it"):
        source(project)


def test_what_was_fetched_comes_first(
    project: toy.Toy, install: Install, tmp_path: pathlib.Path
) -> None:
    install("x.pth")
    fetched = toy.make(tmp_path / "fetched")
    assert "src/flask/app.py" in source(fetched).package
