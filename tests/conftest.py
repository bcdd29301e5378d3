"""What the tests share: a built fork, and an environment that has it.

The tests in ``patches/`` and ``shim/`` run inside of such an environment, so nothing
but pytest and the standard library is imported at the top of this file.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
import typing as t

import pytest

if t.TYPE_CHECKING:
    from forkkit.base.venv import Environment
    from forkkit.pack.dist import Built

MEMORY = pathlib.Path("/dev/shm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--everything",
        action="store_true",
        default=os.environ.get("FORK_TEST_EVERYTHING") == "1",
        help="try all where by default one in four is tried, or the shorter way",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Neither the settings of the user's git nor the size of a terminal decide.
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "LANGUAGE"):
        os.environ.pop(name, None)

    with contextlib.suppress(ImportError):
        from hypothesis import HealthCheck
        from hypothesis import settings

        # On a busy machine an example takes long, and no run is to be another's luck.
        settings.register_profile(
            "fork",
            deadline=None,
            derandomize=not config.getoption("everything"),
            suppress_health_check=[HealthCheck.too_slow],
        )
        settings.load_profile("fork")


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.getoption("everything"):
        return None
    import sampling

    return f"chosen by FORK_TEST_SEED={sampling.seed()}; --everything chooses all"


@pytest.fixture(scope="session")
def everything(pytestconfig: pytest.Config) -> bool:
    """Whether all is to be tried, however long it takes."""
    return bool(pytestconfig.getoption("everything"))


@pytest.fixture
def tmp_path(
    tmp_path: pathlib.Path, request: pytest.FixtureRequest
) -> t.Iterator[pathlib.Path]:
    """A folder in memory, where there is some: many tests wait for the disk most.

    Whoever gives --basetemp has it on that disk, and keeps it. What is shared by
    tests is on disk in any case: an environment is links to files of uv's there.
    """
    alone = request.path.parent == pathlib.Path(__file__).parent
    if not alone or request.config.option.basetemp or not _has_memory():
        yield tmp_path
        return
    folder = pathlib.Path(tempfile.mkdtemp(dir=MEMORY, prefix="flaskfork-"))
    try:
        yield folder
    finally:
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


def _has_memory() -> bool:
    """Whether there is room, and what is written there can be run."""
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    return (
        f" {MEMORY} tmpfs " in pathlib.Path("/proc/mounts").read_text()
        and found.f_bavail * found.f_frsize > 2**31
        and not found.f_flag & os.ST_NOEXEC
        and os.access(MEMORY, os.W_OK)
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both wheels and the sdist, built from this checkout."""
    from forkkit.base import files as project
    from forkkit.pack import dist as packing
    from forkkit.upstream import releases
    from forkkit.upstream import source as upstream

    here = project.here()
    releases.fetch(here, upstream.load_pin(here))
    return packing.build(here, tmp_path_factory.mktemp("dist"))


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
    """An environment with both wheels and pytest. Install nothing more into it."""
    from forkkit.base import venv as environments

    path = tmp_path_factory.mktemp("fork") / "env"
    return environments.create(path, fork_wheel, shim_wheel, "pytest")
