"""Each problem is really created, found, and fixed by the suggested command."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t
import zipfile
from dataclasses import dataclass

import pytest
import uv

import systems
from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.base.programs import clean_environ
from forkkit.base.venv import Environment
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import cached_archive

# Each case makes an environment.
pytestmark = pytest.mark.sampled(8)


@dataclass
class Patient:
    """An environment with both wheels, and a folder to run commands in.

    :param env: environment variables for every command.
    """

    environment: Environment
    folder: pathlib.Path
    level: str
    env: dict[str, str]

    def doctor(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self.environment.run(
            *("-m", "flaskfork.shim", "doctor", *args),
            cwd=self.folder,
            env=self.env,
            check=False,
        )

    def troubles(self) -> list[dict[str, str]]:
        """The problems that it finds, after a check that both its formats have them."""
        found = json.loads(self.doctor("--json").stdout)
        said = self.doctor()
        assert said.returncode == (1 if found else 0), said.stderr
        texts = [f"{f['where']}: {f['what']}\n  hint: {f['mend']}\n" for f in found]
        assert said.stdout == ("".join(texts) or "no trouble found\n")
        for trouble in found:
            assert [*trouble] == ["what", "where", "mend"]
            missing = trouble["what"].startswith("is missing")
            assert os.path.exists(trouble["where"]) is not missing
        return found

    def mend(self, command: str) -> None:
        """Run the suggested command."""
        env = clean_environ(**self.env)
        subprocess.run(command, shell=True, check=True, cwd=self.folder, env=env)

    def mend_all(self) -> None:
        """Run the suggested commands, in order, until no problem is left."""
        for _ in range(4):
            if found := self.troubles():
                self.mend(found[0]["mend"])
        assert self.troubles() == []
        assert self.gets_fork()

    def gets_fork(self) -> bool:
        code = "import flask, sys; print(flask is sys.modules.get('flaskfork'))"
        done = self.environment.evaluate(code, cwd=self.folder, env=self.env)
        return done == "True"

    @property
    def site(self) -> pathlib.Path:
        [site] = self.environment.path.glob("lib/python*/site-packages")
        return site

    @property
    def info(self) -> pathlib.Path:
        """The shim's metadata."""
        [info] = self.site.glob("flask-*+flaskfork*.dist-info")
        return info


@pytest.fixture
def patient(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path, shim_wheel: pathlib.Path
) -> Patient:
    """A healthy environment, whose installer is uv."""
    environment = venv.create(tmp_path / "env", fork_wheel, shim_wheel)
    return admit(environment, tmp_path)


