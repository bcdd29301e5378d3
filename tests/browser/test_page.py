"""The page of a report, in a real browser."""

from __future__ import annotations

import os
import typing as t

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

import browsers
import toy
from forkkit.base.errors import ForkError

APP = "src/flask/app.py"
TEXT = toy.UPSTREAM[APP]
#: Has no place where a line can be broken.
LONG = "x" * 300
#: The visible text with the lowest contrast, and that contrast.
FAINTEST = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const channels = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => channels(color).slice(0, 3)
    .map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return channels(color)[3] ? color : behind(element.parentElement);
  };
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const pair = [getComputedStyle(element).color, behind(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    seen.push([contrast, walker.currentNode.data.trim()]);
  }
  return seen.sort((one, other) => one[0] - other[0])[0];
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page for a queue to which everything has happened."""
    project = toy.make(tmp_path_factory.mktemp("page") / "toy")
    first, mark, second = toy.WIDE.partition(b"diff --git a/src/flask/wide.py")
    message = first.partition(b"---\n")[0] + b"---\n"
    toy.add(project, "wide", toy.WIDE)
    toy.add(project, "gone", toy.WIDE.replace(b"Patch: wide", b"Patch: gone"))
    toy.commit(project)

    (project.project.patches / "wide.patch").write_bytes(first)
    (project.project.patches / "gone.patch").unlink()
    (project.project.patches / "added.patch").write_bytes(
        message.replace(b"Patch: wide", b"Patch: added")
        + (mark + second).replace(b"+WIDE", b"+ADDED")
    )
    project.edit("patches/series", "gone.patch", "added.patch")
    project.edit(
        "CHANGELOG.md",
        "### Fork\n",
        f"### Fork\n\n- The patch `gone` is dropped: {toy.HOSTILE}.\n",
    )
    project.edit("patches/loud.patch", "otherwise.", toy.HOSTILE + LONG)
    project.edit(
        "patches/loud.patch", '+    return f"BYE', f"+    f'{toy.HOSTILE}{LONG}"
    )
    project.edit("patches/comma.patch", "into the greeting", toy.HOSTILE + LONG)
    for version, content in {
        "1.1": b"import os\n\n" + TEXT,
        "1.2": TEXT.replace(b'f"bye', b'f"good bye'),
        "1.3": TEXT.replace(b"greet(who):", b"greet(who, /):"),
        **{f"1.{number}": TEXT for number in range(4, 20)},
        "2.0": TEXT,
    }.items():
        toy.release(project, version, {APP: content})
    project.fork("report", "--html", "page.html")
    return (project.root / "page.html").as_uri()


@pytest.fixture(scope="module", params=["installed", "brought"])
def browser(request: pytest.FixtureRequest) -> t.Iterator[Browser]:
    """A browser with its fonts: the system's, or one that is the same everywhere."""
    found = browsers.installed()
    if request.param == "brought":
        try:
            found = browsers.brought(toy.HERE / "build" / "browser")
        except ForkError:
            # Make do with the other one, if any.
            if found is None:
                raise
            found = None
    if found is None:
        pytest.skip("there is no browser")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=found.program, env={**os.environ, **found.environ}
        )


class Seen(t.NamedTuple):
    """An open page, and what it did on its own."""

    page: Page
    requests: list[str]
    complaints: list[str]


@pytest.fixture
def seen(browser: Browser, address: str) -> t.Iterator[Seen]:
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.goto(address)
    yield Seen(page, requests, complaints)
    page.close()


def is_open(page: Page, name: str) -> bool:
    found: bool = page.locator(f"details:has(> #patch-{name})").evaluate("d => d.open")
    return found


def test_it_asks_for_nothing_and_runs_nothing_of_a_patch(seen, address):
    seen.page.get_by_role("button", name="Open all").click()
    assert seen.page.get_by_text(toy.HOSTILE).count() >= 4
    assert seen.page.title() == "Review of the queue: Flask 1.0"
    assert seen.page.locator("script").count() == 1
    assert seen.page.locator("img").count() == 0
    assert seen.requests == [address]
    assert seen.complaints == []


