"""The build's own extensions: blocks, the drawn front page, fetched scripts."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import blocks
import hero
import pytest
import selfhost
import vendor


@pytest.mark.parametrize(("look", "name"), [(hero.WIDE, "hero-wide"), (hero.PHONE, "hero-phone")])
def test_the_committed_picture_shows_the_toy_numbers_of_today(look: hero.Layout, name: str) -> None:
    file = hero.STATIC / f"{name.removesuffix('-wide')}.svg"
    assert file.read_text("utf8") == hero.draw(look, name), "python book/_ext/hero.py draws it again"


@pytest.mark.parametrize(
    ("text", "name"),
    [("🎯 Goal. Do", "goal"), ("✍️ Your turn", "your-turn"), ("Goal. Do", None), ("so 🎯", None)],
)
def test_a_block_is_known_by_its_icon(text: str, name: str | None) -> None:
    assert blocks.block_class(text) == name


def test_public_addresses_become_local_ones() -> None:
    page = (
        f'<img src="{selfhost.BADGE}"><script src="https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/'
        'require.min.js"></script><a href="https://cdnjs.cloudflare.com/about">'
    )
    local = selfhost.localise(page, "../_static/", vendored=True)
    assert local.count("../_static/") == 2
    assert "https://cdnjs.cloudflare.com/about" in local
    assert "require.min.js" in selfhost.localise(page, "../_static/", vendored=False)


def test_only_wanted_files_leave_an_archive() -> None:
    store = io.BytesIO()
    with tarfile.open(fileobj=store, mode="w") as archive:
        for name in ("package/require.js", "package/bin/r.js", "package/../../evil.js"):
            archive.addfile(tarfile.TarInfo(name))
    store.seek(0)
    with tarfile.open(fileobj=store) as archive:
        assert [place for _, place in vendor.members(archive, vendor.WANTED["requirejs"])] == ["./require.js"]


def test_local_scripts_count_only_in_the_wanted_versions(tmp_path: Path) -> None:
    assert not vendor.present(tmp_path)
    (tmp_path / "versions.json").write_text(json.dumps({**vendor.versions(), "d3": "0.0.1"}), "utf8")
    assert not vendor.present(tmp_path)
    (tmp_path / "versions.json").write_text(json.dumps(vendor.versions()), "utf8")
    assert vendor.present(tmp_path)
    assert set(vendor.versions()) == set(vendor.WANTED)
