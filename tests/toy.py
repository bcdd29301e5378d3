"""A tiny project like the fork: a small pinned upstream and two patches."""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import typing as t
from dataclasses import dataclass

import calling
from forkkit.base.files import file_sha256
from forkkit.base.files import Files
from forkkit.base.files import files_sha256
from forkkit.base.files import write_files
from forkkit.base.paths import Project
from forkkit.base.programs import clean_environ
from forkkit.upstream.pin import Pin

HERE = pathlib.Path(__file__).resolve().parents[1]

UPSTREAM: Files = {
    "LICENSE.txt": b"Do what you like.\n",
    "PKG-INFO": b"Name: Flask\nVersion: 1.0\n\n",
    "pyproject.toml": b'[project]\nname = "Flask"\nversion = "1.0"\n'
    b'requires-python = ">=3.9"\ndependencies = []\n'
    b'[dependency-groups]\ntests = ["pytest"]\n',
    "uv.lock": b'[[package]]\nname = "pytest"\nversion = "8.4.1"\n'
    b"resolution-markers = [\"python_full_version < '3.10'\"]\n"
    b'[[package]]\nname = "pytest"\nversion = "8.4.2"\n'
    b"resolution-markers = [\"python_full_version >= '3.10'\"]\n",
    "src/flask/__init__.py": b'"""A toy."""\n\nfrom .app import greet as greet\n',
    "src/flask/app.py": b'NAME = "flask"\n\n\ndef greet(who):\n'
    b'    # Keep it short.\n    return f"hello {who}"\n\n\ndef part(who):\n'
    b'    return f"bye {who}"\n',
    "tests/test_app.py": b"from flask import greet\n\n\ndef test_greet():\n"
    b'    assert greet("x") == "hello x"\n',
}

LOUD = b"""\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A Maintainer <maintainer@flaskfork.example>
Date: Tue, 2 Jun 2026 10:00:00 +0000
Subject: app: say goodbye aloud

Nobody hears it otherwise.

Bug: toy/toy#1
Upstream-Status: Denied [too loud]
Forwarded: not-needed
Drop-When: never
Tests: tests/patches/test_loud.py
Fork-Patch: loud
---
diff --git a/src/flask/app.py b/src/flask/app.py
--- a/src/flask/app.py
+++ b/src/flask/app.py
@@ -7,4 +7,4 @@ def greet(who):
 
 
 def part(who):
-    return f"bye {who}"
+    return f"BYE {who}"
"""

COMMA = b"""\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A Maintainer <maintainer@flaskfork.example>
Date: Tue, 2 Jun 2026 11:00:00 +0000
Subject: app: put a comma into the greeting

It is spelled so.

Upstream-Status: Pending
Forwarded: no
Drop-When: upstream >= 2.0
Tests: tests/patches/test_comma.py
Fork-Patch: comma
---
diff --git a/src/flask/app.py b/src/flask/app.py
--- a/src/flask/app.py
+++ b/src/flask/app.py
@@ -1,9 +1,10 @@
 NAME = "flask"
+COMMA = ","
 
 
 def greet(who):
     # Keep it short.
-    return f"hello {who}"
+    return f"hello{COMMA} {who}"
 
 
 def part(who):
"""

#: Changes two files, one of which it adds.
WIDE = LOUD.replace(b"Fork-Patch: loud", b"Fork-Patch: wide").replace(
    LOUD.partition(b"---\ndiff")[2],
    b" --git a/src/flask/__init__.py b/src/flask/__init__.py\n"
    b"--- a/src/flask/__init__.py\n+++ b/src/flask/__init__.py\n@@ -1,3 +1,4 @@\n"
    b' """A toy."""\n+WIDE = True\n \n from .app import greet as greet\n'
    b"diff --git a/src/flask/wide.py b/src/flask/wide.py\nnew file mode 100644\n"
    b"--- /dev/null\n+++ b/src/flask/wide.py\n@@ -0,0 +1 @@\n+WIDE = True\n",
)
#: Would run as a script if a page did not escape it.
HOSTILE = '<script>document.title = "ran"</script><img src=x onerror="x()">'

