"""The shim's wheel: its contents, and that every build gives the same one."""

from __future__ import annotations
import __future__

import ast
import base64
import email.message
import email.parser
import email.policy
import hashlib
import json
import pathlib
import runpy
import symtable
import sysconfig
import textwrap
import typing as t
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from forkkit.base import venv

if t.TYPE_CHECKING:
    from forkkit.base.venv import Environment

#: Prints, for each module of the shim wheel, the names that are wrong.
DRIFT = pathlib.Path(__file__).with_name("drift.py")
#: Imports from __future__ are meant for the compiler.
FEATURES = {*__future__.all_feature_names}


@pytest.fixture(scope="module")
def shim(shim_wheel: pathlib.Path) -> t.Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(shim_wheel) as archive:
        yield archive


@pytest.fixture(scope="module")
def fork(fork_wheel: pathlib.Path) -> t.Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(fork_wheel) as archive:
        yield archive


@pytest.fixture(scope="module")
def provenance(fork: zipfile.ZipFile) -> dict[str, t.Any]:
    return json.loads(fork.read("flaskfork/provenance.json"))


@pytest.fixture(scope="module")
def level(provenance: dict[str, t.Any]) -> str:
    """The version of Flask that the fork is made from."""
    return provenance["upstream"]["version"]


@pytest.fixture(scope="module")
def info(level: str, provenance: dict[str, t.Any]) -> str:
    """The folder of the shim's metadata."""
    revision = provenance["version"].removeprefix(f"{level}.")
    return f"flask-{level}+flaskfork.{revision}.dist-info"


@pytest.fixture(scope="module")
def modules(fork: zipfile.ZipFile, provenance: dict[str, t.Any]) -> list[str]:
    """Upstream's modules, by their path in the package."""
    paths = set(fork.namelist()) - set(provenance["overlay"])
    return sorted(p.partition("/")[2] for p in paths if p.endswith(".py"))


def test_exact_contents(shim: zipfile.ZipFile, modules: list[str], info: str) -> None:
    assert {"__init__.py", "__main__.py", "app.py", "sansio/app.py"} <= set(modules)
    assert not [path for path in modules if "shim" in path or "provenance" in path]
    # A folder without an __init__.py must not get one here: that makes a difference.
    assert "sansio/__init__.py" not in modules
    metadata = ["METADATA", "WHEEL", "entry_points.txt", "flaskfork.json"]
    metadata += ["licenses/LICENSE", "licenses/LICENSE.flask.txt", "RECORD"]
    assert shim.namelist() == [
        *(f"flask/{path}" for path in modules),
        "flask/py.typed",
        *(f"{info}/{name}" for name in metadata),
    ]


def test_file_name(shim_wheel: pathlib.Path, level: str) -> None:
    name, version, _, tags = parse_wheel_filename(shim_wheel.name)
    assert (name, version.public) == ("flask", level)
    assert [*map(str, tags)] == ["py3-none-any"]
    assert f"-{version}-" in shim_wheel.name


def test_record_names_every_file_with_its_hash(
    shim: zipfile.ZipFile, info: str
) -> None:
    lines = shim.read(f"{info}/RECORD").decode().splitlines()
    assert [line.partition(",")[0] for line in lines] == shim.namelist()
    assert lines.pop() == f"{info}/RECORD,,"
    for line in lines:
        path, digest, size = line.split(",")
        content = shim.read(path)
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
        assert digest == "sha256=" + expected.decode().rstrip("=")
        assert int(size) == len(content)


