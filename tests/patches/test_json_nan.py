"""With a flag, floats that JSON does not have are written as null or refused."""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
import enum
import io
import json
import math
import uuid

import flask
import pytest
from flask.json.provider import DefaultJSONProvider
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict

NAN, INFINITY = float("nan"), float("inf")


class FloatOfItsOwn(float):
    """As numpy's: what it prints is its own."""

    def __repr__(self):
        return f"np.float64({float(self)})"

    __str__ = __repr__


class Number(float, enum.Enum):
    ENDLESS = INFINITY


@dataclasses.dataclass
class Mean:
    of: list
    value: float


FLOATS = [NAN, INFINITY, -INFINITY, FloatOfItsOwn("nan"), Number.ENDLESS]
SHAPES = [
    lambda x: x,
    lambda x: [x],
    lambda x: {"a": x, "b": [{"c": (1, x)}]},
    lambda x: {"a": x, 1: 2},
    lambda x: Mean([], x),
    lambda x: {"NaN": 'the text "NaN" \\', "Infinity": ["-Infinity", "\\", x]},
]


def make_app(mode=None, **config):
    app = flask.Flask(__name__)
    app.config.update(JSON_NAN=mode, SECRET_KEY="k", **config)
    app.testing = True
    return app


def dumps(mode, obj, **kwargs):
    app = make_app(mode)
    return app.json.dumps(obj, **kwargs)


def by_provider(app, obj):
    return app.json.dumps(obj)


def by_provider_into_a_file(app, obj):
    file = io.StringIO()
    app.json.dump(obj, file)
    return file.getvalue()


def by_module(app, obj):
    with app.app_context():
        return flask.json.dumps(obj)


def by_jsonify(app, obj):
    with app.test_request_context():
        return flask.jsonify(obj).get_data(as_text=True)


def by_view(app, obj):
    app.add_url_rule("/view", view_func=lambda: [obj], endpoint="view")
    return app.test_client().get("/view").text


def by_template(app, obj):
    with app.test_request_context():
        return flask.render_template_string("{{ x|tojson }}", x=obj)


def by_template_indented(app, obj):
    with app.test_request_context():
        return flask.render_template_string("{{ x|tojson(indent=1) }}", x=obj)


def by_debug(app, obj):
    app.debug = True
    return by_jsonify(app, obj)


def by_client(app, obj):
    with app.test_request_context(json=obj):
        return flask.request.get_data(as_text=True)


WAYS = [
    by_provider,
    by_provider_into_a_file,
    by_module,
    by_jsonify,
    by_view,
    by_template,
    by_template_indented,
    by_debug,
    by_client,
]


def strict(text):
    """Parse JSON as browsers do."""

    def refuse(constant):
        raise AssertionError(f"{constant} in {text}")

    return json.loads(text, parse_constant=refuse)


def without(obj):
    """What should be read where ``obj`` was written with null."""
    return strict(dumps(None, obj))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", FLOATS)
def test_null(way, shape, value):
    found = strict(way(make_app("null"), shape(value)))
    expected = without(shape(None))
    assert found == ([expected] if way is by_view else expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", FLOATS)
def test_error(way, shape, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        way(make_app("error"), shape(value))


@pytest.mark.parametrize("config", [{}, {"JSON_NAN": None}, {"JSON_NAN": False}])
@pytest.mark.parametrize("way", WAYS)
def test_the_default(way, config):
    assert flask.Flask.default_config["JSON_NAN"] is None
    app = flask.Flask(__name__)
    app.config.update(config)
    found = json.loads(way(app, [NAN, INFINITY, -INFINITY]))
    found = found[0] if way is by_view else found
    assert math.isnan(found[0])
    assert found[1:] == [INFINITY, -INFINITY]
    assert math.isnan(app.json.loads("NaN"))


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "JSON_NAN"
        )

    app = App(__name__)
    assert app.json.dumps(NAN) == "NaN"


@pytest.mark.parametrize("mode", ["nul", "", "NULL", "raise", True, 0, 1, [], {}])
@pytest.mark.parametrize("way", WAYS)
def test_another_value_is_refused(way, mode):
    app = make_app(mode)
    with pytest.raises(ValueError, match="'JSON_NAN' must be None, 'null' or 'error'"):
        way(app, [1])
    with pytest.raises(ValueError, match="'JSON_NAN'"):
        app.json.loads("[1]")


def test_from_the_environment(monkeypatch):
    monkeypatch.setenv("FLASK_JSON_NAN", '"null"')
    app = flask.Flask(__name__)
    app.config.from_prefixed_env()
    assert app.json.dumps(NAN) == "null"
    monkeypatch.setenv("FLASK_JSON_NAN", "error")
    app.config.from_prefixed_env()
    with pytest.raises(ValueError, match="JSON compliant"):
        app.json.dumps(NAN)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_key_is_a_string(indent):
    obj = {NAN: 1, INFINITY: NAN, -INFINITY: {FloatOfItsOwn("nan"): []}}
    text = dumps("null", obj, sort_keys=False, indent=indent)
    assert strict(text) == {"NaN": 1, "Infinity": None, "-Infinity": {"NaN": []}}
    for key in obj:
        with pytest.raises(ValueError, match="JSON compliant"):
            dumps("error", {key: 1}, indent=indent)


@pytest.mark.parametrize("mode", ["null", "error"])
@pytest.mark.parametrize("kwargs", [{}, {"indent": 2}, {"ensure_ascii": False}])
def test_all_else_is_the_same_to_the_byte(mode, kwargs):
    obj = {
        "text": ["NaN", 'a "NaN"', "\\", '\\"', "Infinity", "é\u2028<", ""],
        "numbers": [0, -0.0, 1e308, 5e-324, 10**30, True, None],
        "others": [uuid.UUID(int=1), decimal.Decimal("NaN"), Mean([1], 0.5)],
        "-Infinity": {"NaN": {}},
    }
    assert dumps(mode, obj, **kwargs) == dumps(None, obj, **kwargs)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.booleans())
