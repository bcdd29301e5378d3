"""A rule whose endpoint is taken by another view is not added."""

from __future__ import annotations

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st


def first():
    return "first"


def second():
    return "second"


CONFLICT = "View function mapping is overwriting an existing endpoint function: "


def state(app):
    rules = [
        (rule.rule, rule.endpoint, rule.methods) for rule in app.url_map.iter_rules()
    ]
    return rules, dict(app.view_functions)


def test_the_path_is_not_found():
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "same", first)
    before = state(app)
    with pytest.raises(AssertionError) as caught:
        app.add_url_rule("/b", "same", second)
    assert str(caught.value) == f"{CONFLICT}same"
    assert state(app) == before
    client = app.test_client()
    assert client.get("/a").text == "first"
    assert client.get("/b").status_code == 404
    assert client.options("/b").status_code == 404


def test_another_try():
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "same", first)
    with pytest.raises(AssertionError):
        app.add_url_rule("/b", "same", second)
    app.add_url_rule("/b", "other", second)
    assert app.test_client().get("/b").text == "second"
    with app.test_request_context():
        assert flask.url_for("same") == "/a"


def test_a_decorator():
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "same", first)
    with pytest.raises(AssertionError):
        app.get("/b", endpoint="same")(second)
    assert app.test_client().get("/b").status_code == 404


def test_a_blueprint():
    app = flask.Flask(__name__)
    bp = flask.Blueprint("bp", __name__, url_prefix="/bp")
    bp.add_url_rule("/a", "same", first)
    bp.add_url_rule("/b", "same", second)
    with pytest.raises(AssertionError) as caught:
        app.register_blueprint(bp)
    assert str(caught.value) == f"{CONFLICT}bp.same"
    assert app.test_client().get("/bp/a").text == "first"
    assert app.test_client().get("/bp/b").status_code == 404


def test_a_rule_that_cannot_be_added():
    app = flask.Flask(__name__)
    before = state(app)
    with pytest.raises(LookupError):
        app.add_url_rule("/<nonsense:x>", "new", first)
    assert state(app) == before


@pytest.mark.parametrize("view", [first, None])
def test_more_rules_of_an_endpoint(view):
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "same", first)
    app.add_url_rule("/b", "same", view)
    assert app.test_client().get("/b").text == "first"


paths = st.sampled_from(["/", "/a", "/b", "/a/<int:n>", "/a/<n>", "/<path:p>"])
views = st.sampled_from([first, second, None])
methods = st.sampled_from([None, ["GET"], ["POST"], ["OPTIONS", "PUT"]])


@settings(deadline=None)
@given(st.lists(st.tuples(paths, st.sampled_from("xyz"), views, methods), max_size=12))
def test_every_rule_is_added_with_its_view_or_not_at_all(calls):
    app = flask.Flask(__name__, static_folder=None)
    for path, endpoint, view, allowed in calls:
        before = state(app)
        taken = app.view_functions.get(endpoint)
        if view is not None and taken not in (None, view):
            with pytest.raises(AssertionError, match=CONFLICT):
                app.add_url_rule(path, endpoint, view, methods=allowed)
            assert state(app) == before
        else:
            app.add_url_rule(path, endpoint, view, methods=allowed)
            assert len(state(app)[0]) == len(before[0]) + 1
            assert app.view_functions.get(endpoint) is (view or taken)
