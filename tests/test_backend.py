"""The build, with each front end and in each kind of folder."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

import pytest

import toy
from forkkit.base import venv
from forkkit.base.errors import ForkError
from forkkit.base.paths import here
from forkkit.base.paths import Project
from forkkit.base.programs import clean_environ
from forkkit.base.venv import uv
from forkkit.pack import dist
from forkkit.upstream.pin import Pin

# Each case builds with a front end in a separate environment.
pytestmark = pytest.mark.sampled

#: The version of Flask that the fork replaces.
LEVEL = Pin.load(here()).version
CHECK = (
    "import flaskfork, importlib.metadata as m;"
    "assert flaskfork.__version__ == m.version('flaskfork'), flaskfork.__version__;"
    "import flaskfork.cli, flaskfork.shim, flask; assert flask is flaskfork;"
    "print(flaskfork.__file__)"
)


def copy(target: pathlib.Path) -> pathlib.Path:
    """A copy of the checkout as a fresh clone has it: nothing fetched or built."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=toy.HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (toy.HERE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(toy.HERE / name, target / name)
    return target


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout whose path has a space and letters beyond ASCII."""
    return copy(tmp_path_factory.mktemp("build") / "Früh stück ✓" / "flask fork")


@pytest.fixture
def env(tmp_path):
    return venv.create(tmp_path / "env", seed=True)


def unchanged(checkout: pathlib.Path) -> bool:
    """Whether a build left nothing behind in the checkout."""
    names = {path.name for path in checkout.iterdir()}
    return not names & {"build", "dist"} and not (checkout / "upstream/cache").exists()


def test_pip(checkout, env):
    env.run("-m", "pip", "install", checkout)
    assert str(env.path) in env.evaluate(CHECK)
    env.run("-m", "pip", "check")
    assert unchanged(checkout)
    listed = env.run("-m", "pip", "list", "--format=freeze").stdout
    assert "flaskfork==" in listed
    assert "\nFlask==" not in listed


def readme_commands() -> list[str]:
    """The commands under the heading "Use it"."""
    text = (toy.HERE / "README.md").read_text()
    section = text.split("\n## Use it\n")[1].split("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("before", [[], [f"Flask==={LEVEL}", "Flask-Cors"]])
def test_first_command_of_the_readme(checkout, env, before):
    """It makes Python use the fork, whether upstream's Flask is there or not."""
    if before:
        env.install(*before)
    path = f"{env.path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        readme_commands()[0],
        shell=True,
        cwd=checkout,
        env=clean_environ(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    env.evaluate("import flask, flaskfork; assert flask is flaskfork")
    env.run("-m", "pip", "check")
    said = subprocess.run(
        [env.program("flask"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    level = re.escape(LEVEL)
    form = rf"^flaskfork {level}\.\d+ \(Flask {level} with \d+ patches\)$"
    assert re.search(form, said, re.MULTILINE)
    assert unchanged(checkout)


def test_second_command_of_the_readme_is_what_ci_runs():
    commands = readme_commands()
    assert commands[1:] == ["scripts/fork test"]
    if (toy.HERE / ".ci" / "run").exists():
        assert commands[1] in (toy.HERE / ".ci" / "run").read_text().splitlines()


def test_uv(checkout, env):
    env.install(checkout)
    assert str(env.path) in env.evaluate(CHECK)
    assert unchanged(checkout)


def test_build_with_isolation(checkout, built, tmp_path):
    """``python -m build`` in a fresh clone: the same bytes as in this checkout."""
    run = [sys.executable, "-m", "build", "--outdir", tmp_path, checkout]
    subprocess.run(run, check=True, env=clean_environ(), capture_output=True)
    assert (tmp_path / built.wheel.name).read_bytes() == built.wheel.read_bytes()
    assert (tmp_path / built.sdist.name).read_bytes() == built.sdist.read_bytes()
    assert unchanged(checkout)


def test_git_url(checkout, env, tmp_path):
    clone = tmp_path / "repository"
    shutil.copytree(checkout, clone)
    commit = ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "x"]
    for arguments in (["init", "-q"], ["add", "."], commit):
        subprocess.run(["git", *arguments], cwd=clone, check=True, env=clean_environ())
    env.run("-m", "pip", "install", f"flaskfork @ git+{clone.as_uri()}")
    assert str(env.path) in env.evaluate(CHECK)


def test_editable(env, tmp_path):
    checkout = copy(tmp_path / "flask fork")
    env.run("-m", "pip", "install", "--editable", checkout)
    stage = checkout / "build" / "stage"
    assert str(stage) in env.evaluate(CHECK)
    env.run("-m", "pip", "check")


def test_sdist_builds_without_network(built, env, tmp_path):
    """In an environment with hatchling only, and with no index to ask."""
    env.install("build", "hatchling==1.27.0")
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if _has_filters() else {}))
    source = tmp_path / built.sdist.name[: -len(".tar.gz")]
    offline = {"PIP_NO_INDEX": "1", "PATH": str(tmp_path)}
    out = tmp_path / "out"
    # Without PATH, since git is not needed either.
    env.run(
        *("-m", "build", "--no-isolation", "--wheel", "--outdir", out, source),
        env=offline,
    )
    assert (out / built.wheel.name).read_bytes() == built.wheel.read_bytes()


def test_sdist_of_the_sdist_is_the_same(built, tmp_path):
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if _has_filters() else {}))
    source = tmp_path / built.sdist.name[: -len(".tar.gz")]
    run = [sys.executable, "-m", "build", "--no-isolation", "--sdist"]
    subprocess.run(
        [*run, "--outdir", tmp_path / "out", source],
        check=True,
        env=clean_environ(),
        capture_output=True,
    )
    again = tmp_path / "out" / built.sdist.name
    assert again.read_bytes() == built.sdist.read_bytes()


