"""What nobody listens to is not sent, and the others get what they got."""

from __future__ import annotations

import sys

import flask
import pytest
from flask import signals
from werkzeug.test import create_environ

NAMES = ["request_finished"]


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.get("/")(lambda: "text")
    return app


def sent(app):
    """The signals that a request sends."""
    found = []

    def profile(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "send":
            found.append(getattr(frame.f_locals["self"], "name", None))

    environ = create_environ("/")
    sys.setprofile(profile)
    try:
        b"".join(app.wsgi_app(environ, lambda *args: None))
    finally:
        sys.setprofile(None)
    return found


def test_without_receivers(app):
    assert set(sent(app)).isdisjoint(name.replace("_", "-") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", [False, True])
def test_with_a_receiver(app, name, other):
    """Whether it listens to this application or to another one."""
    got = []

    def receiver(sender, **kwargs):
        got.append((sender, sorted(kwargs)))

    sender = flask.Flask("other") if other else app
    with getattr(signals, name).connected_to(receiver, sender):
        sent(app)
    assert got == ([] if other else [(app, ["response"])])
    got.clear()
    sent(app)
    assert got == []


def test_a_receiver_that_is_connected_in_the_request(app):
    got = []

    def receiver(sender, response):
        got.append(response.status_code)

    @app.before_request
    def connect():
        signals.request_finished.connect(receiver, app)

    sent(app)
    assert got == [200]
