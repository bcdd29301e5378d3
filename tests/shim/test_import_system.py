"""The finder obeys the rules of the import system."""

from __future__ import annotations

import ast
import importlib.util
import json
import pathlib
import typing as t

import pytest

RunPython = t.Callable[..., str]

FIND_ALL = """
import builtins
import importlib
import json
import sys
from unittest import mock

import flaskfork.shim

class Tripwire:
    # The first finder, so it is asked for everything that is imported.
    def find_spec(self, name, path=None, target=None):
        raise AssertionError(f"{name} is imported")

def trip(name, *args, **kwargs):
    raise AssertionError(f"{name} is imported")

names = json.loads(sys.argv[1])
[finder] = [f for f in sys.meta_path if "flaskfork" in repr(f)]
if PURGED:
    for name in [n for n in sys.modules if n.startswith("flask")]:
        del sys.modules[name]
before = sys.modules.copy()
sys.meta_path.insert(0, Tripwire())
with mock.patch.object(importlib, "import_module", trip):
    with mock.patch.object(builtins, "__import__", trip):
        found = {n: finder.find_spec("flask" + n) for n in names}
        none = [finder.find_spec(n) for n in NONE]
del sys.meta_path[0]
assert sys.modules == before
assert none == [None] * len(NONE)
for name, spec in found.items():
    assert spec.name == "flask" + name
"""

# Imports first the package; then, with two threads each, modules that it does not load
# itself or has only under the other name. A first import of `flask.views` while another
# thread imports `flask` would not be fair: it gets half a package, even on plain Flask.
RACE = """
import sys
import threading
import types

sys.setswitchinterval(1e-6)
names = ["flask.app", "flask.cli", "flask.testing", "flask.views"]
names += ["flask.testing", "flask.views", "flaskfork.testing", "flaskfork.views"]
together = threading.Barrier(len(names))
failed = []

def use(name):
    space = {}
    together.wait()
    exec("import flask as module; from flask import *", space)
    app = space["module"].Flask("x")
    assert isinstance(app, space["Flask"])
    with app.test_request_context("/?a=b"):
        assert space["module"].request.args["a"] == "b"
        assert space["url_for"]("static", filename="f") == "/static/f"
    together.wait()
    exec(f"import {name} as module; from {name} import *", space)
    assert {"Flask", "AppGroup", "FlaskClient", "MethodView"} & set(space)
    setattr(space["module"], name, "mark")

def try_to_use(name):
    try:
        use(name)
    except BaseException as e:
        failed.append((name, repr(e)))
        together.abort()

threads = [threading.Thread(target=try_to_use, args=[name]) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
assert not any(thread.is_alive() for thread in threads), "deadlock"
assert not failed, failed

import flask, flaskfork
assert flask is flaskfork
for name, module in sys.modules.copy().items():
    if (name + ".").startswith("flask."):
        assert module is sys.modules["flaskfork" + name[5:]], name
        assert type(module) is types.ModuleType, name
for name in names:
    assert getattr(sys.modules[name], name) == "mark"
"""
# Of what is in a package without a module of its own, and of the package around it.
NAMESPACES = """
import importlib
import sys
import threading
import types

sys.setswitchinterval(1e-6)
names = sys.argv[1:]
together = threading.Barrier(len(names))
failed = []

def get(name):
    together.wait(60)
    try:
        try:
            importlib.import_module(name)
        except KeyError as e:
            # At the end of any package's import, Python takes it out of sys.modules
            # for a moment; another thread that imports a module of it then sees that.
            if e.args != (name.rpartition(".")[0],):
                raise
            importlib.import_module(name)
    except BaseException as e:
        failed.append((name, repr(e)))

threads = [threading.Thread(target=get, args=[name]) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
assert not any(thread.is_alive() for thread in threads), "deadlock"
assert not failed, failed
import flask.sansio.app, flaskfork
for name, module in sys.modules.copy().items():
    if (name + ".").startswith("flask."):
        assert module is sys.modules["flaskfork" + name[5:]], name
        assert type(module) is types.ModuleType, name
assert flaskfork.sansio is sys.modules["flaskfork.sansio"]
"""
# Under both names simultaneously, many times.
BOTH_NAMES = """
import importlib
import sys
import threading

import flask

sys.setswitchinterval(1e-6)
names = ["flask.views", "flaskfork.views", "flask.testing", "flaskfork.testing"] * 2
failed = []

def get(name, together):
    try:
        together.wait(60)
        importlib.import_module(name)
    except BaseException as e:
        failed.append((name, repr(e)))

for _ in range(200):
    for name in names:
        sys.modules.pop(name, None)
    together = threading.Barrier(len(names))
    threads = [threading.Thread(target=get, args=[name, together]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    for name in ("views", "testing"):
        assert sys.modules[f"flask.{name}"] is sys.modules[f"flaskfork.{name}"]
assert not failed, failed
"""
# As in a program that Nuitka makes: a finder has the modules by their full names, and
# there are no files. The first argument is imported, the others are compiled packages.
COMPILED = r"""
import importlib.abc
import importlib.metadata
import importlib.util
import pathlib
import pickle
import sys
from importlib.machinery import ModuleSpec

root = pathlib.Path(importlib.util.find_spec("flaskfork").origin).parent
level = importlib.metadata.version("flaskfork").rpartition(".")[0]

class Program(importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        top, *parts = name.split(".")
        file = root.with_name(top).joinpath(*parts)
        for file in [file / "__init__.py", file.with_suffix(".py"), file]:
            if top in sys.argv[2:] and file.exists():
                return self.spec(name, file)

    def spec(self, name, file):
        is_package = not file.suffix or file.stem == "__init__"
        origin = f"/nowhere/{file.relative_to(root.parent)}"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)
        spec.has_location = True
        spec.loader_state = file
        return spec

    def exec_module(self, module):
        module.__compiled__ = "by Nuitka"
        super().exec_module(module)

    def get_source(self, name):
        file = self.find_spec(name).loader_state
        return file.read_text() if file.suffix else ""

    def get_data(self, path):
        raise FileNotFoundError(path)

sys.meta_path.insert(2, Program())
importlib.import_module(sys.argv[1])
import flaskfork.shim
import flask.sansio.app, flask.json.tag, flask.views
import flaskfork

assert flask is flaskfork
assert flask.__file__ == "/nowhere/flaskfork/__init__.py"
assert importlib.import_module("flask.testing").__name__ == "flaskfork.testing"
for name in ["", ".app", ".json.tag", ".sansio", ".sansio.app", ".testing", ".views"]:
    assert sys.modules[f"flask{name}"] is sys.modules[f"flaskfork{name}"], name
assert flask.app is flaskfork.app
assert pickle.loads(b"cflask.debughelpers\nDebugFilesKeyError\n.")
assert importlib.util.find_spec("flask.__main__") is not None
for name in ["flask.nope", "flask.json.nope", "flask.importlib"]:
    assert importlib.util.find_spec(name) is None
assert importlib.metadata.version("flask") == level
app = flask.Flask("x", root_path="/nowhere")
app.add_url_rule("/", view_func=lambda: flask.render_template_string("{{ 1 }}"))
assert app.test_client().get("/").text == "1"
"""


