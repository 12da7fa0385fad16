"""``lab.explore`` in a real browser: on a page of the site, alone without scripts, and without its style sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bertlib.lab.explore import as_page, states
from bertlib.viz.style import contrast

from .test_browser import OVERFLOW, WAYS

CELL = """html => {
  const cell = document.createElement('div');
  cell.className = 'cell docutils container';
  cell.innerHTML = `<div class="cell_output docutils container"><div class="output text_html">${html}</div></div>`;
  const article = document.querySelector('main article') || document.body;
  article.prepend(cell);
}"""
SEEN = """() => [...document.querySelectorAll('.lab-explore figure.state')]
  .filter(f => f.checkVisibility()).map(f => f.querySelector('figcaption').textContent)"""
# the colour of an element's words and of the first ground below them that is not transparent
COLOURS = """element => {
  let ground = element;
  while (ground && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(ground).backgroundColor)) {
    ground = ground.parentElement;
  }
  return [getComputedStyle(element).color, ground ? getComputedStyle(ground).backgroundColor : 'rgb(255, 255, 255)'];
}"""


def part() -> str:
    """A part with 24 states, as wide as attention maps are."""
    controls = {"layer": range(3), "head": range(8)}

    def render(layer: int, head: int) -> str:
        return f'<p style="max-width:430px">value {layer * head}</p>'

    return as_page(states(render, controls, alt="{layer} times {head}"), controls, name="times")


@pytest.fixture
def alone(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The part on an empty page, in a browser that runs no scripts."""
    file = tmp_path / "part.html"
    file.write_text(f"<!doctype html><meta charset='utf8'><title>x</title>{part()}", "utf8")
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    context.close()


@pytest.fixture(params=WAYS)
def placed(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    """The part as an output on the front page of the site, under its policy."""
    size, scheme = WAYS[request.param]
    context = browser.new_context(viewport=size, color_scheme=scheme, service_workers="block")
    context.route(lambda u: not u.startswith((address, "data:", "blob:")), lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{address}/index.html", wait_until="load", timeout=30_000)
    page.evaluate(CELL, part())
    yield page
    context.close()


def rgb(text: str) -> tuple[float, float, float]:
    """Read ``rgb(1, 2, 3)``."""
    red, green, blue = (float(number) / 255 for number in re.findall(r"[\d.]+", text)[:3])
    return red, green, blue


def test_without_any_script_a_click_shows_the_state_and_no_other(alone: Any) -> None:
    assert alone.evaluate(SEEN) == ["layer 0, head 0"]
    alone.locator("fieldset").nth(1).locator("label").nth(5).click()
    assert alone.evaluate(SEEN) == ["layer 0, head 5"]
    alone.locator("fieldset").nth(0).locator("label").nth(2).click()
    assert alone.evaluate(SEEN) == ["layer 2, head 5"]
    assert alone.get_by_text("value 10").is_visible()


def test_the_keyboard_walks_through_all_states_in_their_order(alone: Any) -> None:
    seen = []
    alone.keyboard.press("Tab")
    for layer in range(3):
        alone.keyboard.press("Tab")
        for head in range(8):
            seen.append(alone.evaluate(SEEN))
            if head < 7:
                alone.keyboard.press("ArrowRight")
        for _ in range(7):
            alone.keyboard.press("ArrowLeft")
        alone.keyboard.press("Shift+Tab")
        if layer < 2:
            alone.keyboard.press("ArrowRight")
    assert seen == [[f"layer {layer}, head {head}"] for layer in range(3) for head in range(8)]


def test_where_the_keyboard_is_can_be_seen(alone: Any) -> None:
    alone.keyboard.press("Tab")
    outline = "() => getComputedStyle(document.querySelector('label:has(:focus)')).outlineStyle"
    assert alone.evaluate(outline) == "solid"


def test_without_the_style_sheet_all_states_stand_there_and_no_dead_buttons(alone: Any) -> None:
    alone.evaluate("() => document.querySelector('.lab-explore style').remove()")
    assert len(alone.evaluate(SEEN)) == 24
    assert not alone.locator("input").first.is_visible()
    summary = alone.get_by_text("The other states (23)")
    assert summary.is_visible()
    summary.click()
    assert alone.evaluate(SEEN) == ["layer 0, head 0"]


def test_it_reads_the_buttons_out_as_two_named_groups(alone: Any) -> None:
    snapshot = alone.locator(".lab-explore").aria_snapshot()
    assert re.findall(r'- group "(\w+)"', snapshot)[:3] == ["times", "layer", "head"]
    assert re.findall(r'- radio "0" \[checked\]', snapshot) == ['- radio "0" [checked]'] * 2
    assert '- group "0 times 0"' in snapshot
    assert '- group "0 times 1"' not in snapshot


def test_on_the_site_it_works_fits_and_can_be_read(placed: Any) -> None:
    assert placed.evaluate(SEEN) == ["layer 0, head 0"]
    assert not placed.get_by_text("The other states").is_visible()
    placed.locator(".lab-explore fieldset").nth(1).locator("label").nth(7).click()
    assert placed.evaluate(SEEN) == ["layer 0, head 7"]
    assert placed.evaluate(OVERFLOW) == []
    for element in placed.locator(".lab-explore :is(legend, label, figcaption)").all():
        if element.is_visible():
            ink, ground = map(rgb, element.evaluate(COLOURS))
            assert contrast(ink, ground) >= 4.5
            if element.evaluate("e => e.tagName") == "LABEL":
                assert min(element.bounding_box()[side] for side in ("width", "height")) >= 24


def test_the_parts_of_the_built_pages_show_one_state_each(
    browser: Any, address: str, site: Path, page_path: str
) -> None:
    if 'class="lab-explore"' not in (site / page_path).read_text("utf8"):
        return
    page = browser.new_page()
    page.route(lambda u: not u.startswith((address, "data:", "blob:")), lambda route: route.abort())
    page.goto(f"{address}/{page_path}", wait_until="load", timeout=30_000)
    try:
        for explorer in page.locator(".lab-explore").all():
            for row in explorer.locator("fieldset").all():
                row.locator("label").last.click()
            shown = [figure for figure in explorer.locator("figure.state").all() if figure.is_visible()]
            assert len(shown) == 1
    finally:
        page.close()