#: A change to a line of upstream's, above the lines that the queue changes.
DASH = """\
diff --git a/src/flask/app.py b/src/flask/app.py
--- a/src/flask/app.py
+++ b/src/flask/app.py
@@ -1,3 +1,4 @@
+DASH = "-"
 NAME = "flask"
\x20
\x20
"""

SERIES = b"# The queue.\nloud.patch\n\n# Spelling.\ncomma.patch\n"

RENAME = b"""\
[[package.rule]]
files = "flaskfork/app.py"
find = '^NAME = "flask"$'
put = 'NAME = "flaskfork"'
count = 1

[[tests.rule]]
files = "tests/*.py"
find = '^from flask(?= )'
put = 'from flaskfork'
count = 1
"""

README = b"""\
# Toy

<!-- differences: written by `scripts/fork readme` -->
| What differs | Asked for in | Goes away | Patch |
|---|---|---|---|
| app: say goodbye aloud | [toy#1](https://github.com/toy/toy/issues/1) | never | [loud](patches/loud.patch) |
| app: put a comma into the greeting | - | Flask >= 2.0 | [comma](patches/comma.patch) |
<!-- /differences -->
"""


WHEEL = b"""\
flaskfork-{version}.dist-info/METADATA
flaskfork-{version}.dist-info/RECORD
flaskfork-{version}.dist-info/WHEEL
flaskfork-{version}.dist-info/licenses/LICENSE
flaskfork-{version}.dist-info/licenses/LICENSE.flask.txt
flaskfork/__init__.py
flaskfork/app.py
flaskfork/extra.py
flaskfork/provenance.json
"""


@dataclass(frozen=True)
class Toy:
    """The project at ``root``."""

    root: pathlib.Path

    @property
    def project(self) -> Project:
        return Project(self.root)

    @property
    def checkout(self) -> pathlib.Path:
        return self.project.checkout

    @property
    def archive(self) -> pathlib.Path:
        return self.project.cache / "flask-1.0.tar.gz"

    def fork(
        self,
        *args: str,
        code: int = 0,
        env: dict[str, str] | None = None,
        prefix: t.Sequence[str] = (),
        process: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run the command on the project, as its own ``scripts/fork`` would.

        :param args: the arguments of the command.
        :param code: the expected exit code.
        :param env: the environment variables; by default a clean environment.
        :param prefix: a command to run it with, such as ``setpriv``.
        :param process: use a separate process, as is always done with a prefix or with
            variables that Python reads only at the start.
        """
        env = env or clean_environ()
        if process or prefix or not calling.can_be_called(env):
            launch = self.root / "scripts" / "forkkit" / "launch.py"
            done = subprocess.run(
                [*prefix, sys.executable, "-I", launch, *args],
                capture_output=True,
                text=True,
                cwd=self.root,
                env=env,
                check=False,
            )
        else:
            done = calling.call(self.project, args, env)
            if done.returncode == 130 != code:
                # The user has interrupted the tests.
                raise KeyboardInterrupt
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def git(self, *args: str) -> str:
        """Run git in the checkout, as the maintainer would, and return its output."""
        return subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b", *args],
            cwd=self.checkout,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace text that occurs exactly once in a file of the project."""
        file = self.root / path
        text = file.read_text()
        assert text.count(before) == 1, f"{before!r} occurs {text.count(before)} times"
        file.write_text(text.replace(before, after))

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the project except those of git, caches of Python, and locks."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
            and not {".git", "__pycache__", ".lock"}.intersection(path.parts)
        }


