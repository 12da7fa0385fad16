import xml.etree.ElementTree as ElementTree

import pytest

from bertlib.errors import InputError
from bertlib.lab.progress_picture import PARTS, description, picture, states


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_the_picture_is_one_svg_with_its_words(part):
    drawing = ElementTree.fromstring(picture(part))
    assert drawing.attrib["role"] == "img"
    assert drawing.attrib["aria-label"] == description(part)
    assert len(drawing.findall("rect")) == len(PARTS)
    written = " ".join("".join(text.itertext()) for text in drawing.findall("text"))
    assert written.count("(now)") == 1


def test_what_comes_before_is_yours():
    state = states("input embeddings")
    assert state["tokeniser"] == "yours"
    assert state["input embeddings"] == "now"
    assert state["training"] == "ours"


def test_at_the_end_everything_is_yours():
    assert set(states("looking inside").values()) == {"yours"}
    assert "Nothing is missing" in description("looking inside")


def test_an_unknown_part_lists_the_known():
    with pytest.raises(InputError, match="tokeniser, input embeddings"):
        states("wheels")


def test_no_box_leaves_the_picture():
    assert all(p.x >= 0 and p.x + p.width <= 330 and p.y >= 0 and p.y + p.height <= 232 for p in PARTS)
