from __future__ import annotations

import platform
from importlib import metadata

import pytest
from click.testing import CliRunner
from flask import provenance
from flask.cli import cli


@pytest.fixture
def version_text():
    return CliRunner().invoke(cli, ["--version"]).output


def test_fork_is_named_with_its_version(version_text):
    assert f"flaskfork {metadata.version('flaskfork')} (Flask " in version_text


def test_number_of_patches_is_named(version_text):
    number = len(provenance.load().patches)
    assert number > 0
    assert f" with {number} patch" in version_text


def test_flask_is_named_with_the_version_that_programs_see(version_text):
    level = provenance.load().api_level
    assert metadata.version("flaskfork").startswith(f"{level}.")
    assert f"Flask {level}\n" in version_text


def test_rest_is_as_it_was(version_text):
    assert f"Python {platform.python_version()}\n" in version_text
    assert f"Werkzeug {metadata.version('werkzeug')}\n" in version_text
