"""Serializers for JSON web signatures, of which only the names are given back.

A signature that looks right and is not is worse than none, so these refuse to be used.
"""

from __future__ import annotations

import typing as t

from ..shim.errors import ShimError


class JSONWebSignatureSerializer:
    """Refuses to be made."""

    def __new__(cls, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise ShimError(
            f"{cls.__name__} can be imported, but not be used: itsdangerous has no JSON"
            " web signatures since 2.1",
            mend="use a library for JWT such as Authlib, or where both sides are yours"
            " 'itsdangerous.URLSafeTimedSerializer'",
        )


class TimedJSONWebSignatureSerializer(JSONWebSignatureSerializer):
    """Refuses to be made."""
