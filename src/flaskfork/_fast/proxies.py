"""The patch fast-proxies: proxies that reach their object with one function call."""

from __future__ import annotations

import typing as t

from werkzeug.local import LocalProxy as _LocalProxy

from . import enabled

if t.TYPE_CHECKING or not enabled("proxies"):
    LocalProxy = _LocalProxy
else:

    class LocalProxy(_LocalProxy):
        """Does what is done with proxies most often without looking up, for each use,
        how it is done.
        """

        __slots__ = ()

        def __getattr__(self, name):
            return getattr(self._get_current_object(), name)

        def __setattr__(self, name, value):
            setattr(self._get_current_object(), name, value)

        def __getitem__(self, key):
            return self._get_current_object()[key]

        def __setitem__(self, key, value):
            self._get_current_object()[key] = value

        def __contains__(self, key):
            return key in self._get_current_object()

        def __bool__(self):
            try:
                obj = self._get_current_object()
            except RuntimeError:
                return False

            return bool(obj)
