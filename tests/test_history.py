"""The proof on real history: a queue is carried through upstream's own releases.

What is expected comes from bare git, which picks the same patches beside, and from
the releases themselves. The queue of 2.2.5, and how its conflicts were resolved, are in
tests/history.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import time
import typing as t
from dataclasses import dataclass

import pytest
from packaging.version import Version

import toy
from forkkit import materialise
from forkkit import pin as pins
from forkkit import queue as queues
from forkkit import releases
from forkkit import resolution as resolutions
from forkkit import upstream
from forkkit.pin import Pin
from forkkit.project import Files
from forkkit.project import Project
from forkkit.project import write_files

HERE = Project(toy.HERE)
PIN = upstream.load_pin(HERE)
KEPT = toy.HERE / "tests" / "history"
FIRST = "2.2.5"
#: Where git stops as well, and somebody had to say what shall be.
RESOLVED = {
    ("2.3.0", "json-mixed-keys"),
    ("2.3.0", "bad-host-url-for"),
    ("2.3.0", "cookie-secure-auto"),
    # The function is in another module from here on.
    ("3.0.0", "add-url-rule-atomic"),
    ("3.0.1", "add-url-rule-atomic"),
    ("3.0.1", "cookie-secure-auto"),
}


@dataclass(frozen=True)
class Step:
    """What a rebase on a release came to."""

    version: str
    kinds: dict[str, str]
    seconds: float
    patches: dict[str, bytes]
    files: Files


def copy(folder: pathlib.Path, version: str) -> toy.Toy:
    """A copy of the project on another release, with an empty queue."""
    pin = pin_of(version)
    for name in materialise.SDIST:
        if (toy.HERE / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(toy.HERE / name, folder / name, ignore=ignore)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(toy.HERE / name, folder / name)
    shutil.copytree(HERE.cache, folder / "upstream" / "cache")
    made = toy.Toy(folder)
    for patch in made.project.patches.glob("*.patch"):
        patch.unlink()
    shutil.rmtree(made.project.resolutions, ignore_errors=True)
    made.project.series.write_text("")
    made.project.pin.write_bytes(pins.render(pin))
    made.edit("pyproject.toml", f'version = "{PIN.version}.', f'version = "{version}.')
    return made


def pin_of(version: str) -> Pin:
    """The pin of a release, which is brought for all tests once."""
    return releases.obtain(HERE, PIN, version)


def with_history(project: toy.Toy) -> toy.Toy:
    """Put the queue of 2.2.5 into it, and how its conflicts were resolved."""
    shutil.copytree(KEPT, project.project.patches, dirs_exist_ok=True)
    return project


def with_queue(project: toy.Toy, step: Step) -> toy.Toy:
    """Put the queue into it as it was after a step, without any resolution."""
    for name, text in step.patches.items():
        (project.project.patches / f"{name}.patch").write_bytes(text)
    project.project.series.write_text("".join(f"{n}.patch\n" for n in step.kinds))
    return project


def steps(first: str, last: str) -> list[str]:
    """Every release on the package index after the first, to the last."""
    known = [release.version for release in releases.known(PIN.name)]
    low, high = sorted((first, last), key=Version)
    found = [v for v in known if Version(low) < Version(v) <= Version(high)]
    if low == last:
        found = [v for v in reversed(known) if Version(low) <= Version(v)]
        found = [v for v in found if Version(v) < Version(high)]
    return found


def kinds_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+): ([a-z]+)$", done.stdout, re.MULTILINE))


def carry(project: toy.Toy, version: str) -> Step:
    """Rebase, with no step by hand."""
    started = time.monotonic()
    done = project.fork("rebase", version)
    seconds = time.monotonic() - started
    pin = upstream.load_pin(project.project)
    queue = queues.load(project.project, pin)
    files = upstream.files(project.project, pin)
    texts = {path.stem: path.read_bytes() for path in patch_files(project)}
    after = queues.apply(queue.patches, files)
    return Step(version, kinds_of(done), seconds, texts, after)


def patch_files(project: toy.Toy) -> t.Iterable[pathlib.Path]:
    return project.project.patches.glob("*.patch")


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """The queue from 2.2.5 through every release to the pinned one."""
    project = with_history(copy(tmp_path_factory.mktemp("journey") / "fork", FIRST))
    return [carry(project, version) for version in steps(FIRST, PIN.version)]


class Reference:
    """A plain git repository, in which the same patches are picked by git alone."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        identity = ["-c", "user.name=R", "-c", "user.email=r@r"]
        return subprocess.run(
            ["git", *identity, *args],
            cwd=self.folder,
            env=toy.clean_environ(GIT_CONFIG_GLOBAL="/dev/null"),
            capture_output=True,
            text=True,
            check=check,
        )

    def commit(self, files: Files) -> str:
        self.git("rm", "-rqf", "--ignore-unmatch", ".")
        write_files(self.folder, files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "files")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def conflicts(self, before: Files, after: Files, onto: Files) -> bool:
        """Whether git cannot pick the change elsewhere by itself."""
        self.git("checkout", "--quiet", "--orphan", f"o{time.monotonic_ns()}")
        self.commit(before)
        change = self.commit(after)
        self.git("checkout", "--quiet", "--orphan", f"o{time.monotonic_ns()}")
        self.commit(onto)
        picked = self.git("cherry-pick", change, check=False)
        self.git("cherry-pick", "--abort", check=False)
        return picked.returncode != 0


