"""The tests, as sessions of nox, which `scripts/fork test` runs.

    scripts/fork test               what a change has to pass, in a quarter of an hour
    scripts/fork test quick         what a commit has to pass, in half a minute
    scripts/fork test all           everything
    scripts/fork test SESSION...    these, and whatever they need

A session runs all of its tests where it is named, and in `all`. By default it runs a
sample of those that take long, which changes with the commit: see tests/conftest.py.
FORK_TEST_SAMPLE=1 asks for the sample in a session that is named.
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

import nox

ROOT = pathlib.Path(__file__).parent
DIST = ROOT / "build" / "dist"
UNSTABLE = ROOT / "build" / "unstable"
TESTING = ["asgiref", "hypothesis", "pytest", "pytest-xdist", "wrapt"]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
# The matrix is of the interpreters that the machine has; the summary names the others.
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["default"]

if pyenv := shutil.which("pyenv"):
    # Its shims choose one version for what they run, and refuse the others.
    versions = subprocess.run(
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=True
    )
    # The last one is the newest, and what python3 is to be.
    os.environ["PYENV_VERSION"] = ":".join(reversed(versions.stdout.split()))

PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
FOUND = [version for version in PYTHONS if shutil.which(f"python{version}")] or PYTHONS
#: Where installing is tried: not all of the tools are there for newer ones yet.
INSTALLED = [x for x in ("3.9", "3.11", "3.13") if x in FOUND] or FOUND[:1]
#: For what does not depend on the interpreter, which runs once.
ONE = "3.11" if "3.11" in FOUND else INSTALLED[-1]
# Last, so that the machine's own come first.
os.environ["PATH"] += f"{os.pathsep}{UNSTABLE / 'bin'}"
#: What upstream's lock file names that has no wheel for an interpreter this new.
OVERRIDES = {"3.15": "greenlet>=3.3.1"}

#: What installs the fork into environments and does not depend on the interpreter.
ONCE = [
    f"tests/distribution/test_{name}.py"
    for name in (
        *("damage", "freezing", "instrumentation", "interruption"),
        *("legacy_app", "legacy_extensions", "streaming"),
    )
]
RECIPES = "tests/distribution/test_recipes.py"
#: What is not tried before each commit: files whose tests install the fork, or start
#: the command again and again, each time as a process of its own.
NOT_QUICK = [
    *("absorbed", "application", "author", "backend", "bisect", "ecosystem"),
    *("history", "hostile", "killed", "launch", "look", "moto", "rebase", "review"),
    *("take", "tree", "undo", "upstream", "verify", "workflow"),
]
#: The sessions that have more to run than their samples.
SAMPLED = ["tools", "killed", "history", "programs", "recipes", "ecosystem"]
SAMPLED += [f"distribution-{version}" for version in (INSTALLED[0], INSTALLED[-1])]
DEFAULT = [
    *("lint", "build", "tools", "killed", "history", "verify", "browser"),
    *dict.fromkeys(f"fork-{version}" for version in (FOUND[0], FOUND[-1])),
    *dict.fromkeys(f"distribution-{x}" for x in (INSTALLED[0], INSTALLED[-1])),
    *("programs", "recipes", "ecosystem"),
]
ALL = [
    *DEFAULT,
    *(f"fork-{version}" for version in FOUND[1:-1]),
    *(f"distribution-{version}" for version in INSTALLED[1:-1]),
    "unstable",
]

Run = t.Callable[[nox.Session], None]


def in_memory(run: Run) -> Run:
    """Give a session's temporary files a folder in memory, if there is room for them.

    The folder goes when the session ends, and stays to be looked at where it fails.
    """

    @functools.wraps(run)
    def wrapped(session: nox.Session) -> None:
        memory = pathlib.Path("/dev/shm")  # noqa: S108
        if not has_room(memory):
            return run(session)
        # Not by the fork's name: some tests look for that in paths.
        folder = tempfile.mkdtemp(prefix="fork-test-", dir=memory)
        session.env["TMPDIR"] = folder
        # uv's cache is on the disk, to which nothing here can be a link.
        session.env["UV_LINK_MODE"] = "copy"
        with variables(TMPDIR=folder, UV_LINK_MODE="copy"):
            try:
                run(session)
            except BaseException:
                session.warn(f"its temporary files are kept in {folder}")
                raise
        return shutil.rmtree(folder, ignore_errors=True)

    return wrapped


def has_room(memory: pathlib.Path) -> bool:
    """Whether programs can run in there, and some large environments fit."""
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
    """Set variables of this process while the ``with`` block runs."""
    before = dict(os.environ)
    os.environ.update(values)
    # So that the folder for temporary files is asked for again.
    tempfile.tempdir = None
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        tempfile.tempdir = None


def sample() -> list[str]:
    """The option of pytest for a sample, if that is what is to run."""
    return ["--sample"] if os.environ.get("FORK_TEST_SAMPLE") else []


@nox.session(venv_backend="none")
def default(session: nox.Session) -> None:
    """What a change has to pass, in a quarter of an hour on two cores."""
    os.environ["FORK_TEST_SAMPLE"] = "1"
    for name in DEFAULT:
        session.notify(name)


@nox.session(name="all", venv_backend="none")
def everything(session: nox.Session) -> None:
    """Everything: all tests on all interpreters that there are."""
    for name in ALL:
        session.notify(name)


@nox.session(venv_backend="none")
@in_memory
def quick(session: nox.Session) -> None:
    """What a commit has to pass, in half a minute on two cores."""
    lint(session)
    left_out = [f"--ignore=tests/test_{name}.py" for name in NOT_QUICK]
    left_out.append("--deselect=tests/test_ci.py::test_actionlint_finds_nothing")
    options = ["-n", "auto", "--dist", "worksteal", "-q"]
    session.run(sys.executable, "-m", "pytest", *options, *left_out)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Style and types; `verify` has those of the overlay and the built package."""
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
    )


