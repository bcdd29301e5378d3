"""The metaclass that collected the methods of a view."""

from __future__ import annotations

import typing as t

from .. import views


class MethodViewType(type):
    """Sets ``methods`` of a view class to the HTTP methods that it has."""

    methods: set[str]

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, t.Any]
    ) -> None:
        super().__init__(name, bases, namespace)
        if "methods" in namespace:
            return
        inherited = (getattr(base, "methods", None) or () for base in bases)
        methods = {method for of_base in inherited for method in of_base}
        methods |= {m.upper() for m in views.http_method_funcs if hasattr(cls, m)}
        if methods:
            cls.methods = methods
