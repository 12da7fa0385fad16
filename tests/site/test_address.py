"""Badges, set-up cells and the citation carry the address of ``_config.yml``."""

from __future__ import annotations

import shutil
from pathlib import Path

import address
import pytest

ADDRESS = address.Address(url="https://github.com/someone/book", branch="main")


def test_every_file_agrees_with_the_settings() -> None:
    here = address.configured()
    for file in address.carriers():
        text = file.read_text("utf8")
        assert address.renewed(text, file.relative_to(address.ROOT).as_posix(), here) == text, file.name


def test_every_chapter_has_a_badge_and_a_set_up_cell() -> None:
    for file in (address.ROOT / "chapters").glob("*.ipynb"):
        text = file.read_text("utf8")
        assert address.BADGE.search(text), f"{file.name} has no Colab badge"
        assert address.INSTALL.search(text), f"{file.name} has no set-up cell"


def test_badge_names_the_chapter_itself() -> None:
    old = "[x](https://colab.research.google.com/github/a/b/blob/dev/chapters/01.ipynb)"
    new = address.renewed(old, "chapters/02.ipynb", ADDRESS)
    assert new == "[x](https://colab.research.google.com/github/someone/book/blob/main/chapters/02.ipynb)"


@pytest.mark.parametrize("tail", ['\\"', "'", "@v1", "#egg=x", " "])
def test_install_line_keeps_what_follows(tail: str) -> None:
    line = f'%pip install \\"bertlib[lab] @ git+https://github.com/a/b.git{tail}'
    assert address.renewed(line, "x", ADDRESS) == (
        f'%pip install \\"bertlib[lab] @ git+https://github.com/someone/book{tail}'
    )


def test_other_addresses_stay() -> None:
    text = "https://github.com/google-research/bert and https://colab.research.google.com/notebooks/intro"
    assert address.renewed(text, "x", ADDRESS) == text


def test_a_wrong_address_is_refused(tmp_path: Path) -> None:
    shutil.copy(address.ROOT / "_config.yml", tmp_path)
    config = tmp_path / "_config.yml"
    config.write_text(config.read_text("utf8").replace(address.configured().url, "build-bert"), "utf8")
    with pytest.raises(ValueError, match="expected https"):
        address.configured(tmp_path)
