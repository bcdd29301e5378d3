"""The ways to run the tests: the workflows for hosted CI, `.ci/run` and samples."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import types
import typing as t
from unittest import mock

import pytest
import yaml

import toy
import unstable
from forkkit.base import programs
from forkkit.base import venv

WORKFLOWS = sorted((toy.HERE / ".github" / "workflows").glob("*.yml"))
#: Sessions that run with others, or that hosted machines need not run.
ELSEWHERE = {"build", "unstable"}
CASES = """\
import pytest

@pytest.mark.sampled
@pytest.mark.parametrize("n", range(8))
def test_some(n):
    pass

@pytest.mark.sampled(8)
@pytest.mark.parametrize("n", range(8))
def test_few(n):
    pass

@pytest.mark.sampled(0)
def test_none():
    pass

def test_each():
    pass

def test_its_own(sampled):
    assert len(sampled("abcdefgh")) == EXPECTED
"""


@pytest.fixture(scope="module")
def rest() -> t.Iterator[types.ModuleType]:
    """The module `.ci/rest.py`, which imports the noxfile."""
    path = toy.HERE / ".ci" / "rest.py"
    spec = importlib.util.spec_from_file_location("rest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ), mock.patch.object(sys, "path", sys.path[:]):
        spec.loader.exec_module(module)
        yield module


def test_actionlint_finds_nothing(tmp_path):
    group = f"{toy.HERE / 'pyproject.toml'}:workflows"
    environment = venv.create(tmp_path / "env", "--group", group)
    # These other checkers are not on every machine.
    options = ["-shellcheck=", "-pyflakes=", "-no-color"]
    done = subprocess.run(
        [environment.program("actionlint"), *options, *WORKFLOWS],
        capture_output=True,
        text=True,
        cwd=toy.HERE,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_hash(path):
    uses = re.findall(r"uses: (.*)", path.read_text())
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", use), use


def test_the_same_action_is_the_same_everywhere():
    uses = {
        use for path in WORKFLOWS for use in re.findall("uses: (.*)", path.read_text())
    }
    assert len(uses) == len({use.partition("@")[0] for use in uses})


def test_the_tests_may_only_read():
    workflow = yaml.safe_load((WORKFLOWS[0].parent / "tests.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["steps"][0]["with"] == {"persist-credentials": False}


def test_hosted_jobs_are_the_sessions(rest):
    jobs = yaml.safe_load((WORKFLOWS[0].parent / "tests.yml").read_text())["jobs"]
    change, everything = (
        {
            row["session"]: row["python"]
            for row in jobs[name]["strategy"]["matrix"]["include"]
        }
        for name in ("change", "everything")
    )
    plain = {name for name in rest.noxfile.ALL if "-" not in name} - ELSEWHERE
    forks = [f"fork-{version}" for version in rest.noxfile.PYTHONS]
    installed = ["distribution-3.9", "distribution-3.11", "distribution-3.13"]
    beside = [f"differential-{version}" for version in rest.noxfile.PYTHONS]
    assert everything.keys() == plain.union(forks, installed, beside)
    ends = {x for names in (forks, installed) for x in (names[0], names[-1])}
    assert change.keys() == plain | ends | {beside[-1]}
    for name, python in {**everything, **change}.items():
        assert name.partition("-")[2] in ("", python)


def test_what_is_left_for_ci_is_all_but_the_default(rest):
    nox = rest.noxfile
    order = rest.order("a")
    assert {*order} == {*nox.ALL} - {*nox.DEFAULT} | {*nox.SAMPLED}
    assert order == rest.order("a")
    assert {f"differential-{nox.FOUND[n]}" for n in (0, -1)} <= {*order}
    assert len({tuple(rest.order(seed)) for seed in "abcdefgh"}) > 4
    assert all(rest.expected(name) > 0 for name in order)


def test_ci_says_what_it_left_out(rest, monkeypatch, capsys):
    monkeypatch.setattr(rest, "order", lambda seed: ["tools", "fork-3.10", "killed"])
    monkeypatch.setattr(rest, "SECONDS", {"tools": 9, "fork": 99, "killed": 9})
    codes = {"tools": 0, "killed": None}
    monkeypatch.setattr(rest, "run", lambda name, left: codes[name])
    assert rest.main(50) == 0
    assert capsys.readouterr().out == (
        "beyond the default tests, ran: tools\n"
        "beyond the default tests, failed: none\n"
        "beyond the default tests, left out:"
        " fork-3.10 (takes about 99 s), killed (cut off after 50 s)\n"
    )
    codes["killed"] = 1
    assert rest.main(50) == 1
    assert "failed: killed\n" in capsys.readouterr().out


def test_a_session_is_cut_off_with_what_it_started(rest, monkeypatch, tmp_path):
    child = "import os, time; os.fork(); time.sleep(600)"
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{child}'\n")
    script.chmod(0o755)
    monkeypatch.setattr(rest.sys, "executable", str(script))
    assert rest.run("tools", 0.5) is None


def test_what_ci_runs_first_is_the_command_of_the_readme():
    lines = (toy.HERE / ".ci" / "run").read_text().splitlines()
    readme = (toy.HERE / "README.md").read_text()
    assert "scripts/fork test" in lines
    assert "\n    scripts/fork test\n" in readme


def run_cases(folder: pathlib.Path, expected: int, *options: str) -> str:
    shutil.copy(toy.HERE / "tests" / "conftest.py", folder)
    text = CASES.replace("EXPECTED", str(expected))
    (folder / "test_cases.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = sampled\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        capture_output=True,
        text=True,
        cwd=folder,
        env=programs.clean_environ(),
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_everything_runs_unless_a_sample_is_asked_for(tmp_path):
    assert "19 passed" in run_cases(tmp_path, 8)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_of_a_sample_it_is_said_what_it_was(tmp_path, workers):
    said = run_cases(tmp_path, 2, "--sample", "-n", workers)
    assert "5 passed" in said
    assert "sample: by the commit" in said
    assert len(re.findall(r"(?m)^sampled test_cases.py::test_some\[\d\]$", said)) == 2
    assert re.search(r"(?m)^sampled test_cases.py::test_its_own [a-h] [a-h]$", said)


def test_a_root_that_cannot_be_made_here(monkeypatch, tmp_path):
    monkeypatch.setattr(unstable.os, "geteuid", lambda: 1)
    assert unstable.why_not() == "only root can make it"
    monkeypatch.setattr(unstable.os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unstable.why_not() == "debootstrap is not installed"
    (tmp_path / "debootstrap").write_text("#!/bin/sh\necho no\nexit 1\n")
    (tmp_path / "debootstrap").chmod(0o755)
    assert unstable.why_not() == "apt is not set up for an archive of Debian"
    monkeypatch.setattr(unstable, "_archive", lambda: "file:///nowhere")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    assert unstable.make(tmp_path / "root") == "debootstrap failed: no"
    assert not unstable.programs(tmp_path / "root").exists()
