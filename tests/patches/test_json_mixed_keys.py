"""A dict whose keys cannot be compared is still serialised, in its own order."""

from __future__ import annotations

import dataclasses
import io
import json

import flask
import pytest

MIXED = {2: "two", "b": "x", 1: "one", "a": "y"}
TEXT = '{"2":"two","b":"x","1":"one","a":"y"}'


class Opaque:
    pass


class Word(str):
    __hash__ = str.__hash__

    def __lt__(self, other):
        raise TypeError("these are never compared")


@pytest.fixture
def app():
    return flask.Flask(__name__)


def compact(app, obj, **kwargs):
    return app.json.dumps(obj, separators=(",", ":"), **kwargs)


def test_a_view_can_return_it(app):
    @app.get("/dict")
    def mixed_dict():
        return MIXED

    @app.get("/list")
    def mixed_list():
        return [MIXED]

    @app.get("/jsonify")
    def mixed_jsonify():
        return flask.jsonify(MIXED)

    client = app.test_client()
    assert client.get("/dict").text == f"{TEXT}\n"
    assert client.get("/list").text == f"[{TEXT}]\n"
    assert client.get("/jsonify").text == f"{TEXT}\n"


@pytest.mark.parametrize("sort_keys", [True, False])
def test_a_template_can_use_it(app, sort_keys):
    app.json.sort_keys = sort_keys
    with app.app_context():
        rendered = flask.render_template_string("{{ value|tojson }}", value=MIXED)
    assert list(json.loads(rendered)) == ["2", "b", "1", "a"]


def test_dumps_and_dump_write_it(app):
    file = io.StringIO()
    with app.app_context():
        assert list(json.loads(flask.json.dumps(MIXED))) == ["2", "b", "1", "a"]
        flask.json.dump(MIXED, file, separators=(",", ":"))
    assert file.getvalue() == TEXT


def test_debug_mode_indents_it(app):
    app.debug = True
    with app.app_context():
        text = flask.jsonify(MIXED).get_data(as_text=True)
    assert text == json.dumps(MIXED, indent=2) + "\n"


@pytest.mark.parametrize(
    "keys",
    [
        ("a", None),
        ("a", True),
        ("a", 1.5),
        (None, 1),
        (None, False, 0.5, 7, "a"),
        (Word("b"), Word("a")),
    ],
)
def test_every_kind_of_key_may_be_mixed(app, keys):
    obj = dict.fromkeys(keys, 0)
    assert app.json.dumps(obj) == json.dumps(obj)


def test_only_the_dict_that_cannot_be_sorted_is_unsorted(app):
    obj = {
        "z": [{"b": 1, "a": [{"d": 1, "c": 2}]}],
        "m": {"y": {"b": 1, "a": 2}, 1: {"b": 1, "a": 2}, "x": 0},
        "a": ({10: 0, 9: 0}, {"b": 1, "a": 2}),
    }
    assert compact(app, obj) == (
        '{"a":[{"9":0,"10":0},{"a":2,"b":1}],'
        '"m":{"y":{"a":2,"b":1},"1":{"a":2,"b":1},"x":0},'
        '"z":[{"a":[{"c":2,"d":1}],"b":1}]}'
    )


def test_it_may_be_deep_in_lists(app):
    obj = MIXED
    for _ in range(100):
        obj = [{"b": 0, "a": (obj,)}]
    assert compact(app, obj) == '[{"a":[' * 100 + TEXT + '],"b":0}]' * 100


def test_it_may_be_in_a_converted_object(app):
    @dataclasses.dataclass
    class Table:
        rows: dict

    obj = [Table({"b": 1, "a": 2}), {"t": Table(MIXED)}]
    assert (
        compact(app, obj) == f'[{{"rows":{{"a":2,"b":1}}}},{{"t":{{"rows":{TEXT}}}}}]'
    )


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "obj",
    [
        {"b": [{"d": 1, "c": 2}], "a": {"f": None, "e": ({},)}},
        {10: "x", 9: {"b": 1, "a": 2}, True: 0, 1.5: 0},
        {None: {"b": 1, "a": 2}},
        [{"ü": "<&>", "u": "'"}, "text", 1, 1.5, None, True, float("inf")],
        "text",
        [],
    ],
)
def test_what_can_be_sorted_is_the_same_to_the_byte(app, obj, indent):
    expected = json.dumps(obj, sort_keys=True, indent=indent)
    assert app.json.dumps(obj, indent=indent) == expected