def with_shim(toy: Toy) -> Toy:
    """Put the real shim into the overlay, for tests that import flask or build."""
    overlay = HERE / "src" / "flaskfork"
    for name in ("legacy", "shim"):
        shutil.copytree(
            overlay / name,
            toy.project.overlay / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(overlay / "provenance.py", toy.project.overlay)
    listed = toy.project.wheel_contents
    ours = Project(HERE).wheel_contents.read_text("utf-8").splitlines(keepends=True)
    copied = ("flaskfork/legacy/", "flaskfork/shim/", "flaskfork/provenance.py")
    added = [line for line in ours if line.startswith(copied)]
    listed.write_text(listed.read_text("utf-8") + "".join(added), "utf-8")
    return toy


def held_to_permissions() -> list[str]:
    """A command prefix under which file permissions also apply to root."""
    if os.geteuid():
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def make_read_only(root: pathlib.Path) -> None:
    """Remove write permission from every folder below ``root``."""
    for folder in [root, *root.rglob("*")]:
        if folder.is_dir():
            folder.chmod(0o555)


def make(root: pathlib.Path) -> Toy:
    """Make the project, with its archive in the cache."""
    content = archive(UPSTREAM)
    files: Files = {
        "CHANGELOG.md": b"# Changelog\n\n## Unreleased\n\n### Upstream\n\n### Fork\n",
        "CONTRIBUTING.md": b"# Contributing\n",
        "LICENSE": b"A license.\n",
        "README.md": README,
        ".github/workflows/tests.yml": b"",
        "benchmarks/run.py": b"",
        "docs/flags.md": b"",
        "noxfile.py": b"",
        "patches/comma.patch": COMMA,
        "patches/loud.patch": LOUD,
        "patches/rename.toml": RENAME,
        "patches/series": SERIES,
        "pyproject.toml": _pyproject(),
        "src/flaskfork/extra.py": b'"""What the fork adds."""\n',
        "tests/patches/test_comma.py": b"import flask\n\n\ndef test_comma():\n"
        b'    assert flask.greet("x") == "hello, x"\n',
        "tests/patches/test_loud.py": b"import flask.app\n\n\ndef test_loud():\n"
        b'    assert flask.app.part("x") == "BYE x"\n',
        "upstream/README.md": b"# Upstream\n",
        "upstream/known-failures.toml": b"",
        "upstream/wheel-contents.txt": WHEEL,
        "upstream/pin.toml": pin_of(content, UPSTREAM).render(),
    }
    write_files(root, files)
    toy = Toy(root)
    shutil.copytree(
        HERE / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__")
    )
    toy.archive.parent.mkdir()
    toy.archive.write_bytes(content)
    return toy


def with_releases(root: pathlib.Path) -> Toy:
    """Make the project with its checkout, and two releases newer than the pin.

    1.1 shifts lines, and 1.2 conflicts with the patch "loud".
    """
    toy = make(root)
    path = "src/flask/app.py"
    text = UPSTREAM[path]
    release(toy, "1.1", {path: b"import os\n\n" + text})
    release(toy, "1.2", {path: text.replace(b'f"bye {who}"', b'f"good bye {who}"')})
    toy.fork("apply")
    return toy


def release(toy: Toy, version: str, changed: dict[str, bytes | None]) -> None:
    """Put another release, with some changed files, into the cache.

    :param changed: the new content of each changed file; ``None`` to remove it.
    """
    files = {**UPSTREAM, **changed}
    files["PKG-INFO"] = f"Name: Flask\nVersion: {version}\n\n".encode()
    there = {path: data for path, data in files.items() if data is not None}
    content = archive(there, f"flask-{version}")
    (toy.project.cache / f"flask-{version}.tar.gz").write_bytes(content)


def history(toy: Toy, *commits: tuple[str, str, Files]) -> None:
    """Put a clone of upstream's repository into the project.

    :param commits: for each commit, its tag or an empty string, its subject, and the
        files that it changes; the first commit is on top of the pinned release.
    """
    folder = toy.project.history
    write_files(folder, UPSTREAM)
    git = ["git", "-c", "user.name=U", "-c", "user.email=u@u"]
    subprocess.run([*git, "init", "--quiet"], cwd=folder, check=True)
    for tag, subject, files in [("1.0", "Release 1.0", {}), *commits]:
        write_files(folder, files)
        subprocess.run([*git, "add", "--all"], cwd=folder, check=True)
        commit = [*git, "commit", "--quiet", "--allow-empty", "--message", subject]
        subprocess.run(commit, cwd=folder, check=True)
        if tag:
            subprocess.run([*git, "tag", tag], cwd=folder, check=True)


def add(toy: Toy, name: str, content: bytes) -> None:
    """Append another patch to the queue."""
    (toy.project.patches / f"{name}.patch").write_bytes(content)
    with toy.project.series.open("a") as series:
        series.write(f"{name}.patch\n")


def commit(toy: Toy) -> None:
    """Commit the queue to the project's own git repository."""
    environ = clean_environ(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    for command in (
        ("init", "--quiet"),
        ("add", "--", "patches", "upstream/pin.toml", "CHANGELOG.md"),
        ("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "The queue"),
    ):
        subprocess.run(["git", *command], cwd=toy.root, env=environ, check=True)


def pin_of(content: bytes, files: Files) -> Pin:
    """The pin of an archive with ``files``."""
    package = {p: data for p, data in files.items() if p.startswith("src/flask/")}
    return Pin(
        name="Flask",
        version="1.0",
        sdist="flask-1.0.tar.gz",
        sdist_sha256=file_sha256(content),
        package="src/flask",
        package_sha256=files_sha256(package),
        license="LICENSE.txt",
        license_sha256=file_sha256(files["LICENSE.txt"]),
    )


def archive(files: Files, top: str = "flask-1.0") -> bytes:
    """A source archive with ``files``."""
    members = []
    for name, data in files.items():
        member = tarfile.TarInfo(f"{top}/{name}")
        member.size = len(data)
        members.append((member, data))
    return tar(members)


def tar(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A ``.tar.gz`` archive with exactly these members."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as out:
            for member, data in members:
                out.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return buffer.getvalue()


def hostile_home(folder: pathlib.Path) -> dict[str, str]:
    """The environment of a user whose git settings change its output in every way."""
    home = folder / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    for name in ("pre-commit", "post-checkout", "reference-transaction"):
        hook = hooks / name
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    (home / "attributes").write_text("*.py -diff eol=crlf\n*.patch text eol=crlf\n")
    (home / "template").mkdir()
    (home / "template" / "config").write_text("[core]\nbare = true\n")
    (home / ".gitconfig").write_text(
        "[format]\nuseAutoBase = true\nnumbered = true\nsignature = hostile\n"
        "thread = true\nattach = true\nheaders = X-Hostile: yes\nnoprefix = true\n"
        "[diff]\nnoprefix = true\nmnemonicPrefix = true\ncontext = 0\n"
        "algorithm = patience\nrenames = copies\nexternal = /bin/false\n"
        "interHunkContext = 9\nsuppressBlankEmpty = true\ncolorMoved = zebra\n"
        "[color]\nui = always\n"
        f"[core]\nautocrlf = true\nhooksPath = {hooks}\nquotePath = true\n"
        f"attributesFile = {home / 'attributes'}\neditor = false\nabbrev = 4\n"
        "whitespace = -blank-at-eol\nfileMode = true\nsafecrlf = true\n"
        "[commit]\ngpgsign = true\ncleanup = scissors\n[gpg]\nprogram = /bin/false\n"
        "[tag]\ngpgsign = true\n[log]\nshowSignature = true\ndate = relative\n"
        "[apply]\nwhitespace = fix\nignoreWhitespace = change\n"
        f"[init]\ntemplateDir = {home / 'template'}\ndefaultBranch = hostile\n"
        "[i18n]\ncommitEncoding = ISO-8859-1\nlogOutputEncoding = UTF-16\n"
        "[user]\nuseConfigOnly = true\n[alias]\nlog = !false\n"
    )
    return clean_environ(
        HOME=str(home),
        XDG_CONFIG_HOME=str(home),
        GIT_DIR="/nowhere",
        GIT_AUTHOR_DATE="2001-01-01T00:00:00",
        GIT_EXTERNAL_DIFF="/bin/false",
        TZ="Asia/Kathmandu",
        LC_ALL="de_DE.UTF-8",
    )


def _pyproject() -> bytes:
    text = (HERE / "pyproject.toml").read_text()
    start = text.index("[build-system]")
    end = text.index("[project]")
    hatch = text[text.index("[tool.hatch.build]") : text.index("[tool.pytest")]
    return (
        text[start:end]
        + '[project]\nname = "flaskfork"\nversion = "1.0.1"\n'
        + 'requires-python = ">=3.9"\ndependencies = []\nreadme = "README.md"\n'
        + 'license-files = ["LICENSE", "LICENSE.flask.txt"]\n\n'
        + hatch
    ).encode()
