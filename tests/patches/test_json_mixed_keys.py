"""A dict whose keys cannot be compared is still serialised, in its own order."""

from __future__ import annotations

import dataclasses
import enum
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


def test_what_replaces_the_json_module_is_used(app, monkeypatch):
    """Where Flask's own code looks it up, as it does without the patch."""

    class Other:
        @staticmethod
        def dumps(obj, **kwargs):
            return "other"

    monkeypatch.setattr(flask.json.provider, "json", Other)
    assert app.json.dumps({}) == "other"


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


class Token(str):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Number(enum.IntEnum):
    ONE = 1


TWICE = [
    {1: "one", "1": "uno"},
    {True: "yes", "true": "ja"},
    {False: "no", "false": "nein"},
    {None: "none", "null": "nothing"},
    {1.0: "one", "1.0": "uno"},
    {1.5: "a", "1.5": "b"},
    {float("inf"): "a", "Infinity": "b"},
    {float("nan"): "a", "NaN": "b"},
    {1e100: "a", "1e+100": "b"},
    {10**30: "a", "1" + "0" * 30: "b"},
    {Number.ONE: "a", "1": "b"},
    {Token("a"): 0, Token("a"): 1, 2: 3},
    {Word("a"): 0, Word("b"): 1, 1: 2, "1": 3},
    {None: 0, "a": 1, 2: 3, "2": 4},
]
WRAPPED = [
    lambda o: o,
    lambda o: [o],
    lambda o: {"a": {"b": (0, o)}},
    lambda o: {"a": o, 1: "mixed"},
    lambda o: {1: o, "a": "mixed"},
    lambda o: [MIXED, o],
]


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("obj", TWICE, ids=repr)
def test_no_name_is_written_twice(app, obj, wrap):
    with pytest.raises(TypeError, match=r"of a dict are both '.+' in JSON"):
        app.json.dumps(wrap(obj))
    with pytest.raises(TypeError, match="are both"):
        app.json.dumps([Opaque()], default=lambda o: wrap(obj))
    with app.test_request_context(), pytest.raises(TypeError, match="are both"):
        flask.jsonify(wrap(obj))


def test_names_that_look_alike_are_not_the_same(app):
    obj = {1: 0, "1.0": 0, 1.5: 0, "True": 0, None: 0, "none": 0, "": 0}
    assert len(json.loads(app.json.dumps(obj))) == len(obj)


IN_SESSION = [
    {7: "seven"},
    {None: "none"},
    {True: "yes"},
    {1.5: "x"},
    {Number.ONE: "one"},
    {"table": MIXED},
    {"cart": {1: "one", "1": "uno"}},
    {"list": [{"a": ({1: 0, "b": 1},)}]},
    {"dict": {"x": {"y": {None: 1, "z": 2}}}},
]


class Subclass(flask.json.provider.DefaultJSONProvider):
    def default(self, o):
        return super().default(o)

    def dumps(self, obj, **kwargs):
        return super().dumps(obj, **kwargs)


@pytest.mark.parametrize("values", IN_SESSION, ids=repr)
@pytest.mark.parametrize("provider", [None, Subclass])
def test_the_session_refuses_it_at_once(app, provider, values):
    """Keys would come back as other ones: JSON has only names that are strings."""
    app.secret_key = "secret"
    if provider:
        app.json = provider(app)

    @app.get("/")
    def index():
        flask.session["user"] = "ann"
        flask.session.update(values)
        return ""

    @app.get("/read")
    def read():
        return dict(flask.session)

    client = app.test_client()
    app.logger.disabled = True
    assert client.get("/").status_code == 500
    assert client.get("/read").json == {}
    with pytest.raises(TypeError), client.session_transaction() as session:
        session.update({"user": "ann", **values})
    serializer = flask.json.tag.TaggedJSONSerializer()
    with app.app_context():
        with pytest.raises(TypeError):
            serializer.dumps({"user": "ann", **values})
        # What is not read again is not refused, before and after.
        assert app.json.dumps(MIXED)


def test_the_session_refuses_it_outside_of_a_response_only(app):
    """A default function of the session may write other JSON."""
    app.secret_key = "secret"

    @app.get("/")
    def index():
        flask.session["user"] = "ann"
        return MIXED

    client = app.test_client()
    assert len(client.get("/").json) == len(MIXED)
    with client.session_transaction() as session:
        assert session == {"user": "ann"}


def test_the_session_sorts_what_it_sorted(app):
    app.secret_key = "secret"
    with app.app_context():
        serializer = flask.json.tag.TaggedJSONSerializer()
        assert serializer.dumps({"b": {2: 0, 1: 0}, "a": (1,)}) == (
            '{"a":{" t":[1]},"b":{"1":0,"2":0}}'
        )
        app.json.sort_keys = False
        assert serializer.dumps({"b": 0, 1: 0}) == '{"b":0,"1":0}'
