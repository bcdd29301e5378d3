"""The tests, as nox sessions that `scripts/fork test` runs.

    scripts/fork test               what a change must pass, in a quarter of an hour
    scripts/fork test quick         what a commit must pass, in half a minute
    scripts/fork test all           everything
    scripts/fork test SESSION...    these sessions, and those that they require

A session runs all of its tests if it is named, and in `all`. By default it runs only a
sample of its slow tests, which changes with the commit: see tests/conftest.py.
FORK_TEST_SAMPLE=1 requests the sample in a named session.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor

import nox

ROOT = pathlib.Path(__file__).parent
DIST = ROOT / "build" / "dist"
UNSTABLE = ROOT / "build" / "unstable"
TESTING = ["asgiref", "hypothesis", "importlib-metadata", "pytest", "pytest-xdist"]
TESTING += ["wrapt"]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
# Only the interpreters that the machine has are tested; the summary names the others.
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["default"]

if pyenv := shutil.which("pyenv"):
    # Its shims run only the selected versions and refuse all others.
    versions = subprocess.run(
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=True
    )
    # The newest is listed last; put it first, so that it becomes python3.
    os.environ["PYENV_VERSION"] = ":".join(reversed(versions.stdout.split()))

PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
FOUND = [version for version in PYTHONS if shutil.which(f"python{version}")] or PYTHONS
#: For tests of installation: some tools do not support newer versions yet.
INSTALLED = [x for x in ("3.9", "3.11", "3.13") if x in FOUND] or FOUND[:1]
#: For tests that do not depend on the interpreter and run once.
ONE = "3.11" if "3.11" in FOUND else INSTALLED[-1]
# Appended, so that the machine's own interpreters take precedence.
os.environ["PATH"] += f"{os.pathsep}{UNSTABLE / 'bin'}"
#: Tested with the oldest Python; the others have the newest.
OLDEST_WERKZEUG = "3.1.0"
#: Replaces packages of upstream's lock file that have no wheel for this interpreter.
OVERRIDES = {"3.15": "greenlet>=3.3.1"}

#: Tests that install the fork into environments and do not depend on the interpreter.
ONCE = [
    f"tests/distribution/test_{name}.py"
    for name in (
        *("damage", "freezing", "instrumentation", "interruption"),
        *("legacy_app", "legacy_extensions", "streaming"),
    )
]
RECIPES = "tests/distribution/test_recipes.py"
#: Test files that are too slow for each commit: they install the fork, or run the
#: command many times.
NOT_QUICK = [
    *("absorbed", "application", "author", "backend", "benchmarks", "bisect"),
    *("ecosystem", "history", "hostile", "killed", "launch", "lean", "look", "moto"),
    *("rebase", "review", "take", "tree", "undo", "upstream", "verify", "workflow"),
]
#: The sessions of which `default` runs only a sample.
SAMPLED = ["tools", "killed", "history", "verify", "programs", "recipes", "ecosystem"]
SAMPLED += [f"distribution-{version}" for version in (INSTALLED[0], INSTALLED[-1])]
SAMPLED += [f"differential-{version}" for version in (FOUND[0], FOUND[-1])]
DEFAULT = [
    *("lint", "build", "instructions", "tools", "killed", "history", "verify"),
    "browser",
    *dict.fromkeys(f"fork-{version}" for version in (FOUND[0], FOUND[-1])),
    *dict.fromkeys(f"distribution-{x}" for x in (INSTALLED[0], INSTALLED[-1])),
    f"differential-{FOUND[-1]}",
    *("programs", "recipes", "ecosystem"),
]
ALL = [
    *DEFAULT,
    *(f"fork-{version}" for version in FOUND[1:-1]),
    *(f"distribution-{version}" for version in INSTALLED[1:-1]),
    *(f"differential-{version}" for version in FOUND[:-1]),
    "unstable",
]

Run = t.Callable[[nox.Session], None]


def in_memory(run: Run) -> Run:
    """Put a session's temporary files into a folder in memory, if there is room.

    The folder is removed when the session succeeds, and kept if it fails.
    """

    @functools.wraps(run)
    def wrapped(session: nox.Session) -> None:
        memory = pathlib.Path("/dev/shm")  # noqa: S108
        if not has_room(memory):
            return run(session)
        # Does not contain the fork's name, which some tests look for in paths.
        folder = tempfile.mkdtemp(prefix="fork-test-", dir=memory)
        session.env["TMPDIR"] = folder
        # uv's cache is on disk, and hard links cannot cross file systems.
        session.env["UV_LINK_MODE"] = "copy"
        with variables(TMPDIR=folder, UV_LINK_MODE="copy"):
            try:
                run(session)
            except BaseException:
                session.warn(f"the temporary files are kept in {folder}")
                raise
        return shutil.rmtree(folder, ignore_errors=True)

    return wrapped


def has_room(memory: pathlib.Path) -> bool:
    """Whether programs can run in ``memory``, and several large environments fit."""
    try:
        is_closed = os.statvfs(memory).f_flag & os.ST_NOEXEC
        free = shutil.disk_usage(memory).free
        known = pathlib.Path("/proc/meminfo").read_text().split()
    except OSError:
        return False
    available = int(known[known.index("MemAvailable:") + 1]) * 1024
    return os.path.ismount(memory) and not is_closed and min(free, available) > 8 << 30


@contextlib.contextmanager
def variables(**values: str) -> t.Iterator[None]:
    """Set environment variables of this process while the ``with`` block runs."""
    before = dict(os.environ)
    os.environ.update(values)
    # So that tempfile looks up its folder again.
    tempfile.tempdir = None
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        tempfile.tempdir = None


def sample() -> list[str]:
    """The pytest option for a sample, if a sample is requested."""
    return ["--sample"] if os.environ.get("FORK_TEST_SAMPLE") else []


@nox.session(venv_backend="none")
def default(session: nox.Session) -> None:
    """What a change must pass, in a quarter of an hour on two cores."""
    os.environ["FORK_TEST_SAMPLE"] = "1"
    for name in DEFAULT:
        session.notify(name)


@nox.session(name="all", venv_backend="none")
def everything(session: nox.Session) -> None:
    """Everything: all tests on all available interpreters."""
    for name in ALL:
        session.notify(name)


@nox.session(venv_backend="none")
@in_memory
def quick(session: nox.Session) -> None:
    """What a commit must pass, in half a minute on two cores."""
    lint(session)
    left_out = [f"--ignore=tests/test_{name}.py" for name in NOT_QUICK]
    left_out.append("--deselect=tests/test_ci.py::test_actionlint_finds_nothing")
    options = ["-n", "auto", "--dist", "worksteal", "-q"]
    session.run(sys.executable, "-m", "pytest", *options, *left_out)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Style and types; `verify` checks those of the overlay and the built package."""
    python = [sys.executable, "-m"]
    session.run(*python, "ruff", "check", ".")
    session.run(*python, "ruff", "format", "--check", ".")
    session.run(
        *python,
        "mypy",
        "scripts/forkkit",
        "noxfile.py",
        ".ci/rest.py",
        "tests/unstable.py",
        *sorted(map(str, ROOT.glob("benchmarks/speed/*.py"))),
    )


