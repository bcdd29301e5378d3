"""The proof on real history: a queue is rebased across upstream's own releases.

The expected results come from plain git, which does the same in parallel, and from the
releases themselves. tests/history has twelve patches from the queue: in their form for
2.2.5, with the resolutions of their conflicts, and in the final form for 3.1.3, for
which they were written. Changes to the real queue do not affect them.

With --sample, the rebases stop only at releases on which a patch changes, and git
checks one patch in four; without it, they cover every release and all patches.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

import pytest
from packaging.version import Version

import toy
from forkkit.base.files import Files
from forkkit.base.files import write_files
from forkkit.base.paths import Project
from forkkit.carry.changes import SIGNS
from forkkit.pack import stage
from forkkit.queue.patch import Patch
from forkkit.queue.queue import apply_patches
from forkkit.upstream import index
from forkkit.upstream import releases
from forkkit.upstream.pin import Pin
from forkkit.upstream.source import release_files

HERE = Project(toy.HERE)
PIN = Pin.load(HERE)
KEPT = toy.HERE / "tests" / "history"
END = KEPT / "end"
#: The first and last release on the way there, and the last on the way back.
FIRST = "2.2.5"
LAST = "3.1.3"
BACK = "3.0.3"
#: The releases on which a patch changes.
TURNS = ["2.3.0", "2.3.3", "3.0.0", "3.0.1", "3.0.3", "3.1.0", "3.1.3"]
TURNS_BACK = ["3.1.2", "3.0.3"]
#: A resolution belongs to the release that it was made on, so the way back stops there.
PASSED_BACK = ["3.1.2", "3.1.0", "3.0.3"]
#: Two of upstream's fixes: the text before, and the text since.
MARKUP = (
    'if name == "escape":\n        import warnings\n        from markupsafe import M',
    'if name == "Markup":\n        import warnings\n        from markupsafe import M',
)
HELP = (
    "        if not args and self.no_args_is_help:\n",
    "        if (not args and self.no_args_is_help) or (\n"
    "            len(args) == 1 and args[0] in self.get_help_option_names(ctx)\n"
    "        ):\n",
)


@dataclass(frozen=True)
class Step:
    """The outcome of a rebase onto a release.

    :param kinds: what became of each patch.
    :param replayed: the resolutions that were used again.
    :param patches: the text of each patch afterwards.
    """

    version: str
    seconds: float
    kinds: dict[str, str]
    replayed: list[str]
    patches: dict[str, bytes]


def copy(folder: pathlib.Path, version: str, *queue: pathlib.Path) -> toy.Toy:
    """A copy of the project on another release; archives are downloaded only once.

    :param queue: folders with the patches, and with resolutions of conflicts.
    """
    for name in stage.SDIST:
        if (toy.HERE / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.patch", "series")
            shutil.copytree(toy.HERE / name, folder / name, ignore=ignore)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(toy.HERE / name, folder / name)
    made = toy.Toy(folder)
    shutil.rmtree(made.project.resolutions, ignore_errors=True)
    made.project.series.touch()
    for source in queue:
        ignore = shutil.ignore_patterns("end")
        shutil.copytree(source, made.project.patches, dirs_exist_ok=True, ignore=ignore)
    pin = pin_of(version)
    made.project.cache.symlink_to(HERE.cache)
    made.project.pin.write_bytes(pin.render())
    made.edit("pyproject.toml", f'version = "{PIN.version}.', f'version = "{version}.')
    return made


def clone(project: toy.Toy, folder: pathlib.Path) -> toy.Toy:
    """A fresh clone of a project."""
    git(project.root, "clone", "--quiet", str(project.root), str(folder))
    return toy.Toy(folder)


def git(
    folder: pathlib.Path, *args: str, stdin: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    """Run bare git, independently of the user's settings."""
    return subprocess.run(
        ["git", "-c", "user.name=R", "-c", "user.email=r@r", *args],
        cwd=folder,
        env=toy.clean_environ(GIT_CONFIG_GLOBAL="/dev/null", LC_ALL="C"),
        input=stdin,
        capture_output=True,
        check=check,
    )


def pin_of(version: str) -> Pin:
    return releases.obtain(HERE, PIN, version)


def package(version: str) -> Files:
    return release_files(HERE, pin_of(version))


def way(first: str, last: str) -> list[str]:
    """Every release on the package index after the first, up to the last."""
    low, high = sorted((first, last), key=Version)
    known = [release.version for release in index.releases(PIN.name)]
    found = [v for v in known if Version(low) <= Version(v) <= Version(high)]
    return (found if first == low else found[::-1])[1:]


