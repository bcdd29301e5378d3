"""An explicit ``provide_automatic_options=True`` adds OPTIONS and answers it."""

from __future__ import annotations

import flask
import pytest
from flask.views import MethodView
from flask.views import View
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

every_config = pytest.mark.parametrize("config", [True, False])


def view():
    return "view"


def options_of(where, config, view_func=view, **kwargs):
    """The answer to OPTIONS for a rule that is added to an app or a blueprint."""
    app = flask.Flask(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = config
    scaffold = app if where == "app" else flask.Blueprint("bp", __name__)
    scaffold.add_url_rule("/", "index", view_func, **kwargs)
    if scaffold is not app:
        app.register_blueprint(scaffold)
    return app.test_client().options("/")


def assert_automatic(response, *methods):
    assert response.status_code == 200
    assert response.data == b""
    assert response.allow == {"OPTIONS", *methods}


@every_config
@pytest.mark.parametrize("where", ["app", "blueprint"])
def test_an_explicit_true_answers_whatever_the_config(where, config):
    response = options_of(where, config, provide_automatic_options=True)
    assert_automatic(response, "GET", "HEAD")


@every_config
def test_the_decorator_takes_it(config):
    app = flask.Flask(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = config
    app.post("/", provide_automatic_options=True)(view)
    assert_automatic(app.test_client().options("/"), "POST")


@every_config
@pytest.mark.parametrize("where", ["app", "blueprint"])
def test_it_is_added_to_the_given_methods(where, config):
    response = options_of(
        where, config, methods=["POST", "PUT"], provide_automatic_options=True
    )
    assert_automatic(response, "POST", "PUT")


@every_config
def test_an_attribute_of_true_answers_whatever_the_config(config):
    def with_attribute():
        return "view"

    with_attribute.provide_automatic_options = True
    assert_automatic(options_of("app", config, with_attribute), "GET", "HEAD")


@every_config
@pytest.mark.parametrize("base", [View, MethodView])
def test_an_attribute_of_a_view_class_answers_whatever_the_config(config, base):
    class Index(base):
        provide_automatic_options = True

        def get(self):
            return "view"

        dispatch_request = base.dispatch_request if base is MethodView else get

    response = options_of("blueprint", config, Index.as_view("index"))
    assert response.status_code == 200
    assert "OPTIONS" in response.allow


@every_config
@pytest.mark.parametrize("attribute", [False, None, True])
def test_the_argument_counts_before_the_attribute(config, attribute):
    def with_attribute():
        return "view"

    with_attribute.provide_automatic_options = attribute
    response = options_of("app", config, with_attribute, provide_automatic_options=True)
    assert_automatic(response, "GET", "HEAD")
    response = options_of(
        "app", config, with_attribute, provide_automatic_options=False
    )
    assert response.status_code == 405
    assert response.allow == {"GET", "HEAD"}


@every_config
def test_an_attribute_of_false_turns_it_off(config):
    class Index(View):
        provide_automatic_options = False

        def dispatch_request(self):
            return "view"

    assert options_of("app", config, Index.as_view("index")).status_code == 405


@pytest.mark.parametrize(("config", "code"), [(True, 200), (False, 405)])
@pytest.mark.parametrize("where", ["app", "blueprint"])
def test_without_argument_and_attribute_the_config_counts(where, config, code):
    assert options_of(where, config).status_code == code
    response = options_of(where, config, provide_automatic_options=None)
    assert response.status_code == code


@every_config
@pytest.mark.parametrize("explicit", [None, False])
def test_a_view_that_handles_options_is_called(config, explicit):
    response = options_of(
        "app", config, methods=["OPTIONS"], provide_automatic_options=explicit
    )
    assert response.data == b"view"


@every_config
def test_an_explicit_true_answers_for_a_view_that_handles_options(config):
    response = options_of(
        "app", config, methods=["OPTIONS"], provide_automatic_options=True
    )
    assert_automatic(response)


@every_config
def test_the_options_of_a_method_view_is_called(config):
    class Index(MethodView):
        def options(self):
            return "view"

    assert options_of("app", config, Index.as_view("index")).data == b"view"


@every_config
def test_required_options_without_an_explicit_true_follow_the_config(config):
    def required():
        return "view"

    required.required_methods = ["OPTIONS"]
    response = options_of("app", config, required)
    assert response.data == (b"" if config else b"view")


explicit = st.sampled_from([None, True, False])


@settings(deadline=None, max_examples=300)
@given(
    where=st.sampled_from(["app", "blueprint"]),
    config=st.booleans(),
    argument=explicit,
    attribute=explicit,
    allowed=st.sets(st.sampled_from(["GET", "POST", "OPTIONS"]), min_size=1),
    required=st.sets(st.sampled_from(["PUT", "OPTIONS"])),
)
def test_every_combination(where, config, argument, attribute, allowed, required):
    """Compared with a literal implementation of the documentation."""

    def own():
        return "own"

    own.provide_automatic_options = attribute
    own.required_methods = required
    found = options_of(
        where, config, own, methods=allowed, provide_automatic_options=argument
    )
    automatic = next((v for v in (argument, attribute) if v is not None), None)
    if automatic is None:
        automatic = config and "OPTIONS" not in allowed
    methods = allowed | required | ({"HEAD"} if "GET" in allowed else set())
    if automatic:
        assert_automatic(found, *methods)
    elif "OPTIONS" in methods:
        assert found.text == "own"
    else:
        assert found.status_code == 405
