"""What is left of ``werkzeug.contrib.fixers``."""

from __future__ import annotations

import typing as t

from werkzeug.middleware import proxy_fix

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class ProxyFix(proxy_fix.ProxyFix):
    """Takes address and scheme from the headers that a proxy adds.

    :param num_proxies: how many proxies the request came through; if given, the host is
        taken from them as well.
    """

    def __init__(
        self, app: WSGIApplication, num_proxies: int | None = None, **kwargs: int
    ) -> None:
        if num_proxies is not None:
            kwargs = {
                **dict.fromkeys(("x_for", "x_proto", "x_host"), num_proxies),
                **kwargs,
            }
        super().__init__(app, **kwargs)
