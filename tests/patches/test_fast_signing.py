"""Signing takes fewer steps, and signs the same."""

from __future__ import annotations

import hashlib

import flask
import itsdangerous
import pytest
from flask import sessions
from flask.json.provider import DefaultJSONProvider
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes

from counting import outcome
from counting import saved

PROGRAM = """
from flask import sessions
serializer = sessions.URLSafeTimedSerializer(["key"], salt="salt")

def act():
    return serializer.loads(serializer.dumps({"a": 1}), 60)
"""


NOW = 1_800_000_000
AGES = (None, 0, 60, -1, 1.5, True, "60")


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
    monkeypatch.setattr("time.time", lambda: NOW + 0.5)


def test_fewer_steps():
    assert saved(PROGRAM, "signing") > 0.3


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
    texts += [text.encode() for text in texts]
    loads = [outcome(serializer.loads, text, age) for text in texts for age in AGES]
    aged = [outcome(serializer.loads, text, 60, True) for text in texts]
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
        sessions.URLSafeTimedSerializer(f"key {number}", signer=OwnSigner).dumps(1)
        signing.FastSigner(f"key {number}").get_signature("a")
    for cache in (signing._begun, signing._derived, signing._made):
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


def changed(text):
    """Other texts, most of which nobody has signed."""
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]
        yield text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        yield text[:at] + "." + text[at:]
        yield text[at:]
        yield text[:at]

    yield from (text + "=", text + "\n", f" {text}", text + "\u00e9", text.swapcase())


@pytest.mark.parametrize("value", [{"a": 1}, {"a": "b" * 200}, 1, "\u00e9"])
@pytest.mark.parametrize("age", [0, 60, 61, -1, 10**9])
def test_changed_signatures(monkeypatch, value, age):
    """Neither is a wrong one accepted, nor a good one refused."""
    mine = sessions.URLSafeTimedSerializer(["old", "key"], salt="salt")
    theirs = URLSafeTimedSerializer(["old", "key"], salt="salt")
    signed = theirs.dumps(value)
    texts = [signed, URLSafeTimedSerializer("old", salt="salt").dumps(value)]
    monkeypatch.setattr("time.time", lambda: NOW + age)

    for text in [*texts, *changed(signed)]:
        assert outcome(mine.loads, text, 60) == outcome(theirs.loads, text, 60)


METHODS = [
    *("sign", "unsign", "get_signature", "verify_signature", "derive_key"),
    *("get_timestamp", "timestamp_to_datetime"),
]


@pytest.mark.parametrize("name", METHODS)
def test_patched_at_run_time(monkeypatch, name):
    mine = sessions.URLSafeTimedSerializer("key", salt="salt")
    text = mine.dumps(1)
    called = []
    known = getattr(itsdangerous.TimestampSigner, name)

    def patched(*args, **kwargs):
        called.append(name)
        return known(*args, **kwargs)

    monkeypatch.setattr(itsdangerous.TimestampSigner, name, patched)
    assert (mine.dumps(1), mine.loads(text, 60)) == (text, 1)
    # The key is remembered, which fast signers do not derive again.
    assert called or name == "derive_key"


@pytest.mark.parametrize("name", ["make_signer", "iter_unsigners"])
@pytest.mark.parametrize("place", ["instance", "class"])
def test_own_signers(monkeypatch, name, place):
    mine = sessions.URLSafeTimedSerializer("key", salt="salt")
    theirs = URLSafeTimedSerializer("other", salt="salt")
    text = theirs.dumps(1)

    def replaced(*args):
        return getattr(theirs, name)("salt")

    owner = mine if place == "instance" else type(mine)
    monkeypatch.setattr(owner, name, replaced)
    assert mine.loads(text, 60) == 1


class Bytes(TaggedJSONSerializer):
    def dumps(self, value):
        return want_bytes(super().dumps(value))


class BytesProvider(DefaultJSONProvider):
    def dumps(self, obj, **kwargs):
        return super().dumps(obj, **kwargs).encode()


def test_whether_it_makes_text():
    """It is found out as by itsdangerous where it is not known."""
    app = flask.Flask("application")
    app.json = BytesProvider(app)

    for serializer in (None, TaggedJSONSerializer(), Bytes()):
        kinds = []

        for cls in (sessions.URLSafeTimedSerializer, URLSafeTimedSerializer):
            outside = cls("key", serializer=serializer)

            with app.app_context():
                inside = cls("key", serializer=serializer)
                kinds.append((type(inside.dumps(1)), inside.is_text_serializer))

            kinds.append((type(outside.dumps(1)), outside.is_text_serializer))
            assert outside.serializer is inside.serializer
            assert serializer in (None, inside.serializer)

        assert kinds[:2] == kinds[2:]


def test_tenants_are_kept_apart():
    """Of keys and salts that are used in turn, each accepts only what it has signed."""
    tenants = [
        sessions.URLSafeTimedSerializer(key, salt=salt)
        for key in ("first", "second")
        for salt in ("a", b"b")
    ]

    for _ in range(2):
        texts = [tenant.dumps(1) for tenant in tenants]

        for number, tenant in enumerate(tenants):
            for other, text in enumerate(texts):
                if number == other:
                    assert tenant.loads(text, 60) == 1
                else:
                    with pytest.raises(itsdangerous.BadSignature):
                        tenant.loads(text, 60)
