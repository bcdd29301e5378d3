"""Shared by the tests: the built fork, an environment with it, and sampling.

The tests in ``patches/`` and ``shim/`` run inside such an environment, so nothing but
pytest and the standard library is imported at the top of this file.

With ``--sample``, pytest runs one in four of the tests that a file marks ``sampled``,
one in eight with ``sampled(8)``, and none with ``sampled(0)``. The commit and the
interpreter determine which; they are listed at the end. This keeps a default run quick,
and later commits cover the rest. Without the option all tests run. A test with many
cases passes them through the fixture ``sampled``.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

if t.TYPE_CHECKING:
    from forkkit.base.venv import Environment
    from forkkit.pack.dist import Built

T = t.TypeVar("T")
#: A sample is one in this many.
SHARE = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        action="store_true",
        help="run a share of the tests marked as sampled, chosen by the commit",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Neither the user's git settings nor the terminal may affect the tests.
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "LANGUAGE"):
        os.environ.pop(name, None)

    with contextlib.suppress(ImportError):
        from hypothesis import HealthCheck
        from hypothesis import settings

        # A busy machine is slow, and default runs must be reproducible.
        settings.register_profile(
            "fork",
            deadline=None,
            derandomize=bool(config.getoption("sample")),
            suppress_health_check=[HealthCheck.too_slow],
        )
        settings.load_profile("fork")


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.getoption("sample"):
        return None
    return f"sample: by the commit {commit()[:12]}"


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect the tests that are not in the sample."""
    if not config.getoption("sample"):
        return
    groups: dict[str, list[pytest.Item]] = {}
    left_out = [item for item in items if share_of(item) == 0]
    for item in items:
        if item.get_closest_marker("sampled") and item not in left_out:
            groups.setdefault(item.nodeid.partition("::")[0], []).append(item)
    left_out += [
        item
        for name, group in groups.items()
        for item in group
        if item not in chosen(name, group, share_of(item))
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def share_of(item: pytest.Item) -> int:
    """The argument of the marker, which says one in how many of its tests to take."""
    marker = item.get_closest_marker("sampled")
    return marker.args[0] if marker and marker.args else SHARE


@pytest.fixture(scope="session")
def everything(pytestconfig: pytest.Config) -> bool:
    """Whether to run all cases, however long they take."""
    return not pytestconfig.getoption("sample")


@pytest.fixture
def sampled(request: pytest.FixtureRequest) -> t.Callable[[t.Iterable[T]], list[T]]:
    """A function that takes the cases of a test, and returns the ones to run."""

    def take(cases: t.Iterable[T]) -> list[T]:
        found = list(cases)
        if request.config.getoption("sample"):
            found = chosen(request.node.nodeid, found)
            request.node.user_properties.append(("sampled", [*map(str, found)]))
        return found

    return take


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """List the tests and cases that were in the sample."""
    if not config.getoption("sample"):
        return
    for status in ("passed", "failed"):
        for report in terminalreporter.getreports(status):
            if report.when != "call":
                continue
            cases = dict(report.user_properties).get("sampled", ())
            if "sampled" in report.keywords or cases:
                line = " ".join(["sampled", report.nodeid, *map(str, cases)])
                terminalreporter.write_line(line)


def chosen(name: str, cases: t.Sequence[T], share: int = SHARE) -> list[T]:
    """One in ``share`` of the cases, but at least one, chosen by the commit.


    The choice also depends on the interpreter, so that together they cover more.

    :param name: the name of the group of cases, which varies the choice.
    """
    if not cases:
        return []
    seed = f"{commit()} {name} {sys.version_info[1]}"
    digest = hashlib.sha256(seed.encode()).digest()
    first = int.from_bytes(digest[:8], "big") % min(share, len(cases))
    return list(cases[first::share])


@functools.cache
def commit() -> str:
    """The id of the current commit, or an empty string without a git repository."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both wheels and the sdist, built from this checkout."""
    from forkkit.base.paths import here
    from forkkit.pack import dist
    from forkkit.upstream import releases
    from forkkit.upstream.pin import Pin

    project = here()
    releases.fetch(project, Pin.load(project))
    return dist.build(project, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def fork_wheel(built: Built) -> pathlib.Path:
    """The fork's wheel."""
    return built.wheel


@pytest.fixture(scope="session")
def shim_wheel(built: Built) -> pathlib.Path:
    """The shim's wheel, a distribution named Flask."""
    return built.shim


@pytest.fixture(scope="session")
def fork_env(
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """An environment with both wheels and pytest. Do not install anything into it."""
    from forkkit.base import venv

    path = tmp_path_factory.mktemp("fork") / "env"
    return venv.create(path, fork_wheel, shim_wheel, "pytest")