def test_day_and_umask_make_no_difference(built, tmp_path, monkeypatch):
    checkout = copy(tmp_path / "checkout")
    for path in checkout.rglob("*"):
        mode = 0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600
        path.chmod(mode)
        os.utime(path, (time.time() + 86400 * 40, time.time() + 86400 * 40))
    cache = checkout / "upstream" / "cache"
    shutil.copytree(here().cache, cache)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    before = os.umask(0o077)
    try:
        again = dist.build(Project(checkout), tmp_path / "dist")
    finally:
        os.umask(before)
    for one, two in zip(built, again):
        assert one.read_bytes() == two.read_bytes()


def test_wheel_contents_are_exactly_these(built):
    found = dist.contents(built.wheel)
    assert found == dist.expected_contents(here())
    assert not [path for path in found if path.startswith("flask/")]
    assert not [path for path in found if path.endswith((".pth", ".start"))]


def test_wheel_installs_no_upstream(built, tmp_path):
    out = uv("pip", "install", "--dry-run", "--target", tmp_path, built.wheel)
    assert "flask" not in out.lower().replace("flaskfork", "")


def test_read_only_checkout_builds(checkout, env, tmp_path):
    """As on a layer of an image, or on a mounted volume."""
    read_only = tmp_path / "read-only"
    shutil.copytree(checkout, read_only)
    toy.make_read_only(read_only)
    subprocess.run(
        [*toy.held_to_permissions(), env.python, "-m", "pip", "install", read_only],
        check=True,
        env=clean_environ(),
        capture_output=True,
    )
    assert str(env.path) in env.evaluate(CHECK)


def test_upstream_of_another_version_beside_the_build_is_refused(tmp_path, env):
    """Without isolation, the build finds any Flask that happens to be installed."""
    env.install("hatchling==1.27.0", "Flask===3.1.2")
    checkout = copy(tmp_path / "checkout")
    done = env.run(
        *("-m", "pip", "install", "--no-build-isolation", "--no-deps", checkout),
        check=False,
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "Flask 3.1.2, installed: the hash of src/flask is wrong" in said


def test_build_without_flask_at_hand_says_what_to_do(tmp_path, env):
    env.install("hatchling==1.27.0")
    checkout = copy(tmp_path / "checkout")
    done = env.run(
        *("-m", "pip", "install", "--no-build-isolation", "--no-deps", checkout),
        check=False,
    )
    assert f"Flask {LEVEL} is neither in the cache nor installed in" in done.stderr


def test_broken_queue_fails_the_build_with_its_place(tmp_path):
    project = toy.make(tmp_path / "toy")
    project.edit("patches/comma.patch", "# Keep it short.", "# Keep it long.")
    with pytest.raises(ForkError) as error:
        dist.build(project.project, tmp_path / "dist")
    assert "flaskfork cannot be built: patches/comma.patch: " in str(error.value)
    assert not (tmp_path / "dist").exists()


def _has_filters() -> bool:
    return hasattr(tarfile, "data_filter")