def admit(environment: Environment, tmp_path: pathlib.Path) -> Patient:
    """Make sure that there is no problem yet."""
    level = environment.evaluate(
        "from flaskfork import provenance; print(provenance.load().api_level)"
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    tools = os.path.dirname(uv.find_uv_bin())
    patient = Patient(environment, folder, level, {"PATH": f"{tools}:/usr/bin:/bin"})
    assert patient.troubles() == []
    return patient


@pytest.fixture
def upstream_files(tmp_path: pathlib.Path, patient: Patient) -> pathlib.Path:
    """A folder with upstream's Flask and its metadata."""
    folder = tmp_path / "upstream"
    requirement = f"Flask==={patient.level}"
    venv.uv("pip", "install", "--no-deps", "--target", folder, requirement)
    return folder


def test_upstream_in_the_place_of_the_shim(patient: Patient) -> None:
    patient.environment.install("--reinstall", f"Flask==={patient.level}")
    [trouble] = patient.troubles()
    assert trouble["what"].startswith(f"Flask {patient.level} does not require flask")
    assert trouble["where"] == str(patient.site / f"flask-{patient.level}.dist-info")
    assert not patient.gets_fork()
    patient.mend_all()


def test_upstream_metadata_beside_the_shim(
    patient: Patient, upstream_files: pathlib.Path
) -> None:
    name = f"flask-{patient.level}.dist-info"
    shutil.copytree(upstream_files / name, patient.site / name)
    one, two = patient.troubles()
    assert one["what"].startswith(f"Flask {patient.level} does not require flaskfork")
    assert one["where"] == str(patient.site / name)
    assert two["what"].startswith("2 distributions named Flask are installed in one")
    assert two["where"] == str(patient.site)
    patient.mend(two["mend"])
    assert patient.troubles() == []


def test_upstream_metadata_on_the_files_of_the_shim(
    patient: Patient, upstream_files: pathlib.Path
) -> None:
    name = f"flask-{patient.level}.dist-info"
    shutil.rmtree(patient.info)
    shutil.copytree(upstream_files / name, patient.site / name)
    assert patient.gets_fork()
    [trouble] = patient.troubles()
    assert trouble["what"].startswith(f"Flask {patient.level} does not require")
    patient.mend_all()


def test_old_metadata_of_the_shim_beside_the_new(patient: Patient) -> None:
    old = patient.site / "Flask-2.0.1.dist-info"
    shutil.copytree(patient.info, old)
    [trouble] = patient.troubles()
    assert trouble["what"].startswith("2 distributions named Flask")
    patient.mend_all()
    assert not old.exists()


def test_files_of_upstream_among_those_of_the_shim(
    patient: Patient, upstream_files: pathlib.Path
) -> None:
    package = patient.site / "flask"
    put(package / "app.py", upstream_files.joinpath("flask", "app.py").read_text())
    shutil.copy(upstream_files / "flask" / "views.py", package / "scaffold.py")
    shutil.copy(upstream_files / "flask" / "views.py", package / "_compat.py")
    one, two = patient.troubles()
    assert (one["what"], one["where"]) == (
        "has changed since it was installed",
        str(package / "app.py"),
    )
    assert two["what"].startswith("does not belong to the shim")
    assert two["where"] == str(package / "_compat.py")
    assert "1 more file" in two["what"]
    patient.mend_all()
    assert not package.joinpath("_compat.py").exists()


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("flask/sansio/app.py", "is missing"),
        ("flask/py.typed", "is missing"),
        ("../../../bin/flask", "is missing"),
    ],
)
def test_a_file_of_the_shim_is_missing(patient: Patient, path: str, what: str) -> None:
    file = pathlib.Path(os.path.normpath(patient.site / path))
    file.unlink()
    said = patient.doctor()
    assert said.returncode == 1
    assert said.stdout.startswith(f"{file}: is missing\n  hint: ")
    patient.mend(said.stdout.partition("hint: ")[2].strip())
    assert file.exists()
    assert patient.troubles() == []


def test_the_shim_has_no_record(patient: Patient) -> None:
    patient.info.joinpath("RECORD").unlink()
    found = patient.troubles()
    assert found[0]["what"].startswith("has no RECORD")
    assert found[0]["where"] == str(patient.info)
    patient.mend_all()


def test_no_flask(patient: Patient) -> None:
    venv.uv("pip", "uninstall", "--python", patient.environment.python, "flask")
    [trouble] = patient.troubles()
    assert trouble["what"] == "no distribution named Flask is installed"
    assert trouble["where"] == str(patient.site)
    patient.mend_all()


def test_a_flask_that_belongs_to_nothing(patient: Patient) -> None:
    shutil.rmtree(patient.info)
    [trouble] = patient.troubles()
    assert trouble["what"] == "no distribution named Flask is installed"
    assert trouble["where"] == str(patient.site / "flask")
    patient.mend_all()