def test_same_bytes_whenever_and_wherever(
    shim_wheel: pathlib.Path, fork_env: Environment, tmp_path: pathlib.Path
) -> None:
    # The fixture was built earlier, in another process, with another installation.
    folder = tmp_path / "new" / "folder"
    code = (
        "import os, sys; os.umask(0o077); from flaskfork.shim.__main__ import main;"
        f" sys.argv[1:] = ['wheel', {str(folder)!r}]; main()"
    )
    zone = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1600000000"}
    printed = fork_env.evaluate(code, env={**zone, "PYTHONHASHSEED": "3"})
    built = pathlib.Path(printed)
    assert built == folder / shim_wheel.name
    assert built.read_bytes() == shim_wheel.read_bytes()
    again = fork_env.run("-m", "flaskfork.shim", "wheel", folder)
    assert again.stdout.strip() == printed
    assert [*folder.iterdir()] == [built]


def test_files_show_nothing_of_the_machine(shim: zipfile.ZipFile) -> None:
    for member in shim.infolist():
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert member.external_attr >> 16 == 0o100644
        assert member.create_system == 3
        assert member.compress_type == zipfile.ZIP_STORED


def test_metadata(
    shim: zipfile.ZipFile,
    fork: zipfile.ZipFile,
    provenance: dict[str, t.Any],
    info: str,
    level: str,
) -> None:
    version = provenance["version"]
    of_fork = metadata(fork, f"flaskfork-{version}.dist-info")
    found = metadata(shim, info)
    assert found["Name"] == "Flask"
    assert Version(found["Version"]).public == level
    assert found["Requires-Python"] == of_fork["Requires-Python"]
    assert found["License-Expression"] == of_fork["License-Expression"]
    assert version in found["Summary"]
    extras = sorted(of_fork.get_all("Provides-Extra"))
    assert extras == ["async", "dotenv"]
    assert found.get_all("Provides-Extra") == extras
    wanted = [f"flaskfork=={version}"]
    wanted += [f'flaskfork[{x}]=={version}; extra == "{x}"' for x in extras]
    requires = map(Requirement, found.get_all("Requires-Dist"))
    assert [*requires] == [*map(Requirement, wanted)]


@pytest.mark.parametrize("key", ["Classifier", "Project-URL", "Maintainer-email"])
def test_metadata_of_both_wheels(
    shim: zipfile.ZipFile,
    fork: zipfile.ZipFile,
    provenance: dict[str, t.Any],
    info: str,
    key: str,
) -> None:
    of_fork = metadata(fork, f"flaskfork-{provenance['version']}.dist-info")
    assert of_fork.get_all(key)
    assert metadata(shim, info).get_all(key) == of_fork.get_all(key)


def test_licenses(
    shim: zipfile.ZipFile,
    fork: zipfile.ZipFile,
    provenance: dict[str, t.Any],
    info: str,
) -> None:
    names = metadata(shim, info).get_all("License-File")
    assert names == ["LICENSE", "LICENSE.flask.txt"]
    for name in names:
        path = f"flaskfork-{provenance['version']}.dist-info/licenses/{name}"
        assert shim.read(f"{info}/licenses/{name}") == fork.read(path)


def test_the_shim_says_which_fork_it_was_made_for(
    shim: zipfile.ZipFile, fork: zipfile.ZipFile, info: str
) -> None:
    made = fork.read("flaskfork/provenance.json")
    expected = {"provenance": hashlib.sha256(made).hexdigest()}
    assert json.loads(shim.read(f"{info}/flaskfork.json")) == expected


def test_provenance_has_the_hash_of_each_file(
    fork: zipfile.ZipFile, provenance: dict[str, t.Any]
) -> None:
    names = [n for n in fork.namelist() if n.startswith("flaskfork/")]
    names.remove("flaskfork/provenance.json")
    hashes = {n: hashlib.sha256(fork.read(n)).hexdigest() for n in names}
    assert provenance["files"] == hashes


def test_the_flask_command(shim: zipfile.ZipFile, info: str) -> None:
    lines = shim.read(f"{info}/entry_points.txt").decode().splitlines()
    assert lines == ["[console_scripts]", "flask = flaskfork.shim.program:main"]


