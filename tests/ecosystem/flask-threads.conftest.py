"""Stands for the conftest.py that the sdist of Flask-Threads leaves out."""

from __future__ import annotations

import flask
import pytest


@pytest.fixture
def flask_app():
    return flask.Flask("tests")
