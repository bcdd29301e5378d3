"""Matching takes fewer steps, and finds the same."""

from __future__ import annotations

import gc
import random
import re

import flask
import pytest
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import ValidationError

from counting import outcome
from counting import saved

PROGRAM = """
import flask
app = flask.Flask(__name__)
app.add_url_rule("/users/<int:user>/posts/<slug>", "post")
urls = app.url_map.bind("localhost")

def act():
    return urls.match("/users/7/posts/first")
"""


class Even(BaseConverter):
    regex = r"(?P<own>[0-9])([0-9]*)"

    def to_python(self, value):
        if int(value) % 2:
            raise ValidationError
        return int(value)


class Slashes(BaseConverter):
    regex = r"[a-z/]+"
    part_isolating = False


CONVERTERS = {"even": Even, "slashes": Slashes}
PARTS = [
    *("a", "b", "", "<x>", "<int:x>", "<even:x>", "<path:x>", "<slashes:x>", "a<x>"),
    *("<any(a, b):x>", "<float(signed=True):x>", "<x>.<y>", "<string(length=2):x>"),
]
VALUES = ["a", "b", "", "ab", "7", "8", "1.5", "-1.5", "a.b", "\u00e9", "%2F", "aa"]


def rules(rng: random.Random):
    """Some rules that are alike: the texts, and the arguments of each."""
    for number in range(rng.randint(4, 12)):
        parts = [rng.choice(PARTS) for _ in range(rng.randint(1, 3))]
        # A name can be used once in a rule.
        parts = [re.sub(r"\b([xy])>", rf"\g<1>{at}>", p) for at, p in enumerate(parts)]
        text = "".join(f"/{part}" for part in parts)
        options = {
            "endpoint": f"e{number % 3}",
            "methods": rng.choice([None, ["GET"], ["POST"], ["GET", "POST"]]),
            "strict_slashes": rng.choice([None, True, False]),
            "merge_slashes": rng.choice([None, True, False]),
            "alias": rng.random() < 0.1,
            "defaults": rng.choice([None, None, {"d": 1}]),
            "subdomain": rng.choice(["", "", "", "<sub>", "www"]),
            "build_only": rng.random() < 0.05,
            "redirect_to": rng.choice([None] * 9 + ["/elsewhere"]),
        }
        if rng.random() < 0.1:
            options.update(websocket=True, methods=None)
        yield text, options


def tried(cls: type[Map], seed: int):
    """What a map finds for some paths."""
    rng = random.Random(seed)
    options = {
        "strict_slashes": rng.random() < 0.7,
        "merge_slashes": rng.random() < 0.7,
    }
    options["redirect_defaults"] = rng.random() < 0.7
    urls = cls(converters=CONVERTERS, **options)
    for text, arguments in rules(rng):
        urls.add(Rule(text, **arguments))
    adapter = urls.bind(
        "localhost", "/root", subdomain=rng.choice(["", "", "www", "x"])
    )
    for _ in range(30):
        path = "".join(f"/{rng.choice(VALUES)}" for _ in range(rng.randint(0, 4)))
        method = rng.choice(["GET", "POST", "PUT"])
        found = outcome(adapter.match, path, method, True, "q=1", rng.random() < 0.1)
        yield path, method, plain(found)


def plain(found):
    rule, values = found
    if isinstance(rule, Rule):
        return rule.rule, rule.endpoint, values
    return rule, values


def test_fewer_steps():
    assert saved(PROGRAM, "routing") > 0.15


@pytest.mark.parametrize("seed", range(200))
def test_same_as_werkzeug(seed):
    mine = list(tried(flask.Flask.url_map_class, seed))
    assert mine == list(tried(Map, seed))


def test_the_maps_find_something():
    """Otherwise the test above shows little."""
    found = [f for seed in range(200) for _, _, f in tried(Map, seed)]
    matched = [f for f in found if len(f) == 3]
    assert len(matched) > len(found) / 20
    assert len({f[0] for f in found if len(f) == 2}) >= 3
    assert any(f[2] for f in matched)


def test_rules_passed_to_the_map():
    urls = flask.Flask.url_map_class(
        [Rule("/a/<x>", endpoint="a")], merge_slashes=False
    )
    assert urls.bind("localhost").match("/a/b") == ("a", {"x": "b"})
    assert urls.merge_slashes is False
    assert repr(urls) == "Map([<Rule '/a/<x>' -> a>])"


def test_methods_and_rules_changed_later():
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "a", methods=["GET"])
    urls = app.url_map.bind("localhost")
    assert urls.match("/a")[0] == "a"
    with pytest.raises(Exception, match="405"):
        urls.match("/a", "PUT")
    next(app.url_map.iter_rules("a")).methods.add("PUT")
    app.add_url_rule("/<x>/b", "b")
    assert urls.match("/a", "PUT")[0] == "a"
    assert urls.match("/a/b") == ("b", {"x": "a"})


def allowed(cls: type[Map], methods: list[list[str]]) -> list[str]:
    made = cls([Rule("/a", endpoint=str(x), methods=x) for x in methods])
    with pytest.raises(MethodNotAllowed) as raised:
        made.bind("localhost").match("/a", method="TRACE")
    return list(raised.value.valid_methods)


def test_other_methods_are_in_the_same_order():
    rng = random.Random(1)
    known = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "OWN", "MORE"]

    for _ in range(200):
        methods = [
            rng.sample(known, rng.randint(1, 6)) for _ in range(rng.randint(1, 3))
        ]
        assert allowed(type(flask.Flask("application").url_map), methods) == allowed(
            Map, methods
        )


def test_a_converter_is_called_once():
    calls = []

    class Counted(BaseConverter):
        def to_python(self, value):
            calls.append(value)
            raise ValidationError

    app = flask.Flask(__name__)
    app.url_map.converters["counted"] = Counted
    app.add_url_rule("/<counted:x>", "a")
    assert app.test_client().get("/b").status_code == 404
    assert calls == ["b"]


@pytest.mark.parametrize("path", ["/missing", "/users/a/posts/b", "/users/7/none"])
def test_what_is_not_found_leaves_no_garbage(path):
    app = flask.Flask(__name__)
    app.add_url_rule("/users/<int:user>/posts/<slug>", "post")
    urls = app.url_map.bind("localhost")
    outcome(urls.match, path)
    gc.collect()
    gc.disable()
    try:
        assert outcome(urls.match, path)[0] is NotFound
        assert gc.collect() == 0
    finally:
        gc.enable()