def kinds_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+): ([a-z]+)$", done.stdout, re.MULTILINE))


def carry(project: toy.Toy, version: str) -> Step:
    """Rebase, without any step by hand."""
    started = time.monotonic()
    done = project.fork("rebase", version)
    return Step(
        version,
        time.monotonic() - started,
        kinds_of(done),
        re.findall(r"of the reused patches/resolutions/(\S+):", done.stdout),
        texts(project.project.patches),
    )


def texts(folder: pathlib.Path) -> dict[str, bytes]:
    """The text of each patch in a folder."""
    return {path.stem: path.read_bytes() for path in folder.glob("*.patch")}


def parsed(text: bytes) -> Patch:
    return Patch.parse(text, where="a patch")


def show(journey: list[Step]) -> None:
    """Print what happened, one line per release."""
    print(f"\n{'':9}seconds  {'  '.join(SIGNS)}")
    for step in journey:
        kinds = list(step.kinds.values())
        counts = [f"{kinds.count(kind) or '.':>{len(kind)}}" for kind in SIGNS]
        print(f"{step.version:9}{step.seconds:7.2f}  {'  '.join(counts)}")


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> toy.Toy:
    """The project on 2.2.5 with its queue, in a git repository."""
    made = copy(tmp_path_factory.mktemp("committed") / "fork", FIRST, KEPT)
    git(made.root, "init", "--quiet")
    git(made.root, "add", "--all")
    git(made.root, "commit", "--quiet", "--message", "The queue")
    return made


@pytest.fixture(scope="module")
def journey(
    committed: toy.Toy, tmp_path_factory: pytest.TempPathFactory, everything: bool
) -> list[Step]:
    """The queue from 2.2.5 through every release to 3.1.3."""
    project = clone(committed, tmp_path_factory.mktemp("journey") / "fork")
    versions = way(FIRST, LAST) if everything else TURNS
    return [carry(project, version) for version in versions]


@pytest.fixture(scope="module")
def journey_back(
    tmp_path_factory: pytest.TempPathFactory, everything: bool
) -> list[Step]:
    """The same patches from 3.1.3 through every release to 3.0.3."""
    project = copy(tmp_path_factory.mktemp("back") / "fork", LAST, END)
    shutil.copytree(KEPT / "resolutions", project.project.resolutions)
    versions = way(LAST, BACK) if everything else PASSED_BACK
    return [carry(project, version) for version in versions]


