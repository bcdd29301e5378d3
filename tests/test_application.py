"""An ordinary application that does not know the fork runs on it unchanged.

tests/app is that application: Flask and five of its extensions. It is installed by pip,
migrated, managed on the command line and served by gunicorn, once with the fork and
once with plain Flask; visitors and maintainers must see the same with both.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import http.cookiejar
import json
import pathlib
import re
import typing as t
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass

import pytest

import servers
from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.upstream.pin import Pin

# Each case installs an application with its extensions, and serves it.
pytestmark = pytest.mark.sampled

APPLICATION = pathlib.Path(__file__).with_name("app")
EXTENSIONS = [
    "flask_caching",
    "flask_login",
    "flask_migrate",
    "flask_sqlalchemy",
    "flask_wtf",
]
GTHREAD = ["--worker-class=gthread", "--threads=4"]


@pytest.fixture(scope="module")
def on_the_fork(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> venv.Environment:
    """The application as its team would install it: with one run of pip."""
    folder = tmp_path_factory.mktemp("application-fork") / "venv"
    environment = venv.create(folder, seed=True)
    pip = ["-m", "pip", "install", "--quiet"]
    environment.run(*pip, fork_wheel, shim_wheel, APPLICATION, "gunicorn")
    return environment


@pytest.fixture(scope="module")
def on_flask(
    tmp_path_factory: pytest.TempPathFactory, on_the_fork: venv.Environment
) -> venv.Environment:
    """The same application and releases of everything else, on plain Flask."""
    frozen = on_the_fork.run("-m", "pip", "freeze").stdout.splitlines()
    # Those installed from a file are the fork, the shim and the application.
    same = [line for line in frozen if " @ " not in line]
    folder = tmp_path_factory.mktemp("application-flask") / "venv"
    plain = Pin.load(here()).requirement
    return venv.create(folder, plain, APPLICATION, *same)


def test_upstreams_flask_is_nowhere(
    on_the_fork: venv.Environment,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> None:
    run = on_the_fork.run
    run("-m", "pip", "check")
    listed = json.loads(run("-m", "pip", "list", "--format=json").stdout)
    versions = {found["name"].lower(): found["version"] for found in listed}
    level = re.escape(Pin.load(here()).version)
    assert re.fullmatch(rf"{level}\+flaskfork\.\d+", versions["flask"])

    installed = pathlib.Path(
        on_the_fork.evaluate("import sysconfig; print(sysconfig.get_path('purelib'))")
    )
    assert len(list(installed.glob("[Ff]lask-*.dist-info"))) == 1
    assert package_on_disk(installed, "flask") == package_in(shim_wheel, "flask")
    assert package_on_disk(installed, "flaskfork") == package_in(
        fork_wheel, "flaskfork"
    )


def package_on_disk(folder: pathlib.Path, name: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def package_in(wheel: pathlib.Path, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        found = {member: archive.read(member) for member in archive.namelist()}
    return {path: data for path, data in found.items() if path.startswith(f"{name}/")}


def test_extensions_use_the_forks_objects(
    on_the_fork: venv.Environment,
) -> None:
    program = APPLICATION / "programs" / "imported_names.py"
    said = on_the_fork.run(program, "noticeboard.commands", *EXTENSIONS).stdout
    found: dict[str, dict[str, bool]] = json.loads(said)
    assert "flask.current_app" in found["flask_login.utils"]
    assert "flask.Flask" in found["noticeboard"]
    for package in ["noticeboard", *EXTENSIONS]:
        names = {
            (module, name): is_fork
            for module, taken in found.items()
            if module.partition(".")[0] == package
            for name, is_fork in taken.items()
        }
        assert names, package
        assert all(names.values()), names


@dataclass(frozen=True)
class Site:
    """The application in ``environment``, with its database in ``folder``."""

    environment: venv.Environment
    folder: pathlib.Path

    @property
    def settings(self) -> dict[str, str]:
        database = self.folder / "noticeboard.sqlite"
        return {
            "NOTICEBOARD_SECRET_KEY": "the same on both",
            "NOTICEBOARD_SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
        }

    def flask(self, *args: str) -> dict[str, t.Any]:
        """Run the ``flask`` command on the application and return the outcome."""
        done = self.environment.run(
            self.environment.program("flask"),
            "--app=noticeboard",
            *args,
            check=False,
            cwd=self.folder,
            env=self.settings,
        )
        return {
            "command": args,
            "status": done.returncode,
            "printed": done.stdout.splitlines(),
            "complained": done.stderr.splitlines(),
        }

    @contextlib.contextmanager
    def served(self, *options: str) -> t.Iterator[str]:
        """Serve the application with gunicorn and yield its address."""
        port = servers.free_port()
        with servers.serving(
            self.environment.program("gunicorn"),
            f"--bind={servers.HOST}:{port}",
            *options,
            "noticeboard:create_app()",
            port=port,
            log=self.folder / "gunicorn.log",
            env={**self.settings, "HOME": str(self.folder)},
        ) as address:
            yield address


@dataclass(frozen=True)
class Answer:
    status: int
    headers: t.Any
    body: str


class Visitor:
    """A browser that follows no redirect and keeps a transcript.

    A transcript has every answer in full, except values that differ in every run.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.csrf_token = ""
        self.transcript: list[dict[str, t.Any]] = []
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            _Stay,
        )

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form, with the token of the last page that had one."""
        form = {"csrf_token": self.csrf_token, **fields}
        return self.send("POST", path, urllib.parse.urlencode(form).encode(), {})

    def post_json(self, path: str, body: str, **headers: str) -> Answer:
        given = {"Content-Type": "application/json", **headers}
        return self.send("POST", path, body.encode(), given)

    def send(
        self, method: str, path: str, data: bytes | None, headers: t.Mapping[str, str]
    ) -> Answer:
        request = urllib.request.Request(
            f"{self.address}{path}", data, dict(headers), method=method
        )
        try:
            response = self._opener.open(request, timeout=600)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body = response.read().decode()
            answer = Answer(response.status, response.headers, body)
        token = re.search(r'csrf_token"(?:.*?value=|:) ?"([^"]+)"', answer.body)
        if token:
            self.csrf_token = token[1]
        self._record(f"{method} {path}", answer)
        return answer

    def _record(self, request: str, answer: Answer) -> None:
        body = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "<time>", answer.body)
        body = body.replace(self.address, "<address>")
        if self.csrf_token:
            body = body.replace(self.csrf_token, "<token>")
        self.transcript.append(
            {
                "request": request,
                "status": answer.status,
                "headers": [
                    (name, comparable(name, value.replace(self.address, "<address>")))
                    for name, value in answer.headers.items()
                    # The client has checked the length against the body.
                    if name not in {"Content-Length", "Date"}
                ],
                "body": body.splitlines(),
            }
        )


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Follow no redirect, since it is an answer like any other."""


