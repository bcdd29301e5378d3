"""The patch fast-routing: rules that are found on the first way through the map."""

from __future__ import annotations

import re
import typing as t

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map as _Map
from werkzeug.routing import MapAdapter
from werkzeug.routing import RequestRedirect
from werkzeug.routing import ValidationError
from werkzeug.routing.exceptions import NoMatch
from werkzeug.routing.exceptions import WebsocketMismatch
from werkzeug.routing.matcher import StateMachineMatcher

from ._werkzeug import usable

if t.TYPE_CHECKING:
    from werkzeug.routing import Rule
    from werkzeug.routing import RuleFactory

    Match = tuple[Rule, t.MutableMapping[str, t.Any]]


class FastMatcher(StateMachineMatcher):
    """Goes the first way that Werkzeug's matcher would try, and leaves it to that to
    try others, if there are any, and to redirect.
    """

    def __init__(self, merge_slashes: bool) -> None:
        super().__init__(merge_slashes)
        #: For each part of a rule: how it matches, and its groups for converters.
        self._parts: dict[str, tuple[t.Any, tuple[int, ...]]] = {}

    def match(self, domain: str, path: str, method: str, websocket: bool) -> Match:
        found = self.find(domain, path, method, websocket)
        return found or super().match(domain, path, method, websocket)

    def find(
        self, domain: str, path: str, method: str, websocket: bool
    ) -> Match | None:
        """What :meth:`match` returns, or ``None`` if that takes another way.

        :raises NoMatch: as that does.
        """
        rules, values, is_only = self._first(domain, path)
        other_methods: set[str] = set()
        websocket_mismatch = False

        for rule in rules:
            if rule.methods is not None and method not in rule.methods:
                other_methods.update(rule.methods)
            elif rule.websocket != websocket:
                websocket_mismatch = True
            elif rule.alias or rule.redirect_to is not None:
                return None
            else:
                try:
                    return rule, _converted(rule, values)
                except ValidationError as e:
                    raise NoMatch(other_methods, websocket_mismatch) from e

        if is_only and "//" not in path:
            if self.merge_slashes:
                # Werkzeug looks twice, which the order of a set can depend on.
                for rule in rules:
                    if rule.methods is not None and method not in rule.methods:
                        other_methods.update(rule.methods)

            raise NoMatch(other_methods, websocket_mismatch)

        return None

    def _first(self, domain: str, path: str) -> tuple[list[Rule], list[str], bool]:
        """The rules at the end of the first way, the values on it, and whether there is
        no other way. There are no rules if the way ends before the path does.
        """
        state = self._root
        values: list[str] = []
        parts = [domain, *path.split("/")]
        is_only = True

        for at, part in enumerate(parts):
            if part in state.static:
                is_only = is_only and not state.dynamic
                state = state.static[part]
                continue

            for rule_part, after in state.dynamic:
                content = rule_part.content
                match, groups = self._parts.get(content) or self._learn(content)
                found = match("/".join(parts[at:]) if rule_part.final else part)

                if found is not None:
                    is_only = is_only and rule_part is state.dynamic[-1][0]
                    state = after
                    break
            else:
                # A slash at the end may be left out.
                return [], [], is_only and not (part == "" and state.rules)

            if rule_part.suffixed:
                return [], [], False

            values += [found[group] for group in groups]

            if rule_part.final:
                break

        # A slash may be missing.
        return state.rules, values, is_only and "" not in state.static

    def _learn(self, content: str) -> tuple[t.Any, tuple[int, ...]]:
        pattern = re.compile(content)
        # A converter may have groups of its own.
        names = [n for n in pattern.groupindex if n.startswith("__werkzeug_")]
        names.sort(key=lambda name: int(name[len("__werkzeug_") :]))
        known = pattern.match, tuple(pattern.groupindex[name] for name in names)
        self._parts[content] = known
        return known


def _converted(rule: Rule, values: list[str]) -> dict[str, t.Any]:
    converters = rule._converters.items()
    pairs = zip(converters, values)
    result = {str(name): conv.to_python(value) for (name, conv), value in pairs}

    if rule.defaults:
        result.update(rule.defaults)

    return result


class FastMap(_Map):
    """A map with that matcher."""

    _matcher: FastMatcher

    def __init__(
        self,
        rules: t.Iterable[RuleFactory] | None = None,
        *args: t.Any,
        **kwargs: t.Any,
    ) -> None:
        super().__init__(None, *args, **kwargs)
        self._matcher = FastMatcher(self.merge_slashes)
        #: What the part ``adapters`` remembers.
        self.adapters: dict[tuple[t.Any, ...], tuple[str, dict[str, t.Any]]] = {}

        for rule_factory in rules or ():
            self.add(rule_factory)


def first_match(adapter: t.Any) -> Match | None:
    """What ``adapter.match(return_rule=True)`` returns, or ``None`` if Werkzeug has to
    find that out.

    :raises HTTPException: as that does.
    """
    url_map: t.Any = adapter.map

    if (
        type(url_map) is not FastMap
        or type(adapter) is not MapAdapter
        or MapAdapter.match is not _match
        or FastMatcher.match is not _matcher_match
        or not vars(adapter).keys().isdisjoint(("match", "get_default_redirect"))
    ):
        return None

    url_map.update()
    domain = adapter.server_name

    if not url_map.host_matching and adapter.subdomain is not None:
        domain = adapter.subdomain

    path = f"/{adapter.path_info.lstrip('/')}" if adapter.path_info else ""
    method = adapter.default_method.upper()

    try:
        found = url_map._matcher.find(domain, path, method, adapter.websocket)
    except NoMatch as e:
        # Where no converter has run, Werkzeug can find that out again, and then the
        # traceback is as it was.
        if e.__cause__ is None:
            return None
        if e.have_match_for:
            raise MethodNotAllowed(valid_methods=list(e.have_match_for)) from None
        if e.websocket_mismatch:
            raise WebsocketMismatch() from None
        raise NotFound() from None

    if found is None:
        return None

    rule, values = found

    # It has the highest priority of those for its endpoint, or needs a closer look.
    if (
        url_map.redirect_defaults
        and url_map._rules_by_endpoint[rule.endpoint][0] is not rule
    ):
        query = adapter.query_args or {}
        url = adapter.get_default_redirect(rule, method, values, query)

        if url is not None:
            raise RequestRedirect(url)

    return found


_match = MapAdapter.match
_matcher_match = FastMatcher.match

# It is part of what repr() shows.
FastMap.__name__ = "Map"

if t.TYPE_CHECKING:
    Map = _Map
else:
    Map = FastMap if usable("routing") else _Map