def test_the_order_stays_where_sorting_is_off(app):
    obj = {"b": MIXED, "a": {"d": 1, "c": 2}}
    expected = json.dumps(obj)
    assert app.json.dumps(obj, sort_keys=False) == expected
    app.json.sort_keys = False
    assert app.json.dumps(obj) == expected
    assert app.json.dumps(obj, sort_keys=True) == json.dumps(
        {"a": {"c": 2, "d": 1}, "b": MIXED}
    )


def test_other_arguments_still_apply(app):
    obj = {("t",): 0, "ü": 1, 1: float("nan")}
    text = app.json.dumps(obj, skipkeys=True, ensure_ascii=False)
    assert text == '{"ü": 1, "1": NaN}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        app.json.dumps(obj, skipkeys=True, allow_nan=False)


@pytest.mark.parametrize(
    "obj",
    [
        {("a",): 0},
        {("a",): 0, ("b",): 0},
        {("a",): 0, "b": 0},
        {"a": 0, 1: {("b",): 0}},
    ],
)
def test_a_key_that_json_does_not_have_is_refused_as_by_json(app, obj):
    message = "keys must be str, int, float, bool or None, not tuple"
    with pytest.raises(TypeError) as info:
        app.json.dumps(obj)
    assert str(info.value) == message


@pytest.mark.parametrize(
    "obj",
    [
        Opaque(),
        {"b": 0, "a": Opaque()},
        {"a": Opaque(), "b": MIXED},
        {"a": MIXED, "b": Opaque()},
        {"a": 0, 1: [Opaque()]},
    ],
)
def test_an_object_that_json_does_not_have_is_refused_after_one_try(app, obj):
    tries = []
    default = app.json.default

    def counting(o):
        tries.append(o)
        return default(o)

    app.json.default = counting
    with pytest.raises(TypeError) as info:
        app.json.dumps(obj)
    assert str(info.value) == "Object of type Opaque is not JSON serializable"
    assert len(tries) == 1


def test_each_object_is_converted_once(app):
    """Converting an iterator for a second time would give an empty list."""
    obj = {
        "a": iter([1, iter([2])]),
        "b": {"y": iter([{"d": 3, "c": iter([4])}]), 1: iter([5])},
        "c": iter([6]),
    }
    assert compact(app, obj, default=list) == (
        '{"a":[1,[2]],"b":{"y":[{"c":[4],"d":3}],"1":[5]},"c":[6]}'
    )


def test_an_error_of_the_users_default_is_not_hidden(app):
    def default(o):
        raise TypeError("'<' not supported by the user")

    with pytest.raises(TypeError, match="by the user"):
        app.json.dumps([Opaque(), MIXED], default=default)
    with pytest.raises(TypeError, match="by the user"):
        app.json.dumps([MIXED, Opaque()], default=default)


def test_an_unknown_argument_is_refused_by_name(app):
    with pytest.raises(TypeError, match="no_such_argument"):
        app.json.dumps(MIXED, no_such_argument=True)


@pytest.mark.parametrize("first", [[], [MIXED]])
@pytest.mark.parametrize("kind", ["list", "dict", "mixed"])
def test_a_circular_reference_is_found(app, first, kind):
    if kind == "list":
        loop = []
        loop.append(loop)
    else:
        loop = {"b": 0, 1: 0} if kind == "mixed" else {}
        loop["a"] = [loop]
    with pytest.raises(ValueError, match="Circular reference"):
        app.json.dumps([first, loop])


def test_the_users_objects_are_not_changed(app):
    inner = {"b": 1, "a": 2}
    obj = {"z": inner, 1: [inner]}
    app.json.dumps(obj)
    assert list(obj) == ["z", 1]
    assert list(inner) == ["b", "a"]
    assert obj["z"] is obj[1][0] is inner


def test_a_session_can_hold_it(app):
    app.secret_key = "secret"

    @app.get("/write")
    def write():
        flask.session["table"] = MIXED
        return ""

    @app.get("/read")
    def read():
        return flask.session["table"]

    client = app.test_client()
    client.get("/write")
    assert client.get("/read").json == {"2": "two", "b": "x", "1": "one", "a": "y"}
