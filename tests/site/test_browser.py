"""Every page in a real browser: light, dark and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WAYS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light")}
OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth, out = [];
  if (document.documentElement.scrollWidth <= wide) return out;
  for (const e of document.querySelectorAll('main *')) {
    if (e.getBoundingClientRect().right > wide + 1) out.push(e.tagName + '.' + e.className);
  }
  return [document.documentElement.scrollWidth + ' px wide', ...out.slice(0, 5)];
}"""
NAMELESS = "() => [...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src.slice(-60))"
DRAWN_NAMELESS = """() => [...document.querySelectorAll('main svg[viewBox]')].filter(s => s.clientWidth > 200
  && !s.querySelector('title') && !s.getAttribute('aria-label') && s.getAttribute('aria-hidden') !== 'true'
  && !s.closest('.cell_output')).length"""


class Visit:
    """One page opened once, with what it complained about and what it asked others for.

    ``home`` is where the page's own files lie. Nothing else is ever answered: a test needs no network.
    """

    def __init__(self, browser: Any, url: str, way: str, home: str) -> None:
        size, scheme = WAYS[way]
        self.home = home
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.context = browser.new_context(viewport=size, color_scheme=scheme, service_workers="block")
        self.context.route(lambda u: not u.startswith((home, "data:", "blob:")), self.refuse)
        self.page = self.context.new_page()
        self.page.on("console", self.listen)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("response", self.look)
        self.page.goto(url, wait_until="networkidle", timeout=30_000)

    def refuse(self, route: Any) -> None:
        self.elsewhere.append(route.request.url)
        route.abort()

    def listen(self, message: Any) -> None:
        if message.type == "error" and message.location.get("url") not in self.elsewhere:
            self.complaints.append(message.text)

    def look(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")


@pytest.mark.parametrize("way", WAYS)
def test_page_is_quiet_whole_and_fits(
    browser: Any, address: str, vendored: bool, page_path: str, way: str
) -> None:
    visit = Visit(browser, f"{address}/{page_path}", way, address)
    try:
        if vendored:  # the scripts that a page without local copies misses here may well complain
            assert visit.elsewhere == []
            assert visit.complaints == []
        assert visit.page.evaluate(OVERFLOW) == []
        assert visit.page.evaluate(NAMELESS) == []
        assert visit.page.evaluate(DRAWN_NAMELESS) == 0
        theme = visit.page.evaluate("() => document.documentElement.dataset.theme")
        assert theme == ("dark" if way == "dark" else "light")
    finally:
        visit.context.close()


def test_third_parties_and_complaints_were_looked_for(vendored: bool) -> None:
    if not vendored:
        pytest.skip(
            "the pages were built without npm and load scripts from public addresses: not checked are requests "
            "to third parties, errors in the console and the content-security policy; install npm, then make book"
        )


def test_front_page_opens_from_a_folder(browser: Any, site: Path, vendored: bool) -> None:
    visit = Visit(browser, (site / "index.html").as_uri(), "light", "file:")
    try:
        assert visit.page.locator("main article h1").count() == 1
        if vendored:
            assert visit.elsewhere == []
            assert visit.complaints == []
    finally:
        visit.context.close()


def test_the_test_sees_a_bad_page(browser: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<main><img src='data:,'><img src='https://example.org/x.png' alt=''><p style='width:3000px'>x</p></main>"
        "<script>console.error('heard')</script>",
        "utf8",
    )
    visit = Visit(browser, bad.as_uri(), "phone", "file:")
    try:
        assert visit.complaints == ["heard"]
        assert visit.elsewhere == ["https://example.org/x.png"]
        assert visit.page.evaluate(OVERFLOW) != []
        assert len(visit.page.evaluate(NAMELESS)) == 1
    finally:
        visit.context.close()


def test_the_policy_stops_a_script_in_the_page(browser: Any, address: str, vendored: bool) -> None:
    if not vendored:
        pytest.skip("a site without its own scripts is served without a policy")
    visit = Visit(browser, f"{address}/index.html", "light", address)
    try:
        visit.page.evaluate(
            "() => document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
        )
        assert any("Content Security Policy" in text for text in visit.complaints)
    finally:
        visit.context.close()


def test_full_screen_button_still_works(browser: Any, address: str, vendored: bool) -> None:
    visit = Visit(browser, f"{address}/index.html", "light", address)
    try:
        button = visit.page.locator("button.btn-fullscreen-button").first
        assert button.get_attribute("onclick") is None
        button.click()
        visit.page.wait_for_function("() => document.fullscreenElement !== null", timeout=5_000)
    finally:
        visit.context.close()
