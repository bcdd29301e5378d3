"""Datadog's ddtrace."""

from __future__ import annotations

import typing as t

_spans: list[t.Any] = []


def start() -> None:
    import ddtrace.auto  # noqa: F401


def watch() -> None:
    from ddtrace.trace import TraceFilter
    from ddtrace.trace import tracer

    class Keep(TraceFilter):
        def process_trace(self, trace: list[t.Any]) -> None:
            """Keep it, so that none of it is sent."""
            _spans.extend(trace)

    tracer.configure(trace_processors=[Keep()])


def recorded() -> list[t.Any]:
    names = {span.span_id: span.name for span in _spans}
    return [
        {
            "name": span.name,
            "in": names.get(span.parent_id),
            "resource": span.resource,
            "service": span.service,
            "type": span.span_type,
            "error": span.error,
            "tags": {
                name: value
                for name, value in span.get_tags().items()
                if name.startswith(("flask", "http", "component", "error", "span"))
                # It quotes lines of Flask's source, with their numbers.
                and name != "error.stack"
            },
        }
        for span in _spans
    ]
