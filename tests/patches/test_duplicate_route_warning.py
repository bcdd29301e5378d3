"""With a flag, adding a route that another endpoint already has gives a warning."""

from __future__ import annotations

import warnings

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict
from werkzeug.routing import RuleFactory


def first(**values):
    return "first"


def second(**values):
    return "second"


def make_app(*, enabled=True, **kwargs):
    app = flask.Flask(__name__, **kwargs)
    app.config["WARN_DUPLICATE_ROUTES"] = enabled
    return app


def warned(app, *rules):
    """The warnings when ``rules`` are added, each with its own endpoint."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number, (rule, options) in enumerate(rules):
            app.add_url_rule(rule, f"e{number}", [first, second][number % 2], **options)
    return [str(warning.message) for warning in caught]


def test_the_default():
    assert flask.Flask.default_config["WARN_DUPLICATE_ROUTES"] is False
    assert warned(make_app(enabled=False), ("/a", {}), ("/a", {})) == []


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "WARN_DUPLICATE_ROUTES"
        )

    assert warned(App(__name__), ("/a", {}), ("/a", {})) == []


def test_what_it_says():
    [text] = warned(make_app(), ("/a", {}), ("/a", {"methods": ["GET", "POST"]}))
    assert text == (
        "The route '/a' of the endpoint 'e1' is never reached by GET, HEAD:"
        " the endpoint 'e0' has it already."
    )


def test_the_line_of_the_decorator():
    app = make_app()
    app.get("/a")(first)
    with pytest.warns(UserWarning, match="'second'") as caught:
        app.get("/a")(second)
    assert caught[0].filename == __file__
    bp = flask.Blueprint("bp", __name__)
    bp.get("/a")(second)
    with pytest.warns(UserWarning, match="'bp.second'") as caught:
        app.register_blueprint(bp)
    assert caught[0].filename == __file__


def test_as_an_error_the_route_is_not_added():
    app = make_app()
    app.get("/a")(first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="never reached"):
            app.get("/a")(second)
    assert "second" not in app.view_functions
    assert len([rule for rule in app.url_map.iter_rules() if rule.rule == "/a"]) == 1


def test_rules_from_before_it_was_enabled():
    app = make_app(enabled=False)
    app.get("/a")(first)
    app.config["WARN_DUPLICATE_ROUTES"] = True
    assert len(warned(app, ("/a", {}))) == 1
    assert len(warned(app, ("/static/<path:name>", {}))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/<a>", "/<b>"),
        ("/<a>", "/<string:a>"),
        ("/<int:a>/x", "/<int:b>/x"),
        ("/<int(min=1):a>", "/<int(min=1):b>"),
        ("/<any(x, y):a>", "/<any(x, y):b>"),
    ],
)
def test_names_of_variables_make_no_difference(one, other):
    assert len(warned(make_app(), (one, {}), (other, {}))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("/a", {}), ("/b", {})),
        (("/a", {}), ("/a/", {})),
        (("/a", {"methods": ["GET"]}), ("/a", {"methods": ["POST"]})),
        (("/<a>", {}), ("/<int:a>", {})),
        (("/<int(min=1):a>", {}), ("/<int(min=2):a>", {})),
        (("/a", {}), ("/a", {"build_only": True})),
        (("/a", {}), ("/a", {"websocket": True})),
        (("/a", {"subdomain": "x"}), ("/a", {"subdomain": "y"})),
        (("/a", {}), ("/a", {"subdomain": "y"})),
        (("/a", {"methods": ["POST"]}), ("/a", {"methods": ["OPTIONS"]})),
        # The second is also reached at /a/.
        (("/a", {}), ("/a", {"strict_slashes": False})),
        (("/<any('x>y'):a>", {}), ("/<any('z>y'):a>", {})),
    ],
)
def test_rules_that_are_not_the_same(one, other):
    assert warned(make_app(subdomain_matching=True), one, other) == []


def test_variables_of_the_subdomain():
    rules = [("/a", {"subdomain": "<x>"}), ("/a", {"subdomain": "<y>"})]
    assert len(warned(make_app(subdomain_matching=True), *rules)) == 1


def test_a_rule_factory_in_place_of_the_rule():
    class Twice(RuleFactory):
        def __init__(self, rule, methods, endpoint):
            self.rules = [
                flask.Flask.url_rule_class(f"{rule}{n}", endpoint=endpoint)
                for n in "12"
            ]

        def get_rules(self, url_map):
            return self.rules

    app = make_app()
    app.url_rule_class = Twice
    app.add_url_rule("/a", "twice", first)
    app.url_map.bind("localhost").match("/a2")


def test_the_same_endpoint():
    app = make_app()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.add_url_rule("/a", "same", first)
        app.add_url_rule("/a", "same", first)
        app.add_url_rule("/a", "same")


def test_hosts():
    app = make_app(host_matching=True, static_host="static.example")
    rules = [("/a", {"host": "one.example"}), ("/a", {"host": "two.example"})]
    assert warned(app, *rules) == []
    with pytest.warns(UserWarning, match="'again'"):
        app.add_url_rule("/a", "again", first, host="two.example")


segments = st.sampled_from(["a", "b", "<x>", "<y>", "<int:x>", "<int:y>"])
# No name occurs twice in a rule.
rules = st.lists(
    segments,
    min_size=1,
    max_size=2,
    unique_by=lambda segment: segment.strip("<int:>"),
).map(lambda parts: "/".join(["", *parts]))
methods = st.sampled_from([["GET"], ["POST"], ["GET", "POST"], ["PUT"]])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(rules, methods), max_size=6))
def test_what_is_warned_of_is_never_reached(added):
    """Compared with real matching: exactly the shadowed rules have a warning."""
    app = make_app(static_folder=None)
    texts = warned(app, *[(rule, {"methods": allowed}) for rule, allowed in added])
    warned_of = {text.split("'")[3] for text in texts}
    adapter = app.url_map.bind("localhost")
    for number, (rule, allowed) in enumerate(added):
        path = rule.replace("<int:x>", "1").replace("<int:y>", "1")
        path = path.replace("<x>", "z").replace("<y>", "z")
        reached = [adapter.match(path, method)[0] == f"e{number}" for method in allowed]
        assert all(reached) is (f"e{number}" not in warned_of)
