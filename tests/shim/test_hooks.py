"""Code that watches imports, or takes part in them, sees those of ``flask``."""

from __future__ import annotations

import typing as t

import pytest

RunPython = t.Callable[..., str]

# Hooks as monitoring tools set them. A loaded module has been patched exactly once.
HOOKS = """
import sys
import wrapt

EAGER = ["flask", "flask.app", "flask.json", "flask.sansio.scaffold", "flask.cli"]
LATER = ["flask.views", "flask.json.tag", "flask.testing"]
seen = []

def watch():
    for name in [*EAGER, *LATER]:
        def hook(module, name=name):
            seen.append(name)
            module.mark = name
        wrapt.register_post_import_hook(hook, name)

def check(*loaded):
    for name in [*EAGER, *loaded]:
        assert seen.count(name) == 1, (name, seen)
        assert sys.modules["flaskfork" + name[5:]].mark == name
        assert sys.modules[name] is sys.modules["flaskfork" + name[5:]]
"""

CHECK_ALL = """
import sys, types
for name, module in sys.modules.copy().items():
    if (name + ".").startswith("flask."):
        assert module is sys.modules["flaskfork" + name[5:]], name
        assert type(module) is types.ModuleType, name
files = [m.__file__ for n, m in sys.modules.copy().items()
         if n.startswith("flaskfork") and getattr(m, "__file__", None)]
assert len(files) == len(set(files)), files
"""


