"""Monitoring tools record the same of an application on the fork as on plain Flask.

The application, in the folder ``programs``, is really served, and watched by the tools
themselves; nothing leaves the process. It is compared with plain Flask, where the
releases of everything else are the same.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
import shutil
import typing as t

import pytest
from packaging.utils import parse_wheel_filename

from forkkit.base import venv
from forkkit.base.venv import Environment

# Each case installs a monitoring tool, and serves the application under it.
pytestmark = pytest.mark.sampled

Record = t.Callable[..., dict[str, t.Any]]

PROGRAMS = pathlib.Path(__file__).with_name("programs")
TOOLS = [
    "ddtrace",
    "elastic-apm",
    "newrelic",
    "opentelemetry-distro",
    "opentelemetry-instrumentation-flask",
    "sentry-sdk",
]
# The commands of the tools that have one to start them.
COMMANDS = {
    "datadog": ["ddtrace-run"],
    "newrelic": ["newrelic-admin", "run-program"],
    "opentelemetry": [
        "opentelemetry-instrument",
        *("--traces_exporter", "none"),
        *("--metrics_exporter", "none"),
        *("--logs_exporter", "none"),
    ],
}
SETTINGS = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "NEW_RELIC_CONFIG_FILE": "newrelic.ini",
}


@pytest.fixture(scope="module")
def on_the_fork(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    folder = tmp_path_factory.mktemp("instrumented-fork") / "venv"
    return venv.create(folder, fork_wheel, shim_wheel, *TOOLS)


@pytest.fixture(scope="module")
def on_flask(
    tmp_path_factory: pytest.TempPathFactory,
    on_the_fork: Environment,
    level: str,
) -> Environment:
    frozen = venv.uv("pip", "freeze", "--python", on_the_fork.python)
    # Those installed from a file are the fork and the shim.
    same = [line for line in frozen.splitlines() if " @ " not in line]
    folder = tmp_path_factory.mktemp("instrumented-flask") / "venv"
    return venv.create(folder, f"Flask=={level}", *same)


@pytest.fixture(scope="module")
def versions(fork_wheel: pathlib.Path, shim_wheel: pathlib.Path) -> tuple[str, ...]:
    """The texts that state the version of Flask."""
    shim = parse_wheel_filename(shim_wheel.name)[1]
    fork = parse_wheel_filename(fork_wheel.name)[1]
    # New Relic leaves the letters out of the first, which gives the second.
    return str(shim), str(fork), shim.public


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder of the shop that is served on the fork."""
    return copy_programs(tmp_path / "programs")


@pytest.fixture
def on_fork(
    on_the_fork: Environment, folder: pathlib.Path, versions: tuple[str, ...]
) -> Record:
    return functools.partial(record, on_the_fork, folder, versions)


@pytest.fixture(scope="module")
def on_plain(
    on_flask: Environment,
    tmp_path_factory: pytest.TempPathFactory,
    versions: tuple[str, ...],
) -> Record:
    folder = copy_programs(tmp_path_factory.mktemp("plain") / "programs")
    run = functools.partial(record, on_flask, folder, versions)
    return functools.lru_cache(maxsize=None)(run)


def copy_programs(folder: pathlib.Path) -> pathlib.Path:
    shutil.copytree(PROGRAMS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def record(
    environment: Environment,
    folder: pathlib.Path,
    versions: tuple[str, ...],
    tool: str,
    *steps: str,
) -> dict[str, t.Any]:
    """Run the shop in ``folder``, watched by the tool, and return what it recorded.

    :param steps: those of ``watched.py``; ``command``, if first, is the tool's command.
    """
    command: list[str | pathlib.Path] = []
    if steps[0] == "command":
        program, *options = COMMANDS[tool]
        command = [environment.program(program), *options, environment.python]
        steps = steps[1:]
    done = environment.run(
        *(*command, "watched.py", tool, *steps), cwd=folder, env=SETTINGS
    )

    # Without what must differ: the locations, and the fork's names.
    said = re.sub(r"127\.0\.0\.1:\d+", "<address>", done.stdout)
    said = said.replace(str(environment.path), "<environment>")
    said = said.replace(str(folder), "<folder>")
    for version in versions:
        said = said.replace(version, "<version>")
    # Functions and classes name their module.
    found: dict[str, t.Any] = json.loads(re.sub(r"\bflaskfork\.", "flask.", said))
    lines = [json.dumps(one, sort_keys=True) for one in found["recorded"]]
    return {**found, "recorded": sorted(lines)}


def test_upstreams_flask_is_nowhere(
    on_the_fork: Environment, on_flask: Environment
) -> None:
    code = "import flask; print(flask.Flask.__module__)"
    assert on_the_fork.evaluate(code) == "flaskfork.app"
    assert on_flask.evaluate(code) == "flask.app"


@pytest.mark.parametrize("tool", ["datadog", "newrelic", "opentelemetry", "sentry"])
def test_tool_that_is_started_first(
    on_fork: Record, on_plain: Record, tool: str
) -> None:
    plain = on_plain(tool, "start", "shop")
    assert {status for _, status, *_ in plain["seen"]} == {200, 201, 404, 405, 409, 500}
    assert "failed for ZeroDivisionError" in str(plain["told"])
    assert "broken" in str(plain["recorded"])
    assert on_fork(tool, "start", "shop") == plain


@pytest.mark.parametrize("tool", ["datadog", "newrelic", "opentelemetry", "sentry"])
def test_tool_where_the_forks_own_names_are_used_first(
    on_fork: Record, on_plain: Record, folder: pathlib.Path, tool: str
) -> None:
    shop = folder / "shop.py"
    lines = shop.read_text("utf-8").splitlines(keepends=True)
    imports = [i for i, line in enumerate(lines) if line.startswith("from flask")]
    for i in imports[::2]:
        lines[i] = lines[i].replace("from flask", "from flaskfork", 1)
    shop.write_text("".join(lines), "utf-8")
    found = on_fork(tool, "start", "flaskfork", "flaskfork.views", "shop")
    assert found == on_plain(tool, "start", "shop")


@pytest.mark.parametrize("tool", ["datadog", "newrelic", "opentelemetry", "sentry"])
def test_tool_that_is_started_after_flask_is_imported(
    on_fork: Record, on_plain: Record, tool: str
) -> None:
    steps = tool, "flask", "flask.views", "start", "shop"
    assert on_fork(*steps) == on_plain(*steps)


@pytest.mark.parametrize("tool", [*COMMANDS])
def test_tool_that_starts_the_program(
    on_fork: Record, on_plain: Record, tool: str
) -> None:
    plain = on_plain(tool, "command", "shop")
    assert plain["recorded"]
    assert on_fork(tool, "command", "shop") == plain


@pytest.mark.parametrize("tool", ["elastic", "opentelemetry"])
def test_tool_that_is_attached_to_an_application(
    on_fork: Record, on_plain: Record, tool: str
) -> None:
    plain = on_plain(tool, "shop", "attach")
    assert "ZeroDivisionError" in str(plain["recorded"])
    assert on_fork(tool, "shop", "attach") == plain
