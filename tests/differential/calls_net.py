"""The calls of overridden methods and replaced names, in order.

A case is one way to override one method (or all), and one request. Methods are
overridden in a subclass, on the class after the first request, and on the instance.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import json
import pathlib
import typing as t
from random import Random

import clock
import flask
import proxy
import workloads
from flask.ctx import AppContext
from flask.ctx import RequestContext
from flask.sessions import SecureCookieSessionInterface

#: The list of methods and names that the parent wrote from upstream's.
WATCHED = "watched.json"
CLASSES: dict[str, type] = {
    "Flask": flask.Flask,
    "Request": flask.Request,
    "Response": flask.Response,
    "SecureCookieSessionInterface": SecureCookieSessionInterface,
    "AppContext": AppContext,
    "RequestContext": RequestContext,
}
Method = dict[str, str]
Log = list[str]


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Yield the calls of each request in one of :func:`ways`."""
    way, title, methods = ways(folder)[chunk]
    clock.set_to(0)
    log: Log = []
    with contextlib.ExitStack() as stack:
        app = prepared(way, title, methods, folder, log, stack)
        if way in ("subclass", "all"):
            yield {"way": way, "of": title, "request": "set-up", "calls": log[:]}
        for request, method, path, extra in workloads.REQUESTS:
            del log[:]
            made = workloads.environ(method, path, extra)
            run = contextvars.copy_context().run
            got = run(workloads.answer, app, made)
            yield {
                "way": way,
                "of": title,
                "request": request,
                "got": got,
                "calls": log[:],
            }


def ways(folder: pathlib.Path) -> list[tuple[str, str, list[Method]]]:
    """The way to override, what it is called, and the methods or names."""
    watched = json.loads((folder / WATCHED).read_text())
    found: list[tuple[str, str, list[Method]]] = []
    for one in watched:
        if "module" in one:
            found.append(("name", f"{one['module']}.{one['name']}", [one]))
            continue
        title = f"{one['class']}.{one['name']}"
        found.append(("subclass", title, [one]))
        if one["name"] != "__init__":
            found.append(("class", title, [one]))
        if one["class"] in ("Flask", "SecureCookieSessionInterface") and (
            one["kind"] == "method" and not one["name"].startswith("__")
        ):
            found.append(("instance", title, [one]))
    for kind in CLASSES:
        methods = [x for x in watched if x.get("class") == kind]
        found.append(("all", kind, methods))
    found.append(("all", "everything", [x for x in watched if "class" in x]))
    return found


def prepared(
    way: str,
    title: str,
    methods: list[Method],
    folder: pathlib.Path,
    log: Log,
    stack: contextlib.ExitStack,
) -> flask.Flask:
    """An application with the methods overridden."""
    if way in ("subclass", "all"):
        return built(subclasses(methods, log), folder)
    app = built(dict(CLASSES), folder)
    for _, method, path, extra in workloads.REQUESTS:
        run = contextvars.copy_context().run
        run(workloads.answer, app, workloads.environ(method, path, extra))
    [one] = methods
    if way == "class":
        stack.enter_context(replaced_on_class(one, log))
    elif way == "instance":
        owner = app if one["class"] == "Flask" else app.session_interface
        plain = getattr(owner, one["name"])
        setattr(owner, one["name"], noted(title, plain, log))
    else:
        module = importlib.import_module(f"flask.{one['module']}")
        value = vars(module)[one["name"]]
        stack.callback(setattr, module, one["name"], value)
        setattr(module, one["name"], proxy.Watched(value, one["name"], log.append))
    return app


def built(classes: dict[str, t.Any], folder: pathlib.Path) -> flask.Flask:
    """An application made of these classes."""
    kind = classes["Flask"]
    for name, attribute in (
        ("AppContext", "app_context"),
        ("RequestContext", "request_context"),
    ):
        if classes[name] is not CLASSES[name]:
            kind = type(kind.__name__, (kind,), {attribute: maker(classes[name])})
    app: flask.Flask = kind("calls", root_path=str(folder))
    if classes["Request"] is not flask.Request:
        app.request_class = classes["Request"]
    if classes["Response"] is not flask.Response:
        app.response_class = classes["Response"]
    app.session_interface = classes["SecureCookieSessionInterface"]()
    workloads.add_views(app)
    return app


def maker(kind: type) -> t.Callable[..., t.Any]:
    return lambda self, *args: kind(self, *args)


def subclasses(methods: list[Method], log: Log) -> dict[str, t.Any]:
    """Subclasses that note the calls of these methods."""
    found: dict[str, t.Any] = dict(CLASSES)
    for title, cls in CLASSES.items():
        own = [x for x in methods if x["class"] == title]
        if own:
            names = {x["name"]: overriding(cls, x, log) for x in own}
            found[title] = type(title, (cls,), names)
    return found


@contextlib.contextmanager
def replaced_on_class(method: Method, log: Log) -> t.Iterator[None]:
    """Replace a method on the class itself."""
    cls, name = CLASSES[method["class"]], method["name"]
    there = vars(cls).get(name)
    setattr(cls, name, overriding(cls, method, log))
    try:
        yield
    finally:
        if there is None:
            delattr(cls, name)
        else:
            setattr(cls, name, there)


def overriding(cls: type, method: Method, log: Log) -> t.Any:
    """What notes a call and then does what the class does by itself."""
    name = method["name"]
    title = f"{method['class']}.{name}"
    [plain] = [vars(base)[name] for base in cls.__mro__ if name in vars(base)][:1]
    if method["kind"] == "property":
        return noted_property(title, plain, log)
    if method["kind"] == "classmethod":

        def call_of_class(owner: type, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return noted(title, plain.__get__(None, owner), log)(*args, **kwargs)

        return classmethod(call_of_class)

    def call(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return noted(title, plain.__get__(self, type(self)), log)(*args, **kwargs)

    return call


def noted(title: str, plain: t.Any, log: Log) -> t.Callable[..., t.Any]:
    def call(*args: t.Any, **kwargs: t.Any) -> t.Any:
        log.append(f"{title}({len(args)}{''.join(f', {x}=' for x in sorted(kwargs))})")
        return plain(*args, **kwargs)

    return call


def noted_property(title: str, plain: t.Any, log: Log) -> property:
    def read(self: t.Any) -> t.Any:
        log.append(title)
        return plain.__get__(self, type(self))

    def write(self: t.Any, value: t.Any) -> None:
        log.append(f"{title} =")
        if hasattr(plain, "__set__"):
            plain.__set__(self, value)
        else:
            vars(self)[title.rpartition(".")[2]] = value

    return property(read, write)