@nox.session(venv_backend="none")
@in_memory
def tools(session: nox.Session) -> None:
    """The tests of the tools, and those that install the fork for real."""
    # A file's tests stay together, since they share what they have built.
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
    """A queue carried through the releases of years, with a table of what happened."""
    run = [sys.executable, "-m", "pytest", "-s", *sample()]
    session.run(*run, "tests/test_history.py")


@nox.session
def browser(session: nox.Session) -> None:
    """The page of a report in a real browser, which is brought where there is none."""
    session.install("--group", "maintain", "--group", "browser")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests/browser"]))


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """The wheels that the sessions below install."""
    session.run(sys.executable, "scripts/fork", "build", "--out", str(DIST))


@nox.session(python=PYTHONS, requires=["build"])
@in_memory
def fork(session: nox.Session) -> None:
    """What is installed: each patch, the shim, and upstream's own suite."""
    from forkkit.pack import dist

    wheel, shim = dist.wheels_in(DIST)
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel"]
        build += ["--python", str(pathlib.Path(session.bin, "python"))]
        session.run(*build, "--out-dir", folder, ROOT, external=True)
        if pathlib.Path(folder, wheel.name).read_bytes() != wheel.read_bytes():
            session.error("a build with this Python gives other bytes")

    session.install("--reinstall", str(wheel), str(shim), *TESTING, env=known())
    # Each starts interpreters of its own, some many: whoever is done takes some over.
    parallel = ["-n", "auto", "--dist", "worksteal"]
    session.run("python", "-m", "pytest", *parallel, "tests/patches", "tests/shim")
    run_upstreams_suite(session, wheel, shim)


