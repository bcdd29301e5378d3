"""What a real browser sends with a form, and what CSRF_FETCH_METADATA makes of it."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import sync_playwright

import browsers
import servers
import toy

if t.TYPE_CHECKING:
    from forkkit.base.venv import Environment

APP = """
import sys
from flask import Flask, request

app = Flask("app")
app.config["CSRF_FETCH_METADATA"] = True

@app.get("/")
def page():
    to = request.args.get("to")
    form = f"<form method=post action='{to}'><button>Go</button></form>"
    if request.args.get("how") == "sandbox":
        form = f'<iframe sandbox="allow-forms" srcdoc="{form}"></iframe>'
    policy = "no-referrer" if request.args.get("how") == "no-referrer" else ""
    return form, {"Referrer-Policy": policy}

@app.post("/")
def post():
    return {**sent(), "passed": True}

@app.errorhandler(403)
def refused(error):
    return {**sent(), "passed": False}, 403

def sent():
    return {name: request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site")}

app.run("127.0.0.1", int(sys.argv[1]))
"""
#: Names that the browser looks up here; it takes localhost alone for secure.
NAMES = ["shop.example", "evil.example", "flask_app", "web_1.project_default"]


class Case(t.NamedTuple):
    """A form on a page, where it is sent to, and what is to become of it.

    :param origin: what the browser sends; an empty text stands for the page's own.
    """

    page: str
    how: str
    to: str
    origin: str
    site: str | None
    passes: bool


CASES = [
    Case("localhost", "", "localhost", "", "same-origin", True),
    Case("localhost", "no-referrer", "localhost", "null", "same-origin", True),
    Case("localhost", "sandbox", "localhost", "null", "cross-site", False),
    Case("evil.example", "", "localhost", "", "cross-site", False),
    Case("evil.example", "sandbox", "localhost", "null", "cross-site", False),
    Case("evil.example", "no-referrer", "localhost", "null", "cross-site", False),
    *(
        case
        for own in ("shop.example", "flask_app", "web_1.project_default")
        for case in (
            Case(own, "", own, "", None, True),
            Case(own, "no-referrer", own, "null", None, False),
            Case(own, "sandbox", own, "null", None, False),
            Case("evil.example", "", own, "", None, False),
            Case("evil.example", "sandbox", own, "null", None, False),
            Case("evil.example", "no-referrer", own, "null", None, False),
        )
    ),
]


@pytest.fixture(scope="module")
def port(
    fork_env: Environment, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[int]:
    """The port of an application with the flag."""
    folder = tmp_path_factory.mktemp("csrf")
    program = folder / "program.py"
    program.write_text(APP)
    port = servers.free_port()
    command = (fork_env.python, program, str(port))
    with servers.serving(*command, port=port, log=folder / "log"):
        yield port


@pytest.fixture(scope="module")
def browser() -> t.Iterator[Browser]:
    """A browser that finds all :data:`NAMES` on this machine."""
    found = browsers.installed() or browsers.brought(toy.HERE / "build" / "browser")
    names = ",".join(f"MAP {name} {servers.HOST}" for name in NAMES)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=found.program,
            env={**os.environ, **found.environ},
            args=[f"--host-resolver-rules={names}", "--disable-features=HttpsUpgrades"],
        )


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.page}, {c.how}, {c.to}")
def test_a_form(browser: Browser, port: int, case: Case) -> None:
    page = browser.new_page()
    page.goto(f"http://{case.page}:{port}/?how={case.how}&to=http://{case.to}:{port}/")
    frame = page.frames[-1]
    with page.expect_event(
        "response", lambda response: response.request.method == "POST"
    ) as answer:
        frame.get_by_role("button").click()
    origin = case.origin or f"http://{case.page}:{port}"
    assert json.loads(answer.value.text()) == {
        "Origin": origin,
        "Sec-Fetch-Site": case.site,
        "passed": case.passes,
    }
    page.close()
