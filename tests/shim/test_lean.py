"""Lean bodies: put in for the functions of a class or a module, without a trace."""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import importlib
import inspect
import pickle
import pkgutil
import sys
import types
import typing as t

import pytest

import flaskfork._fast
from flaskfork._fast import _lean
from flaskfork._fast import PARTS
from flaskfork._fast._lean import Bodies

GREETING = "hello"
SHA = "0" * 64


def greet(who: str = "you", *, mark: str = "!") -> str:
    """Say hello."""
    return f"{GREETING} {who}{mark}"


def test_a_body_stands_for_a_method() -> None:
    bodies, calls = Bodies("app"), []

    @bodies.stand_for(f"{HERE}App.view", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        def view(self: t.Any, who: str = "wrong", *rest: str, mark: str = "?") -> t.Any:
            calls.append(who)
            return original(self, who, *rest, mark=mark)

        return view

    put_in = App()
    bodies.put_in(put_in)
    assert put_in().view("ann") == "hello ann()!"
    assert calls == ["ann"]
    assert put_in().view() == "hello you()!"
    assert put_in().other() == "other"


def test_nothing_is_seen_of_it() -> None:
    bodies, plain, cls = Bodies("app"), App(), App()

    @bodies.stand_for(f"{HERE}App.view", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        def lean(self: t.Any, who: int = 3, *rest: int, mark: int = 4) -> t.Any:
            "Another docstring."
            return original(self, who, *rest, mark=mark)

        lean.extra = 1  # type: ignore[attr-defined]
        return lean

    assert bodies.put_in(cls) is cls
    made, original = cls.view, plain.view
    assert made.__code__ is not original.__code__
    for name in ("name", "qualname", "module", "doc", "defaults", "kwdefaults"):
        assert getattr(made, f"__{name}__") == getattr(original, f"__{name}__"), name
    assert made.__annotations__ == original.__annotations__
    assert t.get_type_hints(made) == t.get_type_hints(original)
    assert inspect.signature(made) == inspect.signature(original)
    assert vars(made) == vars(original) == {}
    assert [*vars(cls)] == [*vars(plain)]
    assert vars(cls).keys() == vars(plain).keys()


def test_a_wrapped_function_keeps_what_its_wrapper_shows() -> None:
    def setup(function: t.Any) -> t.Any:
        @functools.wraps(function)
        def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return function(*args, **kwargs)

        wrapper.kept = True  # type: ignore[attr-defined]
        return wrapper

    namespace: dict[str, t.Any] = {"setup": setup, "__name__": "elsewhere"}
    exec(
        "NAME = 'there'\n@setup\ndef greet(who='you'):\n    return who, NAME", namespace
    )
    bodies = Bodies("elsewhere")

    @bodies.stand_for("greet", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        def greet(who: t.Any) -> t.Any:
            return original(who), NAME  # type: ignore[name-defined]  # noqa: F821

        return greet

    made = bodies.put_in(namespace["greet"])
    assert made is not namespace["greet"]
    assert made() == (("you", "there"), "there")
    assert made.kept
    assert made.__wrapped__ is namespace["greet"].__wrapped__
    assert str(inspect.signature(made)) == "(who='you')"


def test_its_globals_are_those_of_the_originals_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = types.ModuleType("elsewhere")
    exec("SIGNAL = 'old'\ndef send(): return SIGNAL", vars(module))
    bodies, word = Bodies("elsewhere"), "lean"

    @bodies.stand_for("send", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        def send() -> t.Any:
            # A nested function looks in the same place.
            return word, (lambda: SIGNAL)()  # type: ignore[name-defined]  # noqa: F821

        return send

    made = bodies.put_in(module.send)
    assert made() == ("lean", "old")
    monkeypatch.setattr(module, "SIGNAL", "new")
    assert made() == ("lean", "new")
    assert made.__globals__ is vars(module)


def test_a_function_of_a_module_can_be_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = Bodies("greet")

    @bodies.stand_for("greet", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        return lambda who="", *, mark="": original(who.upper(), mark=mark)

    made = bodies.put_in(greet)
    assert made is not greet
    module = types.ModuleType(__name__)
    module.greet = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)
    assert pickle.loads(pickle.dumps(made)) is made
    assert made("ann") == "hello ANN!"


@pytest.mark.parametrize("name", ["prop", "static", "klass"])
def test_other_kinds_of_methods(name: str) -> None:
    bodies, cls = Bodies("app"), App()

    @bodies.stand_for(f"{HERE}App.{name}", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        return lambda *args: ("lean", original(*args))

    before = vars(cls)[name]
    bodies.put_in(cls)
    after = vars(cls)[name]
    assert type(after) is type(before)
    assert inspect.getdoc(after) == inspect.getdoc(before)
    found, app = getattr(cls(), name), cls()
    assert (found if name == "prop" else found()) == ("lean", name)
    if name == "prop":
        app.prop = 3
        assert app.value == 3


def test_a_class_of_another_name_and_inherited_methods_are_left_alone() -> None:
    bodies, base = Bodies("app"), App()

    @bodies.stand_for(f"{HERE}App.view", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        raise AssertionError("nothing to replace here")

    class Other(base):  # type: ignore[misc, valid-type]
        pass

    before = dict(vars(Other))
    bodies.put_in(Other)
    assert dict(vars(Other)) == before


def put_into_app(*parts: str) -> t.Any:
    """An ``App`` with a body for ``view`` and one for ``other``, of these parts."""
    bodies, cls = Bodies("app"), App()

    for name, part in zip(("view", "other"), parts):

        @bodies.relies_on(f"{HERE}App.static", SHA)
        @bodies.stand_for(f"{HERE}App.{name}", SHA, part=part)
        def _(original: t.Any) -> t.Any:
            return lambda self: "lean"

    return bodies.put_in(cls)()


def test_a_part_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lean, "LEFT_OUT", frozenset({"stale"}))
    app = put_into_app("stale", "fine")
    assert (app.view(), app.other()) == ("hello you()!", "lean")
    app = put_into_app("stale", "stale")
    assert (app.view(), app.other()) == ("hello you()!", "other")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1", "lean lean"),
        (f"-{PARTS[0]}", "plain lean"),
        (f"-{PARTS[0]},-{PARTS[1]}", "plain plain"),
        ("0", "plain plain"),
    ],
)
def test_a_part_that_is_switched_off(
    asked: str, found: str, run_python: t.Callable[..., str]
) -> None:
    code = """
        import os, sys
        os.environ["FLASKFORK_FAST"] = sys.argv[1]
        from flaskfork._fast import PARTS
        from flaskfork._fast._lean import Bodies

        bodies = Bodies("__main__")
        lean = bodies.put_in

        @bodies.stand_for("App.one", "", part=PARTS[0])
        @bodies.stand_for("App.two", "", part=PARTS[1])
        def _(original):
            return lambda self: "lean"

        @lean
        class App:
            def one(self): return "plain"
            def two(self): return "plain"

        print(App().one(), App().two())
    """
    assert run_python("-c", code, asked).strip() == found


def test_compiled_functions_are_left_alone() -> None:
    bodies = Bodies("builtins")

    @bodies.stand_for("len", SHA, part="x")
    def _(original: t.Any) -> t.Any:
        return lambda of: 3

    assert bodies.put_in(len) is len


def test_it_imports_nothing_but_the_standard_library(
    run_python: t.Callable[..., str],
) -> None:
    code = """
        import sys, typing
        before = {*sys.modules}
        package = type(sys)("flaskfork")
        package.__path__ = [sys.argv[1]]
        sys.modules["flaskfork"] = package
        import flaskfork._fast._lean
        print(*sorted({*sys.modules} - before - {"flaskfork"}))
    """
    found = set(run_python("-c", code, next(iter(flaskfork.__path__))).split())
    own = {name for name in found if name.startswith("flaskfork.")}
    names = {"flaskfork._fast", "flaskfork._fast._lean", "flaskfork._fast._left_out"}
    assert own == names
    assert found - own <= {"__future__", "warnings"}


class Body(t.NamedTuple):
    """A lean body of the overlay, as it is in Flask.

    :param function: what is found under the original's name.
    """

    module: types.ModuleType
    name: str
    function: types.FunctionType


def put_in_flask() -> t.Iterator[Body]:
    """Every lean body of the overlay that is not switched off or left out."""
    for found in pkgutil.iter_modules(flaskfork._fast.__path__):
        overlay = importlib.import_module(f"flaskfork._fast.{found.name}")
        for bodies in vars(overlay).values():
            if isinstance(bodies, Bodies):
                module = importlib.import_module(f"flaskfork.{bodies.module}")
                for name in bodies._factories:
                    yield Body(module, name, function_of(module, name))


def function_of(module: t.Any, name: str) -> types.FunctionType:
    for part in name.split("."):
        module = vars(module)[part]
    if isinstance(module, property):
        module = module.fget
    return getattr(module, "__func__", module)  # type: ignore[no-any-return]


def unknown_globals(function: types.FunctionType) -> set[str]:
    """The names that a function loads as globals, and that are not there."""
    found = set(loaded_globals(function.__code__))
    return found - {*function.__globals__, *vars(builtins)}


def loaded_globals(code: types.CodeType) -> t.Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from loaded_globals(inner)


def arguments(tree: ast.AST, name: str) -> list[str]:
    """The names of the arguments in the source of the original."""
    for part in name.split("."):
        [*_, tree] = [x for x in tree.body if getattr(x, "name", "") == part]  # type: ignore[attr-defined]
    args = tree.args  # type: ignore[attr-defined]
    rest = [arg for arg in (args.vararg, args.kwarg) if arg]
    return [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, *rest)]


def is_well_made(body: Body) -> list[str]:
    """What is wrong with a lean body, if anything."""
    code = body.function.__code__
    problems = [f"no name {name!r}" for name in unknown_globals(body.function)]
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS)
    count += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    source = ast.parse(inspect.getsource(body.module))
    if [*code.co_varnames[:count]] != arguments(source, body.name):
        problems.append("other arguments")
    if "_fast" not in code.co_filename:
        problems.append("not put in")
    return problems


def test_the_bodies_of_the_overlay() -> None:
    wrong = {f"{b.module.__name__}:{b.name}": is_well_made(b) for b in put_in_flask()}
    assert {name: problems for name, problems in wrong.items() if problems} == {}


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("def greet(who='you', *, mark='!'): return f'{GREETING}{len(who)}'", []),
        ("def greet(who='you', *, mark='!'): return NAME", ["no name 'NAME'"]),
        ("def greet(who='', *, mark=''): return lambda: NAME", ["no name 'NAME'"]),
        ("def greet(who='you', mark='!'): return who", []),
        ("def greet(name, *, mark='!'): return name", ["other arguments"]),
        ("def greet(who='you', *, mark='!', **rest): pass", ["other arguments"]),
    ],
)
def test_what_is_said_of_a_body(source: str, problems: list[str]) -> None:
    namespace: dict[str, t.Any] = {}
    exec(compile(source, "flaskfork/_fast/app.py", "exec"), namespace)
    made = types.FunctionType(namespace["greet"].__code__, globals())
    assert is_well_made(Body(sys.modules[__name__], "greet", made)) == problems


def test_a_body_that_was_not_put_in_is_noticed() -> None:
    assert is_well_made(Body(sys.modules[__name__], "greet", greet)) == ["not put in"]


HERE = "App.<locals>."


def App() -> t.Any:
    """A class with methods of every kind, made anew."""

    class App:
        value = 0

        def view(self, who: str = "you", *rest: str, mark: str = "!") -> str:
            """Show."""
            return f"{GREETING} {who}{rest or '()'}{mark}"

        def other(self) -> str:
            return "other"

        @property
        def prop(self) -> t.Any:
            """A property."""
            return "prop"

        @prop.setter
        def prop(self, value: int) -> None:
            self.value = value

        @staticmethod
        def static() -> str:
            """A static method."""
            return "static"

        @classmethod
        def klass(cls) -> str:
            """A class method."""
            return "klass"

    return App