@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim"])
@pytest.mark.parametrize("later", ["flask", "flaskfork"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_post_import_hooks(
    run_python: RunPython, first: str, later: str, position: int
) -> None:
    steps = [f"import {first}", "import flask", f"import {later}.views"]
    steps.insert(position, "watch()")
    run_python("-c", "\n".join([HOOKS, *steps, 'check("flask.views")', CHECK_ALL]))


@pytest.mark.parametrize("first", ["flaskfork.views", "flaskfork.testing"])
def test_hooks_where_the_forks_module_came_first(
    run_python: RunPython, first: str
) -> None:
    alias = first.replace("flaskfork", "flask")
    for steps in [
        f"import {first}; watch(); import flask",
        f"watch(); import {first}; import {alias}",
        f"import flask; watch(); import {first}",
    ]:
        run_python("-c", f"{HOOKS}\n{steps}\ncheck({alias!r})\n{CHECK_ALL}")


def test_what_a_hook_patches_is_the_fork(run_python: RunPython) -> None:
    code = """
        import wrapt

        @wrapt.when_imported("flask.app")
        def patch_app(module):
            wrapt.wrap_function_wrapper(module, "Flask.wsgi_app", count)

        @wrapt.when_imported("flask.views")
        def patch_views(module):
            wrapt.wrap_function_wrapper(module, "View.as_view", count)

        @wrapt.when_imported("flask")
        def patch(module):
            wrapt.wrap_function_wrapper(module, "jsonify", count)

        def count(wrapped, instance, args, kwargs):
            counted.append(wrapped.__name__)
            return wrapped(*args, **kwargs)

        counted = []
        import flaskfork
        from flask import Flask, jsonify
        from flaskfork.views import MethodView

        class Here(MethodView):
            def get(self):
                return jsonify("here")

        app = flaskfork.Flask("x")
        app.add_url_rule("/", view_func=Here.as_view("here"))
        assert app.test_client().get("/").json == "here"
        assert sorted(counted) == ["as_view", "jsonify", "wsgi_app"]
    """
    run_python("-c", code)


# Finders that come first and call Python's own, or load what is in a folder themselves,
# as those of test runners and run-time type checkers do.
PATH_FINDER = """
    from importlib.machinery import PathFinder
    class First:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("flask"):
                return PathFinder.find_spec(name, path, target)
    sys.meta_path.insert(0, First())
"""
PATH_HOOK = """
    from importlib.machinery import FileFinder, SOURCE_SUFFIXES, SourceFileLoader
    class OwnLoader(SourceFileLoader):
        pass
    hook = FileFinder.path_hook((OwnLoader, SOURCE_SUFFIXES))
    def hook_here(path):
        if "flaskfork" not in path:
            raise ImportError
        return hook(path)
    sys.path_hooks.insert(0, hook_here)
    sys.path_importer_cache.clear()
"""


@pytest.mark.parametrize("finder", [PATH_FINDER, PATH_HOOK])
@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim", "flask"])
def test_finders_that_come_first(
    run_python: RunPython, all_modules: list[str], finder: str, first: str
) -> None:
    code = f"""
import importlib, sys
import {first}
def add():
{finder}
add()
for name in {all_modules!r}:
    importlib.import_module("flask" + name)
    importlib.import_module("flaskfork" + name)
{CHECK_ALL}
"""
    run_python("-c", code)


def test_folders_of_the_fork_are_read_as_before(run_python: RunPython) -> None:
    code = """
        import importlib, pkgutil, sys
        import flaskfork.json
        before = [m[1:] for m in pkgutil.walk_packages(flaskfork.__path__, "flask.")]
        import flask
        after = [m[1:] for m in pkgutil.walk_packages(flask.__path__, "flask.")]
        assert ("flask.json", True) in before
        assert sorted(after) == sorted(before)
        importlib.invalidate_caches()
        import flask.views
    """
    run_python("-c", code)


@pytest.mark.parametrize(
    ("plugin", "rewritten"),
    [
        ([], ["flask", "flask.testing", "flaskfork"]),
        # pytest warns of modules that are already imported, as the plugin's package is.
        (["-p", "flaskfork.shim"], ["flask", "flask.testing"]),
    ],
    ids=["wheel", "plugin"],
)
def test_rewriting_of_assertions(
    run_python: RunPython, tmp_path: t.Any, plugin: list[str], rewritten: list[str]
) -> None:
    # pytest has the finder that comes first and calls Python's own.
    tmp_path.joinpath("conftest.py").write_text(
        f"import pytest\npytest.register_assert_rewrite(*{rewritten})\n"
    )
    tmp_path.joinpath("test_it.py").write_text(
        "import flask.testing\n"
        "import flaskfork.testing\n"
        "def test_it():\n"
        "    assert flask is flaskfork\n"
        "    assert flask.testing is flaskfork.testing\n"
        "    assert flask.Flask('x').test_client().get('/').status_code == 404\n"
    )
    out = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin)
    assert "1 passed" in out


def test_a_patch_of_the_package_while_it_is_imported(run_python: RunPython) -> None:
    code = f"""
import sys
import wrapt

@wrapt.when_imported("flask.app")
def patch(module):
    # As a tool's own instrumentation does, it imports from the package again.
    import flask.views
    from flask import Flask
    Flask.mark = flask.views.View.mark = "patched"

import flask.views
import flaskfork.app
assert flaskfork.app.Flask.mark == "patched"
{CHECK_ALL}
"""
    run_python("-c", code)


@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim"])
def test_what_a_hook_keeps_of_what_it_replaces(
    run_python: RunPython, first: str
) -> None:
    code = f"""
        import wrapt
        import {first}

        @wrapt.when_imported("flask.json")
        def patch_function(module):
            module.original = module.dumps
            module.dumps = lambda obj: "patched " + module.original(obj)

        @wrapt.when_imported("flask.app")
        def patch_class(module):
            module.Original = module.Flask
            class Flask(module.Original):
                pass
            module.Flask = Flask

        import flask, flaskfork.app
        with flask.Flask("x").app_context():
            assert flask.json.dumps(1) == "patched 1"
        assert flask.Flask is flaskfork.app.Flask is not flaskfork.app.Original
        assert flask.Flask.__bases__ == (flaskfork.app.Original,)
    """
    run_python("-c", code)


@pytest.mark.parametrize("first", ["os", "flaskfork", "flaskfork.shim"])
def test_what_a_hook_replaces_reaches_who_has_imported_it(
    run_python: RunPython, first: str
) -> None:
    # As with upstream, where the package imports the function after the hook has run.
    code = f"""
        import wrapt
        import {first}

        @wrapt.when_imported("flask.templating")
        def patch(module):
            wrapt.wrap_function_wrapper(module, "render_template", lambda *args: "new")

        from flask import render_template
        import flaskfork.templating
        assert render_template("x") == "new"
        assert flaskfork.templating.render_template is render_template
    """
    run_python("-c", code)