def test_every_release_is_passed(journey):
    versions = [step.version for step in journey]
    assert versions[0] == "2.3.0"
    assert versions[-1] == PIN.version
    assert len(versions) >= 12
    print(f"\n{'release':8} {'seconds':>7}  " + "what became of the patches")
    for step in journey:
        kinds = list(step.kinds.values())
        counts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
        print(f"{step.version:8} {step.seconds:7.2f}  {', '.join(counts)}")


def test_only_where_git_stops_somebody_had_to_decide(journey, tmp_path):
    reference = Reference(tmp_path / "reference")
    queue, files = texts_of(KEPT), upstream.files(HERE, pin_of(FIRST))
    decided = set()
    for step in journey:
        new = upstream.files(HERE, pin_of(step.version))
        before, onto = files, new
        for name in step.kinds:
            after = queues.apply([queue[name]], before)
            now = queues.apply([parsed(step.patches[name])], onto)
            touched = {d.path for d in queue[name].diffs}
            same = all(before.get(path) == onto.get(path) for path in touched)
            if same:
                assert step.kinds[name] == "unchanged"
            elif reference.conflicts(before, after, onto):
                assert step.kinds[name] == "resolved"
                decided.add((step.version, name))
            else:
                assert step.kinds[name] in {"unchanged", "moved", "merged"}
            before, onto = after, now
        queue = {name: parsed(text) for name, text in step.patches.items()}
        files = new
    assert decided == RESOLVED
    known = resolutions.load(Project(KEPT.parent / "history"))
    assert {n.partition("/")[0] for n in known} <= {name for _, name in RESOLVED}


def test_a_patch_that_still_applies_is_left_alone(journey):
    """Byte for byte: only what git would not apply strictly is written anew."""
    before = {path.stem: path.read_bytes() for path in KEPT.glob("*.patch")}
    for step in journey:
        for name, kind in step.kinds.items():
            assert (step.patches[name] == before[name]) is (kind == "unchanged")
        before = step.patches


def test_the_end_is_what_the_queue_of_today_makes(journey):
    queue = queues.load(HERE, PIN)
    names = [patch.name for patch in queue.patches if patch.name in journey[-1].kinds]
    files = upstream.files(HERE, PIN)
    assert sorted(names) == sorted(journey[-1].kinds)
    carried = [parsed(journey[-1].patches[name]) for name in names]
    for patch in carried:
        today = queue[patch.name]
        assert [(d.path, changed(d)) for d in patch.diffs] == [
            (d.path, changed(d)) for d in today.diffs
        ]
    assert queues.apply(
        [parsed(journey[-1].patches[name]) for name in journey[-1].kinds], files
    )


def test_on_a_fresh_clone_nothing_is_asked_again(journey, tmp_path):
    """The same bytes, from the committed patches and resolutions alone."""
    project = with_history(copy(tmp_path / "fresh", FIRST))
    for step in journey[:5]:
        again = carry(project, step.version)
        assert again.kinds == step.kinds
        assert again.patches == step.patches


def test_without_the_resolutions_it_stops_where_git_does(tmp_path):
    project = with_history(copy(tmp_path / "fork", FIRST))
    shutil.rmtree(project.project.resolutions)
    done = project.fork("rebase", "2.3.0", code=3)
    assert "json-mixed-keys conflicts in src/flask/json/provider.py" in done.stderr
    assert "in DefaultJSONProvider.dumps\n" in done.stderr
    assert "Flask 2.3.0 changed these lines of 2.2.5\n" in done.stderr
    assert "``json_encoder`` and ``json_decoder`` attributes on app" in done.stderr


def test_code_that_has_gone_to_another_module_is_found(journey, tmp_path):
    [before] = [step for step in journey if step.version == "2.3.3"]
    project = with_queue(copy(tmp_path / "fork", "2.3.3"), before)
    done = project.fork("rebase", "3.0.0", code=3)
    path = "src/flask/app.py"
    told = f"what it changes in {path} is in src/flask/sansio/app.py now\n"
    assert told in done.stderr


