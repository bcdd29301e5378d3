"""A string in SECRET_KEY_FALLBACKS is one key, not a list of one-letter keys."""

from __future__ import annotations

import flask
import pytest


def make_app(secret_key, fallbacks=None):
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY=secret_key, SECRET_KEY_FALLBACKS=fallbacks)

    @app.get("/")
    def read():
        return flask.session.get("user", "nobody")

    @app.post("/")
    def write():
        flask.session["user"] = "alice"
        return ""

    return app


def sign_in(app):
    client = app.test_client()
    client.post("/")
    return client.get_cookie("session").value


def user_of(app, cookie):
    client = app.test_client()
    client.set_cookie("session", cookie)
    return client.get("/").text


def get_serializer(app):
    return app.session_interface.get_signing_serializer(app)


@pytest.mark.parametrize("fallbacks", ["oldsecret", b"oldsecret"])
@pytest.mark.parametrize("forged", ["o", "t", "111"])
def test_part_of_the_string_is_no_key(fallbacks, forged):
    app = make_app("newsecret", fallbacks)
    assert user_of(app, sign_in(make_app(forged))) == "nobody"


@pytest.mark.parametrize("fallbacks", ["oldsecret", b"oldsecret"])
def test_the_whole_string_is_a_key(fallbacks):
    app = make_app("newsecret", fallbacks)
    assert user_of(app, sign_in(make_app("oldsecret"))) == "alice"


def test_a_string_from_the_environment_is_one_key(monkeypatch):
    monkeypatch.setenv("FLASK_SECRET_KEY_FALLBACKS", "oldsecret")
    app = make_app("newsecret")
    app.config.from_prefixed_env()
    assert user_of(app, sign_in(make_app("o"))) == "nobody"
    assert user_of(app, sign_in(make_app("oldsecret"))) == "alice"


@pytest.mark.parametrize("fallbacks", ["oldsecret", b"oldsecret", ["oldsecret"]])
def test_only_the_secret_key_signs(fallbacks):
    cookie = sign_in(make_app("newsecret", fallbacks))
    assert user_of(make_app("newsecret"), cookie) == "alice"
    assert user_of(make_app("oldsecret"), cookie) == "nobody"


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_each_key_of_a_collection_is_accepted_in_every_request(kind):
    app = make_app("newsecret", kind(["older", b"old"]))
    for _ in range(2):
        for key in "newsecret", "older", "old":
            assert user_of(app, sign_in(make_app(key))) == "alice"
    assert user_of(app, sign_in(make_app("o"))) == "nobody"


@pytest.mark.parametrize("fallbacks", [None, [], (), "", b""])
def test_nothing_means_no_fallbacks(fallbacks):
    app = make_app("newsecret", fallbacks)
    assert user_of(app, sign_in(app)) == "alice"
    assert user_of(app, sign_in(make_app("oldsecret"))) == "nobody"


@pytest.mark.parametrize("bad", ["", b"", None, 0, 1, ["oldsecret"], bytearray(b"o")])
def test_an_element_that_is_no_key_is_refused_by_name(bad):
    app = make_app("newsecret", ["oldsecret", bad])
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS") as info:
        get_serializer(app)
    assert "oldsecret" not in str(info.value)


@pytest.mark.parametrize(
    "fallbacks",
    [
        12345,
        True,
        {"o": "oldsecret"},
        bytearray(b"oldsecret"),
        # It would be empty from the second request on.
        (key for key in ["oldsecret"]),
    ],
    ids=["int", "bool", "dict", "bytearray", "generator"],
)
def test_a_value_that_is_no_list_of_keys_is_refused_by_name(fallbacks):
    app = make_app("newsecret", fallbacks)
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS"):
        get_serializer(app)


def test_a_number_from_the_environment_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("FLASK_SECRET_KEY_FALLBACKS", "12345")
    app = make_app("newsecret")
    app.config.from_prefixed_env()
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS"):
        get_serializer(app)


@pytest.mark.parametrize("fallbacks", ["oldsecret", ["oldsecret"]])
def test_without_a_secret_key_nothing_signs(fallbacks):
    assert get_serializer(make_app(None, fallbacks)) is None
