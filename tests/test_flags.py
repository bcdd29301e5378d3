"""docs/flags.md lists every flag that a patch adds, and no other."""

from __future__ import annotations

import re

from forkkit.base.paths import here

PROJECT = here()
ROW = re.compile(
    r"^\| `(?P<name>[A-Z_]+)(?P<value> = .+?)?` \| `(?P<default>.+?)` \|"
    r" (?P<since>\S+) \| (?P<what>.+?) \| (?P<issues>.+?) \|$",
    re.M,
)
ROWS = list(ROW.finditer(PROJECT.root.joinpath("docs/flags.md").read_text("utf-8")))


def added_by_patches() -> dict[str, str]:
    """The keys of ``default_config`` that patches add, and their values."""
    found = {}
    for patch in PROJECT.root.joinpath("patches").glob("*.patch"):
        text = patch.read_text("utf-8")
        found.update(re.findall(r'(?m)^\+ {12}"([A-Z_]+)": (.+),$', text))
    return found


def test_every_flag_is_in_the_table() -> None:
    of_their_own = {row["name"]: row["default"] for row in ROWS if not row["value"]}
    assert of_their_own == added_by_patches()
    assert of_their_own


def test_values_of_flasks_own_settings() -> None:
    values = {row["name"]: row["value"] for row in ROWS if row["value"]}
    assert values == {"SESSION_COOKIE_SECURE": ' = "auto"'}


def test_every_issue_is_one_that_a_patch_names() -> None:
    named = set()
    for patch in PROJECT.root.joinpath("patches").glob("*.patch"):
        named |= set(re.findall(r"(?m)^Bug: pallets/flask#(\d+)$", patch.read_text()))
    for row in ROWS:
        asked = re.findall(r"\[#(\d+)\]\(\S+/(\d+)\)", row["issues"])
        assert asked
        assert {number for pair in asked for number in pair} <= named


def test_no_row_is_of_another_form() -> None:
    text = PROJECT.root.joinpath("docs/flags.md").read_text("utf-8")
    assert text.count("\n| `") == len(ROWS)
