"""Signing takes fewer steps, and signs the same."""

from __future__ import annotations

import hashlib

import flask
import itsdangerous
import pytest
from flask import sessions
from itsdangerous import URLSafeTimedSerializer

from counting import outcome
from counting import saved

PROGRAM = """
from flask import sessions
serializer = sessions.URLSafeTimedSerializer(["key"], salt="salt")

def act():
    return serializer.loads(serializer.dumps({"a": 1}))
"""


class Unhashable:
    __hash__ = None

    def __call__(self, data=b""):
        return hashlib.sha256(data)


class OwnSigner(itsdangerous.TimestampSigner):
    def derive_key(self, secret_key=None):
        return b"own"


class OwnAlgorithm(itsdangerous.signer.HMACAlgorithm):
    def get_signature(self, key, value):
        return b"own"


ARGUMENTS = {
    "usual": {},
    "several keys": {"secret_key": ["old", b"new"]},
    "one key": {"secret_key": "key"},
    "no salt": {"salt": None},
    "salt in bytes": {"salt": b"salt"},
    "hmac": {"signer_kwargs": {"key_derivation": "hmac"}},
    "concat": {"signer_kwargs": {"key_derivation": "concat"}},
    "none": {"signer_kwargs": {"key_derivation": "none"}},
    "unknown": {"signer_kwargs": {"key_derivation": "unknown"}},
    "digest": {"signer_kwargs": {"digest_method": hashlib.sha512}},
    "unhashable": {"signer_kwargs": {"digest_method": Unhashable()}},
    "separator": {"signer_kwargs": {"sep": "!"}},
    "wrong separator": {"signer_kwargs": {"sep": "a"}},
    "algorithm": {"signer_kwargs": {"algorithm": OwnAlgorithm()}},
    "signer": {"signer": OwnSigner},
    "fallback": {"fallback_signers": [{"digest_method": hashlib.sha256}]},
}


@pytest.fixture(autouse=True)
def one_time(monkeypatch):
    signer = itsdangerous.TimestampSigner
    monkeypatch.setattr(signer, "get_timestamp", lambda self: 1_800_000_000)


def test_fewer_steps():
    assert saved(PROGRAM, "signing") > 0.15


@pytest.mark.parametrize("name", ARGUMENTS)
def test_same_as_itsdangerous(name):
    mine = used(sessions.URLSafeTimedSerializer, ARGUMENTS[name])
    theirs = used(URLSafeTimedSerializer, ARGUMENTS[name])
    assert mine == theirs == used(sessions.URLSafeTimedSerializer, ARGUMENTS[name])


def used(cls, arguments):
    """What a serializer signs, and what it makes of signatures."""
    serializer = cls(**{"secret_key": ["key"], "salt": "salt", **arguments})
    text = outcome(serializer.dumps, {"a": 1})
    texts = [text] if isinstance(text, str) else []
    texts += [
        URLSafeTimedSerializer(key, salt="salt").dumps(1) for key in ("key", "old")
    ]
    texts += [texts[0][:-1], texts[0].upper(), "", "a", "a.b.c", "\u00e9.b.c"]
    loads = [outcome(serializer.loads, text) for text in texts]
    aged = [outcome(serializer.loads, text, -1) for text in texts]
    salted = outcome(serializer.dumps, 1, "other")
    return text, loads, aged, salted, outcome(serializer.loads_unsafe, texts[0])


def test_a_signer_that_is_changed_changes_no_other():
    serializer = sessions.URLSafeTimedSerializer("key", salt="salt")
    first = serializer.make_signer()
    expected = first.sign("a")
    first.salt = b"changed"
    assert first.sign("a") != expected
    first.key_derivation = "none"
    first.secret_keys[:] = [b"changed"]
    first.algorithm.digest_method = hashlib.sha512
    assert serializer.make_signer().sign("a") == expected


def test_keys_are_forgotten():
    """Neither remembered keys nor what they lead to grow with their number."""
    from flask._fast import signing

    for number in range(100):
        sessions.URLSafeTimedSerializer(f"key {number}").dumps(1)
    for cache in (signing._derived, signing._keyed):
        assert cache.cache_info().currsize <= cache.cache_info().maxsize < 100


def test_a_new_key_applies_at_once():
    app = flask.Flask(__name__)
    app.secret_key = "first"
    first = app.session_interface.get_signing_serializer(app).dumps(1)
    app.secret_key = "second"
    second = app.session_interface.get_signing_serializer(app)
    with pytest.raises(itsdangerous.BadSignature):
        second.loads(first)
    app.config["SECRET_KEY_FALLBACKS"] = ["first"]
    assert app.session_interface.get_signing_serializer(app).loads(first) == 1
