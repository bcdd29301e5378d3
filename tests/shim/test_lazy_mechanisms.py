"""What a flag switches on is not even imported while the flag is off."""

from __future__ import annotations

import typing as t

#: The modules of patches whose flags are off in the program.
OFF = [
    *("_blueprint_errors", "_cookie_secure_auto", "_csrf_fetch_metadata"),
    *("_duplicate_route_warning", "_json_errors", "_render_template_string_cache"),
]
PROGRAM = """
    import sys
    import flask

    app = flask.Flask("app")
    app.secret_key = "secret"
    app.config["CSRF_TRUSTED_ORIGINS"] = ["https://idp.example"]
    app.config.update(dict.fromkeys(sys.argv[1:], True))

    @app.post("/")
    def index():
        flask.session["user"] = "ann"
        return flask.render_template_string("{{ 1 }}")

    client = app.test_client()
    assert client.post("/", headers={"Origin": "http://localhost"}).text == "1"
    assert client.get("/missing").status_code == 404
    print(*(name[10:] for name in sys.modules if name.startswith("flaskfork._")))
"""


def test_nothing_is_imported_for_a_flag_that_is_off(
    run_python: t.Callable[..., str],
) -> None:
    assert set(run_python("-c", PROGRAM).split()).isdisjoint(OFF)


def test_a_flag_imports_what_it_needs(run_python: t.Callable[..., str]) -> None:
    flags = ["BLUEPRINT_ROUTING_ERRORS", "CSRF_FETCH_METADATA", "JSON_ERRORS"]
    found = set(run_python("-c", PROGRAM, *flags).split())
    used = {"_blueprint_errors", "_csrf_fetch_metadata", "_json_errors"}
    assert found & {*OFF} == used
