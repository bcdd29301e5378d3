"""Plain values are written and read in fewer steps, and all values as before."""

from __future__ import annotations

import collections
import datetime
import enum
import uuid

import flask
import pytest
from flask.json.provider import DefaultJSONProvider
from flask.json.provider import JSONProvider
from flask.json.tag import JSONTag
from flask.json.tag import TagBytes
from flask.json.tag import TaggedJSONSerializer
from markupsafe import Markup

from counting import outcome
from counting import saved

PROGRAM = """
from flask.json.tag import TaggedJSONSerializer
serializer = TaggedJSONSerializer()
value = {"user": 1, "name": "a", "fresh": True, "at": 1.5, "next": None}

def act():
    return serializer.loads(serializer.dumps(value))
"""


def test_fewer_steps():
    assert saved(PROGRAM, "tagging") > 0.4


def original(method):
    """What a lean body stands for, or the method itself if there is no body."""
    cells = [cell.cell_contents for cell in method.__closure__ or ()]
    return dict(zip(method.__code__.co_freevars, cells)).get("original", method)


dumps = original(TaggedJSONSerializer.dumps)
loads = original(TaggedJSONSerializer.loads)


class Text(str):
    pass


class Number(enum.IntEnum):
    ONE = 1


class Html:
    def __html__(self):
        return "<b>"


class HtmlText(str):
    def __html__(self):
        return "<b>"


VALUES = [
    *({}, [], (), "", 1, None, "a", b"a", Markup("<a>"), object()),
    *({"a": 1}, {"a": None}, {"a": True, "b": 1.5, "c": "d"}, {"b": 1, "a": 2}),
    *({" t": 1}, {" t": [1]}, {" t__": 1}, {" t": 1, "a": 2}, {" di": 1}, {"": ""}),
    *({1: 2}, {None: 1}, {True: 1}, {1.5: 1}, {1: 1, "a": 2}, {1: 1, "1": 2}),
    *({(1,): 1}, {b"a": 1}, {Text("a"): 1}, {Text(" t"): 1}, {Number.ONE: 1}),
    *({"a": {}}, {"a": {" b": 1}}, {"a": [1, (2, b"3")]}, {"a": (1,)}, {"a": b"b"}),
    *({"a": Text("b")}, {"a": Number.ONE}, {"a": Html()}, {"a": HtmlText("b")}),
    *({"a": Markup("b")}, {"a": object()}, {"a": {1}}, {"a": 1j}),
    {"a": uuid.UUID(int=1), "b": datetime.datetime(2026, 1, 1)},
    collections.OrderedDict(b=1, a=2),
    *({"a": float("nan")}, {"a": float("inf")}, {"a": 1e300}, {"a": 10**400}),
    *({"\u00e9": "\udcff\n"}, {"\udcff": 1}, {"_flashes": [("message", "a")]}),
]
TEXTS = [
    *("{}", "[]", "1", "", "{", '"a"', "null", '{"a":1}', '{"a":1,"a":2}', '{"a":[1]}'),
    *('{" t":[1]}', '{" t":1}', '{" u":"a"}', '{" d":"a"}', '{" b":"YQ=="}', "NaN"),
    *('{" t":null}', '{" di":1}', '{" di":{"a__":1}}', '{" t":[],"a":1}', '{" x":1}'),
    *('{"a":{" t":[1]}}', '{"a":NaN}', '{"a":1e999}', '{"a":"\\ud800"}', b'{"a":1}'),
]


class OwnProvider(DefaultJSONProvider):
    def dumps(self, obj, **kwargs):
        return "own " + super().dumps(obj, **kwargs)

    def loads(self, s, **kwargs):
        return super().loads(s.replace("own ", ""), **kwargs)


class OtherProvider(JSONProvider):
    def dumps(self, obj, **kwargs):
        return f"{obj!r} {sorted(kwargs)}"

    def loads(self, s, **kwargs):
        return collections.OrderedDict(a=s, kwargs=len(kwargs))


class OwnTag(JSONTag):
    key = " own"

    def check(self, value):
        return isinstance(value, str)

    def to_json(self, value):
        return value[::-1]

    to_python = to_json


class OwnSerializer(TaggedJSONSerializer):
    def tag(self, value):
        return {"own": value}

    def untag(self, value):
        return [value]


class OwnTags(TaggedJSONSerializer):
    default_tags = [OwnTag]  # noqa: RUF012


def registered(**kwargs):
    serializer = TaggedJSONSerializer()
    serializer.register(OwnTag, **kwargs)
    return serializer


def without_tags():
    serializer = TaggedJSONSerializer()
    serializer.order.clear()
    return serializer


def with_another_name():
    serializer = TaggedJSONSerializer()
    serializer.tags["a"] = OwnTag(serializer)
    return serializer


MAKE = {
    "usual": TaggedJSONSerializer,
    "subclass": OwnSerializer,
    "other tags": OwnTags,
    "one more tag": registered,
    "first tag": lambda: registered(index=0),
    "no tags": without_tags,
    "name": with_another_name,
}
CONFIGS = [{}, {"JSON_NAN": "null"}, {"JSON_NAN": "error"}]
PROVIDERS = [DefaultJSONProvider, OwnProvider, OtherProvider]


def contexts():
    """Each way in which the functions of flask.json find a provider, or none."""
    yield None

    for provider in PROVIDERS:
        for config in CONFIGS:
            app = flask.Flask("application")
            app.config.update(config)
            app.json = provider(app)
            yield app.app_context()


def compare(make):
    for value in VALUES:
        expected = outcome(dumps, make(), value)
        assert repr(outcome(make().dumps, value)) == repr(expected)

    for text in TEXTS:
        expected = outcome(loads, make(), text)
        assert repr(outcome(make().loads, text)) == repr(expected)


@pytest.mark.parametrize("name", MAKE)
def test_same_as_the_original(name):
    for context in contexts():
        if context is None:
            compare(MAKE[name])
        else:
            with context:
                compare(MAKE[name])


@pytest.mark.parametrize("name", ["tag", "untag", "_untag_scan"])
def test_a_method_that_is_replaced_at_run_time(monkeypatch, name):
    monkeypatch.setattr(TaggedJSONSerializer, name, lambda self, value: [name])
    compare(TaggedJSONSerializer)


def test_a_tag_that_is_changed_at_run_time(monkeypatch):
    monkeypatch.setattr(TagBytes, "check", lambda self, value: value == "a")
    monkeypatch.setattr(TagBytes, "to_json", lambda self, value: "changed")
    compare(TaggedJSONSerializer)
    assert "changed" in TaggedJSONSerializer().dumps({"a": "a"})


def test_functions_that_are_replaced_in_the_module(monkeypatch):
    monkeypatch.setattr("flask.json.tag.dumps", lambda value, **kwargs: [value])
    monkeypatch.setattr("flask.json.tag.loads", lambda value, **kwargs: {"a": value})
    assert TaggedJSONSerializer().dumps({"a": 1}) == [{"a": 1}]
    assert TaggedJSONSerializer().loads("b") == {"a": "b"}
    compare(TaggedJSONSerializer)


def test_a_provider_gets_a_copy():
    class Provider(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            obj["seen"] = True
            return super().dumps(obj, **kwargs)

        def loads(self, s, **kwargs):
            return kept

    app, value, kept = flask.Flask("application"), {"a": 1}, {"b": 2}
    app.json = Provider(app)

    with app.app_context():
        TaggedJSONSerializer().dumps(value)
        TaggedJSONSerializer().loads("")["c"] = 3

    assert (value, kept) == ({"a": 1}, {"b": 2})
