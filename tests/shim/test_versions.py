"""While the fork is loaded, programs see one version of Flask: upstream's."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from flaskfork import provenance

RunPython = t.Callable[..., str]

LEVEL = provenance.load().api_level
SHIM = provenance.load().shim_version
# The version of the distribution Flask, asked for in every way that asks by name.
VERSIONS = """
import importlib.metadata, sys

def versions(library=importlib.metadata):
    names = ["flask", "Flask", "FLASK"]
    distribution = library.distribution("flask")
    return {
        *map(library.version, names),
        *(library.distribution(name).version for name in names),
        library.Distribution.from_name("Flask").version,
        library.metadata("Flask")["Version"],
        distribution.metadata["Version"],
        next(iter(library.Distribution.discover(name="flask"))).version,
        next(iter(library.distributions(name="flask"))).version,
    }
"""


@pytest.mark.parametrize(
    "load",
    [
        "import flask",
        "import flask.views",
        "import flaskfork.shim",
        "import flaskfork; import flaskfork.shim",
        "import flaskfork; import flask",
        "import flaskfork.shim; flaskfork.shim.legacy()",
        "import flaskfork.shim.program",
        "import importlib_metadata; import flask",
        "import flask; import importlib_metadata",
        "import flask, importlib; importlib.reload(flask)",
        "import flask, flaskfork.shim; flaskfork.shim.install()",
        "import flask; del sys.modules['flask'], sys.modules['flaskfork']",
        "import flask; sys.modules.clear()",
    ],
)
def test_version_while_the_fork_is_loaded(run_python: RunPython, load: str) -> None:
    if "importlib_metadata" in load:
        pytest.importorskip("importlib_metadata")
    code = f"""{VERSIONS}
keep = sys.modules.copy()
before = versions()
{load}
sys.modules.update({{n: m for n, m in keep.items() if not n.startswith("flask")}})
assert before == {{{SHIM!r}}}, before
assert versions() == {{{LEVEL!r}}}, versions()
assert importlib.metadata.version("flaskfork") == {provenance.load().version!r}
import warnings, flask, flaskfork
warnings.simplefilter("ignore", DeprecationWarning)
assert flask.__version__ == flaskfork.__version__ == {LEVEL!r}
"""
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "importlib_metadata"])
def test_version_that_the_backport_tells(run_python: RunPython, first: str) -> None:
    pytest.importorskip("importlib_metadata")
    code = f"""{VERSIONS}
import {first}, flask, importlib_metadata
assert versions(importlib_metadata) == versions() == {{{LEVEL!r}}}
found = importlib_metadata.distribution("flask")
assert isinstance(found, importlib_metadata.Distribution)
assert found.entry_points.select(name="flask")
"""
    run_python("-c", code)


def test_programs_can_parse_it(run_python: RunPython) -> None:
    code = """
        import flask
        from importlib.metadata import version
        major, minor, micro = map(int, version("flask").split("."))
        assert (2, 0, 0) <= (major, minor, micro)
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        assert version("flask") == flask.__version__
    """
    run_python("-c", code)


def test_nothing_but_the_version_changes(run_python: RunPython) -> None:
    code = f"""
        import copy, importlib.metadata, pickle
        def look():
            found = importlib.metadata.distribution("flask")
            message = found.metadata
            points = [(p.group, p.name, p.value) for p in found.entry_points]
            return [
                type(found),
                [(k, v) for k, v in message.items() if k != "Version"],
                message.get_payload(),
                found.requires,
                importlib.metadata.requires("Flask"),
                [(str(f), repr(f.hash), f.size, f.locate()) for f in found.files],
                importlib.metadata.files("flask") == found.files,
                points,
                found.locate_file("flask"),
                [found.read_text(n) for n in ["INSTALLER", "RECORD", "WHEEL", "none"]],
            ]
        before = look()
        program = "flaskfork.shim.program:main"
        assert before[7] == [("console_scripts", "flask", program)]
        import flask
        assert look() == before
        found = importlib.metadata.distribution("flask")
        for same in copy.copy(found), copy.deepcopy(found):
            assert same.version == {LEVEL!r}
        assert pickle.loads(pickle.dumps(found)).version == {LEVEL!r}
    """
    run_python("-c", code)


LISTS = {
    "all": "[d for d in importlib.metadata.distributions() if is_flask(d)]",
    "folder": "importlib.metadata.distributions(name='flask', path=[*sys.path])",
    "folders": "[d for p in sys.path for d in of_folder(p) if is_flask(d)]",
    "at": "[importlib.metadata.Distribution.at(info)]",
    "pip": "[pip_environment().get_distribution('flask')]",
    "pkg_resources": "pkg_resources.require('Flask')[:1]",
}


@pytest.mark.parametrize("name", LISTS)
def test_installers_see_what_is_installed(run_python: RunPython, name: str) -> None:
    module = {"pip": "pip._internal.metadata", "at": "importlib"}.get(name, name)
    if "." in module or "_" in module:
        pytest.importorskip(module, reason="it is not installed here")
    code = f"""
import importlib.metadata, sys, warnings