def test_the_fork_was_upgraded_without_the_shim(
    patient: Patient, fork_wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    old = f"{patient.level}.1"
    new = f"{patient.level}.99"
    wheel = with_version(fork_wheel, tmp_path, old, new)
    patient.environment.install("--no-deps", "--reinstall", wheel)
    [trouble] = patient.troubles()
    assert trouble["what"] == f"this is the shim of flaskfork {old}, not of {new}"
    assert trouble["where"] == str(patient.info)
    patient.mend_all()
    assert patient.info.name == f"flask-{patient.level}+flaskfork.99.dist-info"


@pytest.mark.parametrize("name", ["flask.py", "flask/__init__.py"])
def test_shadowed_in_the_current_folder(patient: Patient, name: str) -> None:
    file = patient.folder / name
    file.parent.mkdir(exist_ok=True)
    ran = patient.folder / "ran"
    file.write_text(f"open({str(ran)!r}, 'w')")
    [trouble] = patient.troubles()
    assert trouble["what"] == "'import flask' gets this before the shim"
    assert trouble["where"] == str(patient.folder / name.partition("/")[0])
    status = patient.environment.run(
        *("-m", "flaskfork.shim", "status"), cwd=patient.folder
    )
    assert status.stdout.endswith(f"but in this folder it gets {file}\n")
    assert not ran.exists()
    patient.mend_all()
    assert (patient.folder / f"{name.partition('/')[0]}.aside").exists()


def test_a_file_that_breaks_the_shadow_is_not_run(patient: Patient) -> None:
    patient.folder.joinpath("flask.py").write_text("not Python (")
    assert patient.troubles()[0]["what"].startswith("'import flask' gets this before")


def test_what_does_not_shadow(patient: Patient) -> None:
    # A folder without __init__.py comes after any package.
    patient.folder.joinpath("flask").mkdir()
    patient.folder.joinpath("flask", "notes.txt").write_text("")
    patient.folder.joinpath("flask_thing.py").write_text("")
    patient.folder.joinpath("flask.aside").mkdir()
    assert patient.troubles() == []
    assert patient.gets_fork()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no -P before Python 3.11")
def test_python_was_told_not_to_look_here(patient: Patient) -> None:
    patient.folder.joinpath("flask.py").write_text("")
    patient.env["PYTHONSAFEPATH"] = "1"
    assert patient.troubles() == []
    assert patient.gets_fork()


def test_shadowed_on_pythonpath(patient: Patient, tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "a b", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        folder.joinpath("flask.py").write_text("raise RuntimeError")
    patient.env["PYTHONPATH"] = f"{first}:{tmp_path / 'nowhere'}:{second}"
    one, two = patient.troubles()
    assert one["what"] == two["what"] == "'import flask' gets this before the shim"
    assert one["where"] == str(first / "flask.py")
    assert two["where"] == str(second / "flask.py")
    patient.mend_all()


def test_upstream_on_pythonpath(patient: Patient, upstream_files: pathlib.Path) -> None:
    patient.env["PYTHONPATH"] = str(upstream_files)
    [trouble] = patient.troubles()
    assert trouble["what"] == (
        f"another Flask, {patient.level}, is installed next to the fork's shim"
    )
    info = upstream_files / f"flask-{patient.level}.dist-info"
    assert trouble["where"] == str(info)
    assert not patient.gets_fork()
    patient.mend_all()


@pytest.mark.parametrize("others", ["", "# What else there is.\n/somewhere/else\n"])
def test_a_checkout_of_upstream_on_the_path(
    patient: Patient, upstream_files: pathlib.Path, others: str
) -> None:
    shutil.rmtree(upstream_files / f"flask-{patient.level}.dist-info")
    pth = patient.site / "flask.pth"
    pth.write_text(f"{others}{upstream_files}\n")
    [trouble] = patient.troubles()
    assert trouble["what"] == "'import flask' would get this without the shim"
    assert trouble["where"] == str(upstream_files / "flask")
    patient.mend_all()
    assert upstream_files.joinpath("flask").is_dir()
    assert (pth.read_text() if pth.exists() else "") == others


def test_an_editable_install_of_upstream(
    patient: Patient, tmp_path: pathlib.Path
) -> None:
    project = here()
    archive = cached_archive(project, Pin.load(project))
    shutil.unpack_archive(archive, tmp_path / "source", filter="data")
    [source] = tmp_path.joinpath("source").iterdir()
    patient.environment.install("--reinstall", "--no-deps", "--editable", source)
    assert patient.site.joinpath("flask.pth").exists()
    one, two = patient.troubles()
    assert one["what"].startswith(f"Flask {patient.level} does not require")
    assert two["what"] == "'import flask' would get this without the shim"
    assert two["where"] == str(source / "src" / "flask")
    patient.mend(two["mend"])
    assert patient.troubles() == []
    assert not patient.site.joinpath("flask.pth").exists()


@pytest.mark.parametrize("installer", ["pip", "uv", "neither"])
def test_upstream_in_the_system(
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    installer: str,
) -> None:
    """It comes later, but takes over when the shim is removed."""
    system = systems.make(tmp_path / "system")
    [stdlib] = system.path.glob("lib/python*/")
    stdlib.joinpath("EXTERNALLY-MANAGED").write_text(
        "[externally-managed]\nError=No.\n"
    )
    install_into(system, *["pip"] * (installer == "pip"), "blinker")
    environment = Environment(tmp_path / "env")
    system.run(
        *("-m", "venv", "--system-site-packages", "--without-pip", environment.path)
    )
    install_into(environment, fork_wheel, shim_wheel)
    patient = admit(environment, tmp_path)
    install_into(system, f"Flask==={patient.level}")
    if installer != "uv":
        patient.env["PATH"] = "/usr/bin:/bin"
    assert patient.gets_fork()
    [trouble] = patient.troubles()
    assert trouble["what"].startswith(f"another Flask, {patient.level}, is installed")
    assert str(system.path) in trouble["where"]
    patient.mend_all()
    assert not [*system.path.glob("lib/*/site-packages/flask/*.py")]


def test_upstream_in_the_folder_of_the_user(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path, shim_wheel: pathlib.Path
) -> None:
    """Outside virtual environments, that folder comes first."""
    system = systems.make(tmp_path / "system")
    install_into(system, "pip", fork_wheel, shim_wheel)
    patient = admit(system, tmp_path)
    patient.env["PYTHONUSERBASE"] = str(tmp_path / "user")
    system.run(
        *("-m", "pip", "install", "--user", "--no-deps", "--ignore-installed"),
        f"Flask==={patient.level}",
        env=patient.env,
    )
    assert not patient.gets_fork()
    [trouble] = patient.troubles()
    assert trouble["what"].startswith(f"another Flask, {patient.level}, is installed")
    assert str(tmp_path / "user") in trouble["where"]
    patient.mend_all()


def test_upstream_in_the_system_and_the_shim_in_the_folder_of_the_user(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path, shim_wheel: pathlib.Path
) -> None:
    system = systems.make(tmp_path / "system")
    install_into(system, "pip")
    env = {"PYTHONUSERBASE": str(tmp_path / "user")}
    system.run("-m", "pip", "install", "--user", fork_wheel, shim_wheel, env=env)
    install_into(system, "Flask", "--no-deps")
    folder = tmp_path / "folder"
    folder.mkdir()
    patient = Patient(system, folder, "", env)
    [trouble] = patient.troubles()
    assert trouble["what"].startswith("another Flask, ")
    assert str(system.path) in trouble["where"]
    patient.mend_all()


@pytest.mark.parametrize("installer", ["pip", "uv", "neither"])
def test_a_file_of_the_fork_is_missing(
    tmp_path: pathlib.Path,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
    installer: str,
) -> None:
    environment = venv.create(
        tmp_path / "env", fork_wheel, shim_wheel, seed=installer == "pip"
    )
    patient = admit(environment, tmp_path)
    if installer != "uv":
        patient.env["PATH"] = "/usr/bin:/bin"
    package = patient.site / "flaskfork"
    package.joinpath("testing.py").unlink()
    put(package / "views.py", package.joinpath("views.py").read_text() + "# New.\n")
    [trouble] = patient.troubles()
    assert trouble["where"] == str(package / "testing.py")
    assert trouble["what"].startswith("is missing; the same is true of ")
    assert (f"{os.sep}uv pip install" in trouble["mend"]) is (installer == "uv")
    patient.mend_all()
    assert package.joinpath("testing.py").exists()


@pytest.mark.parametrize("name", ["flaskfork", "flask"])
def test_what_record_agrees_with_but_the_fork_did_not_build(
    patient: Patient, name: str
) -> None:
    """As a stranger's wheel would be installed, with hashes of its own or with none."""
    file = patient.site / name / "views.py"
    put(file, file.read_text() + "x = 1\n")
    [record] = patient.site.glob(f"{name}-*.dist-info/RECORD")
    lines = record.read_text().splitlines()
    row = f"{name}/views.py,"
    kept = [row + "," if line.startswith(row) else line for line in lines]
    assert kept != lines
    put(record, "\n".join(kept) + "\n")
    [trouble] = patient.troubles()
    assert trouble["what"].startswith("is not the file that ")
    assert trouble["where"] == str(file)
    assert " WHEELS/flaskfork-" in trouble["mend"]


def test_another_copy_of_the_fork_comes_first(
    patient: Patient, tmp_path: pathlib.Path
) -> None:
    copy = tmp_path / "copy" / "flaskfork"
    shutil.copytree(patient.site / "flaskfork", copy)
    patient.env["PYTHONPATH"] = str(copy.parent)
    [trouble] = patient.troubles()
    assert trouble["what"].startswith("flaskfork is found here before the installed")
    assert trouble["where"] == str(copy)
    patient.mend_all()


def test_the_fork_is_not_of_the_version_that_it_is_said_to_be(
    patient: Patient,
) -> None:
    [metadata] = patient.site.glob("flaskfork-*.dist-info/METADATA")
    text = metadata.read_text()
    put(metadata, text.replace(f"\nVersion: {patient.level}", "\nVersion: 2.0"))
    found = patient.troubles()
    assert " with the metadata of flaskfork 2.0.1" in found[0]["what"]
    assert found[0]["where"] == str(metadata.parent)
    patient.mend_all()


def test_the_fork_is_not_installed(patient: Patient) -> None:
    [info] = patient.site.glob("flaskfork-*.dist-info")
    shutil.rmtree(info)
    [trouble] = patient.troubles()
    assert trouble["what"] == "flaskfork can be imported, but is not installed"
    assert trouble["where"] == str(patient.site / "flaskfork")


def test_an_environment_that_lists_no_files_by_its_own_name(
    tmp_path: pathlib.Path, fork_wheel: pathlib.Path
) -> None:
    """A folder reached through a symbolic link is recognised as the same."""
    venv.create(tmp_path / "env", fork_wheel)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "env")
    environment = Environment(link)
    environment.run("-m", "flaskfork.shim", "install")
    admit(environment, tmp_path)


def put(file: pathlib.Path, text: str) -> None:
    """Give a file other content, without changing the copy in uv's cache."""
    file.unlink()
    file.write_text(text)


def install_into(system: Environment, *requirements: str | pathlib.Path) -> None:
    venv.uv(
        *("pip", "install", "--python", system.python, "--break-system-packages"),
        *requirements,
    )


def with_version(
    wheel: pathlib.Path, folder: pathlib.Path, old: str, new: str
) -> pathlib.Path:
    """A copy of a wheel as another version."""
    path = folder / wheel.name.replace(old, new)
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(("METADATA", "provenance.json")):
                content = content.replace(old.encode(), new.encode())
            files[name.replace(old, new)] = content
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            record = "".join(rows(files)).encode()
            archive.writestr(name, record if name.endswith("/RECORD") else content)
    return path


def rows(files: t.Mapping[str, bytes]) -> t.Iterator[str]:
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
        is_record = name.endswith("/RECORD")
        value = "" if is_record else f"sha256={digest.decode().rstrip('=')}"
        yield f"{name},{value},{'' if is_record else len(content)}\n"
