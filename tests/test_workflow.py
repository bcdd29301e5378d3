"""The workflow for hosted CI: its steps are run here, on a new release."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest
import yaml

import toy
from forkkit import cli

WORKFLOW = toy.HERE / ".github" / "workflows" / "upstream.yml"
APP = "src/flask/app.py"
STEPS = {
    step["id"]: step
    for step in yaml.safe_load(WORKFLOW.read_text())["jobs"]["rebase"]["steps"]
    if "id" in step
}


@pytest.fixture
def project(tmp_path):
    """A clone as the workflow has it, with the project's own launcher."""
    made = toy.make(tmp_path / "toy")
    build = toy.HERE / "build"
    (made.root / "build").mkdir()
    for name in ("environment", "environment.lock"):
        (made.root / "build" / name).symlink_to(build / name)
    toy.shutil.copy(toy.HERE / "pyproject.toml", made.root)
    made.edit("pyproject.toml", 'version = "3.1.3.1"', 'version = "1.0.1"')
    (made.root / ".gitignore").write_text("build\nupstream/cache\nupstream/.*\n")
    toy.commit(made)
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "all")
    return made


def git(project: toy.Toy, *args: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b"]
    return subprocess.run(
        ["git", *identity, *args],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def run(
    project: toy.Toy, step: str, folder: pathlib.Path, **env: str
) -> dict[str, str]:
    """Run a step as the runner would, and return its outputs."""
    output = folder / f"{step}.output"
    output.write_text("")
    done = subprocess.run(
        ["bash", "-e", "-c", STEPS[step]["run"]],
        cwd=project.root,
        env=toy.clean_environ(
            GITHUB_OUTPUT=str(output),
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(folder / "index"),
            PIP_CONFIG_FILE=os.devnull,
            GIT_AUTHOR_NAME="A",
            GIT_AUTHOR_EMAIL="a@b",
            GIT_COMMITTER_NAME="A",
            GIT_COMMITTER_EMAIL="a@b",
            **env,
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split("=", 1) for line in output.read_text().splitlines())


def publish(project: toy.Toy, version: str, content: bytes, folder: pathlib.Path):
    """Make the package index offer a release."""
    (folder / "index").mkdir(exist_ok=True)
    toy.release(project, version, {APP: content})
    archive = project.project.cache / f"flask-{version}.tar.gz"
    archive.rename(folder / "index" / archive.name)


def test_there_is_no_newer_release(project, tmp_path):
    publish(project, "0.9", toy.UPSTREAM[APP], tmp_path)
    assert run(project, "look", tmp_path) == {"version": ""}


def test_a_release_is_opened_for_review(project, tmp_path):
    publish(project, "1.1", toy.UPSTREAM[APP], tmp_path)
    publish(project, "1.10", b"import os\n\n" + toy.UPSTREAM[APP], tmp_path)
    assert run(project, "look", tmp_path) == {"version": "1.10"}
    assert run(project, "carry", tmp_path, VERSION="1.10") == {"code": "0"}
    assert git(project, "branch", "--show-current") == "upstream-1.10\n"
    assert git(project, "log", "-1", "--format=%s") == "Carry the queue over to 1.10\n"
    changed = git(project, "show", "--name-only", "--format=").splitlines()
    assert "upstream/pin.toml" in changed
    assert "patches/loud.patch" in changed
    report = (project.root / "report.txt").read_text()
    assert report.startswith("Flask 1.0 -> Flask 1.10 since HEAD")
    assert (project.root / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_release_that_conflicts_is_told(project, tmp_path):
    clash = toy.UPSTREAM[APP].replace(b"bye {who}", b"good bye {who}")
    publish(project, "1.1", clash, tmp_path)
    assert run(project, "carry", tmp_path, VERSION="1.1") == {"code": "3"}
    told = (project.root / "told.txt").read_text()
    assert "loud conflicts in src/flask/app.py" in told
    assert not project.project.journal.exists()
    assert git(project, "status", "--porcelain", "--untracked-files=no") == ""


def test_every_verb_that_it_names_is_there():
    called = re.findall(r"scripts/fork ([a-z-]+)", WORKFLOW.read_text())
    assert set(called) <= set(cli.VERBS)
    assert {"upstream", "rebase", "report"} <= set(called)
