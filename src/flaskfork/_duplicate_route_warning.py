"""The patch duplicate-route-warning: the flag ``WARN_DUPLICATE_ROUTES``."""

from __future__ import annotations

import re
import sys
import types
import typing as t
import warnings
from functools import partial
from weakref import WeakKeyDictionary

from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import RuleFactory

# A variable in a rule. Its name makes no difference to what is matched.
_variable_re = re.compile(r"<(?:([a-zA-Z_]\w*)(\(.*?\))?:)?[a-zA-Z_]\w*>")

# Stands for the methods of a rule that has none, and answers all of them.
_ANY = "any method"


class _Routes:
    """Which endpoint answers each URL of a map, by method: that of the first rule."""

    def __init__(self) -> None:
        # Flat, with strings as keys, so that the garbage collector ignores it.
        self.first: dict[str, t.Any] = {}
        self.endpoints = 0

    def find(self, url: str, method: str) -> t.Any:
        """Get the endpoint that answers a method, or ``None``."""
        return self.first.get(f"{method} {url}") or self.first.get(f"{_ANY} {url}")

    def record(self, rule: Rule, urls: list[str]) -> None:
        for url in urls:
            if f"{_ANY} {url}" not in self.first:
                for method in _methods(rule):
                    self.first.setdefault(f"{method} {url}", rule.endpoint)


# What is kept of a map has no reference to it.
_routes: WeakKeyDictionary[Map, _Routes] = WeakKeyDictionary()


def add(url_map: Map, rule: RuleFactory) -> None:
    """Add a rule to a map. Warn first if it is never reached, because other endpoints
    have the same rule.

    Issue pallets/flask#5716. Takes the same time however many rules there are.
    """
    if not isinstance(rule, Rule):
        url_map.add(rule)
        return

    routes = _get_routes(url_map)
    urls = _urls(rule, url_map)
    _warn(rule, urls, routes)
    url_map.add(rule)
    routes.record(rule, urls)
    routes.endpoints = _count_endpoints(url_map)


def _get_routes(url_map: Map) -> _Routes:
    routes = _routes.get(url_map)

    # Rules may have been added before, or to the map itself.
    if routes is None or routes.endpoints != _count_endpoints(url_map):
        routes = _routes[url_map] = _Routes()
        routes.endpoints = _count_endpoints(url_map)

        for rule in url_map.iter_rules():
            routes.record(rule, _urls(rule, url_map))

    return routes


def _count_endpoints(url_map: Map) -> int:
    return len(getattr(url_map, "_rules_by_endpoint", ()))


def _methods(rule: Rule) -> t.Collection[str]:
    # OPTIONS is added to most rules, and answered for all methods.
    return {_ANY} if rule.methods is None else rule.methods - {"OPTIONS"}


def _urls(rule: Rule, url_map: Map) -> list[str]:
    """Return strings that are equal for rules that match the same URLs: one for the URL
    as it is written, and another if a slash may follow it.
    """
    if rule.build_only:
        return []

    # A rule takes what it does not set from the map, when it is added.
    domain = rule.host if url_map.host_matching else rule.subdomain
    strict = rule.strict_slashes

    if domain is None:
        domain = "" if url_map.host_matching else url_map.default_subdomain

    if strict is None:
        strict = url_map.strict_slashes

    scheme = "ws" if rule.websocket else "http"
    without_name = partial(_without_name, url_map.converters)
    url = _variable_re.sub(without_name, f"{scheme}://{domain}|{rule.rule}")
    return [url] if strict or rule.is_branch else [url, f"{url}/?"]


def _without_name(converters: t.Mapping[str, t.Any], variable: re.Match[str]) -> str:
    converter, arguments = variable.groups()

    if converters.get(converter) is converters.get("default"):
        converter = "default"

    return f"<{converter or 'default'}{arguments or ''}>"


def _warn(rule: Rule, urls: list[str], routes: _Routes) -> None:
    taken: dict[t.Any, list[str]] = {}

    for method in sorted(_methods(rule)) if urls else ():
        owners = [routes.find(url, method) for url in urls]

        if None not in owners and rule.endpoint not in owners:
            taken.setdefault(owners[0], []).append(method)

    for endpoint, methods in taken.items():
        warnings.warn(
            f"The route {rule.rule!r} of the endpoint {rule.endpoint!r} is never"
            f" reached by {', '.join(methods)}: the endpoint {endpoint!r}"
            " has it already.",
            stacklevel=_stacklevel(),
        )


def _stacklevel() -> int:
    """Find the first frame that isn't in Flask's own code, as seen by the caller."""
    frame = sys._getframe(1)
    package = __name__.partition(".")[0]
    level = 1

    while frame.f_back and _package(frame) == package:
        frame = frame.f_back
        level += 1

    return level


def _package(frame: types.FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
