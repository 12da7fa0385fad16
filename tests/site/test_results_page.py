"""What was measured is drawn as it stands in the files; what was not says so; what is broken stops the build."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import bars
import curves
import learned
import measured
import pytest
import results
import scales
import sheets
import tables
from sphinx.application import Sphinx

from .result_files import KINDS, ORIGIN, SAME, TRAINER

FOLDER = Path(__file__).resolve().parents[2] / "book" / "results"


def drawn(kind: str) -> str:
    return results.page(measured.sheet(kind, {"provenance": ORIGIN} | KINDS[kind]), ORIGIN)


def tree(html: str) -> ElementTree.Element:
    """Parse a piece of a page; it is written so that an XML parser can read it too."""
    return ElementTree.fromstring(html)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_whole_and_names_its_drawings(kind: str) -> None:
    root = tree(drawn(kind))
    pictures = [e for e in root.iter() if e.get("role") == "img"]
    assert all(len(e.get("aria-label", "")) > 20 for e in pictures)
    described = {inner for picture in pictures for inner in picture.iter()}
    assert all(svg in described or svg.get("aria-hidden") == "true" for svg in root.iter("svg"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_keeps_the_policy_and_takes_its_colours_from_the_sheet(kind: str) -> None:
    html = drawn(kind)
    assert not re.search(r"<script|\son\w+=|https?:|style=|fill=|stroke=|#[0-9a-f]{3,6}\b", html)
    assert not re.search(r"\sid=", html)  # a page may hold the same drawing twice


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_files_of_the_book_can_be_drawn(path: Path) -> None:
    found = measured.read(path)
    tree(results.page(measured.sheet(path.stem, found), found["provenance"]))


def test_the_page_draws_every_file_and_names_a_command_for_each() -> None:
    text = (FOLDER.parent / "results.md").read_text("utf8")
    sections = re.findall(r"^```\{results\} ([\w-]+)\n:command: \S", text, re.M)
    assert len(sections) == text.count("```{results}") == len(set(sections))
    assert {path.stem for path in FOLDER.glob("*.json")} <= set(sections)


def test_ours_stand_against_their_defaults_and_against_theirs_with_our_settings() -> None:
    by_default, same = measured.sheet("sweep", KINDS["sweep"]).figures
    assert (by_default.one, same.one) == (TRAINER, SAME)
    assert [(bar.name, bar.value) for bar in by_default.groups[0].bars] == [
        ("bertlib, matmul highest", 2.5),
        ("bertlib, matmul medium", 4.5),
    ]
    assert [(bar.name, bar.value) for bar in same.groups[0].bars] == [
        ("30,522 word pieces", 2.2),
        ("8,192 word pieces", 2.2),
    ]
    assert same.title == "bertlib, matmul medium · mini · fp32 · cpu · 32 texts of 128"


def test_what_failed_is_in_the_table_with_its_reason() -> None:
    html = drawn("sweep")
    assert "no room" in html
    assert "base" in html
    assert 'colspan="6"' in html  # name, rate, share of peak, three ratios
    assert '<td class="number">20.00</td>' in html  # a share of 0.2 in percent


def test_versions_of_packages_are_no_sides() -> None:
    sheet = measured.sheet("tokenize", {"provenance": ORIGIN} | KINDS["tokenize"])
    assert sheet.tables[0].head == ("", "MB/s", "times tokenizers")


def test_tricks_are_drawn_against_their_first_and_gaps_stay_gaps() -> None:
    sheet = measured.sheet("tricks", KINDS["tricks"])
    assert [bar.name for bar in sheet.figures[0].groups[0].bars] == ["without masking"]
    assert len(sheet.figures) == 1
    assert ("without luck", None, None) in sheet.tables[0].sections[0][1]
    assert "–</td>" in drawn("tricks")
    assert sheet.tables[-1].sections == (("", (("+ compile", "no compiler"),)),)


def test_shapes_become_rows_and_a_lone_bar_is_named_by_its_row() -> None:
    figure = measured.sheet("inference", KINDS["inference"]).figures[0]
    assert [(bar.name, bar.value) for bar in figure.groups[0].bars] == [
        ("1 text of 16", 1.0),
        ("8 texts of 16", 8.0),
    ]


def test_a_bar_is_as_long_as_its_ratio_and_pale_where_the_spread_crosses_one() -> None:
    group = sheets.Group(
        title="t",
        bars=(
            sheets.Bar(name="sure", value=2.0, low=1.9, high=2.5),
            sheets.Bar(name="unsure", value=1.25, low=0.9, high=1.5),
        ),
    )
    root = tree(bars.draw(sheets.Figure(groups=(group,), one="them & theirs")))
    bodies = [e for e in root.iter("rect") if "cap" not in (e.get("class") or "")]
    assert [e.get("class") for e in bodies] == ["ours", "ours open"]
    widths = [float((e.get("width") or "").rstrip("%")) for e in bodies]
    assert widths[0] == pytest.approx(100 * 2.0 / (2.5 * 1.04), abs=0.01)
    assert widths[0] / widths[1] == pytest.approx(1.6, abs=0.001)
    ones = {e.get("x1") for e in root.iter("line") if e.get("class") == "at-one"}
    assert ones == {scales.percent(1 / (2.5 * 1.04))}
    assert root.get("aria-label") == (
        "Bars of ratios; 1 is them & theirs. t: sure 2.00 (1.90 to 2.50); unsure 1.25 (0.90 to 1.50)."
    )


def test_shares_have_no_line_at_one_and_grey_what_only_counts() -> None:
    root = tree(bars.draw(measured.sheet("shares", KINDS["shares"]).figures[0]))
    assert not [e for e in root.iter("line") if e.get("class") == "at-one"]
    assert [e.get("class") for e in root.iter("rect")][:2] == ["base", "ours"]
    assert "20.0–40.0%" in "".join(root.itertext())


def test_curves_share_one_scale_and_say_what_was_cut_off() -> None:
    sheet = measured.sheet("gallery", KINDS["gallery"])
    root = tree(f"<div>{curves.draw(sheet)}</div>")
    plots = [e for e in root.iter("svg") if e.get("role") == "img"]
    assert [(e.get("aria-label") or "")[:2] for e in plots] == ["A.", "B."]
    assert "▲ up to 30" in "".join(plots[1].itertext())
    assert "▲" not in "".join(plots[0].itertext())
    assert {e.get("y1") for plot in plots for e in plot.iter("line") if e.get("class") == "level"} == {
        f"{curves.TOP + curves.PLOT * (1 - 5.5 / 9):.1f}"
    }
    points = [next(plot.iter("polyline")).get("points") for plot in plots]
    assert points[0] == f"500,{curves.PLOT / 3:.1f} 1000,{curves.PLOT * 4 / 9:.1f}"
    assert (points[1] or "").startswith("500,0.0 ")


def test_equal_losses_far_from_zero_are_shown_large() -> None:
    assert curves.range_of(measured.sheet("quick", KINDS["quick"]))[0] == 8.0
    assert curves.range_of(measured.sheet("curve", KINDS["curve"]))[0] == 4.0
    assert curves.range_of(measured.sheet("gallery", KINDS["gallery"])) == (0.0, learned.GALLERY_HIGHEST)


def test_answers_and_long_tables_wait_behind_a_click() -> None:
    assert "<summary>What was wrong with each</summary>" in drawn("gallery")
    assert "a &amp; b" in drawn("gallery")
    assert "<details>" not in drawn("tokenize")
    long = {"rows": [{"name": str(n), "seconds": 1.0} for n in range(20)]}
    assert "<summary>All numbers</summary>" in results.page(measured.sheet("x", long), ORIGIN)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (0.12345, "0.123"),
        (2, "2"),
        (12.345, "12.35"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_a_cell_is_written(cell: Any, words: str) -> None:
    assert tables.written(cell) == words


@pytest.mark.parametrize(
    ("highest", "lowest", "expected"),
    [
        (3.3, 0, [0, 1, 2, 3]),
        (1, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (11.02, 8, [8, 9, 10, 11]),
        (65, 0, [0, 20, 40, 60]),
    ],
)
def test_ticks_are_round(highest: float, lowest: float, expected: list[float]) -> None:
    assert scales.ticks(highest, lowest) == expected


def test_the_origin_says_what_is_known() -> None:
    line = results.origin(ORIGIN | {"transformers": "5.0"})
    assert "<code>bertlib bench x</code>" in line
    assert "a &lt;CPU&gt; · 2 threads · tokenizers 0.1 · torch 2.13.0 · transformers 5.0" in line
    assert "seed" not in line


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "x.json is not JSON"), ("[]", 'expected a mapping with "provenance"'), ("{}", "measure it again")],
)
def test_a_broken_file_stops_the_build_with_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, "utf8")
    with pytest.raises(sheets.ResultsError, match=message) as caught:
        measured.read(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("found", [{"provenance": {}}, {"provenance": {}, "runs": [{}]}, {"rows": []}])
def test_an_unknown_kind_stops_the_build_with_one_line(found: dict[str, Any]) -> None:
    with pytest.raises(sheets.ResultsError, match=r"odd\.json has the keys .* cannot be drawn") as caught:
        measured.sheet("odd", found)
    assert "\n" not in str(caught.value)


def test_a_path_leads_to_a_number_or_says_where_it_broke_off() -> None:
    found = {"rows": [{"sides": {"bertlib": {"ratio": 2}}}]}
    assert results.value_at(found, "rows.0.sides.bertlib.ratio") == 2
    with pytest.raises(sheets.ResultsError, match="there is no 'theirs', but bertlib"):
        results.value_at(found, "rows.0.sides.theirs.ratio")
    with pytest.raises(sheets.ResultsError, match="there is no '7', but list"):
        results.value_at(found, "rows.7")


def built(folder: Path, text: str) -> str:
    """Build a page of its own and return it."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    (source / "conf.py").write_text("extensions = ['myst_parser', 'results']\n", "utf8")
    (source / "index.md").write_text(f"# Page\n\n{text}\n", "utf8")
    app = Sphinx(source, source, out, out / "trees", "html", status=None, warning=io.StringIO())
    app.build()
    return (out / "index.html").read_text("utf8")


def test_a_page_shows_what_is_there_and_says_what_is_not(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "here.json").write_text(json.dumps({"provenance": ORIGIN} | KINDS["shares"]), "utf8")
    page = built(
        tmp_path,
        "```{results} here\n:command: x\n```\n\n```{results} gone\n:command: measure --it\n```\n\n"
        "It is {result}`here:accuracy.BERT.mean|.0%` in {result}`here:steps`; {result}`gone:a.b`.",
    )
    assert "It is 30% in 5; <em>not measured yet</em>." in page
    assert page.count('class="measured"') == 1
    note = page[page.index("not-yet") :]
    assert "Not measured yet: </strong>" in note
    assert re.search(r"measure</span> <span.*--it", note)


def test_a_page_with_a_broken_file_is_not_built(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "x.json").write_text("{", "utf8")
    with pytest.raises(sheets.ResultsError, match="measure it again or remove it"):
        built(tmp_path, "```{results} x\n:command: y\n```")
