"""The lock of the lean bodies: a stale one is left out, and everybody says so."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

import toy
from forkkit.prove import checks
from forkkit.queue import bodies
from forkkit.queue import lean
from forkkit.queue import originals

#: Puts the lean bodies in. With little context, it applies without the patches below.
FAST = (
    toy.LOUD.partition(b"diff --git")[0].replace(b"loud", b"fast")
    + b"diff --git a/src/flask/app.py b/src/flask/app.py\n"
    b"--- a/src/flask/app.py\n+++ b/src/flask/app.py\n"
    b"@@ -3,3 +3,6 @@\n \n+from ._fast.app import lean as _lean\n+\n \n"
    b"+@_lean\n def greet(who):\n"
    b"@@ -9,2 +12,3 @@\n \n+@_lean\n def part(who):\n"
)
GREET = (
    '@_lean\ndef greet(who):\n    # Keep it short.\n    return f"hello{COMMA} {who}"\n'
)
PART = '@_lean\ndef part(who):\n    return f"BYE {who}"\n'
#: Prints which of the two is lean, and what they say.
PROGRAM = """
from flaskfork import app

for function in (app.greet, app.part):
    kind = "lean" if "_fast" in function.__code__.co_filename else "plain"
    print(kind, function("x"), end="; ")
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


BODIES = f'''\
"""Lean bodies."""

from ._lean import Bodies

bodies = Bodies("app")
lean = bodies.put_in


@bodies.stand_for("greet", "{sha(GREET)}", part="hello")
def _(original):
    def greet(who):
        return f"hello{{COMMA}} {{who}}"

    return greet


@bodies.relies_on("greet", "{sha(GREET)}")
@bodies.stand_for(
    "part",
    "{sha(PART)}",
    part="bye",
)
def _(original):
    def part(who):
        return "BYE " + who

    return part
'''


OVERLAY = "src/flaskfork/_fast/app.py"
#: Where the body for ``part`` is defined.
LINE = BODIES.partition("    def part(who)")[0].count("\n")
DECORATES = "stand_for does not decorate a function of the module"


@pytest.fixture
def project(tmp_path: pathlib.Path) -> toy.Toy:
    """A project with two releases newer than the pin, and a lean body for each of its
    two functions; the one for ``part`` relies on ``greet``, too.
    """
    made = toy.with_releases(tmp_path / "toy")
    folder = made.project.overlay / "_fast"
    shutil.copytree(
        toy.HERE / "src" / "flaskfork" / "_fast",
        folder,
        ignore=lambda _, names: [name for name in names if name not in REAL],
    )
    (folder / "app.py").write_text(BODIES)
    (folder / "__init__.py").write_text(
        'PARTS = ("hello", "bye")\n\n\ndef enabled(part):\n    return True\n'
    )
    test = made.root / "tests" / "patches" / "test_fast.py"
    test.write_text(
        "import flask.app\n\n\ndef test_fast():\n    assert flask.app._lean\n"
    )
    toy.add(made, "fast", FAST)
    made.fork("apply")
    return made


#: What every lean body needs.
REAL = {"_lean.py", "_left_out.py"}


def ran(project: toy.Toy) -> str:
    """What the program says on the stage, as it is now."""
    project.fork("materialise")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=toy.clean_environ(PYTHONPATH=str(project.project.stage)),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def notes(project: toy.Toy) -> list[str]:
    """What the check notes, while it holds."""
    [result] = checks.run(project.project, ["lean"])
    assert result.problems == ()
    return list(map(str, result.notes))


def problems(project: toy.Toy) -> str:
    [result] = checks.run(project.project, ["lean"])
    return "\n".join(map(str, result.problems))


def test_current_bodies_are_put_in(project):
    assert ran(project) == "lean hello, x; lean BYE x;"
    assert "left out" not in project.fork("materialise").stdout
    assert notes(project) == []
    assert project.fork("lean").stdout == (
        "app:greet: current (hello)\napp:part: current (bye)\n"
    )
    assert project.fork("lean", "app:part").stdout == "app:part: current (bye)\n"


