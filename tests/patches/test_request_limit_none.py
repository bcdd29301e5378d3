"""Setting a limit to None on a request means no limit for this request."""

from __future__ import annotations

import flask
import pytest

LIMITS = ["max_content_length", "max_form_memory_size", "max_form_parts"]
BIG = b"x" * 1000
FORM = {"one": "x" * 100, "two": "x" * 100}

every_limit = pytest.mark.parametrize("name", LIMITS)
unset = object()


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.config.update({name.upper(): 1 for name in LIMITS})
    return app


def post(app, limits, **kwargs):
    """The status of a request for which the view sets ``limits``."""

    @app.post("/")
    def view():
        for name, value in limits.items():
            if value is not unset:
                setattr(flask.request, name, value)
        return {"data": len(flask.request.get_data()), **flask.request.form}

    return app.test_client().post("/", **kwargs)


def lift_others(app, name):
    app.config.update({other.upper(): None for other in LIMITS if other != name})


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream"])
def test_none_lifts_the_content_length(app, content_type):
    limits = {"max_content_length": None}
    response = post(app, limits, data=BIG, content_type=content_type)
    assert response.json == {"data": 1000}


@every_limit
def test_none_lifts_each_limit_of_a_form(app, name):
    lift_others(app, name)
    response = post(app, {name: None}, data=FORM, content_type="multipart/form-data")
    assert response.status_code == 200
    assert response.json.keys() >= {"one", "two"}


@every_limit
@pytest.mark.parametrize("value", [unset, 0, 1])
def test_unset_and_numbers_limit_a_form(app, name, value):
    lift_others(app, name)
    response = post(app, {name: value}, data=FORM, content_type="multipart/form-data")
    assert response.status_code == 413


@pytest.mark.parametrize("value", [unset, 0, 999])
def test_unset_and_numbers_limit_the_content_length(app, value):
    response = post(app, {"max_content_length": value}, data=BIG)
    assert response.status_code == 413


def test_a_higher_limit_is_a_limit(app):
    assert post(app, {"max_content_length": 1000}, data=BIG).status_code == 200


@every_limit
@pytest.mark.parametrize("value", [None, 0, 7])
def test_what_is_set_counts_inside_and_outside_of_an_app(app, name, value):
    request = flask.Request({})
    setattr(request, name, value)
    assert getattr(request, name) == value
    with app.app_context():
        assert getattr(request, name) == value


def test_unset_is_the_config_in_an_app_and_werkzeugs_default_outside(app):
    request = flask.Request({})
    assert [getattr(request, name) for name in LIMITS] == [None, 500_000, 1_000]
    with app.app_context():
        assert [getattr(request, name) for name in LIMITS] == [1, 1, 1]
        app.config.update({name.upper(): None for name in LIMITS})
        assert [getattr(request, name) for name in LIMITS] == [None, None, None]


@every_limit
def test_deleting_goes_back_to_the_config(app, name):
    request = flask.Request({})
    with app.app_context():
        setattr(request, name, None)
        delattr(request, name)
        assert getattr(request, name) == 1
        delattr(request, name)
        assert getattr(request, name) == 1


@every_limit
def test_another_request_has_the_config(app, name):
    with app.test_request_context():
        setattr(flask.request, name, None)
    with app.test_request_context():
        assert getattr(flask.request, name) == 1


@every_limit
def test_a_request_class_can_set_its_own(app, name):
    app.request_class = type("Request", (flask.Request,), {name: 7})
    with app.test_request_context():
        assert getattr(flask.request, name) == 7
