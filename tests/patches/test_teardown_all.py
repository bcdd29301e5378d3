"""Every step of a teardown is taken, no matter what earlier steps raise."""

from __future__ import annotations

import builtins

import flask
import pytest
from flask import appcontext_popped
from flask import appcontext_tearing_down
from flask import request_tearing_down

STEPS = [
    "blueprint",
    "request 2",
    "request 1",
    "request signal",
    "close",
    "app 2",
    "app 1",
    "app signal",
    "popped",
]


# There are no groups before Python 3.11.
GROUP = getattr(builtins, "BaseExceptionGroup", ())


class Error(Exception):
    pass


class Exit(BaseException):
    pass


@pytest.fixture
def failing():
    """The steps that fail, by the exception that they raise."""
    return {}


@pytest.fixture
def done():
    """The steps that were taken, with the arguments that they were passed."""
    return []


@pytest.fixture
def app(failing, done):
    def step(name, exc=None):
        done.append((name, exc))
        if name in failing:
            raise failing[name](name)

    class Request(flask.Request):
        def close(self):
            super().close()
            step("close")

    app = flask.Flask(__name__)
    app.request_class = Request
    bp = flask.Blueprint("bp", __name__)

    for number in (1, 2):
        app.teardown_request(lambda e, n=number: step(f"request {n}", e))
        app.teardown_appcontext(lambda e, n=number: step(f"app {n}", e))
    bp.teardown_request(lambda e: step("blueprint", e))

    @bp.get("/")
    def index():
        return "text"

    @bp.get("/error")
    def error():
        raise Error("view")

    @bp.get("/stream")
    def stream():
        return flask.stream_with_context(iter(["text"]))

    app.register_blueprint(bp)
    # Blinker keeps no strong reference.
    app.receivers = [
        lambda sender, exc: step("request signal", exc),
        lambda sender, exc: step("app signal", exc),
        lambda sender: step("popped"),
    ]
    for signal, receiver in zip(
        (request_tearing_down, appcontext_tearing_down, appcontext_popped),
        app.receivers,
    ):
        signal.connect(receiver, app)
    return app


def request(app, path="/"):
    """Call the application as a server does, and read the whole body."""
    environ = app.test_request_context(path).request.environ
    body = app(environ, lambda *args: None)
    try:
        return b"".join(body)
    finally:
        body.close()


def names(done):
    return [name for name, _ in done]


def flat(error):
    """The error, or the errors of the group, in order."""
    if not isinstance(error, GROUP):
        return [error]
    return [inner for e in error.exceptions for inner in flat(e)]


def several(first):
    """Expect a group, or, before Python 3.11, the first of several errors."""
    match = "Errors during teardown" if GROUP else f"^{first}"
    return pytest.raises(GROUP or Error, match=match)


@pytest.fixture(autouse=True)
def contexts_are_popped():
    yield
    assert not flask.has_request_context()
    assert not flask.has_app_context()


def test_without_errors(app, done):
    assert request(app) == b"text"
    assert names(done) == STEPS


@pytest.mark.parametrize("kind", [Error, Exit, KeyboardInterrupt])
@pytest.mark.parametrize("step", STEPS)
def test_one_error_is_raised_as_it_is(app, failing, done, step, kind):
    failing[step] = kind
    with pytest.raises(kind, match=f"^{step}$") as caught:
        request(app)
    assert type(caught.value) is kind
    assert names(done) == STEPS
    assert getattr(caught.value, "__notes__", []) == []
    assert caught.value.__context__ is None


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_several_errors(app, failing, done, path):
    # With a stream, the context is popped before the stream begins.
    expected = STEPS if path == "/" else STEPS[:-1]
    failing.update(dict.fromkeys(expected, Error))
    with several("blueprint") as caught:
        request(app, path)

    assert sorted(names(done)) == sorted(STEPS)
    if GROUP:
        assert isinstance(caught.value, Exception)
        assert [str(e) for e in flat(caught.value)] == expected
        assert all(e.__traceback__ for e in flat(caught.value))
    else:
        assert str(caught.value) == expected[0]
        text = "".join(caught.value.__notes__)
        places = [text.index(f": {name}\n") for name in expected[1:]]
        assert places == sorted(places)
        assert "Traceback" in text


@pytest.mark.parametrize("kind", [Exit, KeyboardInterrupt])
@pytest.mark.parametrize("step", STEPS)
def test_an_exit_is_not_hidden_in_a_group(app, failing, done, step, kind):
    failing.update(dict.fromkeys(STEPS, Error), **{step: kind})
    with pytest.raises(kind) as caught:
        request(app)
    assert str(caught.value) == step
    assert sorted(names(done)) == sorted(STEPS)
    text = "".join(caught.value.__notes__)
    assert all(f": {name}" in text for name in STEPS if name != step)


def test_what_the_view_raised_is_passed_to_all(app, failing, done):
    failing.update({"request 2": Error, "app 2": Error})
    app.testing = True
    with several("request 2") as caught:
        request(app, "/error")
    assert names(done) == STEPS
    passed = [exc for name, exc in done if name not in ("close", "popped")]
    assert {str(exc) for exc in passed} == {"view"}
    # As always: raised while the view's own error is propagating.
    assert passed[0] in (caught.value.__context__, caught.value.__cause__)


@pytest.mark.parametrize("step", ["request 2", "close", "app 2"])
def test_requests_after_an_error(app, failing, done, step):
    failing[step] = Error
    with pytest.raises(Error):
        request(app)
    failing.clear()
    done.clear()
    assert request(app) == b"text"
    assert names(done) == STEPS


def test_an_app_context_alone(app, failing, done):
    failing.update({"app 2": Error, "app signal": Error})
    with several("app 2"):
        with app.app_context():
            pass
    assert names(done) == STEPS[-4:]


def test_contexts_of_a_test(app, failing, done):
    failing["request 1"] = Error
    with pytest.raises(Error, match="request 1"):
        with app.test_request_context("/"):
            pass
    assert names(done) == STEPS


def test_a_context_that_is_not_the_current_one(app, done):
    outer = app.test_request_context("/")
    inner = app.test_request_context("/error")
    outer.push()
    inner.push()
    with pytest.raises(AssertionError, match="Popped wrong request context"):
        outer.pop()
    assert names(done)[-4:] == STEPS[-4:]
