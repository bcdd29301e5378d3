"""What is left of ``werkzeug.contrib.fixers``."""

from __future__ import annotations

import typing as t

from werkzeug.middleware import proxy_fix

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class ProxyFix(proxy_fix.ProxyFix):
    """Takes address and scheme from what a proxy has added.

    :param num_proxies: through how many proxies the request came; the host is taken
        from them as well then.
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