class Reference:
    """A git repository in which plain git cherry-picks the same patches."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.files: Files = {}
        self.orphans = 0
        folder.mkdir()
        git(folder, "init", "--quiet")

    def commit(self, files: Files, *, orphan: bool = False) -> str:
        """Commit files, replacing all present files.

        :param orphan: whether to start a new history.
        """
        if orphan:
            self.orphans += 1
            branch = f"release-{self.orphans}"
            git(self.folder, "checkout", "--quiet", "--orphan", branch)
        if orphan or files != self.files:
            self.files = files
            shutil.rmtree(self.folder / "src", ignore_errors=True)
            write_files(self.folder, files)
            git(self.folder, "add", "--all", "--force")
            git(self.folder, "commit", "--quiet", "--message", "files")
        return git(self.folder, "rev-parse", "HEAD").stdout.decode().strip()

    def kind(self, text: bytes, commit: str) -> str:
        """The expected kind of a patch here, according to git.

        :param text: the patch.
        :param commit: its commit, on the release where it applied before.
        """
        command = ("apply", "--check", "--verbose", "-")
        applied = git(self.folder, *command, stdin=text, check=False)
        picked = git(self.folder, "cherry-pick", "-n", commit, check=False)
        git(self.folder, "reset", "--quiet", "--hard")
        if picked.returncode:
            return "resolved"
        if applied.returncode:
            return "merged"
        return "moved" if b" (offset " in applied.stderr else "unchanged"


def test_every_release_is_passed(journey, journey_back, everything):
    show(journey)
    for steps, turns in ((journey, TURNS), (journey_back, TURNS_BACK)):
        assert turns == [
            step.version for step in steps if set(step.kinds.values()) != {"unchanged"}
        ]
    names = set(texts(KEPT))
    assert all(set(step.kinds) == names for step in journey)
    if everything:
        assert [step.version for step in journey] == way(FIRST, LAST)
        assert len(journey) >= 12


def test_what_becomes_of_each_patch_is_what_git_says(journey, tmp_path, sampled):
    reference = Reference(tmp_path / "reference")
    asked = sampled(journey[0].kinds)
    there, files, commits = texts(KEPT), package(FIRST), {}
    reference.commit(files, orphan=True)
    for name in journey[0].kinds:
        if name in asked:
            reference.commit(files)
        files = apply_patches([parsed(there[name])], files)
        if name in asked:
            commits[name] = reference.commit(files)
    for step in journey:
        files = package(step.version)
        reference.commit(files, orphan=True)
        for name, kind in step.kinds.items():
            if name in asked:
                reference.commit(files)
                expected = reference.kind(there[name], commits[name])
                assert kind == expected, f"{name} on {step.version}, sampled: {asked}"
            files = apply_patches([parsed(step.patches[name])], files)
            if name in asked:
                commits[name] = reference.commit(files)
        there = step.patches


def test_a_patch_is_written_anew_only_where_it_has_to_be(journey):
    there = texts(KEPT)
    for step in journey:
        for name, kind in step.kinds.items():
            assert (step.patches[name] == there[name]) is (kind == "unchanged")
        there = step.patches


def test_what_upstream_did_not_touch_is_unchanged(journey, everything):
    """Byte for byte, judged from the releases alone."""
    before, there, untouched = FIRST, texts(KEPT), 0
    for step in journey:
        old, new = package(before), package(step.version)
        for name in step.kinds:
            paths = [diff.path for diff in parsed(there[name]).diffs]
            if all(old.get(path) == new.get(path) for path in paths):
                assert step.kinds[name] == "unchanged", f"{name} on {step.version}"
                assert step.patches[name] == there[name]
                untouched += 1
        before, there = step.version, step.patches
    assert untouched > (len(there) if everything else 0)


def test_each_resolution_is_used_and_no_other_is_needed(journey, journey_back):
    used = []
    for step in (*journey, *journey_back):
        resolved = [name for name, kind in step.kinds.items() if kind == "resolved"]
        assert [name.partition("/")[0] for name in step.replayed] == resolved
        used += step.replayed
    folder = KEPT / "resolutions"
    kept = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")]
    assert sorted(used) == sorted(kept)


def test_on_a_fresh_clone_nothing_is_asked_again(
    committed, journey, tmp_path, everything
):
    project = clone(committed, tmp_path / "fork")
    # Half of the resolutions on the whole way are for its first release.
    for step in journey if everything else journey[:1]:
        again = carry(project, step.version)
        assert again.kinds == step.kinds
        assert again.patches == step.patches


def test_the_end_is_as_it_was_written_there(journey):
    """Byte for byte, although none of these files was available on the way."""
    assert journey[-1].patches == texts(END)


def test_backwards(journey, journey_back):
    """The two ways meet at 3.0.3."""
    show(journey_back)
    [met] = [step for step in journey if step.version == BACK]
    assert journey_back[-1].version == BACK
    assert journey_back[-1].patches == met.patches


def test_the_whole_queue_backwards_as_forecast(tmp_path, everything):
    """Today's queue to 3.0.3 in one step; patches that do not merge are skipped."""
    if not everything:
        pytest.skip("not in the sample; test_rebase.py tests the same with the toy")
    project = copy(tmp_path / "fork", PIN.version, HERE.patches)
    [row] = json.loads(project.fork("forecast", BACK, "--json").stdout)
    stops = [p for p in row["patches"] if p["outcome"] in {"conflict", "absorbed"}]
    done = project.fork("rebase", BACK, code=3)
    for stop in stops:
        assert f"{stop['name']} conflicts in {stop['conflicts'][0]}" in done.stderr
        code = 0 if stop is stops[-1] else 3
        done = project.fork("rebase", "--skip", code=code)
    happened = kinds_of(done)
    for patch in row["patches"]:
        expected = "dropped" if patch in stops else patch["outcome"]
        assert happened[patch["name"]] == expected
    assert len(set(happened.values())) >= 3
    text = (project.root / "CHANGELOG.md").read_text()
    assert "it conflicts with what Flask 3.1." in text


def test_without_the_resolutions_it_stops_where_git_does(tmp_path):
    project = copy(tmp_path / "fork", FIRST, KEPT)
    shutil.rmtree(project.project.resolutions)
    done = project.fork("rebase", "2.3.0", code=3)
    assert "json-mixed-keys conflicts in src/flask/json/provider.py" in done.stderr
    assert "in DefaultJSONProvider.dumps\n" in done.stderr
    assert "Flask 2.3.0 changed these lines of 2.2.5\n" in done.stderr
    assert "``json_encoder`` and ``json_decoder`` attributes on app" in done.stderr