def test_the_policy_holds_against_what_would_get_through(seen):
    seen.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = 'document.title = "ran"';
          const image = new Image();
          image.src = "http://127.0.0.1:9/";
          document.body.append(script, image);
          document.body.setAttribute("onclick", 'document.title = "ran"');
          document.body.click();
        }"""
    )
    assert seen.page.title() == "Review of the queue: Flask 1.0"
    said = "\n".join(seen.complaints)
    assert said.count("script-src 'sha256-") == 2
    assert said.count("default-src 'none'") == 1


def test_a_click_folds_and_unfolds(seen):
    fold = seen.page.locator("details:has(> #patch-loud)")
    assert not fold.locator("table").first.is_visible()
    fold.locator("> summary").click()
    assert fold.locator("table").first.is_visible()
    fold.locator("> summary").click()
    assert not fold.locator("table").first.is_visible()


def test_what_a_rebase_would_stop_at_is_told(seen):
    fold = seen.page.locator("details.story", has_text="on 1.2: why it would stop")
    told = fold.get_by_text("Flask 1.2 changed these lines of 1.1")
    assert not told.is_visible()
    fold.locator("summary").click()
    assert told.is_visible()
    assert fold.locator("strong").inner_text() == "loud"


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_folds_and_unfolds(seen, key):
    summary = seen.page.locator("details:has(> #patch-loud) > summary")
    summary.focus()
    seen.page.keyboard.press(key)
    assert is_open(seen.page, "loud")
    seen.page.keyboard.press(key)
    assert not is_open(seen.page, "loud")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Shift+Tab")
    assert summary.evaluate("s => getComputedStyle(s).outlineStyle") == "solid"


def test_everything_is_opened_and_folded_at_once(seen):
    button = seen.page.get_by_role("button", name="Open all")
    folds = seen.page.locator("details.patch")
    for pressed in (True, False):
        button.press("Enter")
        states = folds.evaluate_all("all => all.map(d => d.open)")
        assert states == [pressed] * 5
        assert button.get_attribute("aria-pressed") == str(pressed).lower()


def test_a_link_opens_the_patch_that_it_leads_to(seen):
    seen.page.get_by_role("link", name="comma", exact=True).click()
    assert is_open(seen.page, "comma")
    header = seen.page.locator("header").bounding_box()
    there = seen.page.locator("#patch-comma").bounding_box()
    assert header["y"] == 0
    assert header["height"] <= there["y"] < 800


def test_it_can_be_read_without_scripts(browser, address):
    page = browser.new_page(java_script_enabled=False)
    page.goto(address)
    assert not page.locator("#open-all").is_visible()
    page.locator("details:has(> #patch-loud) > summary").click()
    assert page.locator("#patch-loud table").first.is_visible()
    page.close()


def test_the_kinds_are_told_by_colour_sign_and_word(seen):
    cells = seen.page.locator(".grid td").evaluate_all(
        """all => all.map(cell => [
          cell.lastElementChild.textContent,
          cell.firstElementChild.textContent,
          getComputedStyle(cell).backgroundColor,
          cell.title,
        ])"""
    )
    looks = {kind: (sign, colour) for kind, sign, colour, _ in cells}
    assert set(looks) == {"unchanged", "moved", "merged", "dropped", "conflict"}
    for position in (0, 1):
        assert len({look[position] for look in looks.values()}) == len(looks)
    assert all((sign, colour) == looks[kind] for kind, sign, colour, _ in cells)
    titles = [title for *_, title in cells]
    assert f"loud on 1.2: conflict in {APP}" in titles
    badges = seen.page.locator(".patches .badge").evaluate_all(
        "all => all.map(b => [b.textContent, getComputedStyle(b).backgroundColor])"
    )
    assert len({tuple(badge) for badge in badges}) == 4
    assert len({colour for _, colour in badges}) == 4


def test_tables_have_headings(seen):
    scopes = seen.page.locator("th").evaluate_all("all => all.map(th => th.scope)")
    assert set(scopes) == {"col", "row"}
    for role, name in (("rowheader", "loud"), ("columnheader", "1.19")):
        assert seen.page.get_by_role(role, name=name, exact=True).count() == 1
    cell = seen.page.get_by_role("row", name="loud").get_by_role("cell").last
    assert cell.inner_text().split() == [".", "unchanged"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(seen, scheme):
    seen.page.emulate_media(color_scheme=scheme)
    seen.page.get_by_role("button", name="Open all").click()
    contrast, text = seen.page.evaluate(FAINTEST)
    assert contrast >= 4.5, text
    paper = seen.page.evaluate(
        "() => getComputedStyle(document.body.parentElement).backgroundColor"
    )
    assert (paper == "rgb(250, 249, 246)") is (scheme == "light")


@pytest.mark.parametrize("font", ["its own", "wide"])
@pytest.mark.parametrize("width", [320, 390, 700, 1200])
def test_it_fits_the_screen(seen, width, font):
    if font == "wide":
        # A third wider, which is more than the difference between fonts.
        seen.page.evaluate("document.documentElement.style.letterSpacing = '.18em'")
    seen.page.set_viewport_size({"width": width, "height": 700})
    seen.page.get_by_role("button", name="Open all").click()
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    seen.page.evaluate("scrollTo(0, 700)")
    assert seen.page.locator("header").bounding_box()["y"] == 0


def test_a_long_grid_is_scrolled_by_the_keyboard_beside_its_names(seen):
    seen.page.set_viewport_size({"width": 390, "height": 700})
    grid = seen.page.get_by_role("region", name="Patches by release")
    grid.press("ArrowRight")
    expect(grid).not_to_have_js_property("scrollLeft", 0)
    name = grid.get_by_role("rowheader", name="loud")
    assert name.bounding_box()["x"] == grid.bounding_box()["x"]


def test_on_a_narrow_screen_the_sides_stand_one_below_the_other(seen):
    seen.page.get_by_role("button", name="Open all").click()
    row = seen.page.locator("#patch-loud tr.changed:has(del):has(ins)").first
    same = seen.page.locator("#patch-loud tr.same td:last-child").first
    tops = []
    for width in (1200, 390):
        seen.page.set_viewport_size({"width": width, "height": 700})
        tops.append([cell.bounding_box()["y"] for cell in row.locator("td").all()])
        assert same.is_visible() is (width == 1200)
    (left, right), (above, below) = tops
    assert left == right
    assert above < below
