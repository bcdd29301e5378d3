"""A function that runs after the request and returns no response is named."""

from __future__ import annotations

import functools
import gc
import warnings

import flask
import pytest
import werkzeug.wrappers


def careless(response):
    """Forgets to return the response."""


async def careless_async(response):
    """The same, awaited."""


class Careless:
    def __call__(self, response):
        return None

    def method(self, response):
        return None

    @classmethod
    def of_class(cls, response):
        return None

    @staticmethod
    def static(response):
        return None


def decorated(f):
    @functools.wraps(f)
    def wrapper(response):
        f(response)

    return wrapper


@decorated
def wrapped(response):
    return response


def nested():
    def inner(response):
        return None

    return inner


FUNCTIONS = {
    "careless": careless,
    "careless_async": careless_async,
    "Careless": Careless(),
    "Careless.method": Careless().method,
    "Careless.of_class": Careless.of_class,
    "Careless.static": Careless.static,
    "wrapped": wrapped,
    "nested.<locals>.inner": nested(),
    "<lambda>": lambda response: None,
}


def on_app(app, outer, inner, f):
    app.after_request(f)


def on_inner(app, outer, inner, f):
    inner.after_request(f)


def on_outer(app, outer, inner, f):
    outer.after_request(f)


def on_app_by_blueprint(app, outer, inner, f):
    inner.after_app_request(f)


def on_request(app, outer, inner, f):
    app.before_request(lambda: flask.after_this_request(f) and None)


PLACES = [on_app, on_inner, on_outer, on_app_by_blueprint, on_request]


def make_app(place, *functions):
    app = flask.Flask(__name__)
    outer = flask.Blueprint("outer", __name__)
    inner = flask.Blueprint("inner", __name__)
    inner.add_url_rule("/", "index", lambda: "body")
    for f in functions:
        place(app, outer, inner, f)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


def error_of(app):
    app.testing = True
    with pytest.raises(TypeError) as info:
        app.test_client().get("/")
    return str(info.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_function_is_named(place, name):
    if name == "careless_async":
        pytest.importorskip("asgiref")
    function = FUNCTIONS[name]
    for registered in (function, functools.partial(functools.partial(function))):
        text = error_of(make_app(place, registered))
        assert f"The function '{__name__}.{name}'" in text
        assert "returned None or ended without a return statement" in text


@pytest.mark.parametrize("name", ["careless", "<lambda>", "wrapped"])
def test_the_place_is_named(name):
    text = error_of(make_app(on_app, FUNCTIONS[name]))
    assert f"({__file__}, line " in text
    code = (getattr(FUNCTIONS[name], "__wrapped__", FUNCTIONS[name])).__code__
    assert f"line {code.co_firstlineno})" in text


def test_a_function_of_c_is_named():
    text = error_of(make_app(on_app, {}.get))
    assert "dict.get'" in text
    assert "line" not in text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text", "str"),
        ("", "str"),
        (b"bytes", "bytes"),
        ({"a": 1}, "dict"),
        ([], "list"),
        (("body", 200), "tuple"),
        (0, "int"),
        (False, "bool"),
        (iter(()), "tuple_iterator"),
    ],
)
def test_another_value_is_named(place, value, kind):
    def mistaken(response):
        return value

    text = error_of(make_app(place, mistaken))
    assert f"mistaken' ({__file__}" in text
    assert f"It returned an object of type '{kind}'." in text


def test_a_coroutine_that_nobody_awaits():
    @decorated_with_result
    async def f(response):
        return response

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = error_of(make_app(on_app, f))
        gc.collect()
    assert "<locals>.f'" in text
    assert "of type 'coroutine'" in text


def decorated_with_result(f):
    return functools.wraps(f)(lambda response: f(response))


def test_the_one_that_is_at_fault_is_named():
    """The next function would fail before the server does."""

    def fine(response):
        response.headers["X-Fine"] = "1"
        return response

    # The last one to be registered is called first.
    for functions in ([fine, careless, fine], [careless, fine], [fine, careless]):
        assert f"{__name__}.careless'" in error_of(make_app(on_app, *functions))


def test_it_is_a_500_and_logged(caplog):
    app = make_app(on_request, careless)
    response = app.test_client().get("/")
    assert response.status_code == 500
    assert f"{__name__}.careless'" in caplog.text
    assert "Exception on / [GET]" in caplog.messages


def test_the_handler_of_the_error_sees_it():
    app = make_app(on_request, careless)
    seen = []

    @app.errorhandler(500)
    def handle(e):
        seen.append(e.original_exception)
        return "handled", 500

    assert app.test_client().get("/").text == "handled"
    assert isinstance(seen[0], TypeError)


def test_the_session_is_not_what_fails():
    app = make_app(on_app, careless)
    app.secret_key = "k"
    app.before_request(lambda: flask.session.update(a=1))
    assert f"{__name__}.careless'" in error_of(app)


def plain_wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"replaced"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value",
    [
        plain_wsgi,
        flask.Response("replaced"),
        werkzeug.wrappers.Response("replaced"),
    ],
    ids=["callable", "Flask's", "Werkzeug's"],
)
def test_what_can_be_sent_is_sent(place, value):
    app = make_app(place, lambda response: value)
    assert app.test_client().get("/").text == "replaced"


def test_a_function_that_replaces_what_another_returned():
    app = make_app(on_app, flask.make_response, lambda response: ("text", 201))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (201, "text")


@pytest.mark.parametrize("key", [None, "key"])
def test_a_class_that_replaces_what_a_function_returned(key):
    class App(flask.Flask):
        def process_response(self, response):
            return super().process_response(response) or response

    app = App(__name__)
    app.secret_key = key
    app.add_url_rule("/", "index", lambda: "body")
    app.after_request(careless)
    assert app.test_client().get("/").text == "body"


def test_a_function_that_was_not_at_fault():
    """One replaced what the other one returned, and fails for another reason."""
    app = make_app(on_app, flask.make_response, lambda response: "text")
    app.testing = True
    app.after_request_funcs[None].insert(0, lambda response: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")


def test_the_next_error_is_the_cause():
    app = make_app(on_app, lambda response: response.headers, careless)
    app.testing = True
    with pytest.raises(TypeError, match="careless") as info:
        app.test_client().get("/")
    assert isinstance(info.value.__cause__, AttributeError)
