"""The nets catch what they are for, and nothing where both sides are the same."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from differential import differences
from differential.sides import Sides

FAULTS = {
    "requests": "flask.Response.default_mimetype = 'text/plain'",
    "routing": "werkzeug.routing.MapAdapter.test = lambda *args: True",
    "cookies": "SecureCookieSessionInterface.salt = 'other'",
    "threads": "flask.Flask.do_teardown_request = lambda self, exc=None: None",
    "calls": "flask.Flask.url_for = lambda self, *args, **values: '/'",
}
START = """\
import clock
clock.stop()
import flask
import werkzeug.routing
from flask.sessions import SecureCookieSessionInterface
"""


@pytest.fixture
def same(sides: Sides) -> Sides:
    """Upstream's Flask on both sides."""
    return dataclasses.replace(sides, fork=dataclasses.replace(sides.upstream))


@pytest.mark.sampled(8)
@pytest.mark.parametrize("net", FAULTS)
def test_a_fault_is_caught(same: Sides, net: str, tmp_path: pathlib.Path) -> None:
    tmp_path.joinpath("sitecustomize.py").write_text(f"{START}{FAULTS[net]}\n")
    chunks = "0:40:8" if net == "calls" else "0:2"
    assert same.differences(net, chunks, fault=tmp_path)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("net", FAULTS)
def test_nothing_is_caught_where_there_is_nothing(same: Sides, net: str) -> None:
    assert same.differences(net, "0:2", differences.none) == []


def test_a_thread_that_is_left_is_an_error(same: Sides, tmp_path: pathlib.Path) -> None:
    fault = "import threading\ntimer = threading.Timer(1000, print)\n"
    fault += "timer.daemon = True\ntimer.start()\n"
    tmp_path.joinpath("sitecustomize.py").write_text(fault)
    with pytest.raises(AssertionError, match="threads"):
        same.differences("cookies", "0:1", fault=tmp_path)
