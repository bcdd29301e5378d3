"""Small functions and constants, most of them replaced by others."""

from __future__ import annotations

import hashlib
import hmac
import html
import typing as t

import jinja2.ext
from werkzeug.datastructures import Authorization
from werkzeug.datastructures import WWWAuthenticate

YES = True


class BuiltIn(jinja2.ext.Extension):
    """An extension that does nothing: what it did is now part of the language."""

    def parse(self, parser: t.Any) -> t.NoReturn:
        raise NotImplementedError


def constant_time_compare(a: str | bytes, b: str | bytes) -> bool:
    """Compare in a time that does not reveal how much of the two is equal."""
    return hmac.compare_digest(_as_bytes(a), _as_bytes(b))


def pbkdf2_bin(
    data: str | bytes,
    salt: str | bytes,
    iterations: int = 260000,
    keylen: int | None = None,
    hashfunc: t.Any = None,
) -> bytes:
    """Derive a key from a password."""
    if callable(hashfunc):
        hashfunc = hashfunc().name
    return hashlib.pbkdf2_hmac(
        hashfunc or "sha256", _as_bytes(data), _as_bytes(salt), iterations, keylen
    )


def pbkdf2_hex(*args: t.Any, **kwargs: t.Any) -> str:
    """Derive a key from a password, in hexadecimal digits."""
    return pbkdf2_bin(*args, **kwargs).hex()


def escape(s: t.Any) -> str:
    """Escape for HTML, into a plain string."""
    if s is None:
        return ""
    return str(s.__html__()) if hasattr(s, "__html__") else html.escape(str(s))


def parse_authorization_header(value: str | None) -> Authorization | None:
    """Parse the ``Authorization`` header of a client."""
    return Authorization.from_header(value)


def parse_www_authenticate_header(
    value: str | None, on_update: t.Callable[[WWWAuthenticate], None] | None = None
) -> WWWAuthenticate:
    """Parse the ``WWW-Authenticate`` header of a server."""
    parsed = WWWAuthenticate.from_header(value) or WWWAuthenticate("basic")
    parsed._on_update = on_update
    return parsed


def invalidate_cached_property(obj: t.Any, name: str) -> None:
    """Forget the value of a cached property."""
    obj.__dict__.pop(name, None)


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
