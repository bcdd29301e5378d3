"""Two environment variables that conflict are named."""

from __future__ import annotations

import json

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st


@pytest.fixture
def config():
    return flask.Config("")


def set_env(monkeypatch, variables, backwards=False):
    for name in sorted(variables, reverse=backwards):
        monkeypatch.setenv(name, variables[name])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("value", ["1", "text", "null", "[1]", '["B"]', '"B"', "B"])
@pytest.mark.parametrize("nested", ["X_A__B", "X_A__B__C", "X_A__B__C__D"])
def test_a_variable_and_an_item_of_it_are_both_named(
    config, monkeypatch, nested, value, backwards
):
    set_env(monkeypatch, {"X_A": value, nested: "2"}, backwards)
    with pytest.raises(ValueError, match=rf"'{nested}'.*'X_A'"):
        config.from_prefixed_env("X")


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("nested", ["X_A__B__C__D", "X_A__B__C__D__E"])
def test_deep_variables_are_both_named(config, monkeypatch, nested, backwards):
    variables = {"X_A": "{}", "X_A__B__C": "1", nested: "2"}
    set_env(monkeypatch, variables, backwards)
    with pytest.raises(ValueError, match=rf"'{nested}'.*'X_A__B__C'"):
        config.from_prefixed_env("X")


def test_the_default_prefix_is_named(config, monkeypatch):
    set_env(monkeypatch, {"FLASK_A": "1", "FLASK_A__B": "2"})
    with pytest.raises(ValueError, match=r"'FLASK_A__B'.*'FLASK_A'"):
        config.from_prefixed_env()


def test_values_are_not_told(config, monkeypatch):
    set_env(monkeypatch, {"X_A": "password", "X_A__B": "hidden"})
    with pytest.raises(ValueError, match="X_A") as info:
        config.from_prefixed_env("X")
    assert "password" not in str(info.value)
    assert "hidden" not in str(info.value)


def test_an_item_of_an_existing_config_value_is_named(config, monkeypatch):
    config["A"] = 1
    set_env(monkeypatch, {"X_A__B": "2"})
    with pytest.raises(ValueError, match=r"'X_A__B'.*'X_A'"):
        config.from_prefixed_env("X")


@pytest.mark.parametrize("backwards", [False, True])
def test_items_of_a_dict_are_set_as_before(config, monkeypatch, backwards):
    config["OLD"] = {"kept": 1}
    variables = {
        "X_A": '{"B": 1, "kept": 2}',
        "X_A__B": "3",
        "X_A__C__D": "4",
        "X_A_B": "5",
        "X_AB__C": "6",
        "X_OLD__NEW": "text",
    }
    set_env(monkeypatch, variables, backwards)
    assert config.from_prefixed_env("X") is True
    assert config == {
        "OLD": {"kept": 1, "NEW": "text"},
        "A": {"B": 3, "kept": 2, "C": {"D": 4}},
        "A_B": 5,
        "AB": {"C": 6},
    }


names = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3)
values = st.sampled_from(["1", "text", "null", "[1]", "{}", '{"B": 1}', '{"B": {}}'])


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(names.map("__".join), values, max_size=4))
def test_whatever_is_in_the_environment(variables):
    """Compared with setting the items one by one, as the documentation says."""
    expected, conflict = {}, False
    for name in sorted(variables):
        *parents, key = name.split("__")
        folder = expected
        for parent in parents:
            folder = folder.setdefault(parent, {}) if type(folder) is dict else None
        if type(folder) is not dict:
            conflict = True
            break
        try:
            folder[key] = json.loads(variables[name])
        except ValueError:
            folder[key] = variables[name]

    environ = {f"X_{name}": value for name, value in variables.items()}
    config = flask.Config("")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        if conflict:
            with pytest.raises(ValueError, match="X_"):
                config.from_prefixed_env("X")
        else:
            config.from_prefixed_env("X")
            assert config == expected


class Items:
    """Has items, but is no mapping by its class."""

    def __init__(self):
        self.items = {}

    def __contains__(self, name):
        return name in self.items

    def __getitem__(self, name):
        return self.items[name]

    def __setitem__(self, name, value):
        self.items[name] = value


def test_items_of_any_object_are_set_as_before(config, monkeypatch):
    config["A"] = Items()
    set_env(monkeypatch, {"X_A__B": "1", "X_A__C__D": "2"})
    config.from_prefixed_env("X")
    assert config["A"].items == {"B": 1, "C": {"D": 2}}
