"""``werkzeug.contrib.cache``, which is the package cachelib now."""

from __future__ import annotations

from cachelib import *  # type: ignore[import-not-found]  # noqa: F403
from cachelib import MemcachedCache

GAEMemcachedCache = MemcachedCache
