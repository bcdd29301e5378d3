"""What the fork documents as different, put aside as narrowly as it can be said.

Each function has the name of the patch in docs/defaults.md that makes the difference.
It takes what is seen of a case on both sides, and makes them equal in this point where
the difference is exactly the documented one.

Not played at all, because they change what follows in the same request: functions
after a request that return no response, roots and fallback keys of other types, async
functions for URLs, JSON of keys that cannot be compared, and teardown functions that
raise at the end of a stream. The order of sets, such as that of `Allow`, is the same on
both sides, since the hashes of strings are.
"""

from __future__ import annotations

import collections
import json
import re
import typing as t
from dataclasses import dataclass

Seen = dict[str, t.Any]
#: What begins the notes about the end of a context.
_ENDINGS = (
    *("teardown", "request closed", "signal request-tearing-down"),
    "signal appcontext-tearing-down",
)
#: What happens when a context is pushed and popped.
_MOVES = ("signal appcontext-popped", "signal appcontext-pushed", "to_python")
_RAISED = ("raised", "body raised", "close raised")
_TRIED = "dumps empty ['separators']"
_WRITTEN = "dumps ['separators']"
_NO_HOST = "raised builtins.AttributeError: 'NoneType' object has no attribute 'build'"


def session_static(upstream: Seen, fork: Seen) -> None:
    """A static file is sent without a session cookie."""
    theirs, ours = (side["got"].get("headers", []) for side in (upstream, fork))
    left_out = [header for header in theirs if header not in ours]
    if (
        left_out
        and "/static" in upstream["do"].get("PATH_INFO", "")
        and all(
            name == "Set-Cookie" or [name, value] == ["Vary", "Cookie"]
            for name, value in left_out
        )
    ):
        upstream["got"]["headers"] = [x for x in theirs if x not in left_out]
        # The cookie is the last that the application's own JSON writes.
        events, written = upstream["events"], fork["events"].count(_WRITTEN)
        while events.count(_WRITTEN) > written:
            del events[len(events) - 1 - events[::-1].index(_WRITTEN)]


def fast_sessions(upstream: Seen, fork: Seen) -> None:
    """A serializer is made for each key, instead of each use.

    Itsdangerous writes an empty dict with what it makes a serializer of, to see whether
    that gives text.
    """
    theirs, ours = upstream["events"], fork["events"]
    n = 0
    while n < len(theirs):
        if theirs[n : n + 1] == ours[n : n + 1]:
            n += 1
        elif theirs[n] == _TRIED:
            del theirs[n]
        else:
            break


def stream_teardown(upstream: Seen, fork: Seen) -> None:
    """A stream is torn down once, when it ends, instead of twice."""
    sides = upstream, fork
    if not all("streams in context" in side["events"] for side in sides):
        return
    theirs, ours = (
        [event for event in side["events"] if event.startswith(_ENDINGS)]
        for side in sides
    )
    rounds = [theirs[n : n + len(ours)] for n in range(0, len(theirs), len(ours) or 1)]
    if (ours in rounds and len(rounds) <= 2) or theirs == ours:
        for side in sides:
            side["events"] = [
                event
                for event in side["events"]
                if not event.startswith(_ENDINGS + _MOVES)
            ]


def teardown_all(upstream: Seen, fork: Seen) -> None:
    """The functions after one that raised run as well, and no context is left."""
    sides = upstream, fork
    if not all("teardown raises" in side["events"] for side in sides):
        return
    theirs, ours = (side["events"] for side in sides)
    extra = collections.Counter(ours) - collections.Counter(theirs)
    n = theirs.index("teardown raises")
    while n < len(ours):
        if ours[n : n + 1] == theirs[n : n + 1]:
            n += 1
        elif extra[ours[n]] and ours[n].startswith(_ENDINGS + _MOVES):
            extra[ours.pop(n)] -= 1
        else:
            break
    # Threads do not look for contexts.
    if fork["got"].get("contexts") == [False, False]:
        upstream["got"]["contexts"] = fork["got"]["contexts"]


def bad_host_url_for(upstream: Seen, fork: Seen) -> None:
    """For a rejected host, `url_for` builds a URL instead of an `AttributeError`."""
    theirs, ours = upstream["events"], fork["events"]
    for n, event in enumerate(theirs):
        if event.endswith(_NO_HOST):
            # The functions for URLs that cannot be built are now asked.
            while ours[n : n + 1] and ours[n].startswith("build error"):
                del ours[n]
            if ours[n : n + 1] and _endpoint(ours[n]) == _endpoint(event):
                ours[n] = event


def _endpoint(event: str) -> str:
    found = re.match(r"url_for \S+ ", event)
    return found[0] if found else event