def test_backwards(journey, tmp_path):
    """From the pinned release to 3.0.3: what was there on the way is there again."""
    project = with_queue(copy(tmp_path / "fork", PIN.version), journey[-1])
    on_the_way = {step.version: step for step in journey}
    for version in steps(PIN.version, "3.0.3"):
        step = carry(project, version)
        assert set(step.kinds.values()) <= {"unchanged", "moved", "merged"}
        assert step.files == on_the_way[version].files
    assert version == "3.0.3"


def test_the_whole_queue_backwards_as_forecast(tmp_path):
    """The queue of today to 3.0.3 in one step; what does not merge is left out."""
    project = copy(tmp_path / "fork", PIN.version)
    shutil.copytree(HERE.patches, project.project.patches, dirs_exist_ok=True)
    [row] = json.loads(project.fork("forecast", "3.0.3", "--json").stdout)
    stops = [p for p in row["patches"] if p["outcome"] in {"conflict", "absorbed"}]
    done = project.fork("rebase", "3.0.3", code=3)
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


def begun(project: toy.Toy, name: str) -> None:
    """Begin a patch, which is to be made in the checkout."""
    message = project.root.parent / f"{name}.txt"
    message.write_text(
        f"{name}: for a test\n\nIt shows something.\n\nUpstream-Status: Pending\n"
        "Forwarded: no\nDrop-When: never\n"
        "Tests: tests/patches/test_json_mixed_keys.py\n"
        f"Fork-Patch: {name}\n"
    )
    env = toy.clean_environ(GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@b")
    project.fork("new", name, "--message", str(message), code=3, env=env)


def test_a_folder_that_moves(tmp_path):
    """From flask/ to src/flask/, with a file of the patch's own, and back."""
    project = copy(tmp_path / "fork", "1.0.4")
    begun(project, "mine")
    checkout = project.checkout / "flask"
    (checkout / "_mine.py").write_text("MINE = True\n")
    (checkout / "json" / "_mine.py").write_text("MINE = True\n")
    helpers = checkout / "helpers.py"
    helpers.write_text(helpers.read_text() + "\n\n# The end.\n")
    project.git("add", "--all")
    project.fork("refresh")
    before = (project.project.patches / "mine.patch").read_bytes()

    assert kinds_of(project.fork("rebase", "1.1.4")) == {"mine": "merged"}
    moved = (project.project.patches / "mine.patch").read_bytes()
    for path in (b"_mine.py", b"json/_mine.py", b"helpers.py"):
        assert b"+++ b/src/flask/" + path + b"\n" in moved
    assert b"b/flask/" not in moved
    assert 'folder = "src/flask"' in project.project.pin.read_text()

    project.fork("rebase", "1.0.4")
    assert (project.project.patches / "mine.patch").read_bytes() == before


def test_a_release_that_deletes_what_a_patch_touches(tmp_path):
    project = copy(tmp_path / "fork", "1.1.4")
    for name, path in [
        ("gone", "src/flask/_compat.py"),
        ("stays", "src/flask/views.py"),
    ]:
        begun(project, name)
        file = project.checkout / path
        file.write_text(file.read_text() + "\n\n# The end.\n")
        project.fork("refresh")
    done = project.fork("rebase", "2.0.0", code=3)
    assert "gone conflicts in src/flask/_compat.py\n" in done.stderr
    assert "_compat.py: changed on one side, deleted or moved" in done.stderr
    assert "Flask 2.0.0 changed these lines of 1.1.4" in done.stderr
    done = project.fork("rebase", "--skip")
    kinds = kinds_of(done)
    assert kinds["gone"] == "dropped"
    assert kinds["stays"] in {"moved", "merged"}


def test_a_patch_that_upstream_took(tmp_path):
    """Flask 3.1.1 has a fix with tests and a changelog entry; the patch has neither."""
    project = copy(tmp_path / "fork", "3.1.0")
    begun(project, "taken")
    path = "src/flask/sessions.py"
    new = upstream.files(HERE, pin_of("3.1.1"))
    (project.checkout / path).write_bytes(new[path])
    project.fork("refresh")

    done = project.fork("rebase", "3.1.2", code=3)
    assert "taken changes nothing any more\n" in done.stderr
    assert "Flask 3.1.1 may have it: merging it changes nothing" in done.stderr
    project.fork("rebase", "--skip")
    text = (project.root / "CHANGELOG.md").read_text()
    assert "- The patch `taken` is dropped: Flask 3.1.1 has it.\n" in text


def parsed(text: bytes) -> t.Any:
    from forkkit import patch

    return patch.parse(text, where="a patch")


def texts_of(folder: pathlib.Path) -> dict[str, t.Any]:
    return {path.stem: parsed(path.read_bytes()) for path in folder.glob("*.patch")}


def changed(file: t.Any) -> list[tuple[bytes, bytes]]:
    return [line for hunk in file.hunks for line in hunk.lines if line[0] != b" "]
