"""Replaces the conftest.py that is missing from the sdist of Flask-RESTX."""

from __future__ import annotations

import flask
import flask.testing
import flask_restx
import pytest


class Client(flask.testing.FlaskClient):
    def get_json(self, url, status=200, **kwargs):
        return self._expect(status, self.get(url, **kwargs))

    def post_json(self, url, data, status=200, **kwargs):
        return self._expect(status, self.post(url, json=data, **kwargs))

    def get_specs(self, prefix="", status=200, **kwargs):
        return self.get_json(f"{prefix}/swagger.json", status, **kwargs)

    def _expect(self, status, response):
        assert response.status_code == status
        assert response.content_type == "application/json"
        return response.get_json()


@pytest.fixture
def app():
    app = flask.Flask("tests")
    app.test_client_class = Client
    return app


@pytest.fixture(autouse=True)
def in_request(request, app):
    marker = request.node.get_closest_marker("request_context")
    if marker is None:
        yield
    else:
        with app.test_request_context(*marker.args, **marker.kwargs):
            yield


@pytest.fixture
def api(request, app):
    marker = request.node.get_closest_marker("api")
    options = dict(marker.kwargs) if marker else {}
    where = {"url_prefix": options.pop("prefix", None)}
    where["subdomain"] = options.pop("subdomain", None)
    blueprint = flask.Blueprint("api", __name__, **where)
    api = flask_restx.Api(blueprint, **options)
    app.register_blueprint(blueprint)
    return api


@pytest.fixture
def mock_app(mocker):
    app = mocker.Mock(flask.Flask)
    app.config = {}
    return app