#: Applied in this order to each request that is not the same at once.
REQUESTS: list[t.Callable[[Seen, Seen], None]] = [
    *(fast_sessions, session_static, bad_host_url_for),
    *(stream_teardown, teardown_all),
]


def of_requests(upstream: Seen, fork: Seen) -> t.Iterator[str]:
    """Put aside what is documented, and yield the names of what there was."""
    if "events" not in upstream or "events" not in fork:
        return
    for rule in REQUESTS:
        before = json.dumps([upstream, fork])
        rule(upstream, fork)
        if json.dumps([upstream, fork]) != before:
            yield rule.__name__


def none(upstream: Seen, fork: Seen) -> t.Iterable[str]:
    """Nothing is documented as different."""
    return ()


@dataclass(frozen=True)
class Calls:
    """Calls that only one side makes, or makes more often.

    :param patch: the patch of the fork that is the reason.
    :param more: whether the fork makes them, and not upstream.
    :param calls: a pattern for them.
    :param requests: the requests in which they are made; none stands for all.
    """

    patch: str
    more: bool
    calls: str
    requests: tuple[str, ...] = ()

    def put_aside(self, upstream: Seen, fork: Seen) -> bool:
        """Remove the calls from both logs, if it is the right side that has more."""
        if self.requests and upstream["request"] not in self.requests:
            return False
        theirs, ours = (
            [call for call in side["calls"] if re.fullmatch(self.calls, call)]
            for side in (upstream, fork)
        )
        if theirs == ours or (len(ours) > len(theirs)) is not self.more:
            return False
        for side in (upstream, fork):
            side["calls"] = [
                call for call in side["calls"] if not re.fullmatch(self.calls, call)
            ]
        return True


_STATIC = ("static", "no static", "range")
_UNHEARD = "(request_finished|request_tearing_down|appcontext_(tearing_down|popped))"
_COOKIE = "(name|domain|path|secure|partitioned|samesite|httponly)"
_TRY = r"dumps\(1, separators=\)|current_app bool|current_app\.json|json\.dumps"
CALLS = [
    # They are for a cookie that is not written.
    Calls("fast-sessions", False, rf"Secure\w+\.get_cookie_{_COOKIE}\(1\)"),
    # For functions around a request, of which there are none, and for building URLs.
    Calls("fast-app", False, r"Request\.(blueprints?|endpoint)|request\.blueprints"),
    Calls("fast-app", False, r"chain\(2\)|_split_blueprint_path\(1\)"),
    # The contexts are asked, instead of the proxies.
    Calls("fast-app", True, r"_cv_request\.get"),
    Calls("fast-url-for", True, r"_cv_app\.get"),
    # A result is a list.
    Calls("fast-app", False, r"cabc\.Iterator", ("json",)),
    # Their values go into the same text, and are read once.
    Calls("fast-wrappers", False, r"Response\.(is_sequence|status_code)"),
    # Whether a file can be sent again.
    Calls("fast-app", True, r"Response\.status_code", ("file",)),
    # It is known that the serializer makes text, and it has its key.
    Calls("fast-signing", False, _TRY),
    Calls("fast-signing", False, r"hashlib\.sha1"),
    # Strings and numbers are offered to no tag.
    Calls("fast-tagging", False, r"isinstance (UUID|datetime)"),
    # As for the patch signals-unheard below.
    Calls("fast-contexts", False, r"appcontext_pushed\.send"),
    Calls("fast-contexts", True, r"appcontext_pushed\.receivers"),
    Calls(
        "fast-templating", False, r"(before_render_template|template_rendered)\.send"
    ),
    Calls(
        "fast-templating",
        True,
        r"(before_render_template|template_rendered)\.receivers",
    ),
    # Of static files, nothing is asked that only the cookie of a session needs.
    Calls(
        "session-static", False, r"Secure\w+\.(get_cookie_\w+|should_\w+)\(.*", _STATIC
    ),
    Calls("session-static", True, r"Flask\.(has_static_folder|static_folder)", _STATIC),
    Calls("session-static", True, r"os\.path", _STATIC),
    # An interface of the application's own saves into a response that is not sent.
    Calls(
        "session-static",
        True,
        r"Response\.(__init__\(0\)|status =|_clean_status\(1\))",
        _STATIC,
    ),
    # Whether it is a static file.
    Calls("session-static", True, r"Request\.endpoint"),
    # It is asked whether there are receivers, who get the signal then.
    Calls("signals-unheard", False, rf"{_UNHEARD}\.send"),
    Calls("signals-unheard", True, rf"{_UNHEARD}\.receivers"),
]


def of_calls(upstream: Seen, fork: Seen) -> t.Iterator[str]:
    """As :func:`of_requests`, of what is called."""
    if "calls" not in upstream or "calls" not in fork:
        return
    for each in CALLS:
        if upstream != fork and each.put_aside(upstream, fork):
            yield str(each)
