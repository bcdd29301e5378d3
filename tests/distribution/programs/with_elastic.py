"""Elastic's agent, which an application attaches to itself."""

from __future__ import annotations

import typing as t

from elasticapm.transport.base import Transport

_events: list[t.Any] = []


class Keep(Transport):
    def queue(self, event_type: str, data: t.Any, flush: bool = False) -> None:
        """Keep it, and send nothing."""
        _events.append((str(event_type), data))

    def start_thread(self, pid: int | None = None) -> None:
        """Do nothing: the thread would only send."""


def start() -> None:
    """Do nothing: the agent starts with an application."""


def attach() -> None:
    import shop
    from elasticapm.contrib.flask import ElasticAPM

    shop.app.config["ELASTIC_APM"] = {
        "SERVICE_NAME": "shop",
        "TRANSPORT_CLASS": f"{__name__}.Keep",
        "CLOUD_PROVIDER": "none",
        "METRICS_INTERVAL": "0s",
        "CENTRAL_CONFIG": False,
        "COLLECT_LOCAL_VARIABLES": "off",
        "DEBUG": True,
    }
    ElasticAPM(shop.app)


def watch() -> None:
    """Do nothing: the agent keeps its records from the start."""


def recorded() -> list[t.Any]:
    return [
        {"kind": kind, **{name: data.get(name) for name in ["name", "type", "result"]}}
        | {"culprit": data.get("culprit"), "exception": _exception(data)}
        for kind, data in _events
    ]


def _exception(data: t.Any) -> t.Any:
    error = data.get("exception")
    return error and {
        "type": error["type"],
        "message": error["message"],
        "frames": [
            [f["module"], f["function"], f["library_frame"]]
            for f in error["stacktrace"]
        ],
    }