@pytest.mark.parametrize("purged", [False, True])
def test_finding_imports_nothing(
    run_python: RunPython, all_modules: list[str], purged: bool
) -> None:
    none = ["flask.nope", "flask.app.x", "flask.nope.x", "flask_login", "flaskish"]
    code = FIND_ALL.replace("PURGED", str(purged))
    code = code.replace("NONE", repr([*none, "flaskfork.app", "os"]))
    run_python("-c", code, json.dumps(all_modules))


@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim"])
def test_first_import_by_many_threads(run_python: RunPython, first: str) -> None:
    for _ in range(10):
        run_python("-c", f"import {first}\n{RACE}")


@pytest.mark.parametrize(
    "names",
    [
        ["flask.sansio", "flask"],
        ["flask.sansio.scaffold", "flask"],
        ["flask", "flask.sansio.app", "flask.sansio.scaffold", "flask.views"],
    ],
)
def test_first_import_of_a_namespace_package(
    run_python: RunPython, names: list[str]
) -> None:
    for _ in range(10):
        run_python("-c", NAMESPACES, *names)


def test_namespace_package_that_was_there_before_the_finder(
    run_python: RunPython,
) -> None:
    # As a thread finds it that imports it then.
    code = """
        import importlib, sys

        class First:
            # The shim wheel's module asks for it, and has not put the finder there yet.
            def find_spec(self, name, path=None, target=None):
                if name == "flaskfork" and not seen:
                    seen.append(importlib.import_module("flask.sansio"))

        seen = []
        sys.meta_path.insert(0, First())
        import flask
        import flask.sansio.app
        import flaskfork.sansio
        assert seen[0] is not flask.sansio is flaskfork.sansio
        assert sys.modules["flask.sansio"] is sys.modules["flaskfork.sansio"]
        assert flask.sansio.app is flaskfork.sansio.app
    """
    run_python("-c", code)


