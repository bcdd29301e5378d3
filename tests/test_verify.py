"""Each invariant, and that its check fails when the invariant does not hold."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

import toy
from forkkit.base.errors import Findings
from forkkit.base.errors import ForkError
from forkkit.base.venv import Environment
from forkkit.prove import checks
from forkkit.prove import needed
from forkkit.prove import upstream_suite
from forkkit.queue.fork import Fork


@pytest.fixture
def project(tmp_path):
    return toy.make(tmp_path / "toy")


def check(project: toy.Toy, name: str) -> str:
    """The problems that a check finds, as text."""
    [result] = checks.run(project.project, [name])
    return "\n".join(map(str, result.problems))


@pytest.mark.parametrize("name", ["formats", "queue", "rename", "metadata", "findings"])
def test_sound_project_has_no_findings(project, name):
    assert check(project, name) == ""


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        (
            "upstream/pin.toml",
            "[sdist]",
            "# More.\n[sdist]",
            "differs from what an export",
        ),
        ("patches/series", "loud.patch", "loud.patch  ", "patches/series:2: differs"),
        (
            "patches/loud.patch",
            "Subject: app: say",
            "Subject: app:\n say",
            ":4: differs",
        ),
        (
            "patches/loud.patch",
            "From 0000000",
            "From 1111111",
            "loud.patch:1: differs",
        ),
        ("patches/loud.patch", "+++ b/", "+++ c/", "expected '+++ b/src/flask/app.py'"),
        (
            "README.md",
            "| never |",
            "| later |",
            "the table of differences does not match the queue",
        ),
        ("README.md", "<!-- /differences -->", "", "the marks of the table"),
        ("CHANGELOG.md", "### Upstream", "### upstream", "no heading '### Upstream'"),
        ("CHANGELOG.md", "## Unreleased", "## 1\n\n## 0", "no heading '### Fork'"),
        ("patches/rename.toml", "[[tests.rule]]", "[[test.rule]]", "must be package"),
    ],
)
def test_formats(project, path, before, after, expected):
    project.edit(path, before, after)
    assert expected in check(project, "formats")


def test_formats_of_the_known_failures(project):
    path = project.project.known_failures
    path.write_text('[[failure]]\ntest = "x"\nwhy = "y"\n')
    assert "1: the keys must be test, names, why" in check(project, "formats")


def test_queue_that_git_would_write_otherwise_is_kept(project):
    project.edit("patches/loud.patch", "@@ def greet(who):", "@@")
    assert check(project, "queue") == ""


def test_queue_that_does_not_apply(project):
    project.edit("patches/comma.patch", "# Keep it short.", "# Keep it long.")
    assert "hunk 1 does not apply at line 5" in check(project, "queue")


def test_rename_of_upstreams_tests(project):
    project.edit("patches/rename.toml", "put = 'from flaskfork'", "put = 'from fork'")
    assert check(project, "rename") == ""
    text = project.project.rename.read_text()
    project.project.rename.write_text(
        text[: text.index("[[tests.rule]]")] + "[tests]\n"
    )
    found = check(project, "rename")
    assert "tests/test_app.py:1: 'flask' is left in: from flask import greet" in found


def test_rename_that_matches_what_it_made(project):
    project.edit("patches/rename.toml", "'^from flask(?= )'", "'^from flask'")
    assert "tests/test_app.py:1: from flask: a rule matches" in check(project, "rename")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("dependencies = []", 'dependencies = ["x"]', "dependencies has drifted: exp"),
        ('">=3.9"', '">=3.8"', "requires-python has drifted: expected '>=3.9', found"),
        ('"1.0.1"', '"1.1.1"', "version is 1.1.1, not 1.0 plus a revision"),
        ('"1.0.1"', '"1.0"', "version is 1.0, not 1.0 plus a revision"),
    ],
)
def test_metadata_that_drifted(project, before, after, expected):
    project.edit("pyproject.toml", before, after)
    assert expected in check(project, "metadata")


def test_findings_that_upstream_does_not_have(project):
    extra = project.root / "src/flaskfork/extra.py"
    extra.write_text("import os\n\n\ndef f(x) -> int:\n    return 'x'\n")
    found = check(project, "findings")
    assert "flask/extra.py: ruff F401: `os` imported but unused" in found
    assert "flask/extra.py: mypy: Function is missing a type annotation" in found


@pytest.mark.parametrize(
    "text",
    [
        "failure = 1",
        "failure = [1]",
        "[[failur]]",
        '[[failure]]\ntest = "x"\nwhy = "y"\nnames = "flask"',
        '[[failure]]\ntest = "x"\nwhy = "y"\nnames = ["flaks"]',
        '[[failure]]\ntest = "x"\nwhy = "y"\nnames = ["flask"]\nwhen = "!!"',
        "a = " + "[" * 5000,
    ],
)
def test_list_of_known_failures_that_is_none(project, text):
    project.project.known_failures.write_text(text)
    assert "upstream/known-failures.toml" in check(project, "formats")


@pytest.mark.parametrize(
    "text",
    [
        "package = 1\n[tests]",
        "[package]\nrule = 1\n[tests]",
        "[package]\nrules = []\n[tests]",
        '[[package.rule]]\nfiles = 1\nfind = "x"\nput = "y"\ncount = 1\n[tests]',
        '[[package.rule]]\nfiles = "x"\nfind = "x"\nput = "\\\\2"\ncount = 1\n[tests]',
        '[[package.rule]]\nfiles = "x"\nfind = "x"\nput = "y"\ncount = "1"\n[tests]',
    ],
)
def test_rename_table_that_is_none(project, text):
    project.project.rename.write_text(text)
    assert "patches/rename.toml" in check(project, "formats")


class TestWheel:
    @pytest.fixture
    def project(self, project):
        return toy.with_shim(project)

    def test_wheel_that_is_as_listed(self, project):
        # The shim needs Flask's command and extras, which the toy does not have.
        assert check(project, "wheel") == ""

    def test_file_that_is_not_listed(self, project):
        (project.root / "src/flaskfork/more.py").write_text("")
        found = check(project, "wheel")
        assert "flaskfork/more.py: is not expected in the wheel" in found

    def test_file_that_is_missing(self, project):
        (project.root / "src/flaskfork/extra.py").unlink()
        assert "flaskfork/extra.py: is missing from the wheel" in check(
            project, "wheel"
        )

    @pytest.mark.parametrize("name", [".env", ".extra.py.swp"])
    def test_hidden_file_is_refused(self, project, name):
        (project.root / "src/flaskfork" / name).write_text("secret")
        assert f"src/flaskfork/{name}: a hidden file" in check(project, "wheel")

    def test_link_is_refused(self, project):
        (project.root / "scripts/link.py").symlink_to("/etc/hostname")
        assert "scripts/link.py: a link does not belong" in check(project, "wheel")


class TestSuite:
    """Upstream's suite on the built wheels; the toy's one test fails on the fork."""

    def test_failures_are_reported_under_both_names_unless_listed(self, project):
        toy.with_shim(project)
        found = check(project, "suite")
        for name in upstream_suite.NAMES:
            assert (
                f"tests/test_app.py::test_greet: fails under the name {name}" in found
            )

        project.project.known_failures.write_text(
            '[[failure]]\ntest = "tests/test_app.py::test_greet"\n'
            'names = ["flask", "flaskfork"]\nwhy = "a comma"\n'
        )
        assert check(project, "suite") == ""

    def test_tests_are_renamed_for_the_forks_name_only(self, project):
        pin = toy.pin_of(toy.archive(toy.UPSTREAM), toy.UPSTREAM)
        for name in upstream_suite.NAMES:
            files = upstream_suite._tests(project.project, pin, toy.UPSTREAM, name)
            assert f"from {name} import greet".encode() in files["tests/test_app.py"]
            assert set(files) == {"tests/test_app.py", "pyproject.toml"}

    @pytest.mark.parametrize(("python", "version"), [("3.9.18", "1"), ("3.13.0", "2")])
    def test_tools_are_those_of_the_lock_for_this_python(self, python, version):
        class Interpreter(Environment):
            def evaluate(self, code: str, **kwargs: object) -> str:
                return python

        tools = upstream_suite.tools(
            toy.UPSTREAM, Interpreter(pathlib.Path(sys.prefix))
        )
        assert tools == [f"pytest==8.4.{version}"]

    def test_tool_that_is_not_locked(self):
        files = {**toy.UPSTREAM, "uv.lock": b"package = []"}
        with pytest.raises(ForkError, match="pytest is not locked for Python"):
            upstream_suite.tools(files, Environment(pathlib.Path(sys.prefix)))


def test_unknown_check_is_an_error(project):
    done = project.fork("verify", "nope", code=2)
    assert "'nope' is not one of 'formats', 'queue'," in done.stderr


def test_all_findings_are_in_one_report(project):
    project.edit("README.md", "| never |", "| later |")
    project.edit("patches/series", "loud.patch", "loud.patch  ")
    project.edit("pyproject.toml", '">=3.9"', '">=3.8"')
    done = project.fork("verify", "formats", "queue", "metadata", code=1)
    assert "formats: fails" in done.stdout
    assert "queue: holds" in done.stdout
    assert "metadata: fails" in done.stdout
    assert done.stderr.count("error: ") == 3

    done = project.fork("verify", "--json", "formats", "metadata", code=1)
    values = {check["name"]: check for check in json.loads(done.stdout)}
    assert len(values["formats"]["problems"]) == 2
    assert values["metadata"]["problems"][0]["where"] == "pyproject.toml"
    assert "hint" in values["metadata"]["problems"][0]


# Runs pytest several times for each patch.
@pytest.mark.sampled
class TestNeeded:
    @pytest.fixture
    def project(self, project):
        return toy.with_shim(project)

    def test_needed(self, project):
        assert check(project, "needed") == ""

    def test_tests_that_prove_nothing(self, project):
        path = project.root / "tests/patches/test_comma.py"
        path.write_text("import flask\n\n\ndef test_comma():\n    assert flask\n")
        found = check(project, "needed")
        text = "its tests prove nothing: they run nothing that it changes"
        assert f"patches/comma.patch: {text}" in found
        assert "patches/loud.patch" not in found

    def test_tests_that_fail(self, project):
        path = project.root / "tests/patches/test_comma.py"
        path.write_text("def test_comma():\n    assert False\n")
        found = check(project, "needed")
        assert "patches/comma.patch: tests fail with the patch" in found
        assert "test_comma.py::test_comma" in found

    def test_tests_that_do_not_run(self, project):
        path = project.root / "tests/patches/test_comma.py"
        path.write_text(
            "from flask.app import COMMA\n\n\ndef test_comma():\n    assert COMMA\n"
        )
        found = check(project, "needed")
        assert "its tests prove nothing: they do not run without it" in found

    def test_what_is_not_needed_any_more(self, project):
        path = project.root / "tests/patches/test_comma.py"
        path.write_text(
            "import flask\n\n\ndef test_comma():\n"
            "    assert flask.greet('x').startswith('hello')\n"
        )
        found = check(project, "needed")
        text = "no longer needed: its tests run what it changes and pass without it"
        assert f"patches/comma.patch: {text}" in found
        assert "patches/loud.patch" not in found

    def test_later_patch_that_needs_it_is_left_out_with_it(self, project):
        project.fork("apply")
        path = project.checkout / "src/flask/app.py"
        path.write_text(path.read_text().replace("BYE", "GOODBYE"))
        message = (
            "app: say it in full\n\nIt is polite.\n\nUpstream-Status: Pending\n"
            "Forwarded: no\nDrop-When: never\nTests: tests/patches/test_full.py\n"
            "Fork-Patch: full"
        )
        (project.root / "tests/patches/test_full.py").write_text(
            "import flask.app\n\n\ndef test_full():\n"
            "    assert 'GOODBYE' in flask.app.part('x')\n"
        )
        (project.root / "tests/patches/test_loud.py").write_text(
            "import flask.app\n\n\ndef test_loud():\n"
            "    assert 'BYE' in flask.app.part('x')\n"
        )
        project.git("commit", "--quiet", "--all", "-m", message)
        project.fork("export")
        verdicts = {v.name: v for v in needed.judge(Fork.load(project.project))}
        assert verdicts["loud"].left_out == ("full",)
        assert verdicts["full"].left_out == ()
        assert {v.text for v in verdicts.values()} == {"needed"}


class TestKnownFailures:
    """Comparing a run of upstream's suite with the list."""

    def compare(self, project, failed, entries, passed=()):
        path = project.project.known_failures
        path.write_text(
            "".join(
                f'[[failure]]\ntest = "{test}"\nnames = {names}\nwhy = "x"\n{when}\n'
                for test, names, when in entries
            )
        )
        outcome = upstream_suite.Outcome(
            passed=tuple(passed), failed=tuple(failed), skipped=()
        )
        known = upstream_suite.known_failures(project.project)
        environment = Environment(pathlib.Path(sys.prefix))
        upstream_suite._compare(project.project, outcome, known, "flask", environment)

    def test_failure_that_is_listed(self, project):
        self.compare(project, ["t::a"], [("t::a", ["flask"], "")])

    def test_failure_that_is_not_listed(self, project):
        with pytest.raises(ForkError, match="t::b: fails under the name flask"):
            self.compare(project, ["t::b"], [])

    def test_failure_that_is_listed_under_the_other_name(self, project):
        with pytest.raises(ForkError, match="t::a: fails under the name flask"):
            self.compare(project, ["t::a"], [("t::a", ["flaskfork"], "")])

    def test_entry_that_passes(self, project):
        with pytest.raises(ForkError, match=r"t::a: is listed .* but passes"):
            self.compare(project, [], [("t::a", ["flask"], "")], passed=["t::a"])

    def test_entry_that_names_no_test(self, project):
        with pytest.raises(ForkError, match=r"t::a: is listed .* but does not run"):
            self.compare(project, [], [("t::a", ["flask"], "")])

    def test_entry_for_other_releases(self, project):
        entry = ("t::a", ["flask"], 'when = "click<1"')
        self.compare(project, [], [entry])
        with pytest.raises(ForkError, match="fails under the name flask"):
            self.compare(project, ["t::a"], [entry])

    def test_all_are_reported_at_once(self, project):
        with pytest.raises(Findings) as error:
            self.compare(project, ["t::b", "t::c"], [("t::a", ["flask"], "")])
        assert len(error.value.problems) == 3