@pytest.mark.parametrize(
    ("specifier", "fits"),
    [
        (">=2", True),
        ("<4", True),
        ("~=3.1.0", True),
        ("==3.1.*", True),
        ("==3.1.3", True),
        ("<=3.1.3", True),
        (">=3.1.3", True),
        ("!=3.1.2", True),
        ("===3.1.3", False),
        (">3.1.3", False),
        ("!=3.1.3", False),
    ],
)
def test_requirements_that_it_satisfies(
    shim: zipfile.ZipFile, info: str, level: str, specifier: str, fits: bool
) -> None:
    specifier = specifier.replace("3.1.3", level)
    version = metadata(shim, info)["Version"]
    assert SpecifierSet(specifier).contains(version) is fits


def test_what_a_module_is_at_run_time(
    shim: zipfile.ZipFile, provenance: dict[str, t.Any], modules: list[str]
) -> None:
    for path in modules:
        dotted = f"flaskfork/{path}".replace("/__init__.py", ".py")[:-3]
        name = dotted.replace("/", ".")
        head, _, rest = shim.read(f"flask/{path}").decode().partition("\nif ")
        assert head == (
            f"# Generated by flaskfork {provenance['version']}: the same module as"
            f" {name}.\nimport typing as _\n"
        )
        _, _, run = rest.partition("\nelse:\n")
        assert run.startswith(
            "    __shim__ = True\n    try:\n        from flaskfork.shim"
        )
        assert run.endswith("        raise\n\n    swap(__name__)\n")


def test_what_a_type_checker_sees_is_what_there_is(
    fork_env: Environment, modules: list[str]
) -> None:
    found = json.loads(fork_env.run(DRIFT).stdout)
    assert found == {path: [] for path in modules}


def test_what_is_shown_has_the_names_of_the_source(
    shim: zipfile.ZipFile, fork: zipfile.ZipFile, modules: list[str]
) -> None:
    # This includes names that are for type checkers only.
    for path in modules:
        source = fork.read(f"flaskfork/{path}").decode()
        shown = shown_to_checkers(shim, path)
        assert names_that_differ(shown, source) == set(), path


def test_exported_names(shim: zipfile.ZipFile) -> None:
    # A few of each kind, written out.
    package = shown_to_checkers(shim, "__init__.py").splitlines()
    assert "from . import json as json" in package
    assert "from .app import Flask as Flask" in package
    assert package[package.index("if not t.TYPE_CHECKING:") + 1].endswith("__getattr__")
    app = shown_to_checkers(shim, "app.py").splitlines()
    assert "from flaskfork.app import Flask as Flask" in app
    assert "from .ctx import AppContext" in app
    assert "from flaskfork.app import T_teardown as T_teardown" in app
    assert app[app.index("if t.TYPE_CHECKING:") + 1].startswith("    from _typeshed.")
    assert not [line for line in app if line.endswith(" annotations")]
    globals_ = shown_to_checkers(shim, "globals.py").splitlines()
    assert "from flaskfork.globals import _cv_app as _cv_app" in globals_
    # No import in the shim's package is of a module that only the fork has.
    everything = "".join(shown_to_checkers(shim, p) for p in ["cli.py", "__init__.py"])
    assert "provenance" not in everything


@pytest.fixture(scope="module")
def mirror(fork_env: Environment) -> t.Callable[..., str]:
    """The generator in the installed fork."""
    code = "from flaskfork.shim.wheel import mirror; print(mirror.__file__)"
    return runpy.run_path(fork_env.evaluate(code))["mirror"]


def test_names_that_are_shown_of_other_modules(mirror: t.Callable[..., str]) -> None:
    # The standard library binds names in every possible way, many times.
    files = sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py"))
    assert len(files) > 150
    for file in files:
        source = file.read_text(encoding="utf-8")
        shown = mirror(source, "a.b.c.d", "a.b.c", ())
        assert names_that_differ(shown, source) == set(), file