def test_a_module_by_both_names_at_once(run_python: RunPython) -> None:
    run_python("-c", BOTH_NAMES)


@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim"])
def test_the_recipe_of_importlib(run_python: RunPython, first: str) -> None:
    code = f"""
        import importlib.util
        import sys
        import {first}

        for name in ["flask", "flask.views"]:
            spec = importlib.util.find_spec(name)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        import flask.views, flaskfork.views
        assert flask is flaskfork is sys.modules["flask"]
        assert flask.views is flaskfork.views is sys.modules["flask.views"]
        assert module.MethodView is flask.views.MethodView
    """
    run_python("-c", code)


def test_a_folder_that_is_added_to_the_package(
    run_python: RunPython, tmp_path: pathlib.Path
) -> None:
    tmp_path.joinpath("plugin.py").write_text("import flask\n")
    code = f"""
        import flask
        flask.__path__.append({str(tmp_path)!r})
        import flask.plugin, flaskfork.plugin
        assert flask.plugin is flaskfork.plugin
    """
    run_python("-c", code)


def test_a_submodule_waits_for_the_whole_package(run_python: RunPython) -> None:
    code = """
        import sys
        import threading
        from importlib.machinery import PathFinder

        reached, go = threading.Event(), threading.Event()

        class SlowFinder:
            # Pauses the import of the package halfway.
            def find_spec(self, name, path=None, target=None):
                if name != "flaskfork.templating":
                    return None
                spec = PathFinder.find_spec(name, path)
                execute = spec.loader.exec_module
                def slowly(module):
                    reached.set()
                    assert go.wait(60)
                    execute(module)
                spec.loader.exec_module = slowly
                return spec

        seen = []

        def use():
            from flask.views import MethodView
            seen.append(MethodView)

        sys.meta_path.insert(0, SlowFinder())
        threads = [
            threading.Thread(target=__import__, args=["flaskfork"]),
            threading.Thread(target=__import__, args=["flask"]),
            threading.Thread(target=use),
        ]
        threads[0].start()
        assert reached.wait(60)
        for thread in threads[1:]:
            thread.start()
            thread.join(0.5)
            assert thread.is_alive()
        assert "flaskfork.views" not in sys.modules
        go.set()
        for thread in threads:
            thread.join(60)
        import flask.views, flaskfork.views
        assert flask.views is flaskfork.views
        assert seen == [flask.views.MethodView]
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
@pytest.mark.parametrize("at", ["globals", "sansio.app", "templating", "wrappers"])
def test_importing_the_alias_while_the_fork_is_being_imported(
    run_python: RunPython, first: str, at: str
) -> None:
    # As by a dependency that knows Flask, and that Flask imports.
    code = f"""
        import importlib, sys, types
        from importlib.machinery import PathFinder

        class Circular:
            def find_spec(self, name, path=None, target=None):
                if name != "flaskfork.{at}":
                    return None
                spec = PathFinder.find_spec(name, path)
                execute = spec.loader.exec_module
                def execute_and_import(module):
                    import flask, flask.signals
                    execute(module)
                    import flask.{at}
                    imported.append(flask)
                spec.loader.exec_module = execute_and_import
                return spec

        imported = []
        sys.meta_path.insert(0, Circular())
        import {first}
        import flask, flask.views, flaskfork
        assert flask is flaskfork
        # Code that imports the shim wheel's module halfway may keep its stand-in.
        assert vars(imported[0]) is vars(flask)
        assert flask.Flask("x").test_client().get("/").status_code == 404
        for name, module in sys.modules.copy().items():
            if (name + ".").startswith("flask."):
                assert module is sys.modules["flaskfork" + name[5:]], name
                assert type(module) is types.ModuleType, name
    """
    run_python("-c", code)


def test_stand_in_of_a_lost_race(run_python: RunPython) -> None:
    # A thread gets it if it reads sys.modules while another imports the same name.
    code = """
        import importlib.util
        import flaskfork.shim
        spec = importlib.util.find_spec("flask")
        lost = importlib.util.module_from_spec(spec)
        import flask
        assert lost is not flask
        assert lost.Flask is flask.Flask
        assert dir(lost) == dir(flask)
        assert vars(lost) is vars(flask)
        lost.mark = 1
        assert flask.mark == 1
        del lost.mark
        assert not hasattr(flask, "mark")
        lost.__all__ = ["Flask"]
        assert flask.__all__ == lost.__all__ == ["Flask"]
        del lost.__all__
        assert not hasattr(flask, "__all__")
        # The import system does this to a module that it loads.
        lost.__spec__ = lost.__file__ = None
        assert flask.__spec__ is not None
        assert flask.__file__ is not None
        try:
            lost.nope
        except AttributeError as e:
            assert "nope" in str(e)
        else:
            raise AssertionError
    """
    run_python("-c", code)


@pytest.mark.parametrize("name", ["flask.nope", "flask.json.nope", "flask.nope.x"])
def test_missing_submodule(run_python: RunPython, name: str) -> None:
    missing = "flask.nope" if name == "flask.nope.x" else name
    code = f"""
        import importlib, importlib.util
        try:
            importlib.import_module("{name}")
        except ModuleNotFoundError as e:
            assert e.name == "{missing}"
            assert str(e) == "No module named '{missing}'"
        else:
            raise AssertionError
        try:
            assert importlib.util.find_spec("{name}") is None
        except ModuleNotFoundError as e:
            assert e.name == "flask.nope" != "{name}"
    """
    run_python("-c", code)


def test_submodule_of_a_module(run_python: RunPython) -> None:
    code = """
        try:
            import flask.app.x
        except ModuleNotFoundError as e:
            assert e.name == "flask.app.x"
            assert "'flask.app' is not a package" in str(e)
        else:
            raise AssertionError
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "flaskfork.shim"])
def test_a_missing_dependency_keeps_its_name(run_python: RunPython, first: str) -> None:
    code = f"""
        import importlib, sys
        for first, name in [("os", "blinker"), ("{first}", "werkzeug.test")]:
            before = sys.modules.pop(name, None)
            sys.modules[name] = None
            try:
                importlib.import_module(first)
                import flask.testing
            except ModuleNotFoundError as e:
                assert e.name == name, e.name
            else:
                raise AssertionError
            assert "flask.testing" not in sys.modules
            del sys.modules[name]
        import flask.testing, flaskfork.testing
        assert flask.testing is flaskfork.testing
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
@pytest.mark.parametrize("compiled", [["flaskfork"], ["flaskfork", "flask"]])
def test_a_program_that_the_fork_was_compiled_into(
    run_python: RunPython, first: str, compiled: list[str]
) -> None:
    run_python("-c", COMPILED, first, *compiled)


def test_a_program_that_another_flask_was_compiled_into(run_python: RunPython) -> None:
    program, _, _ = COMPILED.partition("importlib.import_module(sys.argv[1])")
    code = """
