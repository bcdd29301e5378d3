"""The patch fast-signing: keys that are derived once, not for each signature, and
signatures that are made and found good in one step.
"""

from __future__ import annotations

import hmac
import time
import typing as t
from functools import lru_cache
from operator import attrgetter

from itsdangerous import TimestampSigner
from itsdangerous import URLSafeTimedSerializer as _URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode
from itsdangerous.encoding import base64_encode
from itsdangerous.encoding import bytes_to_int
from itsdangerous.encoding import int_to_bytes
from itsdangerous.encoding import want_bytes
from itsdangerous.signer import HMACAlgorithm
from itsdangerous.signer import Signer

from ..globals import current_app
from ..json.provider import DefaultJSONProvider
from ..json.tag import TaggedJSONSerializer
from . import enabled
from .tagging import uses_plain_tags


class FastAlgorithm(HMACAlgorithm):
    """HMAC that begins where the key has led."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        try:
            mac = _keyed(key, self.digest_method).copy()
        except TypeError:
            # The method cannot be hashed.
            return super().get_signature(key, value)

        mac.update(value)
        return mac.digest()


class FastSigner(TimestampSigner):
    """A signer that does not derive a key again."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        secret = self.secret_keys[-1] if secret_key is None else want_bytes(secret_key)

        try:
            return _derived(secret, self.salt, self.key_derivation, self.digest_method)
        except TypeError:
            return super().derive_key(secret_key)


class FastURLSafeTimedSerializer(_URLSafeTimedSerializer):
    """Signs with these, unless another signer is chosen. What is signed with the newest
    key is read directly; all else is for itsdangerous to judge.
    """

    if not t.TYPE_CHECKING:

        def __init__(
            self, secret_key, salt=b"itsdangerous", serializer=None, *args, **kwargs
        ):
            # To see whether it makes text, something would be dumped for each session.
            known = _is_known_to_make_text(serializer)
            given = _MAKES_TEXT if known else serializer
            super().__init__(secret_key, salt, given, *args, **kwargs)

            if known:
                self.serializer = serializer

        def dumps(self, obj, salt=None):
            mac = self._mac(salt)

            if mac is None:
                return super().dumps(obj, salt)

            payload = want_bytes(self.dump_payload(obj))
            signed = b"%b.%b" % (payload, base64_encode(int_to_bytes(int(time.time()))))
            text = b"%b.%b" % (signed, _signature(mac, signed))
            return text.decode() if self.is_text_serializer else text

        def loads(self, s, max_age=None, return_timestamp=False, salt=None):
            if (
                type(s) is str
                and s.isascii()
                and type(max_age) is int
                and not return_timestamp
                and (mac := self._mac(salt)) is not None
                and (payload := _payload(mac, s.encode(), max_age)) is not None
            ):
                return self.load_payload(payload)

            return super().loads(s, max_age, return_timestamp, salt)

    def _mac(self, salt: str | bytes | None) -> hmac.HMAC | None:
        """What begins each signature, if they are made by itsdangerous' code alone."""
        if (
            type(self) is not FastURLSafeTimedSerializer
            or self.signer is not TimestampSigner
            or _methods(TimestampSigner) != _METHODS
            or HMACAlgorithm.get_signature is not _get_signature
            or _makers(type(self)) != _MAKERS
            or not vars(self).keys().isdisjoint(_REPLACEABLE)
        ):
            return None

        kwargs = tuple(self.signer_kwargs.items())

        try:
            return _begun(
                self.secret_keys[-1], self.salt if salt is None else salt, kwargs
            )
        except Exception:
            # It cannot be remembered, or itsdangerous refuses it and says why.
            return None

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        if self.signer is not TimestampSigner:
            return super().make_signer(salt)

        keys = tuple(self.secret_keys)
        kwargs = tuple(self.signer_kwargs.items())

        try:
            made = _made(keys, self.salt if salt is None else salt, kwargs)
        except TypeError:
            return super().make_signer(salt)

        # Nobody else gets to see this one, so it can be changed.
        signer = FastSigner.__new__(FastSigner)
        vars(signer).update(made, secret_keys=list(keys))

        if "algorithm" not in self.signer_kwargs:
            signer.algorithm = FastAlgorithm(signer.digest_method)

        return signer


@lru_cache(32)
def _made(
    keys: tuple[bytes, ...], salt: str | bytes, kwargs: tuple[tuple[str, t.Any], ...]
) -> dict[str, t.Any]:
    return vars(TimestampSigner(keys, salt=salt, **dict(kwargs)))


@lru_cache(32)
def _derived(secret: bytes, salt: bytes, derivation: str, digest: t.Any) -> bytes:
    return Signer(
        secret, salt=salt, key_derivation=derivation, digest_method=digest
    ).derive_key()


@lru_cache(32)
def _keyed(key: bytes, digest: t.Any) -> hmac.HMAC:
    return hmac.new(key, digestmod=digest)


@lru_cache(32)
def _begun(
    secret: bytes, salt: str | bytes, kwargs: tuple[tuple[str, t.Any], ...]
) -> hmac.HMAC | None:
    signer = TimestampSigner(secret, salt=salt, **dict(kwargs))

    if type(signer.algorithm) is not HMACAlgorithm:
        return None

    mac = hmac.new(signer.derive_key(), digestmod=signer.digest_method)
    # It has to sign in the way that is known here.
    text = signer.sign(b"a")
    parts = text.split(b".")
    signed = b".".join(parts[:-1])
    as_known = len(parts) == 3 and _signature(mac, signed) == parts[2]
    return mac if as_known else None


def _signature(mac: hmac.HMAC, signed: bytes) -> bytes:
    mac = mac.copy()
    mac.update(signed)
    return base64_encode(mac.digest())


def _payload(mac: hmac.HMAC, text: bytes, max_age: int) -> bytes | None:
    """What has been signed, unless anything is unusual about the signature."""
    signed, _, signature = text.rpartition(b".")

    if not hmac.compare_digest(_signature(mac, signed), signature):
        return None

    payload, separator, timestamp = signed.rpartition(b".")

    try:
        age = int(time.time()) - bytes_to_int(base64_decode(timestamp))
    except Exception:
        return None

    return payload if separator and 0 <= age <= max_age else None


def _is_known_to_make_text(serializer: t.Any) -> bool:
    if (
        type(serializer) is not TaggedJSONSerializer
        or TaggedJSONSerializer.dumps is not _tagged_dumps
        or not uses_plain_tags(serializer)
    ):
        return False

    if not current_app:
        return True

    provider = current_app.json
    return type(provider).dumps is _provider_dumps and "dumps" not in vars(provider)


class _MakesText:
    def dumps(self, obj: t.Any) -> str:
        return ""


_MAKES_TEXT = _MakesText()
_tagged_dumps = TaggedJSONSerializer.dumps
_provider_dumps = DefaultJSONProvider.dumps
_REPLACEABLE = ("iter_unsigners", "make_signer")
_get_signature = HMACAlgorithm.get_signature
_makers = attrgetter(*_REPLACEABLE)
_MAKERS = _makers(FastURLSafeTimedSerializer)
_methods = attrgetter(
    *("sign", "unsign", "get_signature", "verify_signature", "derive_key"),
    *("get_timestamp", "timestamp_to_datetime"),
)
_METHODS = _methods(TimestampSigner)

if t.TYPE_CHECKING:
    URLSafeTimedSerializer = _URLSafeTimedSerializer
elif enabled("signing"):
    URLSafeTimedSerializer = FastURLSafeTimedSerializer
else:
    URLSafeTimedSerializer = _URLSafeTimedSerializer
