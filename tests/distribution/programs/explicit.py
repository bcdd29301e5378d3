"""A program that knows the fork, where nothing named Flask is installed."""

from __future__ import annotations

import flaskfork.shim  # isort: skip

import flask
from flask.json.tag import TaggedJSONSerializer
from flask.views import View

assert flask is flaskfork
print(View.__module__, TaggedJSONSerializer.__module__)
