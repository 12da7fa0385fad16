"""The built site holds together: no dead link, no missing anchor, nothing loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

from selfhost import move_handlers, move_scripts

from .links import faults, html_files


def test_every_internal_link_leads_somewhere(site: Path) -> None:
    assert faults(site, allow_cdn=not (site / "_static/vendor/versions.json").is_file()) == []


def test_faults_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<a href='b.html'></a><a href='b.html#no'></a><a href='gone.html'></a>"
        "<img src='https://example.org/x.png'><script src='https://example.org/x.js'></script>",
        "utf8",
    )
    (tmp_path / "b.html").write_text("<p id='yes'>", "utf8")
    assert len(faults(tmp_path)) == 4
    assert len(faults(tmp_path, allow_cdn=True)) == 3


def test_an_id_that_stands_twice_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p id='quiz'><p id='cards'><p id='quiz'>", "utf8")
    assert faults(tmp_path) == ["a.html: this id stands twice: quiz"]


def test_no_script_and_no_handler_stands_in_a_page(site: Path, tmp_path: Path) -> None:
    for page in html_files(site):
        text = page.read_text("utf8")
        assert move_handlers(move_scripts(text, "_static/", tmp_path), "_static/", tmp_path) == text
    assert list(tmp_path.iterdir()) == []


def test_scripts_and_handlers_move_into_files(tmp_path: Path) -> None:
    page = '<body><script>one()</script><p class=\'x\' onclick="two(&quot;a&quot;)">onclick="text"</p></body>'
    moved = move_handlers(move_scripts(page, "", tmp_path), "", tmp_path)
    assert "one()" not in moved
    assert 'onclick="two' not in moved
    assert 'onclick="text"' in moved  # prose stays prose
    bodies = sorted(f.read_text("utf8") for f in tmp_path.iterdir())
    assert len(bodies) == 2
    assert 'two("a")' in bodies[0]
    assert bodies[1] == "one()"
    assert all(f"inline/{f.name}" in moved for f in tmp_path.iterdir())