def test_a_changed_original(project):
    """Its part is left out, with nothing but its speed lost."""
    project.edit("patches/loud.patch", 'f"BYE {who}"', 'f"GOOD BYE {who}"')
    assert ran(project) == "lean hello, x; plain GOOD BYE x;"
    line = "lean part bye: left out, since app:part has changed"
    assert project.fork("materialise").stdout.splitlines()[1:] == [line]
    assert notes(project) == [
        f"{OVERLAY}:{LINE}: app:part was changed by loud, fast since the lean body was"
        " written, so the part bye is left out\n  hint: compare the two, then run"
        " `scripts/fork lean --accept app:part`, which writes"
        f" {sha(PART.replace('BYE', 'GOOD BYE'))}"
    ]
    done = project.fork("verify", "lean")
    assert "lean: holds" in done.stdout
    assert f"note: {OVERLAY}:{LINE}" in done.stderr
    [values] = json.loads(project.fork("verify", "--json", "lean").stdout)
    assert (values["holds"], values["problems"]) == (True, [])
    assert values["notes"][0]["where"] == f"{OVERLAY}:{LINE}"


def test_the_patches_named_are_those_after_the_body_was_written(project):
    loud = PART.partition("\n")[2]
    project.edit(OVERLAY, sha(PART), sha(loud))
    assert "app:part was changed by fast since" in notes(project)[0]


def test_a_dropped_patch(project):
    line = "lean part bye: left out, since app:part has changed"
    assert line in project.fork("drop", "loud", "--reason", "no").stdout
    assert ran(project) == "lean hello, x; plain bye x;"
    project.fork("undo")
    assert ran(project) == "lean hello, x; lean BYE x;"


def test_an_original_that_a_body_relies_on(project):
    project.edit("patches/comma.patch", 'f"hello{COMMA}', 'f"hi{COMMA}')
    assert ran(project) == "plain hi, x; plain BYE x;"
    assert project.fork("lean").stdout == (
        "app:greet: app:greet has changed (hello)\n"
        "app:part: app:greet has changed (bye)\n"
    )


def test_what_no_body_relies_on(project):
    project.edit("patches/comma.patch", '+COMMA = ","', '+COMMA = ";"')
    assert ran(project) == "lean hello; x; lean BYE x;"


def test_one_stale_body_leaves_out_all_of_its_part(project):
    project.edit(OVERLAY, 'part="bye"', 'part="hello"')
    assert ran(project) == "lean hello, x; lean BYE x;"
    project.edit("patches/loud.patch", 'f"BYE {who}"', 'f"GOOD BYE {who}"')
    assert ran(project) == "plain hello, x; plain GOOD BYE x;"


def test_an_original_that_is_gone(project):
    project.edit(OVERLAY, 'relies_on("greet"', 'relies_on("gone"')
    assert ran(project) == "lean hello, x; plain BYE x;"
    assert notes(project) == [
        f"{OVERLAY}:{LINE}: app:gone is gone, so the part bye is left out\n"
        "  hint: remove the body, or name the function that it stands for now"
    ]
    done = project.fork("lean", "--accept", "app:part", code=1)
    assert f"{OVERLAY}:{LINE}: app:gone is gone" in done.stderr


def test_a_module_that_is_gone(project):
    project.edit(OVERLAY, 'Bodies("app")', 'Bodies("sansio.app")')
    said = "sansio.app:greet is gone, no patch puts it in (hello)"
    assert said in project.fork("lean").stdout
    assert "no patch puts in the lean body for sansio.app:greet" in problems(project)
    assert ran(project) == "plain hello, x; plain BYE x;"


