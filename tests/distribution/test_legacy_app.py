"""An application of 2014 runs on the fork, thanks to the restored names.

tests/legacy_app is that application, with Flask-Script and Flask-Login of its time. It
is managed with its commands, served by its own server and gunicorn, and used over HTTP.
"""

from __future__ import annotations

import concurrent.futures
import http.cookiejar
import json
import pathlib
import re
import typing as t
import urllib.error
import urllib.parse
import urllib.request

import pytest

import servers
from forkkit.base import venv
from forkkit.base.venv import Environment

# Old libraries are installed, some of them built from source.
pytestmark = pytest.mark.sampled

APPLICATION = pathlib.Path(__file__).parents[1] / "legacy_app"
GUNICORN = ["gunicorn", "--workers=1", "--worker-class=gthread", "--threads=8"]


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    """An environment with both wheels and the extensions of the application."""
    return venv.create(
        tmp_path_factory.mktemp("legacy-app") / "env",
        *(fork_wheel, shim_wheel, "gunicorn", "Flask-Script==2.0.6"),
        *("Flask-Login==0.4.1", "setuptools<81"),
    )


@pytest.fixture
def settings(tmp_path: pathlib.Path) -> dict[str, str]:
    """The environment variables of the application."""
    return {
        "FLASKFORK_LEGACY": "werkzeug",
        "FLASK_ENV": "staging",
        "GUESTBOOK": str(tmp_path / "guests.sqlite"),
        "PYTHONPATH": str(APPLICATION),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(params=["gunicorn", "its own"])
def address(
    request: pytest.FixtureRequest,
    environment: Environment,
    settings: dict[str, str],
    tmp_path: pathlib.Path,
) -> t.Iterator[str]:
    """The address of the running application, which has had no request yet."""
    port = servers.free_port()
    manage = str(APPLICATION / "manage.py")
    command = {
        "gunicorn": ["-m", *GUNICORN, f"--bind={servers.HOST}:{port}", "guestbook:app"],
        "its own": [manage, "serve", "--port", str(port), "--threaded"],
    }[request.param]
    log = tmp_path / "server.log"
    with servers.serving(
        *(environment.python, *command), port=port, log=log, env=settings
    ) as address:
        yield address


def test_without_the_names_it_does_not_start(
    environment: Environment, settings: dict[str, str]
) -> None:
    for value, missing in [("0", "Markup"), ("1", "safe_str_cmp")]:
        done = environment.run(
            *("-c", "import guestbook"),
            env={**settings, "FLASKFORK_LEGACY": value},
            check=False,
        )
        assert done.returncode == 1
        assert f"ImportError: cannot import name '{missing}'" in done.stderr


def test_its_command_line(environment: Environment, settings: dict[str, str]) -> None:
    manage = APPLICATION / "manage.py"
    done = environment.run(manage, "price", "2.5", env=settings)
    assert done.stdout == 'guestbook {"price": "2.5"}\n'
    assert environment.run(manage, "greet", "-n", "you", env=settings).stdout == (
        "hello you\n"
    )
    usage = environment.run(manage, "--help", env=settings)
    assert {"price", "greet", "serve", "runserver", "shell"} <= set(
        usage.stdout.split()
    )


def test_each_line_of_it_that_is_out_of_date(
    environment: Environment, settings: dict[str, str]
) -> None:
    done = environment.run(
        *("-W", "default::DeprecationWarning", "-c", "import guestbook"), env=settings
    )
    file = re.escape(str(APPLICATION / "guestbook.py"))
    found = re.findall(
        rf"^{file}:(\d+): DeprecationWarning: '(\S+)' was removed in", done.stderr, re.M
    )
    lines = (APPLICATION / "guestbook.py").read_text("utf-8").splitlines()
    names = [name.rpartition(".")[2] for _, name in found]
    assert len(found) == len({*found})
    for (number, _), name in zip(found, names):
        # The warning of a class attribute is at the class, and Python 3.9 takes the
        # function's line for its decorator's.
        assert name in "".join(lines[int(number) - 2 :][:3]), name
    assert {
        *("Markup", "_app_ctx_stack", "_request_ctx_stack", "escape", "safe_join"),
        *("_compat", "login", "JSONEncoder", "JSONDecoder", "secure_filename"),
        *("fixers", "safe_str_cmp", "url_encode", "url_parse", "json_encoder"),
        *("json_decoder", "session_cookie_name", "before_first_request"),
        *("before_app_first_request", "url_parse"),
    } == {*names}


def test_over_http(address: str) -> None:
    # The first request has run, once, the functions that run before it.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pages = [*pool.map(lambda _: Visitor(address).get("/"), range(8))]
    assert {*pages} == {
        "<strong>host</strong>: welcome\n<strong>host</strong>: staging\n"
    }

    guest = Visitor(address)
    assert guest.status("/entries", {"text": "x"}) == 401
    assert guest.status("/login", {"name": "ann", "password": "shut"}) == 403
    assert guest.get("/login", {"name": "ann", "password": "open"}) == "welcome ann"
    assert [cookie.name for cookie in guest.cookies] == ["guest"]
    assert guest.get("/entries", {"text": "<b>hi"}) == "&lt;b&gt;hi"
    assert guest.get("/").splitlines()[-1] == "<strong>ann</strong>: &lt;b&gt;hi"
    assert guest.get("/logout") == "bye"
    assert guest.status("/entries", {"text": "x"}) == 401

    assert guest.get("/prices") == (
        '{"z":{"price":"1.50"},"a":"2014-01-02T00:00:00","m":{"b":1,"a":"<"}}\n'
    )
    sent = json.dumps({"prices": [{"price": "2.25"}]}).encode()
    assert guest.get("/prices", sent) == '{"double":[{"price":"4.50"}]}\n'
    link = urllib.parse.quote("http://me@Example.org:80/p?b=2&a=1 +1")
    assert json.loads(guest.get(f"/links?to={link}")) == {
        "host": "Example.org",
        "back": "a=1++1&b=2",
        "address": "10.1.2.3",
    }
    assert json.loads(guest.get("/files/a/b%20c")) == {
        "path": "/srv/a/b c",
        "name": "a_b_c",
    }
    assert guest.status("/files/..%2Fetc") == 404


class Visitor:
    """A browser that keeps its cookies, behind a proxy."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def get(self, path: str, data: dict[str, str] | bytes | None = None) -> str:
        """The text of a page. The data is sent as a form, or as JSON if it is bytes."""
        headers = {"X-Forwarded-For": "10.1.2.3"}
        if isinstance(data, bytes):
            headers["Content-Type"] = "application/json"
        elif data is not None:
            data = urllib.parse.urlencode(data).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        with self._opener.open(request, timeout=600) as response:
            assert float(response.headers["X-Took"]) >= 0
            text: str = response.read().decode()
            return text

    def status(self, path: str, data: dict[str, str] | None = None) -> int:
        """The status of an error page."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.get(path, data)
        with caught.value as error:
            return error.code