def is_flask(found):
    return found.metadata["Name"] == "Flask"

def of_folder(path):
    return importlib.metadata.distributions(path=[path])

def pip_environment():
    from pip._internal.metadata import get_default_environment
    return get_default_environment()

[info] = [d._path for d in importlib.metadata.distributions() if is_flask(d)]
import flask
if {name!r} == "pkg_resources":
    warnings.simplefilter("ignore")
    import pkg_resources
assert [str(d.version) for d in {LISTS[name]}] == [{SHIM!r}]
"""
    run_python("-c", code)


def test_lists_of_all_are_as_before(run_python: RunPython) -> None:
    code = """
        import importlib.metadata, sys
        def look():
            found = importlib.metadata.distributions()
            points = importlib.metadata.entry_points()
            if not isinstance(points, dict):
                points = {p: points.select(group=p) for p in points.groups}
            names = getattr(importlib.metadata, "packages_distributions", dict)()
            return (
                [(d.metadata["Name"], d.version) for d in found],
                {k: [*map(str, v)] for k, v in points.items()},
                names,
            )
        before = look()
        import flask
        assert look() == before
        for name in ["flaskfork", "werkzeug", "flask-login", "flas"]:
            try:
                found = importlib.metadata.distributions(name=name)
                assert "Flask" not in [d.metadata["Name"] for d in found]
            except importlib.metadata.PackageNotFoundError:
                pass
    """
    run_python("-c", code)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Flask-3.0.1.dist-info/METADATA", "Name: Flask\nVersion: 3.0.1\n"),
        ("flask-4.dist-info/METADATA", "Version: 4\nName: flask\n\nVersion: none\n"),
        ("Flask-2.0.dev0.egg-info/PKG-INFO", "Name: Flask\nVersion: 2.0.dev0\n"),
        ("Flask.egg-info", "Name: Flask\nVersion: 2.0\n"),
    ],
)
def test_whichever_flask_is_installed(
    run_python: RunPython, tmp_path: pathlib.Path, path: str, text: str
) -> None:
    # Beside a program that imports flaskfork.shim.
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"Metadata-Version: 2.1\n{text}")
    code = f"""
        import importlib.metadata, sys
        sys.path.insert(0, ".")
        before = importlib.metadata.version("flask")
        assert before.partition("+")[0] != {LEVEL!r}
        import flaskfork.shim
        found = importlib.metadata.distribution("flask")
        assert found.version == {LEVEL!r}
        assert found.metadata["Name"].lower() == "flask"
        if "none" in {text!r}:
            # Python 3.15 leaves it in the field alone.
            text = found.metadata.get_payload() or found.metadata["Description"]
            assert text.strip() == "Version: none"
    """
    run_python("-c", code)


@pytest.mark.parametrize("fork", [True, False])
def test_none_is_installed(
    run_python: RunPython, tmp_path: pathlib.Path, fork: bool
) -> None:
    # A path without the shim's metadata, or without any, as in frozen programs.
    code = f"""
        import importlib.metadata, os, pathlib, shutil, sys
        import flaskfork.shim
        packages = pathlib.Path(flaskfork.__file__).parents[1]
        shutil.copytree(packages / "flaskfork", "flaskfork")
        if {fork}:
            [info] = packages.glob("flaskfork-*.dist-info")
            shutil.copytree(info, info.name)
        upstreams = importlib.metadata.requires("flaskfork")
        sys.path.remove(str(packages))
        sys.path.insert(0, ".")
        found = importlib.metadata.distribution("flask")
        assert found.version == importlib.metadata.version("Flask") == {LEVEL!r}
        assert importlib.metadata.metadata("flask")["Name"] == "Flask"
        assert [*found.entry_points] == []
        assert found.files is None
        assert found.requires == (upstreams if {fork} else None)
        names = [d.metadata["Name"] for d in importlib.metadata.distributions()]
        assert "Flask" not in names
    """
    run_python("-c", code)


def test_asking_imports_nothing_of_the_fork(run_python: RunPython) -> None:
    code = f"""
        import importlib.metadata, sys
        import flask
        for name in [n for n in sys.modules if n.startswith("flask")]:
            del sys.modules[name]
        assert importlib.metadata.version("flask") == {LEVEL!r}
        assert not [n for n in sys.modules if n.startswith("flask")]
        import flask
        assert importlib.metadata.version("flask") == {LEVEL!r}
    """
    run_python("-c", code)


def test_asking_while_the_fork_is_being_imported(run_python: RunPython) -> None:
    # In another thread, for which the import waits: as that of an agent.
    code = f"""
        import importlib.metadata, sys, threading
        import wrapt

        seen = []

        def ask():
            seen.append(importlib.metadata.version("flask"))

        @wrapt.when_imported("flask.signals")
        def wait(module):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()

        import flask
        assert seen == [{LEVEL!r}]
    """
    run_python("-c", code)


def test_command_names_both(run_python: RunPython) -> None:
    for name in ["flask", "flaskfork"]:
        lines = run_python("-m", name, "--version").splitlines()
        assert f"Flask {LEVEL}" in lines
        assert lines[-1] == provenance.describe()