def test_a_body_that_no_patch_puts_in(project):
    project.fork("disable", "fast")
    found = problems(project)
    assert f"{OVERLAY}:{LINE}: no patch puts in the lean body for app:part" in found
    assert "imported from ._fast, or remove the body" in found
    project.fork("verify", "lean", code=1)
    line = "app:part: app:part has changed, app:greet has changed, no patch puts it in"
    assert line in project.fork("lean").stdout
    assert ran(project) == "plain hello, x; plain BYE x;"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"greet", "', '"gr" + "eet", "', "argument 1 of bodies.stand_for is not a"),
        (f', "{sha(GREET)}", part', ", part", "argument 2 of bodies.stand_for is not"),
        ('part="bye"', "part=bye", "part of bodies.stand_for is not a plain string"),
        (', part="hello"', "", "has no part"),
        ('Bodies("app")', "Bodies(NAME)", "argument 1 of Bodies is not a plain string"),
        ("bodies = Bod", "more = Bod", "bodies is not a Bodies of the module"),
        ("lean = ", "lean == ) = ", "is not Python"),
        ("lean = ", "bodies.stand_for('a', 'b', part='c')(len)\nlean = ", DECORATES),
        ("lean = ", "put = bodies.stand_for\nlean = ", DECORATES),
        (
            "lean = ",
            "class A:\n    @bodies.stand_for('a')\n    def b(): 1\n",
            DECORATES,
        ),
        ('@bodies.stand_for("greet"', '@bodies.relies_on("greet"', "needs a stand_for"),
    ],
)
def test_what_cannot_be_read(project, before, after, said):
    file = project.root / OVERLAY
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))
    done = project.fork("verify", "lean", code=1)
    assert said in done.stderr
    assert f"error: {OVERLAY}" in done.stderr
    assert "hint: write it as shown in `Lean bodies`" in done.stderr
    # A build would put it in, whatever has become of its original.
    assert said in project.fork("materialise", code=1).stderr


def test_a_part_that_cannot_be_switched_off(project):
    project.edit(OVERLAY, 'part="bye"', 'part="good bye"')
    done = project.fork("verify", "lean", code=1)
    assert f"{OVERLAY}:{LINE}: there is no part 'good bye'" in done.stderr
    assert "there is no part" in project.fork("materialise", code=1).stderr


def test_every_problem_is_told_at_once(project):
    project.edit(OVERLAY, ', part="hello"', "")
    project.edit(OVERLAY, 'part="bye"', "part=bye")
    assert project.fork("lean", code=1).stderr.count("error: ") == 2


def test_accept(project):
    project.edit("patches/loud.patch", 'f"BYE {who}"', 'f"GOOD BYE {who}"')
    project.edit("patches/comma.patch", 'f"hello{COMMA}', 'f"hi{COMMA}')
    assert project.fork("lean", "--accept", "app:part").stdout == (
        f"{OVERLAY}: written\napp:part: current (bye)\n"
    )
    greet, part = GREET.replace("hello", "hi"), PART.replace("BYE", "GOOD BYE")
    # The body for greet itself has not been looked at.
    head, _, tail = BODIES.replace(sha(PART), sha(part)).rpartition(sha(GREET))
    assert (project.root / OVERLAY).read_text() == f"{head}{sha(greet)}{tail}"
    assert "app:greet has changed (hello)" in project.fork("lean").stdout
    project.fork("lean", "--accept", "app:part", "app:greet")
    assert notes(project) == []

    before = project.snapshot()
    done = project.fork("lean", "--accept", "app:greet")
    assert done.stdout == "app:greet: current (hello)\n"
    assert project.snapshot() == before


def test_what_cannot_be_accepted(project):
    assert "needs the NAME" in project.fork("lean", "--accept", code=2).stderr
    done = project.fork("lean", "--accept", "app:nope", code=1)
    assert "there is no lean body for app:nope" in done.stderr
    project.fork("edit", "loud", code=3)
    assert "stopped" in project.fork("lean", "--accept", "app:part", code=1).stderr


def test_forecast_tells_what_would_be_left_out(project):
    done = project.fork("forecast", "1.1", "1.2")
    assert "\non 1.2\n  lean part bye: left out, since app:part" in done.stdout
    assert "\non 1.1\n" not in done.stdout
    later, last = json.loads(project.fork("forecast", "--json", "1.1", "1.2").stdout)
    assert later["lean"] == []
    assert last["lean"] == [
        {
            "name": "app:part",
            "part": "bye",
            "where": f"{OVERLAY}:{LINE}",
            "put_in": False,
            "stale": {"app:part": "changed"},
        }
    ]


