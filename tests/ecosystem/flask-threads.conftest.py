"""Replaces the conftest.py that is missing from the sdist of Flask-Threads."""

from __future__ import annotations

import flask
import pytest


@pytest.fixture
def flask_app():
    return flask.Flask("tests")
