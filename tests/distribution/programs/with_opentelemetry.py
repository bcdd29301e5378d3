"""OpenTelemetry, through its instrumentation of Flask."""

from __future__ import annotations

import typing as t

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_exporter = InMemorySpanExporter()


def start() -> None:
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    trace.set_tracer_provider(TracerProvider())
    FlaskInstrumentor().instrument()


def attach() -> None:
    """Watch only this application."""
    import shop
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    trace.set_tracer_provider(TracerProvider())
    FlaskInstrumentor().instrument_app(shop.app)


def watch() -> None:
    provider: t.Any = trace.get_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(_exporter))


def recorded() -> list[t.Any]:
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "status": [span.status.status_code.name, span.status.description],
            "attributes": {
                name: value
                for name, value in (span.attributes or {}).items()
                if "port" not in name
            },
            "events": [
                [event.name, (event.attributes or {}).get("exception.type")]
                for event in span.events
            ],
            "scope": span.instrumentation_scope and span.instrumentation_scope.name,
        }
        for span in _exporter.get_finished_spans()
    ]
