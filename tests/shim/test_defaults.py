"""docs/defaults.md: each patch that is on by default, and the way back."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import typing as t

import flask
import pytest
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTION = re.compile(r"(?ms)^## (\S+)\n(.*?)(?=^## |\Z)")
PAGE = dict(SECTION.findall((ROOT / "docs" / "defaults.md").read_text("utf-8")))
SERIES = (ROOT / "patches" / "series").read_text().splitlines()
PATCHES = {line[: -len(".patch")] for line in SERIES if line.endswith(".patch")}
#: The patches that change nothing unless a flag of docs/flags.md or an argument asks.
OPT_IN = {
    "blueprint-errors",
    "blueprint-templates",
    "cookie-secure-auto",
    "csrf-fetch-metadata",
    "duplicate-route-warning",
    "json-errors",
    "json-nan",
    "keep-g",
    "render-template-string-cache",
    "session-lazy",
}
#: The patches that change no result, which are in docs/fast.md.
FASTER = {name for name in PATCHES if name.startswith("fast-")}

Names = dict[str, t.Any]


def run(name: str, **names: t.Any) -> Names:
    """Run the code of a section, and return the names that it defines."""
    [code] = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE[name])
    exec(compile(code, f"docs/defaults.md: {name}", "exec"), names)
    return names


@pytest.fixture
def app() -> flask.Flask:
    app = flask.Flask("application")
    app.secret_key = "new"
    return app


def test_each_patch_is_on_the_page_or_needs_a_flag() -> None:
    assert PAGE.keys() == PATCHES - OPT_IN - FASTER
    assert OPT_IN < PATCHES


def test_each_section_has_a_test() -> None:
    tested = {name[5:].replace("_", "-") for name in globals() if name[:5] == "test_"}
    assert PAGE.keys() <= tested


def test_session_fallback_string(app: flask.Flask) -> None:
    run("session-fallback-string", app=app)
    forger = flask.Flask("forger")
    forger.secret_key = "o"
    signer = forger.session_interface.get_signing_serializer(forger)
    app.add_url_rule("/", view_func=lambda: flask.session["user"])
    client = app.test_client()
    client.set_cookie("session", signer.dumps({"user": "admin"}))
    assert client.get("/").text == "admin"


def test_session_assignable() -> None:
    app = run("session-assignable")["App"]("application")
    app.secret_key = "new"

    @app.route("/")
    def index() -> str:
        flask.session["read"] = 1
        with pytest.raises(AttributeError):
            flask.globals.request_ctx.session = {}
        return "read"

    response = app.test_client().get("/")
    assert response.text == "read"
    assert "session=" in response.headers["Set-Cookie"]


def test_json_mixed_keys(app: flask.Flask) -> None:
    run("json-mixed-keys", app=app)
    app.add_url_rule("/", view_func=lambda: {1: "a", "b": "c"})
    app.add_url_rule("/fine", "fine", lambda: {"b": 1, "a": 2})
    assert app.test_client().get("/").status_code == 500
    assert list(json.loads(app.test_client().get("/fine").data)) == ["a", "b"]


def test_config_from_file_silent(app: flask.Flask, tmp_path: pathlib.Path) -> None:
    load = run("config-from-file-silent", app=app)["load_config"]
    file = tmp_path / "file"
    file.write_text('{"A": 1}')
    load(file, json.load)
    assert app.config["A"] == 1
    load(tmp_path / "missing", json.load)
    with pytest.raises(NotADirectoryError):
        load(file / "below", json.load)


def test_config_env_conflict(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    load = run("config-env-conflict", app=app)["load_environment"]
    monkeypatch.setenv("FLASK_A", "1")
    load()
    assert app.config["A"] == 1
    monkeypatch.setenv("FLASK_A__B", "2")
    with pytest.raises(TypeError, match="FLASK_A__B"):
        load()


def test_options_config_missing() -> None:
    app_class = run("options-config-missing")["App"]
    assert app_class("application").static_folder
    config = dict(app_class.default_config)
    del config["PROVIDE_AUTOMATIC_OPTIONS"]
    app_class.default_config = config
    with pytest.raises(KeyError):
        app_class("application")


def test_options_explicit(app: flask.Flask) -> None:
    run("options-explicit", app=app, index=lambda: "index")
    client = app.test_client()
    assert client.get("/").text == "index"
    assert client.options("/").status_code == 405


def test_version_names_fork() -> None:
    version = run("version-names-fork")["version"]
    said = subprocess.run(
        [sys.executable, "-m", "flask", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"Flask {version}\n" in said


def test_stream_teardown(app: flask.Flask) -> None:
    events: list[str] = []
    run("stream-teardown", app=app, close_database=lambda: events.append("closed"))

    @app.route("/")
    def index() -> t.Any:
        return flask.stream_with_context(events.append(c) or c for c in "ab")

    assert app.test_client().get("/").text == "ab"
    assert events == ["closed", "a", "b"]


def test_teardown_all(app: flask.Flask) -> None:
    ran: list[str] = []

    def first(exc: object) -> None:
        ran.append("first")
        if flask.request.path == "/fails":
            raise ValueError("first")

    def second(exc: object) -> None:
        ran.append("second")

    run("teardown-all", app=app, first=first, second=second)
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/fails", "fails", lambda: "")
    app.test_client().get("/")
    assert ran == ["first", "second"]
    with pytest.raises(ValueError, match="first"):
        app.test_client().get("/fails")
    assert ran == ["first", "second", "first"]


def test_client_teardown_once(app: flask.Flask) -> None:
    ran: list[object] = []
    app.teardown_request(ran.append)
    app.add_url_rule("/", "index", lambda: "")
    run("client-teardown-once", app=app)
    assert ran == [None]


def test_bad_host_url_for() -> None:
    app = run("bad-host-url-for")["App"]("application")
    app.register_error_handler(
        BadRequest, lambda e: flask.url_for("static", filename="x")
    )
    app.add_url_rule("/", "index", lambda: flask.url_for("index"))
    client = app.test_client()
    assert client.get("/", headers={"Host": "foo..bar"}).status_code == 500
    assert client.get("/").text == "/"
    with app.test_request_context():
        assert app.url_for("index") == "/"


def test_add_url_rule_atomic(app: flask.Flask) -> None:
    app.add_url_rule("/", "index", lambda: "old")
    with pytest.raises(AssertionError):
        app.add_url_rule("/new", "index", lambda: "new")
    assert app.test_client().get("/new").status_code == 404
    app = flask.Flask("application")
    app.add_url_rule("/", "index", lambda: "old")
    run("add-url-rule-atomic", app=app)
    assert app.test_client().get("/new").text == "old"


def test_session_static(tmp_path: pathlib.Path) -> None:
    (tmp_path / "style.css").write_text("")
    app = flask.Flask("application", static_folder=tmp_path, static_url_path="/static")
    app.secret_key = "new"
    app.add_url_rule("/", "index", lambda: str(flask.session.setdefault("a", 1)))
    run("session-static", app=app)
    client = app.test_client()
    client.get("/")
    with client.get("/static/style.css") as response:
        assert "Set-Cookie" in response.headers


def test_request_cycles(app: flask.Flask) -> None:
    kept: list[BaseException] = []
    run("request-cycles", app=app, kept=kept)
    requests: list[flask.Request] = []
    app.before_request(
        lambda: requests.append(flask.request._get_current_object())  # type: ignore
    )
    app.test_client().get("/missing")
    assert [type(error) for error in kept] == [NotFound]
    assert [request.routing_exception for request in requests] == [None]


def test_error_cycles() -> None:
    sync = pytest.importorskip("asgiref.sync")
    app = run("error-cycles")["App"]("application")

    async def index() -> str:
        return "index"

    app.add_url_rule("/", view_func=index)
    assert app.test_client().get("/").text == "index"
    assert isinstance(app.async_to_sync(index), sync.AsyncToSync)


def test_signals_unheard(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    signal = flask.request_finished
    monkeypatch.setattr(signal, "send", lambda *args, **kwargs: sent.append(args))
    app.test_client().get("/")
    assert sent == []
    names = run("signals-unheard")
    try:
        app.test_client().get("/")
        assert sent == [(app,)]
    finally:
        signal.disconnect(names["receiver"])


def test_after_request_none() -> None:
    app = run("after-request-none")["App"]("application")
    app.testing = True
    app.add_url_rule("/", "index", lambda: "index")

    @app.after_request
    def forgets(response: flask.Response) -> flask.Response | None:
        return None if "forget" in flask.request.args else response

    assert app.test_client().get("/").text == "index"
    with pytest.raises(AttributeError, match="forgets"):
        app.test_client().get("/?forget")


def test_application_root(app: flask.Flask) -> None:
    app.config["APPLICATION_ROOT"] = "my"
    assert app.session_interface.get_cookie_path(app) == "/my"
    run("application-root", app=app)
    assert app.session_interface.get_cookie_path(app) == "my"


def test_async_functions(app: flask.Flask) -> None:
    ran: list[str] = []

    async def load(endpoint: str, values: object) -> None:
        ran.append(endpoint)

    run("async-functions", app=app, load=load)
    app.add_url_rule("/", "index", lambda: "index")
    assert app.test_client().get("/").text == "index"
    assert ran == []


def test_cli_group(app: flask.Flask) -> None:
    first = flask.Blueprint("first", __name__, cli_group="tasks")
    last = flask.Blueprint("last", __name__, cli_group="tasks")
    first.cli.command("one")(lambda: None)
    last.cli.command("two")(lambda: None)
    app.register_blueprint(first)
    app.register_blueprint(last)
    group: t.Any = app.cli.commands["tasks"]
    assert {*group.commands} == {"one", "two"}
    run("cli-group", app=app, last=last)
    group = app.cli.commands["tasks"]
    assert {*group.commands} == {"two"}
