"""Session cookies, valid and damaged: what is read from them and what is written."""

from __future__ import annotations

import base64
import datetime
import json
import pathlib
import typing as t
import uuid
import zlib
from random import Random

import clock
import flask
import seen
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup

COOKIES = 200
KEYS: list[t.Any] = ["key", b"key", "other", "k\u00e9y", "x" * 200, "", b"\x00"]
FALLBACKS: list[t.Any] = [None, [], ["old"], ["old", b"older", "key"], ("t",)]
SALTS = ["cookie-session", "itsdangerous", "", "s\u00e4lt"]
LETTERS = "abzAZ019-_.=+/ ~\u00e9"
VALUES: list[t.Callable[[Random], t.Any]] = [
    lambda rng: {},
    lambda rng: {"n": rng.randrange(10**6)},
    lambda rng: {"text": "\u00fc\u2028" * rng.randrange(40)},
    lambda rng: {"long": "x" * rng.choice([100, 2000]), "n": None},
    lambda rng: {"t": (1, (2, "x")), "b": b"\x00\xff", "m": Markup("<b>")},
    lambda rng: {"u": uuid.UUID(int=rng.getrandbits(128)), " t": [1], "f": 1.5},
    lambda rng: {
        "d": datetime.datetime(2027, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
    },
    lambda rng: {"_permanent": True, "_flashes": [("message", "saved")]},
    lambda rng: [1, {" di": "x"}],
    lambda rng: {" t": 1},
    lambda rng: {1: "a", "b": 2},
    lambda rng: {"o": object()},
    lambda rng: None,
    lambda rng: {"nan": float("nan"), "big": 10**40},
    lambda rng: {"deep": [[[[[{"a": {}}]]]]]},
]


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Yield what the serializers of one application make of many cookies."""
    seen.begin(rng)
    app = flask.Flask("cookies", static_folder=None)
    interface = app.session_interface = SecureCookieSessionInterface()
    configure(app, interface, rng)
    valid: list[str] = []
    for _ in range(COOKIES):
        if rng.random() < 0.03:
            configure(app, interface, rng)
        clock.set_to(rng.choice([0, 1, 59, 10**4, 10**8, -(10**9)]))
        serializer = interface.get_signing_serializer(app)
        if serializer is None:
            yield {"serializer": None}
            continue
        value = rng.choice(VALUES)(rng)
        written = seen.outcome(serializer.dumps, value)
        if not written.startswith("raised"):
            valid = [*valid[-20:], written]
        cookie = damaged(rng, app, rng.choice(valid or ["x"]))
        yield {"do": cookie, "wrote": written, "read": read(serializer, cookie, rng)}


def configure(app: flask.Flask, interface: t.Any, rng: Random) -> None:
    app.secret_key = rng.choice(KEYS)
    app.config["SECRET_KEY_FALLBACKS"] = rng.choice(FALLBACKS)
    if rng.random() < 0.2:
        interface.salt = rng.choice(SALTS)
    if rng.random() < 0.1:
        interface.key_derivation = rng.choice(["hmac", "concat", "django-concat", "x"])


def damaged(rng: Random, app: flask.Flask, cookie: str) -> t.Any:
    """A cookie as it is, or changed, or signed by somebody else."""
    choice = rng.random()
    if choice < 0.3:
        return cookie
    if choice < 0.4:
        return cookie[: rng.randrange(len(cookie) + 1)]
    if choice < 0.6:
        at = rng.randrange(len(cookie))
        return cookie[:at] + rng.choice(LETTERS) + cookie[at + rng.choice([0, 1]) :]
    if choice < 0.65:
        return rng.choice(["", ".", "..", "...", "a.b.c", "\u00e9", ".a.b.c", "a.b"])
    if choice < 0.7:
        return rng.choice([cookie + "=", cookie + "\n", " " + cookie, cookie.upper()])
    if choice < 0.75:
        return ".".join(rng.sample(cookie.split("."), cookie.count(".") + 1))
    return signed(rng, app)


def signed(rng: Random, app: flask.Flask) -> str:
    """A cookie that itsdangerous signs, with other options or an odd payload."""
    keys = [*KEYS, *(app.config["SECRET_KEY_FALLBACKS"] or ["old"])]
    options = {
        "key_derivation": rng.choice(["hmac", "hmac", "hmac", "concat"]),
        "digest_method": SecureCookieSessionInterface.digest_method,
    }
    serializer = URLSafeTimedSerializer(
        rng.choice([app.secret_key or "x", rng.choice(keys) or "x"]),
        salt=rng.choice([SALTS[0], SALTS[0], *SALTS]),
        signer_kwargs=options,
    )
    signer = serializer.make_signer(serializer.salt)
    text = json.dumps(
        rng.choice([{"a": 1}, [], 1, "x", {" t": [1]}, {" b": "??"}])
    ).encode()
    payload = rng.choice(
        [
            base64.urlsafe_b64encode(text).rstrip(b"="),
            base64.urlsafe_b64encode(text),
            b"." + base64.urlsafe_b64encode(zlib.compress(text)).rstrip(b"="),
            b"." + base64.urlsafe_b64encode(text).rstrip(b"="),
            base64.urlsafe_b64encode(text[:-1]).rstrip(b"="),
            base64.urlsafe_b64encode(b"\xff\xfe").rstrip(b"="),
            b"." + base64.urlsafe_b64encode(zlib.compress(text)[:-3]).rstrip(b"="),
            b"!!",
            b"",
        ]
    )
    return signer.sign(payload).decode("latin-1")


def read(serializer: t.Any, cookie: t.Any, rng: Random) -> list[str]:
    """What is read, with several limits of age."""
    given = cookie.encode("utf-8") if rng.random() < 0.1 else cookie
    age = rng.choice([None, 0, 60, 10**5, -1, 10**9])
    options = {"max_age": age} if rng.random() < 0.9 else {}
    if rng.random() < 0.1:
        options["return_timestamp"] = True
    if rng.random() < 0.05:
        options["salt"] = rng.choice(SALTS)
    found = [f"{options}", outcome(serializer.loads, given, **options)]
    if rng.random() < 0.1:
        found.append(seen.outcome(serializer.loads_unsafe, given))
    return found


def outcome(function: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> str:
    """As :func:`seen.outcome`, with what an error about a signature carries."""
    try:
        return seen.text(function(*args, **kwargs))
    except Exception as e:
        carried = [
            getattr(e, name, "") for name in ("payload", "date_signed", "header")
        ]
        return f"raised {seen.error(e)} {seen.text(carried)}"
