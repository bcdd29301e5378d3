"""Finds out whether ``flask`` is the fork here, and serves the result."""

from __future__ import annotations

import os
import sys
import types

import flask
import flask.testing
import flask.views
import flaskfork.views

import flaskfork


def check() -> str:
    """Compare all modules, and use an application under either name.

    :return: the name of one module.
    :raises AssertionError: a module is there twice, or is in another one's place.
    """
    for name, module in sys.modules.copy().items():
        if f"{name}.".startswith("flask."):
            assert module is sys.modules[f"flaskfork{name[5:]}"], name
            assert type(module) is types.ModuleType, name
    for application in flask.Flask("x"), flaskfork.Flask("x"):
        application.add_url_rule("/", view_func=View.as_view("view"))
        assert application.test_client().get("/").text == "x /"
    return flask.views.__name__


class View(flaskfork.views.View):
    def dispatch_request(self) -> str:
        return f"{flask.current_app.name} {flask.request.path}"


app = flask.Flask(__name__)


@app.route("/")
def index() -> list[object]:
    return [check(), os.getpid(), "gevent.monkey" in sys.modules]


if __name__ == "__main__":
    print(check())
