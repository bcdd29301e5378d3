"""Replaces the conftest.py that is missing from the sdist of Flask-JSON."""

from __future__ import annotations

import json

import flask
import flask.testing
import flask_json
import pytest


class Client(flask.testing.FlaskClient):
    def post_json(self, url, data, raw=False):
        text = data if raw else json.dumps(data)
        return self.post(url, data=text, content_type="application/json")


@pytest.fixture
def app():
    app = flask.Flask("tests")
    app.testing = True
    app.test_client_class = Client
    flask_json.FlaskJSON(app)
    with app.test_request_context():
        yield app


@pytest.fixture
def client(app):
    return app.test_client()
