"""Static files take fewer steps, and are sent as before."""

from __future__ import annotations

import importlib
import io
import mimetypes
import os
from datetime import timedelta

import flask
import pytest

from counting import outcome
from counting import saved

PROGRAM = """
import io, os, tempfile
import flask

root = tempfile.mkdtemp()
os.mkdir(os.path.join(root, "static"))
with open(os.path.join(root, "static", "a.css"), "w") as file:
    file.write("body {}")
app = flask.Flask("app", root_path=root)
environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/static/a.css", "SERVER_NAME": "localhost",
    "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
}

def act():
    body = app(dict(environ), lambda *args: None)
    list(body)
    body.close()
"""


def test_fewer_steps():
    assert saved(PROGRAM, "static") > 0.45


def original(method):
    """What a lean body stands for."""
    cells = [cell.cell_contents for cell in method.__closure__]
    return dict(zip(method.__code__.co_freevars, cells))["original"]


class Mine(flask.Flask):
    pass


class Theirs(flask.Flask):
    send_static_file = original(flask.Flask.send_static_file)


NAMES = {
    "a.css": b"a {}",
    "b.js": b"b()" * 5000,
    "c.tar.gz": b"c",
    "d": b"d",
    "e.unknown": b"e",
    "empty.txt": b"",
    "f g.html": b"<f>",
    "\u00e9.txt": b"\xe9",
    "inner/h.png": b"h",
}
PATHS = [
    *NAMES,
    *("", "/", "inner", "inner/", "missing", "a.css/", "inner/../a.css", "../app.py"),
    *("..", "./a.css", "//a.css", "inner//h.png", "a.css\0", "\\a.css", "../static/d"),
    *("%2e%2e/app.py", "a" * 5000, "link.css", "outside.txt", "dangling"),
]


@pytest.fixture(autouse=True)
def one_time(monkeypatch):
    for name in ("time.time", "werkzeug.utils.time"):
        monkeypatch.setattr(name, lambda: 1_800_000_000.9)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "static"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "app.py").write_bytes(b"secret")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.css").write_bytes(b"other")

    for name, content in NAMES.items():
        (folder / name).write_bytes(content)

    (folder / "link.css").symlink_to(folder / "a.css")
    (folder / "outside.txt").symlink_to(tmp_path / "app.py")
    (folder / "dangling").symlink_to("nothing")
    return tmp_path


def made(cls, root, config=(), **attributes):
    app = type("App", (cls,), attributes)("app", root_path=str(root))
    app.config.update(PROPAGATE_EXCEPTIONS=True)
    app.config.update(config)
    return app