@nox.session(venv_backend="none")
@in_memory
def tools(session: nox.Session) -> None:
    """The tests of the tools, including those that really install the fork."""
    # Tests of one file stay together, since they share what they built.
    parallel = ["-n", "auto", "--dist", "loadfile"]
    apart = ["--ignore=tests/test_killed.py", "--ignore=tests/test_history.py"]
    chosen = session.posargs or [*sample(), *apart]
    session.run(sys.executable, "-m", "pytest", *parallel, *chosen)


@nox.session(venv_backend="none")
@in_memory
def killed(session: nox.Session) -> None:
    """Every verb that changes something, killed at each of its steps."""
    parallel = ["-n", "auto", "--dist", "worksteal"]
    run = [sys.executable, "-m", "pytest", *parallel, *sample()]
    session.run(*run, "tests/test_killed.py")


@nox.session(venv_backend="none")
@in_memory
def history(session: nox.Session) -> None:
    """A queue rebased across years of releases, with a table of the results."""
    run = [sys.executable, "-m", "pytest", "-s", *sample()]
    session.run(*run, "tests/test_history.py")


@nox.session
def browser(session: nox.Session) -> None:
    """The page of a report in a real browser, which is downloaded if necessary."""
    session.install("--group", "maintain", "--group", "browser")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests/browser"]))


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """Build the wheels that the sessions below install."""
    session.run(sys.executable, "scripts/fork", "build", "--out", str(DIST))


