"""A missing config file is ignored no matter how the system reports it."""

from __future__ import annotations

import errno
import json

import flask
import pytest


@pytest.fixture
def config(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    return flask.Config(tmp_path)


def from_file(config, name, **kwargs):
    return config.from_file(name, load=json.load, **kwargs)


def from_pyfile(config, name, **kwargs):
    return config.from_pyfile(name, **kwargs)


every_loader = pytest.mark.parametrize("load", [from_file, from_pyfile])
every_error = pytest.mark.parametrize(
    ("name", "code"),
    [
        ("missing", errno.ENOENT),
        ("folder", errno.EISDIR),
        ("file/below", errno.ENOTDIR),
    ],
)


@every_loader
@every_error
def test_silent_returns_false(config, load, name, code):
    assert load(config, name, silent=True) is False
    assert config == {}


@every_loader
@every_error
def test_without_silent_it_raises_with_flasks_message(config, load, name, code):
    with pytest.raises(OSError, match="Unable to load configuration file") as info:
        load(config, name)
    assert info.value.errno == code


@every_loader
def test_silent_raises_what_is_no_missing_file(config, load):
    with pytest.raises(OSError, match="Unable to load configuration file") as info:
        load(config, "x" * 300, silent=True)
    assert info.value.errno == errno.ENAMETOOLONG


def test_a_file_that_is_there_is_loaded(config, tmp_path):
    (tmp_path / "config.json").write_text('{"A": 1, "b": 2}')
    assert from_file(config, "config.json", silent=True) is True
    assert config == {"A": 1}
