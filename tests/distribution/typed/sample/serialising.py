# pyright: strict
"""Customised JSON."""

from __future__ import annotations

import decimal
import typing as t

import flask.json
from flask import json
from flask.json import dumps
from flask.json.provider import DefaultJSONProvider
from flask.json.provider import JSONProvider
from flask.json.tag import JSONTag
from flask.json.tag import TaggedJSONSerializer


class Provider(DefaultJSONProvider):
    """A provider that knows decimals."""

    sort_keys = False

    @staticmethod
    def default(o: t.Any) -> t.Any:
        if isinstance(o, decimal.Decimal):
            return str(o)
        return DefaultJSONProvider.default(o)


class TagSet(JSONTag):
    """A tag for sets."""

    __slots__ = ("serializer",)
    key = " set"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, set)

    def to_json(self, value: t.Any) -> t.Any:
        return sorted(value)


def provide(provider: JSONProvider) -> str:
    """Serialise something in every way."""
    TaggedJSONSerializer().register(TagSet, index=0)
    reveal_type(provider.response(1, 2))
    reveal_type(json.loads("1"))
    reveal_type(flask.json.load)
    reveal_type(flask.json.tag.TagDict)
    reveal_type(json.provider)
    reveal_type(flask.json.provider.JSONProvider)
    return dumps({}) + json.dumps([]) + flask.json.dumps(1)
