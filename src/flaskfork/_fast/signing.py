"""The patch fast-signing: keys that are derived once, not for each signature."""

from __future__ import annotations

import hmac
import typing as t
from functools import lru_cache

from itsdangerous import TimestampSigner
from itsdangerous import URLSafeTimedSerializer as _URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes
from itsdangerous.signer import HMACAlgorithm
from itsdangerous.signer import Signer

from . import enabled


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
    """Signs with these, unless another signer is chosen."""

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


if t.TYPE_CHECKING:
    URLSafeTimedSerializer = _URLSafeTimedSerializer
elif enabled("signing"):
    URLSafeTimedSerializer = FastURLSafeTimedSerializer
else:
    URLSafeTimedSerializer = _URLSafeTimedSerializer
