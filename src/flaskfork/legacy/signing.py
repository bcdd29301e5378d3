"""Serializers for JSON web signatures, of which only the names are restored.

A wrong signature that looks right is worse than none, so using one is an error.
"""

from __future__ import annotations

import typing as t

from ..shim.errors import ShimError


class JSONWebSignatureSerializer:
    """Cannot be instantiated."""

    def __new__(cls, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise ShimError(
            f"{cls.__name__} can be imported but not used: itsdangerous 2.1 removed"
            " JSON web signatures",
            hint="use a library for JWT such as Authlib, or where both sides are yours"
            " 'itsdangerous.URLSafeTimedSerializer'",
        )


class TimedJSONWebSignatureSerializer(JSONWebSignatureSerializer):
    """Cannot be instantiated."""
