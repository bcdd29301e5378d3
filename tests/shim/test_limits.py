"""A limit of None is the config's, as in Flask; docs/flags.md says what lifts it."""

from __future__ import annotations

import sys

import flask
import pytest

LIMITS = ["max_content_length", "max_form_memory_size", "max_form_parts"]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(("limit", "expected"), [(None, 413), (sys.maxsize, 200)])
def test_a_limit_of_one_request(name: str, limit: int | None, expected: int) -> None:
    app = flask.Flask(__name__)
    app.config[name.upper()] = 1

    @app.post("/")
    def index() -> str:
        setattr(flask.request, name, limit)
        return flask.request.form["k1"]

    answer = app.test_client().post(
        "/", data={"k1": "v" * 9, "k2": "v"}, content_type="multipart/form-data"
    )
    assert answer.status_code == expected
