"""New Relic's agent in its developer mode, in which it sends nothing."""

from __future__ import annotations

import typing as t

import newrelic.agent
from newrelic.core.agent import agent_instance


def start() -> None:
    newrelic.agent.initialize("newrelic.ini")


def watch() -> None:
    newrelic.agent.register_application(timeout=600)


def recorded() -> list[t.Any]:
    application = agent_instance().application("shop")
    engine = application._stats_engine
    metrics = [
        [*metric, getattr(values, "call_count", "apdex")]
        for metric, values in engine.stats_table.items()
    ]
    errors = [
        [error.path, error.type, error.message, error.parameters["stack_trace"][-1:]]
        for error in engine.error_data()
    ]
    return [*metrics, *errors]