def test_what_the_wheel_has_not_is_shown_from_the_fork(
    mirror: t.Callable[..., str],
) -> None:
    source = """
from . import json as json, provenance
from ..shim.errors import ShimError
from .. import shim
from ..ctx import g
"""
    absent = {"flaskfork.shim", "flaskfork.shim.errors", "flaskfork.sansio.provenance"}
    assert mirror(source, "flaskfork.sansio.app", "flaskfork.sansio", absent) == (
        "from . import json as json\n"
        "from flaskfork.sansio import provenance\n"
        "from flaskfork.shim.errors import ShimError\n"
        "from flaskfork import shim\n"
        "from ..ctx import g"
    )


def test_a_module_that_cannot_be_read(
    fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = venv.create(tmp_path / "env", fork_wheel)
    package = environment.evaluate("import flaskfork; print(flaskfork.__path__[0])")
    pathlib.Path(package, "json", "broken.py").write_text("\nfrom import x\n")
    folder = tmp_path / "dist"
    done = environment.run("-m", "flaskfork.shim", "wheel", folder, check=False)
    assert done.returncode == 1
    error = "error: flaskfork.json.broken cannot be parsed, line 2: invalid syntax\n"
    assert done.stderr.startswith(error)
    assert "hint: " in done.stderr
    assert not folder.exists()


def test_another_version(fork_env: Environment, tmp_path: pathlib.Path) -> None:
    built = fork_env.run(
        *("-m", "flaskfork.shim", "wheel", "--version", "3.2rc1+local.2", tmp_path)
    )
    path = tmp_path / "flask-3.2rc1+local.2-py3-none-any.whl"
    assert built.stdout == f"{path}\n"
    with zipfile.ZipFile(path) as archive:
        found = metadata(archive, "flask-3.2rc1+local.2.dist-info")
    assert found["Version"] == "3.2rc1+local.2"


@pytest.mark.parametrize(
    "version", ["", "3.1.x", "v3.1", "3.1-1", "3.01", "3.1+Local", "3.1/../x", "3.1\n"]
)
def test_a_version_that_is_none(
    fork_env: Environment, tmp_path: pathlib.Path, version: str
) -> None:
    done = fork_env.run(
        *("-m", "flaskfork.shim", "wheel", "--version", version, tmp_path), check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {version!r} is not a version")
    assert "hint: use a form such as 3." in done.stderr
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be(fork_env: Environment, tmp_path: pathlib.Path) -> None:
    tmp_path.joinpath("file").write_text("")
    done = fork_env.run(
        *("-m", "flaskfork.shim", "wheel", tmp_path / "file" / "x"), check=False
    )
    assert done.returncode == 1
    assert "error: the wheel cannot be written" in done.stderr
    assert "hint: " in done.stderr


def metadata(archive: zipfile.ZipFile, folder: str) -> email.message.Message:
    """Read a METADATA file."""
    data = archive.read(f"{folder}/METADATA")
    return email.parser.BytesParser(policy=email.policy.compat32).parsebytes(data)


def shown_to_checkers(shim: zipfile.ZipFile, path: str) -> str:
    """The part of a module of the wheel that no interpreter runs."""
    text = shim.read(f"flask/{path}").decode()
    shown, _, _ = text.partition("if _.TYPE_CHECKING:\n")[2].partition("\nelse:")
    return textwrap.dedent(shown) + "\n"


def names_that_differ(shown: str, source: str) -> set[str]:
    """The names that one binds and the other does not, by Python's symbol table."""
    tables = [symtable.symtable(x, "", "exec") for x in (shown, source)]
    one, other = (
        {
            x.get_name()
            for x in table.get_symbols()
            if x.is_assigned() or x.is_imported()
        }
        for table in tables
    )
    # The table also has the names of comprehensions that Python inlines.
    inlined = {
        name.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    return (one ^ other) - inlined - FEATURES
