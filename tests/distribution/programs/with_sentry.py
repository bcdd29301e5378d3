"""Sentry's SDK, which finds out by itself that the application is Flask's."""

from __future__ import annotations

import typing as t

import sentry_sdk
from sentry_sdk.transport import Transport

_events: list[t.Any] = []


class Keep(Transport):
    def capture_envelope(self, envelope: t.Any) -> None:
        """Keep it, and send nothing."""
        for item in envelope.items:
            _events.append((item.type, item.payload.json))


def start() -> None:
    sentry_sdk.init(
        dsn="http://key@localhost/1", transport=Keep, traces_sample_rate=1.0
    )


def watch() -> None:
    integrations = sentry_sdk.get_client().integrations
    assert "flask" in integrations, integrations


def recorded() -> list[t.Any]:
    sentry_sdk.flush()
    return [
        {
            "type": kind,
            "transaction": event["transaction"],
            "source": event["transaction_info"],
            "request": {**event["request"], "env": None, "headers": None},
            "exceptions": [
                {
                    "type": error["type"],
                    "value": error["value"],
                    "mechanism": error["mechanism"],
                    "frames": [
                        [frame["module"], frame["function"], frame["in_app"]]
                        for frame in error["stacktrace"]["frames"]
                    ],
                }
                for error in event.get("exception", {}).get("values", [])
            ],
            "spans": [
                [span["op"], span.get("description"), span.get("origin")]
                for span in event.get("spans", [])
            ],
        }
        for kind, event in _events
        if kind in {"event", "transaction"}
    ]