@nox.session(python=PYTHONS, requires=["build"])
@in_memory
def fork(session: nox.Session) -> None:
    """The installed fork: each patch, the shim, and upstream's own suite."""
    from forkkit.pack import dist

    wheel, shim = dist.wheels_in(DIST)
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel"]
        build += ["--python", str(pathlib.Path(session.bin, "python"))]
        session.run(*build, "--out-dir", folder, ROOT, external=True)
        if pathlib.Path(folder, wheel.name).read_bytes() != wheel.read_bytes():
            session.error("a build with this Python gives a different wheel")

    session.install("--reinstall", str(wheel), str(shim), *TESTING, env=known())
    # Tests start interpreters, some of them many, so idle workers take over tests.
    parallel = ["-n", "auto", "--dist", "worksteal"]
    session.run("python", "-m", "pytest", *parallel, "tests/patches", "tests/shim")
    run_upstreams_suite(session, wheel, shim)


def run_upstreams_suite(
    session: nox.Session, wheel: pathlib.Path, shim: pathlib.Path
) -> None:
    """Run upstream's own suite under both names."""
    from forkkit.base import paths
    from forkkit.pack import stage
    from forkkit.prove import upstream_suite

    python = pathlib.Path(session.bin, "python")
    names = upstream_suite.NAMES
    with tempfile.TemporaryDirectory() as folder:
        overrides = pathlib.Path(folder, "overrides.txt")
        overrides.write_text(OVERRIDES.get(str(session.python), ""))

        def run(name: str) -> upstream_suite.Outcome:
            wheels = [wheel] if name == stage.MODULE else [wheel, shim]
            return upstream_suite.run(paths.here(), wheels, name, python=python)

        with variables(UV_OVERRIDE=str(overrides)), ThreadPoolExecutor() as pool:
            for name, outcome in zip(names, pool.map(run, names)):
                session.log(f"upstream's suite as {name}: {outcome}")


@nox.session(python=PYTHONS, requires=["build"])
@in_memory
def differential(session: nox.Session) -> None:
    """The installed fork beside upstream's Flask: random cases, and what they call."""
    env = {"FORK_PYTHON": str(pathlib.Path(session.bin, "python"))}
    if session.python == FOUND[0]:
        env["FORK_WERKZEUG"] = OLDEST_WERKZEUG
    # Two processes at once play the same, so that two cores are busy.
    run = [sys.executable, "-m", "pytest", *sample()]
    run += session.posargs or ["tests/differential"]
    session.run(*run, env=env, external=True)


@nox.session(venv_backend="none", requires=["build"])
def unstable(session: nox.Session) -> None:
    """The session `fork` for Pythons that this machine lacks, from Debian unstable."""
    import unstable as roots

    missing = [version for version in roots.PYTHONS if version not in FOUND]
    if not missing:
        session.skip("this machine has all of these Pythons")
    if not roots.programs(UNSTABLE).is_dir() and (why := roots.why_not()):
        session.skip(f"cannot provide Python {' and '.join(missing)}: {why}")
    if why := roots.make(UNSTABLE):
        session.skip(why)
    for version in missing:
        session.notify(f"fork-{version}")


@nox.session(python=PYTHONS, requires=["build"])
@in_memory
def distribution(session: nox.Session) -> None:
    """Installing both wheels, type checking against them, and starting processes."""
    apart = [f"--ignore={path}" for path in (*ONCE, RECIPES)]
    install_and_test(session, *apart, "tests/distribution")


@nox.session(python=ONE, requires=["build"])
@in_memory
def programs(session: nox.Session) -> None:
    """Tools and old code that use the fork, damage, and interrupted installations."""
    install_and_test(session, *ONCE)


