"""Proxies take fewer steps, and do what Werkzeug's do."""

from __future__ import annotations

import copy
import operator
import re
from contextvars import ContextVar

import pytest
from flask.globals import request
from werkzeug.local import LocalProxy

from counting import outcome
from counting import saved

PROGRAM = """
import flask
app = flask.Flask(__name__)
app.secret_key = "key"
ctx = app.test_request_context()
ctx.push()

def act():
    flask.g.x = flask.request.method
    flask.session["x"] = flask.g.x
    if flask.request and "x" in flask.session:
        return flask.session["x"]
"""

ACTS = {
    "attribute": lambda p: p.name,
    "missing attribute": lambda p: p.missing,
    "set": lambda p: setattr(p, "new", 1),
    "set slot": lambda p: setattr(p, "_get_current_object", 1),
    "delete": lambda p: delattr(p, "name"),
    "item": lambda p: p["name"],
    "missing item": lambda p: p["missing"],
    "set item": lambda p: operator.setitem(p, "name", 2),
    "delete item": lambda p: operator.delitem(p, "name"),
    "contains": lambda p: "name" in p,
    "true": bool,
    "length": len,
    "class": lambda p: p.__class__.__name__,
    "is a dict": lambda p: isinstance(p, dict),
    "text": lambda p: repr(p).split(" object")[0],
    "equal": lambda p: p == {"name": 1},
    "directory": lambda p: "name" in dir(p),
    "copy": copy.copy,
    "call": lambda p: p(),
    "in place": lambda p: operator.ior(p, {"b": 1}) is p,
    "is a proxy": lambda p: issubclass(type(p), LocalProxy),
    "by the class": lambda p: type(p).__getattr__(p, "name"),
    "raises RuntimeError": lambda p: p.fails,
    "name of the class": lambda p: type(p).__name__,
    "new attribute of the proxy": lambda p: object.__setattr__(p, "other", 1),
}


class Object(dict):
    name = "class"

    def __init__(self) -> None:
        super().__init__(name=1)
        self.name = "instance"

    @property
    def fails(self):
        raise RuntimeError("inside")


class Falsy:
    name = "falsy"

    def __bool__(self):
        return False


class Broken:
    def __bool__(self):
        raise RuntimeError("neither")


def test_fewer_steps():
    assert saved(PROGRAM, "proxies") > 0.2


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("make", [Object, Falsy, Broken, None])
def test_same_as_werkzeug(act, make):
    """On the proxy for an object, and on one that is bound to nothing."""
    assert _on(type(request), make, act) == _on(LocalProxy, make, act)


def _on(cls, make, act):
    variable = ContextVar("variable")
    if make is not None:
        variable.set(make())
    proxy = cls(variable, unbound_message="unbound")
    result = outcome(ACTS[act], proxy)
    attributes = vars(variable.get()) if make else None
    return _plain(result), _plain(attributes)


def _plain(value):
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))