def sent(app, name, method="GET", **environ):
    """What a server sends for a file, and to whom it leaves the file."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/static/{name}".encode().decode("latin1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **environ,
    }
    started = []
    body = app(environ, lambda *args: started.append(args))
    content = b"".join(body)
    kind = type(body).__name__

    if hasattr(body, "close"):
        body.close()

    return started, content, kind if app.direct else None


def both(root, config=(), **attributes):
    apps = [made(cls, root, config, **attributes) for cls in (Mine, Theirs)]

    for app in apps:
        app.direct = True

    return apps


def compare(apps, name, **environ):
    """Three times: when it is first sent, and when it has been."""
    mine, theirs = (
        [outcome(lambda app=app: sent(app, name, **environ)) for _ in range(3)]
        for app in apps
    )
    assert mine == theirs
    assert mine[1:] == mine[:1] * 2
    return mine[0]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path[:20]))
def test_same_answer(root, path):
    compare(both(root), path)


CONDITIONS = {
    "head": {"method": "HEAD"},
    "options": {"method": "OPTIONS"},
    "post": {"method": "POST"},
    "range": {"HTTP_RANGE": "bytes=1-2"},
    "range beyond": {"HTTP_RANGE": "bytes=100-"},
    "empty range": {"HTTP_RANGE": ""},
    "if range": {"HTTP_RANGE": "bytes=0-1", "HTTP_IF_RANGE": '"a"'},
    "any": {"HTTP_IF_NONE_MATCH": "*"},
    "another": {"HTTP_IF_NONE_MATCH": '"a"'},
    "match": {"HTTP_IF_MATCH": '"a"'},
    "later": {"HTTP_IF_MODIFIED_SINCE": "Wed, 01 Jan 2125 00:00:00 GMT"},
    "earlier": {"HTTP_IF_MODIFIED_SINCE": "Wed, 01 Jan 2025 00:00:00 GMT"},
    "unmodified": {"HTTP_IF_UNMODIFIED_SINCE": "Wed, 01 Jan 2025 00:00:00 GMT"},
}


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("before", [False, True])
def test_conditions(root, name, before):
    apps = both(root)

    if before:
        compare(apps, "a.css")

    compare(apps, "a.css", **CONDITIONS[name])
    compare(apps, "a.css")


AGES = [None, 0, 1, 3600, -1, timedelta(hours=1), True, False, 1.5]


@pytest.mark.parametrize("age", AGES, ids=str)
def test_ages(root, age):
    compare(both(root, {"SEND_FILE_MAX_AGE_DEFAULT": age}), "a.css")


def test_an_age_that_changes(root):
    apps = both(root)
    answers = []

    for age in [*AGES, *reversed(AGES), 1.5, None, True, None, True, 1]:
        for app in apps:
            app.config["SEND_FILE_MAX_AGE_DEFAULT"] = age

        answers.append(str(compare(apps, "a.css")))

    assert len(set(answers)) > 4


def test_the_age_is_asked_for_each_time(root):
    logs = []

    for cls in (Mine, Theirs):
        log = []

        def get_send_file_max_age(self, filename, log=log):
            log.append(filename)
            return None if len(log) % 2 else 60

        app = made(cls, root, get_send_file_max_age=get_send_file_max_age)
        app.direct = True
        logs.append((log, [sent(app, "a.css") for _ in range(8)]))

    assert logs[0] == logs[1]


def test_a_file_that_changes(root):
    apps = both(root)
    file = root / "static" / "a.css"
    seen = []

    for content in (b"one", b"two", b"longer"):
        file.write_bytes(content)
        os.utime(file, ns=(0, 10**18 + len(seen)))
        seen.append(compare(apps, "a.css")[1])

    file.unlink()
    compare(apps, "a.css")
    file.mkdir()
    compare(apps, "a.css")
    file.rmdir()
    file.symlink_to(root / "other" / "a.css")
    seen.append(compare(apps, "a.css")[1])
    assert seen == [b"one", b"two", b"longer", b"other"]


def test_the_content_is_read_each_time(root):
    """Even if its size and its time say that nothing has changed."""
    apps = both(root)
    file = root / "static" / "a.css"

    for content in (b"one", b"two"):
        file.write_bytes(content)
        os.utime(file, (0, 0))
        assert compare(apps, "a.css")[1] == content


def test_a_folder_that_changes(root):
    apps = both(root)
    first = compare(apps, "a.css")

    for app in apps:
        app.static_folder = "other"

    assert compare(apps, "a.css")[1] == b"other" != first[1]

    for app in apps:
        app.root_path = str(root / "static")
        app.static_folder = "inner"

    compare(apps, "h.png")
    compare(apps, "a.css")

    for app in apps:
        app.static_folder = None

    compare(apps, "h.png")


def test_applications_are_kept_apart(root):
    (root / "second" / "static").mkdir(parents=True)
    (root / "second" / "static" / "a.css").write_bytes(b"second")
    first, second = both(root), both(root / "second")
    assert compare(first, "a.css")[1] == b"a {}"
    assert compare(second, "a.css")[1] == b"second"
    compare(second, "b.js")


def test_types_that_are_added(root, monkeypatch):
    apps = both(root)
    first = compare(apps, "e.unknown")
    types = {**mimetypes.types_map, ".unknown": "text/x-added"}
    monkeypatch.setattr(mimetypes, "guess_type", lambda name: (types[name[-8:]], None))
    assert compare(apps, "e.unknown") != first


class Renamed(flask.Response):
    default_mimetype = "text/x-own"
    default_status = 203


class Counted(flask.Response):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.headers["X-Args"] = f"{sorted(kwargs)}"


class Tagged(flask.Response):
    def set_etag(self, etag, weak=False):
        super().set_etag("own", weak)


class Unconditional(flask.Response):
    def make_conditional(self, *args, **kwargs):
        self.headers["X-Called"] = "yes"
        return self


@pytest.mark.parametrize("cls", [Renamed, Counted, Tagged, Unconditional])
def test_own_responses(root, cls):
    compare(both(root, response_class=cls), "a.css")


@pytest.mark.parametrize("name", ["set_etag", "make_conditional"])
def test_patched_at_run_time(root, monkeypatch, name):
    apps = both(root)
    first = compare(apps, "a.css")
    known = getattr(flask.Response, name)

    def patched(self, *args, **kwargs):
        known(self, *args, **kwargs)
        self.headers["X-Patched"] = name
        return self

    monkeypatch.setattr(flask.Response, name, patched)
    assert compare(apps, "a.css") != first


def test_own_sender(root, monkeypatch):
    apps = both(root)
    compare(apps, "a.css")
    monkeypatch.setattr("flask.app.send_from_directory", lambda *args, **kwargs: "own")
    assert compare(apps, "a.css")[1] == b"own"


class Noted:
    """Stands for something, and notes what is done with it."""

    def __init__(self, plain, log):
        vars(self).update(plain=plain, log=log)

    def __getattr__(self, name):
        self.log.append(name)
        return getattr(self.plain, name)

    def __call__(self, *args, **kwargs):
        self.log.append(f"called {sorted(kwargs)}")
        return self.plain(*args, **kwargs)


@pytest.mark.parametrize(
    "name",
    [
        *("flask.app.current_app", "flask.app.send_from_directory"),
        *("flask.helpers.current_app", "flask.helpers.request"),
        *("flask.helpers.werkzeug", "flask.helpers._prepare_send_file_kwargs"),
        *("werkzeug.utils.send_file", "werkzeug.utils.send_from_directory"),
    ],
)
def test_replaced_names_are_reached(root, monkeypatch, name):
    apps = both(root)
    compare(apps, "a.css")
    module, _, attribute = name.rpartition(".")
    plain, noted = vars(importlib.import_module(module))[attribute], []

    for app in apps:
        log = []
        noted.append(log)
        monkeypatch.setattr(name, Noted(plain, log))

        for _ in range(3):
            sent(app, "a.css")

    assert noted[0] == noted[1] != []


def test_own_decision_about_ranges(root):
    class Ranged(flask.Response):
        decision = False

        def _is_range_request_processable(self, environ):
            return self.decision

    apps = both(root, response_class=Ranged)
    compare(apps, "a.css")
    Ranged.decision = True
    assert compare(apps, "a.css")[0][0][0].startswith("416")


def test_headers_that_are_changed_later(root):
    apps = both(root)

    for app in apps:
        app.after_request(changed)

    compare(apps, "a.css")


def changed(response):
    response.headers["X-Count"] = f"{len(response.headers)}"
    response.headers.remove("ETag")
    response.cache_control.private = True
    return response


def test_sendfile(root):
    compare(both(root, {"USE_X_SENDFILE": True}), "a.css")
    apps = both(root)
    compare(apps, "a.css")

    for app in apps:
        app.config["USE_X_SENDFILE"] = True

    compare(apps, "a.css")


def test_the_wrapper_of_the_server(root):
    wrapped = []

    class Wrapper:
        def __init__(self, file, size):
            wrapped.append(file)
            self.file = file

        def __iter__(self):
            yield self.file.read()

        def close(self):
            self.file.close()

    answer = compare(both(root), "a.css", **{"wsgi.file_wrapper": Wrapper})
    assert (answer[1], answer[2]) == (b"a {}", "Wrapper")
    assert all(file.closed for file in wrapped)
    assert len(wrapped) == 6


def test_few_files_are_remembered(root):
    from flask._fast import static

    app = both(root)[0]

    for number in range(static.KEPT + 5):
        name = f"{number}.txt"
        (root / "static" / name).write_bytes(b"")
        sent(app, name)
        sent(app, f"missing {name}")

    assert 0 < len(static._known) <= static.KEPT
    assert not any("missing" in place[2] for place in static._known)


def test_outside_of_a_request(root):
    apps = both(root)
    mine, theirs = (outcome(app.send_static_file, "a.css") for app in apps)
    assert mine == theirs
