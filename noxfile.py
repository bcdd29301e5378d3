"""All tests: `scripts/fork test`, or one session by its name behind it."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import nox

ROOT = pathlib.Path(__file__).parent
DIST = ROOT / "build" / "dist"
TESTING = ["asgiref", "hypothesis", "pytest", "pytest-xdist", "wrapt"]
sys.path.insert(0, str(ROOT / "scripts"))

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
# The matrix is of the interpreters that the machine has; the summary names the others.
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"

if pyenv := shutil.which("pyenv"):
    # Its shims choose one version for what they run, and refuse the others.
    versions = subprocess.run(
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=True
    )
    # The last one is the newest, and what python3 is to be.
    os.environ["PYENV_VERSION"] = ":".join(reversed(versions.stdout.split()))


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Style and types; `verify` has those of the overlay and the built package."""
    python = [sys.executable, "-m"]
    session.run(*python, "ruff", "check", ".")
    session.run(*python, "ruff", "format", "--check", ".")
    session.run(*python, "mypy", "scripts/forkkit", "noxfile.py")


@nox.session(venv_backend="none")
def tools(session: nox.Session) -> None:
    """The tests of the tools, and those that install the fork for real."""
    # A file's tests stay together, since they share what they have built.
    parallel = ["-n", "auto", "--dist", "loadfile"]
    slow = ["--ignore=tests/test_killed.py", "--ignore=tests/test_history.py"]
    chosen = session.posargs or slow
    session.run(sys.executable, "-m", "pytest", *parallel, *chosen)


@nox.session(venv_backend="none")
def killed(session: nox.Session) -> None:
    """Every verb that changes something, killed at each of its steps."""
    session.run(*(sys.executable, "-m", "pytest", "-n", "auto"), "tests/test_killed.py")


@nox.session(venv_backend="none")
def history(session: nox.Session) -> None:
    """A queue carried through the releases of years, with a table of what happened."""
    session.run(sys.executable, "-m", "pytest", "-s", "tests/test_history.py")


@nox.session
def browser(session: nox.Session) -> None:
    """The page of a report in a real browser, which is brought where there is none."""
    session.install("--group", "maintain", "--group", "browser")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests/browser"]))


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """The wheels that the sessions below install."""
    session.run(sys.executable, "scripts/fork", "build", "--out", str(DIST))


@nox.session(python=["3.9", "3.10", "3.11", "3.12", "3.13"], requires=["build"])
def fork(session: nox.Session) -> None:
    """What is installed: each patch, the shim, and upstream's own suite."""
    from forkkit.base import paths as project
    from forkkit.pack import dist as packing
    from forkkit.pack import stage as materialise
    from forkkit.prove import upstream_suite as suite

    wheel, shim = packing.wheels_in(DIST)
    python = pathlib.Path(session.bin, "python")
    out = session.create_tmp()
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel"]
    session.run(*build, "--python", python, "--out-dir", out, ROOT, external=True)
    if pathlib.Path(out, wheel.name).read_bytes() != wheel.read_bytes():
        session.error("a build with this Python gives other bytes")

    session.install("--reinstall", str(wheel), str(shim), *TESTING)
    session.run("python", "-m", "pytest", "-n", "auto", "tests/patches", "tests/shim")
    for name in suite.NAMES:
        wheels = [wheel] if name == materialise.MODULE else [wheel, shim]
        outcome = suite.run(project.here(), wheels, name, python=python)
        session.log(f"upstream's suite as {name}: {outcome}")


@nox.session(python=["3.9", "3.11", "3.13"], requires=["build"])
def distribution(session: nox.Session) -> None:
    """Installing both wheels, typing against them, and what tools make of them."""
    session.install("--group", "distribution")
    # A file's tests stay together, since they share environments.
    parallel = ["-n", "auto", "--dist", "loadfile"]
    session.run(
        *("python", "-m", "pytest", *parallel),
        *(session.posargs or ["tests/distribution"]),
    )


@nox.session(python=["3.11"])
def ecosystem(session: nox.Session) -> None:
    """The most downloaded extensions that have tests in their sdist, with those."""
    session.run(
        *(sys.executable, "scripts/fork", "ecosystem", "--suites"),
        *("--python", pathlib.Path(session.bin, "python")),
        *("sentry-sdk", "flask-cors", "opentelemetry-instrumentation-flask"),
        *("flask-sqlalchemy", "flask-login", "flask-limiter", "flask-wtf"),
        *("flask-caching", "flask-migrate", "flask-compress", "flask-restx"),
        "flask-marshmallow",
        external=True,
    )


@nox.session(venv_backend="none")
def verify(session: nox.Session) -> None:
    """The invariants of the project."""
    session.run(sys.executable, "scripts/fork", "verify")


@nox.session(requires=["build"], default=False)
def bench(session: nox.Session) -> None:
    """How long the tools take, and what the shim and the patches cost."""
    session.install("--group", "maintain", "--group", "bench")
    env = {"PYTHONPATH": str(ROOT / "scripts")}
    session.run("python", "benchmarks/tools.py", env=env)
    session.run("python", "benchmarks/rebase.py", "docs/rebase.svg", env=env)
    for name in ("shim", "requests"):
        session.run("python", f"benchmarks/{name}.py", str(DIST), env=env)