def run_upstreams_suite(
    session: nox.Session, wheel: pathlib.Path, shim: pathlib.Path
) -> None:
    """Run it under both names."""
    from forkkit.base import paths
    from forkkit.pack import stage
    from forkkit.prove import upstream_suite

    python = pathlib.Path(session.bin, "python")
    with tempfile.TemporaryDirectory() as folder:
        overrides = pathlib.Path(folder, "overrides.txt")
        overrides.write_text(OVERRIDES.get(str(session.python), ""))
        with variables(UV_OVERRIDE=str(overrides)):
            for name in upstream_suite.NAMES:
                wheels = [wheel] if name == stage.MODULE else [wheel, shim]
                outcome = upstream_suite.run(paths.here(), wheels, name, python=python)
                session.log(f"upstream's suite as {name}: {outcome}")


@nox.session(venv_backend="none", requires=["build"])
def unstable(session: nox.Session) -> None:
    """The same for Pythons that this machine lacks, in a root of Debian unstable."""
    import unstable as roots

    missing = [version for version in roots.PYTHONS if version not in FOUND]
    if not missing:
        session.skip("this machine has all of them")
    if not roots.programs(UNSTABLE).is_dir() and (why := roots.why_not()):
        session.skip(f"Python {' and '.join(missing)} cannot be brought here: {why}")
    if why := roots.make(UNSTABLE):
        session.skip(why)
    for version in missing:
        session.notify(f"fork-{version}")


@nox.session(python=PYTHONS, requires=["build"])
@in_memory
def distribution(session: nox.Session) -> None:
    """Installing both wheels, typing against them, and processes that start on them."""
    apart = [f"--ignore={path}" for path in (*ONCE, RECIPES)]
    install_and_test(session, *apart, "tests/distribution")


@nox.session(python=ONE, requires=["build"])
@in_memory
def programs(session: nox.Session) -> None:
    """What tools and old code make of the fork, and what interrupts it."""
    install_and_test(session, *ONCE)


@nox.session(python=ONE, requires=["build"])
@in_memory
def recipes(session: nox.Session) -> None:
    """The recipes of docs/moving.md, run by the tools that they are for."""
    install_and_test(session, RECIPES)


def install_and_test(session: nox.Session, *chosen: str) -> None:
    session.install("--group", "distribution", env=known())
    # A file's tests stay together, since they share environments.
    parallel = ["-n", "auto", "--dist", "loadfile", *sample()]
    session.run(
        *("python", "-m", "pytest", *parallel),
        *(session.posargs or chosen),
        env=known(),
    )


def known() -> dict[str, str]:
    """Variables by which uv takes no newer tools than the tests are known to pass with.

    Whoever sets it to nothing gets the newest.
    """
    file = str(ROOT / "tests" / "constraints.txt")
    return {"UV_CONSTRAINT": os.environ.get("UV_CONSTRAINT", file)}


@nox.session(python=ONE)
@in_memory
def ecosystem(session: nox.Session) -> None:
    """The most downloaded extensions that have tests in their sdist, with those."""
    names = [
        *("sentry-sdk", "flask-cors", "opentelemetry-instrumentation-flask"),
        *("flask-sqlalchemy", "flask-login", "flask-limiter", "flask-wtf"),
        *("flask-caching", "flask-migrate", "flask-compress", "flask-restx"),
        "flask-marshmallow",
    ]
    if sample():
        from conftest import chosen

        names = chosen("ecosystem", names)
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
    """The invariants of the project."""
    session.run(sys.executable, "scripts/fork", "verify")


@nox.session(requires=["build"])
def bench(session: nox.Session) -> None:
    """How long the tools take, and what the shim and the patches cost."""
    session.install("--group", "maintain", "--group", "bench")
    env = {"PYTHONPATH": str(ROOT / "scripts")}
    session.run("python", "benchmarks/tools.py", env=env)
    session.run("python", "benchmarks/rebase.py", "docs/rebase.svg", env=env)
    for name in ("shim", "requests"):
        session.run("python", f"benchmarks/{name}.py", str(DIST), env=env)
