"""A config without PROVIDE_AUTOMATIC_OPTIONS means that it is on."""

from __future__ import annotations

import flask
import pytest
from werkzeug.datastructures import ImmutableDict

KEY = "PROVIDE_AUTOMATIC_OPTIONS"


class Bare(flask.Flask):
    """An app class with its own defaults, as Quart's was."""

    default_config = ImmutableDict(
        {k: v for k, v in flask.Flask.default_config.items() if k != KEY}
    )


def status(app, method="OPTIONS"):
    @app.route("/", methods=["GET", "POST"])
    def index():
        return "view"

    return app.test_client().open("/", method=method)


def test_a_class_without_the_default_can_be_made_and_answers_options():
    response = status(Bare(__name__))
    assert response.status_code == 200
    assert response.data == b""
    assert response.allow == {"GET", "HEAD", "OPTIONS", "POST"}


def test_the_static_route_of_such_a_class_answers_options():
    client = Bare(__name__, static_folder="static").test_client()
    assert "OPTIONS" in client.options("/static/file").allow


def test_a_removed_key_means_on():
    app = flask.Flask(__name__)
    del app.config[KEY]
    assert status(app).status_code == 200
    assert KEY not in app.config


@pytest.mark.parametrize(
    ("value", "code"), [(True, 200), (False, 405), (None, 405), (0, 405)]
)
@pytest.mark.parametrize("cls", [flask.Flask, Bare])
def test_a_key_that_is_there_counts(cls, value, code):
    app = cls(__name__, static_folder=None)
    app.config[KEY] = value
    assert status(app).status_code == code


def test_a_view_that_handles_options_is_called_without_the_key():
    app = Bare(__name__, static_folder=None)

    @app.route("/", methods=["OPTIONS"])
    def index():
        return "view"

    assert app.test_client().options("/").data == b"view"