def test_code_that_has_gone_to_another_module_is_found(journey, tmp_path):
    [before] = [step for step in journey if step.version == "2.3.3"]
    project = copy(tmp_path / "fork", "2.3.3")
    for name in before.kinds:
        toy.add(project, name, before.patches[name])
    done = project.fork("rebase", "3.0.0", code=3)
    assert "options-explicit conflicts in src/flask/app.py\n" in done.stderr
    told = "what it changes in src/flask/app.py is now in src/flask/sansio/app.py\n"
    assert told in done.stderr


def begun(project: toy.Toy, name: str) -> None:
    """Begin a patch, to be made in the checkout."""
    message = project.root.parent / f"{name}.txt"
    message.write_text(
        f"{name}: for a test\n\nIt shows something.\n\nUpstream-Status: Pending\n"
        "Forwarded: no\nDrop-When: never\n"
        "Tests: tests/patches/test_json_mixed_keys.py\n"
        f"Fork-Patch: {name}\n"
    )
    env = toy.clean_environ(GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@b")
    project.fork("new", name, "--message", str(message), code=3, env=env)


def change(project: toy.Toy, name: str, path: str, before: str, after: str) -> None:
    """Make a patch that replaces text in a file of the pinned release."""
    begun(project, name)
    project.edit(f"upstream/checkout/{path}", before, after)
    project.fork("refresh")


def test_a_folder_that_moves(tmp_path):
    """From flask/ to src/flask/ with what the patch adds there, and back."""
    project = copy(tmp_path / "fork", "1.0.4")
    begun(project, "mine")
    checkout = project.checkout / "flask"
    (checkout / "mine").mkdir()
    for path in ("_mine.py", "json/_mine.py", "mine/__init__.py"):
        (checkout / path).write_text("MINE = True\n")
    helpers = checkout / "helpers.py"
    helpers.write_text(helpers.read_text() + "\n\n# The end.\n")
    project.git("add", "--all")
    project.fork("refresh")
    before = (project.project.patches / "mine.patch").read_bytes()

    assert kinds_of(project.fork("rebase", "1.1.4")) == {"mine": "merged"}
    moved = (project.project.patches / "mine.patch").read_bytes()
    for path in (b"_mine.py", b"json/_mine.py", b"mine/__init__.py", b"helpers.py"):
        assert b"+++ b/src/flask/" + path + b"\n" in moved
    assert b"b/flask/" not in moved
    assert 'folder = "src/flask"' in project.project.pin.read_text()

    project.fork("rebase", "1.0.4")
    assert (project.project.patches / "mine.patch").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "path", "before", "told"),
    [
        (
            *("1.1.4", "2.0.0", "src/flask/_compat.py", "def with_metaclass("),
            "_compat.py: changed on one side, deleted or moved on the other\n",
        ),
        (
            *("2.2.5", "2.3.0", "src/flask/app.py", "def before_first_request("),
            ", in Flask\n",
        ),
    ],
    ids=["a file", "a function"],
)
def test_a_release_that_deletes_what_a_patch_touches(
    tmp_path, old, new, path, before, told
):
    project = copy(tmp_path / "fork", old)
    change(project, "gone", path, before, f"# It is old.\n{before}")
    begun(project, "stays")
    views = project.checkout / "src" / "flask" / "views.py"
    views.write_text(views.read_text() + "\n\n# The end.\n")
    project.fork("refresh")

    done = project.fork("rebase", new, code=3)
    assert f"gone conflicts in {path}\n" in done.stderr
    assert told in done.stderr
    assert f"Flask {new} changed these lines of {old}" in done.stderr
    kinds = kinds_of(project.fork("rebase", "--skip"))
    assert kinds.pop("gone") == "dropped"
    assert kinds["stays"] in {"moved", "merged"}
    assert [*texts(project.project.patches)] == ["stays"]


@pytest.mark.parametrize(
    ("old", "took", "new", "path", "before", "after"),
    [
        ("2.3.0", "2.3.1", "2.3.2", "src/flask/__init__.py", *MARKUP),
        ("3.1.0", "3.1.1", "3.1.2", "src/flask/cli.py", *HELP),
    ],
    ids=["Markup", "help"],
)
def test_a_patch_that_upstream_took(tmp_path, old, took, new, path, before, after):
    """The release has the same lines, plus tests, a changelog entry and much else."""
    project = copy(tmp_path / "fork", old)
    change(project, "taken", path, before, after)
    package(took)

    done = project.fork("rebase", new, code=3)
    assert "taken no longer changes anything\n" in done.stderr
    assert f"Flask {took} may have it: merging it changes nothing" in done.stderr
    done = project.fork("rebase", "--skip")
    assert kinds_of(done) == {"taken": "dropped"}
    log = (project.root / "CHANGELOG.md").read_text()
    assert f"- The patch `taken` is dropped: Flask {took} has it.\n" in log