def test_any_value(obj, escape):
    def finite(x):
        if isinstance(x, list):
            return [finite(y) for y in x]
        if isinstance(x, dict):
            return {key: finite(y) for key, y in x.items()}
        return None if isinstance(x, float) and not math.isfinite(x) else x

    text = dumps("null", obj, ensure_ascii=escape)
    assert text == dumps(None, finite(obj), ensure_ascii=escape)
    if finite(obj) == obj:
        assert dumps("error", obj, ensure_ascii=escape) == text
    else:
        with pytest.raises(ValueError, match="JSON compliant"):
            dumps("error", obj, ensure_ascii=escape)


@pytest.mark.parametrize("mode", ["null", "error"])
def test_an_object_that_is_converted_to_a_float(mode):
    class Float32:
        def __float__(self):
            return NAN

    app = make_app(mode)
    app.json.default = float
    expected = contextlib.nullcontext()
    if mode == "error":
        expected = pytest.raises(ValueError, match="JSON compliant")
    with expected:
        assert app.json.dumps([Float32()]) == "[null]"


def test_an_iterator_is_converted_once():
    app = make_app("null")
    app.json.default = list
    assert app.json.dumps({"a": iter([NAN, 1])}) == '{"a": [null, 1]}'


@pytest.mark.parametrize("mode", ["null", "error"])
def test_what_a_call_asks_for_takes_precedence(mode):
    app = make_app(mode)
    assert app.json.dumps(NAN, allow_nan=True) == "NaN"
    with pytest.raises(ValueError, match="JSON compliant"):
        app.json.dumps(NAN, allow_nan=False)
    assert app.json.loads("NaN", parse_constant=str.lower) == "nan"


class Provider(DefaultJSONProvider):
    def dumps(self, obj, **kwargs):
        return f" {super().dumps(obj, **kwargs)}"


def test_a_provider_of_its_own():
    class App(flask.Flask):
        json_provider_class = Provider

    app = App(__name__)
    app.config["JSON_NAN"] = "null"
    assert by_jsonify(app, [NAN]) == " [null]\n"


def test_a_provider_that_is_replaced_decides_by_itself():
    class Other(flask.json.provider.JSONProvider):
        def dumps(self, obj):
            return "other"

    app = make_app("error")
    app.json = Other(app)
    assert app.json.dumps(NAN) == "other"


def test_a_provider_without_its_app():
    class Nothing:
        pass

    nothing = Nothing()
    for provider in (flask.Flask(__name__).json, DefaultJSONProvider(nothing)):
        assert provider.dumps([NAN]) == "[NaN]"
        assert math.isnan(provider.loads("NaN"))


def test_without_an_app():
    assert flask.json.dumps(NAN) == "NaN"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_read(text):
    body = f'{{"a": [{text}, 1, "{text}"]}}'
    null, error = make_app("null"), make_app("error")
    for data in (body, body.encode()):
        assert null.json.loads(data) == {"a": [None, 1, text]}
        with pytest.raises(ValueError, match=f"^{text} is not valid JSON"):
            error.json.loads(data)


@pytest.mark.parametrize("text", ["1e999", "-1E+400", "9" * 400 + ".0"])
def test_a_number_that_is_read_as_infinite(text):
    body = f'[{text}, 1.5, -0.0, 1e308, 1e-999, "{text}"]'
    others = [1.5, -0.0, 1e308, 0.0, text]
    null, error = make_app("null"), make_app("error")
    assert null.json.loads(body) == [None, *others]
    with pytest.raises(ValueError, match="is too large"):
        error.json.loads(body)
    assert math.isinf(make_app().json.loads(body)[0])
    assert error.json.loads(text, parse_float=str) == text


def test_a_request_that_is_no_json_is_a_400():
    app = make_app("error")
    app.add_url_rule("/", view_func=lambda: flask.request.get_json(), methods=["POST"])
    app.testing = False
    post = app.test_client().post
    headers = {"Content-Type": "application/json"}
    assert post("/", data='{"a": NaN}', headers=headers).status_code == 400
    assert post("/", data='{"a": 1e999}', headers=headers).status_code == 400
    assert post("/", data='{"a": "NaN"}', headers=headers).json == {"a": "NaN"}


@pytest.mark.parametrize("mode", [None, "null", "error"])
def test_the_session_loses_nothing(mode):
    app = make_app(mode)

    @app.get("/write")
    def write():
        flask.session["x"] = [INFINITY, -INFINITY, {"y": NAN}, None]
        return ""

    @app.get("/read")
    def read():
        return repr(flask.session["x"])

    client = app.test_client()
    assert client.get("/write").status_code == 200
    assert client.get("/read").text == "[inf, -inf, {'y': nan}, None]"


def test_the_session_asks_a_provider_for_nothing_new():
    class Other(flask.json.provider.JSONProvider):
        def dumps(self, obj, *, separators):
            return json.dumps(obj)

        def loads(self, s):
            return json.loads(s)

    app = make_app()
    app.json = Other(app)
    app.add_url_rule("/", view_func=lambda: flask.session.update(a=NAN) or "")
    assert "session=" in app.test_client().get("/").headers["Set-Cookie"]