@nox.session(python=ONE, requires=["build"])
@in_memory
def recipes(session: nox.Session) -> None:
    """The recipes of docs/moving.md, run with the tools that they are for."""
    install_and_test(session, RECIPES)


def install_and_test(session: nox.Session, *chosen: str) -> None:
    session.install("--group", "distribution", env=known())
    # Tests of one file stay together, since they share environments.
    parallel = ["-n", "auto", "--dist", "loadfile", *sample()]
    session.run(
        *("python", "-m", "pytest", *parallel),
        *(session.posargs or chosen),
        env=known(),
    )


def known() -> dict[str, str]:
    """Variables that limit uv to tool versions with which the tests are known to pass.

    An empty UV_CONSTRAINT in the environment lifts the limit.
    """
    file = str(ROOT / "tests" / "constraints.txt")
    return {"UV_CONSTRAINT": os.environ.get("UV_CONSTRAINT", file)}


@nox.session(python=ONE)
@in_memory
def ecosystem(session: nox.Session) -> None:
    """The most downloaded extensions with tests in their sdist, and those tests."""
    names = [
        *("sentry-sdk", "flask-cors", "opentelemetry-instrumentation-flask"),
        *("flask-sqlalchemy", "flask-login", "flask-limiter", "flask-wtf"),
        *("flask-caching", "flask-migrate", "flask-compress", "flask-restx"),
        "flask-marshmallow",
    ]
    if sample():
        from conftest import chosen

        names = chosen("ecosystem", names, 6)
        session.log(f"sampled {', '.join(names)}")
    session.run(
        *(sys.executable, "scripts/fork", "ecosystem", "--suites"),
        *("--python", pathlib.Path(session.bin, "python")),
        *names,
        external=True,
    )


@nox.session(venv_backend="none")
@in_memory
def verify(session: nox.Session) -> None:
    """The invariants of the project; that a patch is needed, for a sample of them."""
    fork = [sys.executable, "scripts/fork"]
    if not sample():
        session.run(*fork, "verify")
        return
    from conftest import chosen
    from forkkit.base import paths
    from forkkit.prove import checks
    from forkkit.queue.fork import Fork

    session.run(*fork, "verify", *(name for name in checks.CHECKS if name != "needed"))
    names = Fork.load(paths.here()).queue.series.names
    session.run(*fork, "needed", *chosen("needed", names))


@nox.session(requires=["build"])
def bench(session: nox.Session) -> None:
    """How long the tools take, and the overhead of the shim and the patches."""
    session.install("--group", "maintain", "--group", "bench")
    env = {"PYTHONPATH": str(ROOT / "scripts")}
    session.run("python", "benchmarks/tools.py", env=env)
    session.run("python", "benchmarks/rebase.py", "docs/rebase.svg", env=env)
    session.run("python", "benchmarks/shim.py", str(DIST), env=env)
    few = ("--only", "Flask", "fork", "fork-off", "--parts", "requests")
    cases = ("hello", "string", "string_cached", "stream")
    run_speed(session, "speed", *few, "--workloads", *cases)


@nox.session(requires=["build"])
def speed(session: nox.Session) -> None:
    """The CPU time of requests: Flask, the fork and other frameworks, in turn."""
    session.install("--group", "maintain", "--group", "bench")
    run_speed(session, "speed", *session.posargs)


@nox.session(venv_backend="none", requires=["build"])
def servers(session: nox.Session) -> None:
    """Requests per second, and their CPU time, with real servers on loopback."""
    run_speed(session, "speed.servers", *session.posargs)


@nox.session(venv_backend="none", requires=["build"])
def instructions(session: nox.Session) -> None:
    """Fails if a request, or the import, executes more instructions than recorded."""
    if "3.11" not in FOUND:
        session.skip("the record is of Python 3.11, which is not here")
    run_speed(session, "speed.instructions", *session.posargs)


def run_speed(session: nox.Session, module: str, *options: str) -> None:
    python = "python" if session.virtualenv.is_sandboxed else sys.executable
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT / "benchmarks")])
    session.run(python, "-m", module, *options, env={"PYTHONPATH": path})
