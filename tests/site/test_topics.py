"""The topic index: no topic is missing, every link leads to a heading that is there. The sheet of shapes is one."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import topics
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
# the plan of the book: how many topics each letter has
COUNTS = {"H": 8, "I": 9, "M": 10, "O": 13, "D": 8, "V": 5, "F": 19, "B": 5, "N": 6, "R": 3, "L": 9, "C": 3}
TOPICS = topics.read(topics.FILE)
LINKED = [(name, section) for name, topic in TOPICS.items() for section in topic.get("sections", ())]
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))


def anchors(page: str) -> set[str]:
    """The anchors of a notebook's headings, down to the third level."""
    cells = json.loads((ROOT / f"{page}.ipynb").read_text("utf8"))["cells"]
    prose = "\n".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "markdown")
    prose = re.sub(r"^```.*?^```", "", prose, flags=re.M | re.S)
    return {
        default_slugify(re.sub(r"[`*]", "", title)) for title in re.findall(r"^#{1,3} (.+)$", prose, re.M)
    }


def test_no_topic_of_the_plan_is_missing() -> None:
    wanted = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
    assert list(TOPICS) == wanted


def test_every_topic_says_what_is_seen_and_in_which_chapter() -> None:
    for name, topic in TOPICS.items():
        assert re.fullmatch(r"\d\d [A-Z].*", topic["chapter"]), name
        assert len(topic["title"]) >= 4, name
        assert "|" not in topic["title"], name
        assert set(topic) <= {"chapter", "title", "sections"}, name
    chapters = [topic["chapter"] for topic in TOPICS.values()]
    assert chapters == sorted(chapters)


@pytest.mark.parametrize(("name", "section"), LINKED)
def test_a_link_leads_to_a_heading_of_the_chapter(name: str, section: str) -> None:
    page, _, heading = section.partition("#")
    assert page.startswith(f"chapters/{TOPICS[name]['chapter'][:2]}-")
    assert heading in anchors(page)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_topic_of_a_written_chapter_has_its_section(chapter: str) -> None:
    mine = {name: topic for name, topic in TOPICS.items() if topic["chapter"][:2] == chapter[:2]}
    assert mine
    assert [name for name, topic in mine.items() if not topic.get("sections")] == []


def test_the_page_shows_every_letter_once() -> None:
    text = (ROOT / "book" / "topics.md").read_text("utf8")
    shown = " ".join(re.findall(r"^```\{topics\} (.+)$", text, re.M)).split()
    assert sorted(shown) == sorted(COUNTS)


def test_a_section_of_a_page_that_is_not_built_is_to_come() -> None:
    topic = {"chapter": "02 Text", "title": "Cutting", "sections": ["chapters/02-tokens#cut"]}
    assert topics.place(topic, {"chapters/02-tokens"}, "../") == "[](../chapters/02-tokens.ipynb#cut)"
    assert topics.place(topic, set(), "../") == topics.TO_COME
    assert topics.place({"chapter": "01 History", "title": "x"}, {"index"}, "") == topics.TO_COME


def test_a_table_for_each_chapter_in_the_order_of_the_book() -> None:
    written = topics.lists(TOPICS, ["I"], [], "")
    assert re.findall(r"\{rubric\} (\d\d)", written) == ["02", "03"]
    assert re.findall(r"^\| (I\d)", written, re.M) == [f"I{number}" for number in range(1, 10)]
    assert written.count("to come") == 2  # once for each chapter, not for each topic


def test_a_chapter_is_found_by_its_number() -> None:
    pages = {"chapters/06-masked-language-model", "book/06-x"}
    assert topics.page_of("06", pages) == "chapters/06-masked-language-model"
    assert topics.page_of("07", pages) is None


def test_a_page_leads_to_what_is_there_and_stops_at_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {
        "I1": {"chapter": "02 Text", "title": "There", "sections": ["chapters/02-text#how-to-cut"]},
        "I2": {"chapter": "02 Text", "title": "Gone", "sections": ["chapters/02-text#gone"]},
        "I3": {"chapter": "02 Text", "title": "Not yet"},
        "I4": {"chapter": "03 Later", "title": "Later"},
    }
    monkeypatch.setattr(topics, "FILE", tmp_path / "topics.json")
    topics.FILE.write_text(json.dumps(data), "utf8")
    source, out, said = tmp_path / "source", tmp_path / "out", io.StringIO()
    (source / "chapters").mkdir(parents=True)
    (source / "conf.py").write_text(
        "extensions = ['myst_parser', 'topics']\nmyst_heading_anchors = 3\n", "utf8"
    )
    (source / "chapters" / "02-text.md").write_text("# Text\n\n## How to cut\n", "utf8")
    (source / "index.md").write_text(
        "# Page\n\n```{toctree}\nchapters/02-text\n```\n\n```{topics} I\n```\n\n{chapter}`02`, {chapter}`the ninth <09>`, {chapter}`six`.\n",
        "utf8",
    )
    # the table links to notebooks; a page of text stands in for one here
    monkeypatch.setattr(
        topics, "place", lambda *given, real=topics.place: real(*given).replace(".ipynb", ".md")
    )
    Sphinx(source, source, out, out / "trees", "html", status=None, warning=said).build()
    page = (out / "index.html").read_text("utf8")
    assert re.search(r'href="chapters/02-text.html#how-to-cut"><span class="std std-ref">How to cut', page)
    assert page.count("<em>to come</em>") == 1
    assert page.count("03 Later (to come)") == 1
    assert re.search(
        r'href="chapters/02-text.html"><span class="doc">chapter 02</span></a>, the ninth, six\.', page
    )
    assert "gone" in said.getvalue()
    assert "six`: a chapter is named by two digits" in said.getvalue()


def test_the_sheet_of_shapes_prints_on_one_page(browser: Any, address: str, site: Path) -> None:
    if not (site / "book" / "shapes.html").is_file():
        pytest.skip("the built site has no page book/shapes")
    page = browser.new_page()
    page.route(lambda u: not u.startswith((address, "data:")), lambda route: route.abort())
    try:
        page.goto(f"{address}/book/shapes.html", wait_until="load", timeout=30_000)
        margin = dict.fromkeys(("top", "bottom", "left", "right"), "10mm")
        printed = page.pdf(format="A4", margin=margin)
        assert re.findall(rb"/Count (\d+)", printed) == [b"1"]
    finally:
        page.close()