def comparable(name: str, value: str) -> str:
    """A header's value without its times, and with a session's contents decoded."""
    value = re.sub(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<date>", value)
    if name == "Allow":  # made from a set, so its order varies
        return ", ".join(sorted(value.split(", ")))
    if name == "ETag":
        _time, size, _path = value.split("-")
        return f"<time>-{size}-<path>"
    if name == "Set-Cookie" and value.startswith("session="):
        signed, semicolon, attributes = value.partition(";")
        return f"{session_in(signed)}{semicolon}{attributes}"
    return value


def session_in(cookie: str) -> str:
    """The contents of a session cookie, with its random token replaced."""
    text = cookie[len("session=") :]
    if not text:
        return "no session"
    payload = text.lstrip(".").partition(".")[0]
    data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    said = zlib.decompress(data) if text.startswith(".") else data
    return re.sub(r'"csrf_token":"\w{40}"', '"csrf_token":"<token>"', said.decode())


def sign_up_and_log_in(visitor: Visitor, name: str) -> None:
    password = f"{name}'s password"
    visitor.get("/accounts/sign-up")
    visitor.post("/accounts/sign-up", name=name, password=password, repeated=password)
    visitor.get("/accounts/log-in")
    answer = visitor.post("/accounts/log-in", name=name, password=password)
    assert answer.status == 302, answer.body


def visit(site: Site, visitor: Visitor) -> None:
    """Do everything that the board offers, and a few things that it refuses."""
    get = visitor.get
    post = visitor.post
    assert "The board is empty." in get("/").body

    # Only logged-in users may post; a form with a mistake is returned.
    asked = get("/notices/new")
    assert asked.headers["Location"] == "/accounts/log-in?next=/notices/new"
    get("/accounts/sign-up")
    wrong = post("/accounts/sign-up", name="two words", password="x", repeated="y")
    assert "One word, please." in wrong.body
    assert "The two passwords differ." in wrong.body
    ada = {"name": "ada", "password": "ada's password"}
    assert post("/accounts/sign-up", **ada, repeated=ada["password"]).status == 302
    assert "Welcome, ada. Now log in." in get(asked.headers["Location"]).body
    refused = post("/accounts/log-in", name="ada", password="a guess")
    assert "No such name and password." in refused.body
    entered = post(asked.headers["Location"], **ada, remember="y")
    assert entered.headers["Location"] == "/notices/new"
    cookies = "; ".join(entered.headers.get_all("Set-Cookie"))
    assert "remember_token=1|" in cookies
    assert "HttpOnly; Path=/; SameSite=Lax" in cookies

    # Four notices fill two pages; a message is shown once.
    assert "You are logged in." in get("/notices/new").body
    for number in range(1, 5):
        body = f"See https://elm.example/{number} & <ask> Zoë.\n" + "word " * 20
        posted = post("/notices/new", title=f"Notice <{number}>", body=body)
        assert posted.headers["Location"] == f"/notices/{number}/"
    first = get("/")
    assert "“Notice &lt;4&gt;” is on the board." in first.body
    assert "is on the board." not in get("/?page=2").body
    assert get("/?page=3").status == 404
    shown = get("/notices/4/")
    assert '<a href="https://elm.example/4" rel="noopener">' in shown.body
    assert get("/notices/4").status == 308

    # The digest is cached for everybody until somebody refreshes it.
    digest = get("/digest").body
    assert '{"notices": 4}' in digest
    get("/notices/4/")
    assert post("/notices/4/remove").status == 302
    assert get("/digest").body == digest
    assert post("/digest/refresh").status == 302
    assert '{"notices": 3}' in get("/digest").body

    # The programs' interface: JSON, with errors in JSON.
    assert json.loads(get("/api/me").body)["name"] == "ada"
    token = {"X-CSRFToken": visitor.csrf_token}
    post_json = visitor.post_json
    created = post_json("/api/notices", '{"title": "Zoë", "body": ""}', **token)
    assert created.status == 201
    assert get(created.headers["Location"]).body == created.body
    assert json.loads(get("/api/notices?per_page=2").body)["total"] == 4
    assert post_json("/api/notices", "{", **token).status == 400
    assert post_json("/api/notices", '["title"]', **token).status == 422
    assert visitor.send("POST", "/api/notices", b"title", token).status == 415
    assert visitor.send("DELETE", "/api/notices", None, token).status == 405
    missing = get("/api/notices/99")
    assert (missing.status, json.loads(missing.body)["error"]) == (404, "Not Found")

    # Mistakes: the visitor's and the application's, which is logged but not shown.
    assert get("/no/such/page").status == 404
    forged = post("/notices/new", csrf_token="forged", title="x", body="y")
    assert (forged.status, "The CSRF token is invalid." in forged.body) == (400, True)
    assert post_json("/api/notices", "{}").status == 400
    broken = get("/archive")
    assert (broken.status, "Sorry, this is our fault." in broken.body) == (500, True)
    assert "KeyError" not in broken.body
    assert "KeyError: 'ARCHIVE'" in (site.folder / "gunicorn.log").read_text("utf-8")

    # A file is sent once.
    style = get("/static/noticeboard.css")
    unchanged = get(
        "/static/noticeboard.css", **{"If-None-Match": style.headers["ETag"]}
    )
    assert (style.status, unchanged.status, unchanged.body) == (200, 304, "")

    get("/accounts/me")
    assert post("/accounts/log-out").status == 302
    assert "You are logged out." in get("/").body
    assert get("/accounts/me").status == 302
    assert get("/api/me").status == 401

    # Somebody else may not remove a notice until he becomes a moderator.
    other = Visitor(visitor.address)
    other.transcript = visitor.transcript
    sign_up_and_log_in(other, "ben")
    other.get("/accounts/me")
    assert other.post("/notices/1/remove").status == 403
    assert site.flask("noticeboard", "moderator", "ben")["status"] == 0
    assert "You look after the board." in other.get("/accounts/me").body
    assert other.post("/notices/1/remove").status == 302


@pytest.mark.parametrize(
    "options", [["--worker-class=sync"], GTHREAD], ids=["sync", "gthread"]
)
def test_visitors_see_the_same(
    tmp_path: pathlib.Path,
    on_the_fork: venv.Environment,
    on_flask: venv.Environment,
    options: list[str],
) -> None:
    transcripts = []
    for name, environment in ("fork", on_the_fork), ("flask", on_flask):
        site = new_site(environment, tmp_path / name)
        with site.served(*options) as address:
            visitor = Visitor(address)
            visit(site, visitor)
        transcripts.append(visitor.transcript)
    assert transcripts[0] == transcripts[1]


def new_site(environment: venv.Environment, folder: pathlib.Path) -> Site:
    folder.mkdir()
    site = Site(environment, folder)
    migrated = site.flask("db", "upgrade")
    assert migrated["status"] == 0, migrated
    return site


def test_the_keeper_sees_the_same(
    tmp_path: pathlib.Path,
    on_the_fork: venv.Environment,
    on_flask: venv.Environment,
) -> None:
    transcripts = []
    for name, environment in ("fork", on_the_fork), ("flask", on_flask):
        (tmp_path / name).mkdir()
        flask = Site(environment, tmp_path / name).flask
        transcripts.append(
            [
                flask("--help"),
                flask("routes"),
                flask("db", "upgrade"),
                flask("db", "check"),
                flask("noticeboard", "moderator", "nobody"),
                flask("db", "downgrade"),
                flask("no-such-command"),
            ]
        )
    assert transcripts[0] == transcripts[1]
    assert [done["status"] for done in transcripts[0]] == [0, 0, 0, 0, 1, 0, 2]


def test_who_is_logged_in_stays_so_over_the_switch_and_back(
    tmp_path: pathlib.Path,
    on_the_fork: venv.Environment,
    on_flask: venv.Environment,
) -> None:
    """Each reads the other's cookies, tokens and database."""
    new_site(on_flask, tmp_path / "site")
    visitor = Visitor("")
    for number, environment in enumerate([on_flask, on_the_fork, on_flask]):
        with Site(environment, tmp_path / "site").served() as visitor.address:
            if number == 0:
                sign_up_and_log_in(visitor, "ada")
            # With a token from before the switch.
            answer = visitor.post("/notices/new", title=f"Notice {number}", body="x")
            assert answer.headers["Location"] == f"/notices/{number + 1}/"


def test_threads_keep_visitors_apart(
    tmp_path: pathlib.Path, on_the_fork: venv.Environment
) -> None:
    def post_and_look(visitor: Visitor, name: str) -> set[str]:
        sign_up_and_log_in(visitor, name)
        seen = [visitor.get("/api/me").body for _ in range(20)]
        return {json.loads(body)["name"] for body in seen}

    names = ["ada", "ben", "cleo", "dan"]
    site = new_site(on_the_fork, tmp_path / "site")
    with site.served(*GTHREAD) as address:
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            visitors = [Visitor(address) for _ in names]
            seen = list(pool.map(post_and_look, visitors, names))
    assert seen == [{name} for name in names]