class Other(Program):
    def find_spec(self, name, path=None, target=None):
        if name == "flask":
            return ModuleSpec(name, self, origin="/nowhere/flask/__init__.py")

    def get_source(self, name):
        return ""

sys.meta_path.insert(2, Other())
try:
    import flaskfork.shim
except ImportError as e:
    assert e.name == "flask"
    assert "--user-plugin" in str(e)
else:
    raise AssertionError
"""
    run_python("-c", program + code, "flaskfork.shim", "flaskfork")


def test_what_compilers_see_of_the_fork(all_modules: list[str]) -> None:
    names = {f"flaskfork{name}" for name in all_modules}
    seen, new = set(), {"flaskfork", "flaskfork.shim"}
    while new:
        seen |= new
        new = set().union(*map(imported, new)) & names - seen
    # The fork's own are for tools, or are named in tables.
    own = ("flaskfork.legacy.", "flaskfork.shim.", "flaskfork._nuitka")
    assert not {n for n in names - seen if not n.startswith((*own, "flaskfork._pyi"))}


def imported(name: str) -> set[str]:
    """The names of the modules that a module imports, in functions as well."""
    spec = importlib.util.find_spec("flaskfork")
    assert spec is not None
    assert spec.origin is not None
    file = pathlib.Path(spec.origin).parent.joinpath(*name.split(".")[1:])
    if not file.is_dir():
        file, name = file.with_suffix(".py"), name.rpartition(".")[0]
    elif (file / "__init__.py").exists():
        file /= "__init__.py"
    else:
        return set()
    imports = Imports(name)
    imports.visit(ast.parse(file.read_text(encoding="utf-8")))
    return imports.names


class Imports(ast.NodeVisitor):
    def __init__(self, package: str) -> None:
        self.package = package
        self.names: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        origin = "." * node.level + (node.module or "")
        origin = importlib.util.resolve_name(origin, self.package)
        self.names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}

    def visit_If(self, node: ast.If) -> None:
        # What is there for type checkers only, compilers leave out.
        body = [] if "TYPE_CHECKING" in ast.dump(node.test) else node.body
        for child in [*body, *node.orelse]:
            self.visit(child)


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
def test_specs_are_those_of_the_real_files(
    run_python: RunPython, module: str, first: str
) -> None:
    code = f"""
        import importlib, importlib.util
        import {first}
        real = importlib.util.find_spec("flaskfork{module}")
        spec = importlib.util.find_spec("flask{module}")
        if "{first}" == "flaskfork.shim":
            assert spec.name == "flask{module}"
            assert spec.parent == (spec.name if real.submodule_search_locations
                                   else spec.name.rpartition(".")[0])
        if "{first}" != "flaskfork":
            assert spec.origin == real.origin
            assert spec.cached == real.cached
            assert spec.has_location == real.has_location
            if real.submodule_search_locations is not None:
                assert [*spec.submodule_search_locations] == [
                    *real.submodule_search_locations]
        importlib.import_module("flask{module}")
        for name in ["flask{module}", "flaskfork{module}"]:
            again = importlib.util.find_spec(name)
            assert again.name == "flaskfork{module}"
            assert again.origin == real.origin
    """
    run_python("-c", code)


def test_the_loader_answers_as_the_real_one(
    run_python: RunPython, all_modules: list[str]
) -> None:
    code = """
        import importlib.util, json, sys
        import flaskfork.shim
        [finder] = [f for f in sys.meta_path if "flaskfork" in repr(f)]
        for name in json.loads(sys.argv[1]):
            real = importlib.util.find_spec("flaskfork" + name)
            spec = finder.find_spec("flask" + name)
            for method in ["get_code", "get_source", "get_filename", "is_package"]:
                there = getattr(real.loader, method)("flaskfork" + name)
                assert getattr(spec.loader, method)("flask" + name) == there, method
            data = real.loader.get_data(real.origin)
            assert spec.loader.get_data(real.origin) == data
            reader = real.loader.get_resource_reader("flaskfork" + name)
            ours = spec.loader.get_resource_reader("flask" + name)
            assert type(ours) is type(reader)
            if reader:
                assert sorted(ours.contents()) == sorted(reader.contents())
        namespace = finder.find_spec("flask.sansio")
        assert namespace.loader.is_package("flask.sansio")
        assert namespace.origin is None
    """
    run_python("-c", code, json.dumps(all_modules))


def test_a_namespace_package_stays_where_it_is(
    run_python: RunPython, tmp_path: pathlib.Path
) -> None:
    tmp_path.joinpath("elsewhere", "sansio").mkdir(parents=True)
    code = """
        import importlib.util, sys
        import flaskfork.shim
        spec = importlib.util.find_spec("flask.sansio")
        before = list(spec.submodule_search_locations)
        sys.path.insert(0, "elsewhere")
        assert list(spec.submodule_search_locations) == before
        import flask.sansio, flaskfork.sansio
        assert flask.sansio is flaskfork.sansio
        assert list(flask.sansio.__path__) == before
    """
    run_python("-c", code)


def test_tools_that_read_the_package(run_python: RunPython) -> None:
    code = """
        import importlib.resources, inspect, pkgutil
        import flask.app
        assert "class Flask(App)" in inspect.getsource(flask.app)
        assert inspect.getsourcefile(flask.Flask).endswith("flaskfork/app.py")
        assert importlib.resources.files("flask").joinpath("py.typed").is_file()
        assert pkgutil.get_data("flask.views", "py.typed") == b""
        assert pkgutil.resolve_name("flask.json:dumps") is flask.json.dumps
    """
    run_python("-c", code)


@pytest.mark.parametrize("name", ["flask", "flask.cli", "flaskfork"])
def test_running_it_as_a_program(run_python: RunPython, name: str) -> None:
    assert "Werkzeug" in run_python("-m", name, "--version")


def test_installing_twice_adds_one_finder(run_python: RunPython) -> None:
    code = """
        import sys
        import flask, flaskfork.shim
        before = [*sys.meta_path], [*sys.path_hooks], {**sys.path_importer_cache}
        flaskfork.shim.install()
        assert [*sys.meta_path] == before[0]
        assert [*sys.path_hooks] == before[1]
        assert sys.path_importer_cache == before[2]
        for here in sys.meta_path, sys.path_hooks:
            assert len([one for one in here if "flaskfork" in repr(one)
                        or one.__module__.startswith("flaskfork")]) == 1
    """
    run_python("-c", code)


def test_installing_puts_the_finder_back_before_pythons(run_python: RunPython) -> None:
    code = """
        import sys
        from importlib.machinery import PathFinder
        import flaskfork.shim
        class Other:
            def find_spec(self, *args):
                return None
        before = [*sys.meta_path]
        [finder] = [f for f in before if "flaskfork" in repr(f)]
        assert before[before.index(finder) + 1] is PathFinder
        other = Other()
        sys.meta_path.remove(finder)
        sys.meta_path[:] = [other, *sys.meta_path, finder]
        sys.path_hooks.append(sys.path_hooks.pop(0))
        flaskfork.shim.install()
        assert sys.meta_path == [other, *before]
        assert sys.path_hooks[0].__module__.startswith("flaskfork")
        sys.meta_path.remove(PathFinder)
        flaskfork.shim.install()
        assert sys.meta_path[0] is finder
        assert sys.meta_path.count(finder) == 1
    """
    run_python("-c", code)


def test_modules_that_only_begin_alike_are_left_alone(
    run_python: RunPython, tmp_path: pathlib.Path
) -> None:
    for name in ["flask_login", "flaskish"]:
        tmp_path.joinpath(f"{name}.py").write_text("import flask\n")
    code = """
        import flask, flask_login, flaskish
        assert flask_login.__spec__.name == "flask_login"
        assert flaskish.flask is flask_login.flask is flask
    """
    run_python("-c", code)


@pytest.mark.parametrize("there", ["flask.py", "flask/__init__.py"])
def test_coming_too_late_names_the_file(
    run_python: RunPython, tmp_path: pathlib.Path, there: str
) -> None:
    file = tmp_path / there
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    code = f"""
        import sys
        import flask
        before = list(sys.meta_path)
        try:
            import flaskfork.shim
        except ImportError as e:
            assert {str(file)!r} in str(e), e
            assert "Import 'flaskfork.shim' before" in str(e)
            assert "uninstall Flask" in str(e)
            assert "python -m flaskfork.shim install" in str(e)
        else:
            raise AssertionError
        assert sys.meta_path == before
        assert "flaskfork.shim" not in sys.modules
        assert sys.modules["flask"] is flask
    """
    run_python("-c", code)


# As IPython's autoreload goes about it, which looks at each entry of sys.modules.
RELOAD_ALL = """
def reload_all(*tops):
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name.partition(".")[0] in tops and path:
            kept = {k: vars(module)[k] for k in ("__name__", "__loader__")}
            vars(module).clear()
            vars(module).update(kept)
            assert importlib.reload(module) is module, name
"""


@pytest.mark.parametrize("first", ["flask", "flaskfork", "flaskfork.shim"])
@pytest.mark.parametrize("tops", [["flask"], ["flaskfork"], ["flask", "flaskfork"]])
def test_modules_that_are_cleared_and_loaded_anew(
    run_python: RunPython, first: str, tops: list[str]
) -> None:
    code = f"""
import importlib, sys, types
{RELOAD_ALL}
import {first}
import flask.views
importlib.invalidate_caches()
for _ in range(2):
    reload_all(*{tops})
    import flask, flask.testing, flaskfork.testing
    for name, module in sys.modules.copy().items():
        if (name + ".").startswith("flask."):
            assert module is sys.modules["flaskfork" + name[5:]], name
            assert type(module) is types.ModuleType, name
    assert flask.Flask("x").test_client().get("/").status_code == 404
    finders = [f for f in sys.meta_path if "flaskfork" in repr(f)]
    assert len(finders) == 1, finders
    assert len([h for h in sys.path_hooks if "flaskfork" in h.__module__]) == 1
"""
    run_python("-c", code)
