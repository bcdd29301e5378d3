"""Each workload as an application of each framework, in that framework's best form.

A module has ``WSGI`` and ``ASGI``, from names of workloads to functions that make an
application. What a framework cannot do is not there.
"""

from __future__ import annotations

import typing as t

Make = t.Callable[[], t.Any]


def named(*makers: Make, **others: Make) -> dict[str, Make]:
    """Functions by the names of their workloads, which are their own unless given."""
    return {**{maker.__name__: maker for maker in makers}, **others}