def test_rebase_tells_what_is_left_out(project):
    assert "left out" not in project.fork("rebase", "1.1").stdout
    assert ran(project) == "lean hello, x; lean BYE x;"
    project.fork("rebase", "1.2", code=3)
    done = project.fork("skip")
    assert "lean part bye: left out, since app:part has changed" in done.stdout
    assert ran(project) == "lean hello, x; plain good bye x;"


def test_at_a_stop(project):
    """Bodies for functions that are not the same there are left out: at the first
    patch, those for both.
    """
    own = (project.project.overlay / "_fast" / "_left_out.py").read_bytes()
    folder = project.checkout / "src" / "flask" / "_fast"
    project.fork("edit", "loud", code=3)
    assert (folder / "app.py").resolve() == (project.root / OVERLAY).resolve()
    there = (folder / "_left_out.py").read_bytes()
    assert there == lean.render_left_out(["bye", "hello"])
    assert project.git("status", "--porcelain") == ""
    project.fork("abort")
    assert not list(folder.glob("*.py"))

    project.fork("edit", "fast", code=3)
    assert (folder / "_left_out.py").read_bytes() == own
    assert not (folder / "_left_out.py").is_symlink()


# Runs pytest several times.
@pytest.mark.sampled
def test_a_body_does_not_hide_that_a_patch_is_needed(project):
    """Without the patch, the body that does the same as the patch is left out."""
    toy.with_shim(project)
    done = project.fork("needed", "loud", "fast")
    assert done.stdout == "loud: needed\nfast: needed\n"


def test_the_file_in_the_overlay_is_the_one_that_is_written():
    path = toy.HERE / "src" / "flaskfork" / lean.LEFT_OUT
    assert lean.render_left_out([]) == path.read_bytes()
    namespace: dict[str, frozenset[str]] = {}
    exec(lean.render_left_out(["b", "a"]), namespace)
    assert namespace["LEFT_OUT"] == {"a", "b"}


def test_render_is_the_twin_of_parse():
    found = bodies.parse(BODIES.encode(), where=OVERLAY)
    names = [[str(each) for each in body.originals] for body in found]
    assert names == [["app:greet"], ["app:part", "app:greet"]]
    every = [each for body in found for each in body.originals]
    same = {each: each.sha256 for each in every}
    assert bodies.render(BODIES.encode(), same) == BODIES.encode()
    new = {each: f"{number:064}" for number, each in enumerate(every)}
    content = bodies.render(BODIES.encode(), new)
    again = bodies.parse(content, where=OVERLAY)
    assert [each.sha256 for body in again for each in body.originals] == [*new.values()]


SOURCE = '''\
class App:
    @property
    def name(self):
        """The name: \u00e4"""

        return 1  # After a blank line.
    # Below.

    @name.setter
    def name(
        self, value
    ): ...

    async def run(self): return 1

    class Inner:
        def run(self): pass


def run(): pass
'''


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("App.name", [2, 3, 4, 5, 6, 9, 10, 11, 12]),
        ("App.run", [14]),
        ("App.Inner.run", [17]),
        ("run", [20]),
        ("App.nope", []),
        ("nope", []),
        ("run.nope", []),
    ],
)
def test_the_hash_is_that_of_the_lines(name, lines):
    every = SOURCE.splitlines(keepends=True)
    text = "".join(every[number - 1] for number in lines)
    assert originals.digest(SOURCE.encode(), name) == (sha(text) if lines else None)


@pytest.mark.parametrize("content", [b"", b"<<<<<<< ours\n", b"\0"])
def test_what_is_not_python_has_no_functions(content):
    assert originals.digest(content, "run") is None


@pytest.mark.parametrize(
    ("head", "is_there"),
    [
        ("from ._fast.app import lean as _lean\n\n@_lean", True),
        ("from .._fast.app import lean as _lean\n\n@other\n@_lean", True),
        ("from ._faster.app import lean as _lean\n\n@_lean", False),
        ("from _fast.app import lean as _lean\n\n@_lean", False),
        ("from ._fast.app import lean as _lean\n", False),
        ("@_lean", False),
    ],
)
def test_where_a_decorator_comes_from(head, is_there):
    text = f"{head}\nclass App:\n    def run(self): pass\n".encode()
    assert originals.is_decorated(text, "App.run", "_fast") is is_there
