"""The unpacked sdist has everything that its own tests need, without a clone."""

from __future__ import annotations

import subprocess
import sys
import tarfile

import pytest

from forkkit.base.programs import clean_environ

#: Tests that need neither the package index nor the command's own environment.
TESTS = ("diff", "flags", "materialise", "patch", "pin", "sdist", "series", "toml")


@pytest.fixture(scope="module")
def source(built, tmp_path_factory):
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built.sdist) as archive:
        # The first releases of 3.9 to 3.11 have no filters.
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safe)
    return folder / built.sdist.name[: -len(".tar.gz")]


def test_documentation_and_workflows_are_there(source):
    assert (source / "docs" / "flags.md").is_file()
    assert (source / ".github" / "workflows" / "upstream.yml").is_file()


def test_its_tests_pass(source):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/test_{n}.py" for n in TESTS)],
        cwd=source,
        capture_output=True,
        text=True,
        env=clean_environ(),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
