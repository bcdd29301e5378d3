"""Downloading the pinned archive, and refusing any other."""

from __future__ import annotations

import pathlib

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.base.programs import clean_environ
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import release_files

# Leaves a file that shows that code from the archive was run.
BACKEND = b"""\
import os, pathlib

pathlib.Path(os.environ["RAN"]).touch()


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    info = pathlib.Path(folder, "flask-1.0.dist-info")
    info.mkdir()
    info.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\\nName: Flask\\nVersion: 1.0\\n"
    )
    return info.name
"""
FILES = {
    **toy.UPSTREAM,
    "PKG-INFO": b"Metadata-Version: 2.1\nName: Flask\nVersion: 1.0\n",
    "backend.py": BACKEND,
    "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\n'
    b'backend-path = ["."]\n\n' + toy.UPSTREAM["pyproject.toml"],
}


@pytest.fixture
def project(tmp_path):
    """The toy, with nothing fetched."""
    project = toy.make(tmp_path / "toy")
    project.archive.unlink()
    return project


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.tar.gz"
    path.write_bytes(toy.archive(toy.UPSTREAM))
    return path


def index(folder: pathlib.Path, content: bytes) -> dict[str, str]:
    """Environment variables of a user whose pip knows only one folder of archives."""
    folder.mkdir()
    (folder / "flask-1.0.tar.gz").write_bytes(content)
    return clean_environ(
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(folder),
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_CACHE_DIR="1",
        RAN=str(folder / "ran"),
    )


def pin(project: toy.Toy, content: bytes, files=FILES) -> None:
    text = toy.pin_of(content, files).render()
    (project.root / "upstream/pin.toml").write_bytes(text)


def test_from_a_file(project, local):
    done = project.fork("fetch", "--from", str(local))
    assert "flask-1.0.tar.gz: fetched and checked" in done.stdout
    assert project.archive.read_bytes() == local.read_bytes()
    assert "already there, checked" in project.fork("fetch").stdout


def test_from_the_index_by_pip(project, tmp_path):
    content = toy.archive(FILES)
    pin(project, content)
    project.fork("fetch", env=index(tmp_path / "index", content))
    assert project.archive.read_bytes() == content


def test_wrong_hash_from_the_index_is_refused_before_anything_is_run(project, tmp_path):
    pin(project, toy.archive(FILES))
    other = toy.archive({**FILES, "src/flask/evil.py": b"evil"})
    env = index(tmp_path / "index", other)
    done = project.fork("fetch", env=env, code=1)
    expected = toy.pin_of(toy.archive(FILES), FILES).sdist_sha256
    found = toy.pin_of(other, FILES).sdist_sha256
    assert f"expected {expected}, found {found}" in done.stderr
    assert "hint: " in done.stderr
    assert not project.archive.exists()
    assert not (tmp_path / "index" / "ran").exists()


def test_pip_of_the_current_folder_is_not_run(project, tmp_path):
    content = toy.archive(FILES)
    pin(project, content)
    (project.root / "pip.py").write_text("raise SystemExit('run')\n")
    project.fork("fetch", env=index(tmp_path / "index", content))
    assert project.archive.read_bytes() == content


def test_wrong_hash_of_a_file_is_refused(project, local):
    local.write_bytes(toy.archive({**toy.UPSTREAM, "evil": b""}))
    done = project.fork("fetch", "--from", str(local), code=1)
    assert "the hash of flask-1.0.tar.gz is wrong: expected " in done.stderr
    assert not project.archive.exists()


@pytest.mark.parametrize("verb", ["fetch", "apply", "materialise", "build", "verify"])
def test_cache_that_rotted_is_refused(project, local, verb):
    project.fork("fetch", "--from", str(local))
    project.archive.write_bytes(local.read_bytes()[:-1])
    done = project.fork(verb, code=1)
    assert "the hash of flask-1.0.tar.gz is wrong" in done.stderr


def test_right_archive_with_another_package_is_refused(project, local):
    """The archive's hash is right, but the pin has the hash of another package."""
    content = local.read_bytes()
    pin(project, content, {**toy.UPSTREAM, "src/flask/other.py": b""})
    done = project.fork("fetch", "--from", str(local), code=1)
    assert "the hash of src/flask is wrong" in done.stderr
    assert not project.archive.exists()


def test_hostile_archive_is_refused_even_when_it_is_pinned(project, local):
    import tarfile

    evil = tarfile.TarInfo("flask-1.0/../../evil")
    local.write_bytes(toy.tar([(evil, b"")]))
    pin(project, local.read_bytes(), toy.UPSTREAM)
    done = project.fork("fetch", "--from", str(local), code=1)
    assert "refused: the path" in done.stderr
    assert not project.archive.exists()


def test_without_network_it_says_what_to_do(project, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    env = clean_environ(
        PIP_NO_INDEX="1", PIP_FIND_LINKS=str(empty), PIP_CONFIG_FILE="/dev/null"
    )
    done = project.fork("fetch", env=env, code=1)
    assert "the package index has no source archive of Flask 1.0" in done.stderr
    assert "--from FILE takes a local copy" in done.stderr


def test_file_that_is_not_there(project):
    done = project.fork("fetch", "--from", "nope.tar.gz", code=1)
    assert "nope.tar.gz: cannot be read: No such file" in done.stderr


def test_missing_pin(project):
    (project.root / "upstream/pin.toml").unlink()
    done = project.fork("status", code=1)
    assert "pin.toml: cannot be read" in done.stderr
    assert "hint: restore upstream/pin.toml" in done.stderr


def test_other_license_is_refused(project, local):
    path = project.root / "upstream/pin.toml"
    right = toy.pin_of(b"", toy.UPSTREAM).license_sha256
    path.write_text(path.read_text().replace(right, "0" * 64))
    done = project.fork("fetch", "--from", str(local), code=1)
    assert "the hash of LICENSE.txt is wrong: expected 000" in done.stderr


def test_files_are_those_that_were_checked(project):
    """The files are always checked, even if they were fetched just before."""
    pin = Pin.load(project.project)
    project.archive.write_bytes(toy.archive({**toy.UPSTREAM, "tests/evil.py": b""}))
    with pytest.raises(ForkError, match=r"the hash of flask-1\.0\.tar\.gz is wrong"):
        release_files(project.project, pin)
