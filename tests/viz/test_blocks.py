import numpy as np
import pytest

from bertlib import BertConfig
from bertlib.config import PRESETS
from bertlib.counting import count_parameters
from bertlib.errors import InputError
from bertlib.viz import draw_bend, draw_block, draw_layers, draw_parameters, figure
from bertlib.viz.figure import LARGEST_BYTES, as_png


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_bends_take_turns_with_the_colours():
    _, ax = figure()
    x = np.linspace(-1, 1, 5)
    draw_bend(ax, x, np.maximum(x, 0), "ReLU")
    draw_bend(ax, x, x, "straight")
    _, first, second = ax.lines
    assert first.get_color() != second.get_color()
    assert first.get_ydata().tolist() == [0, 0, 0, 0.5, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ReLU", "straight"]


def test_layers_are_counted_from_where_one_says():
    _, ax = figure()
    draw_layers(ax, {"post": [1, 1, 1], "pre": [1, 2, 3]}, first=1)
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert ax.lines[1].get_ydata().tolist() == [1, 2, 3]
    with pytest.raises(InputError, match="no runs"):
        draw_layers(ax, {})


def test_the_block_has_two_sums_two_norms_and_two_roads():
    drawing, ax = figure(8, 1.9)
    draw_block(ax, hidden="768", inner="3,072")
    written = words(ax)
    assert written.count("+") == written.count("norm") == written.count("dropout") == 2
    assert written.count("what it was") == 2
    assert "768 → 3,072" in written
    assert written.index("self-attention") < written.index("GELU")
    assert len(as_png(drawing)) <= LARGEST_BYTES


def test_parameter_bars_have_one_length_and_say_the_total():
    drawing, ax = figure(7.6, 3)
    counts = {name: count_parameters(BertConfig.from_preset(name), heads=False) for name in PRESETS}
    draw_parameters(ax, counts)
    assert {"4.4M", "109.5M", "335.1M"} <= set(words(ax))
    ends = [patch.get_x() + patch.get_width() for patch in ax.patches]
    assert max(ends) == pytest.approx(1)
    assert len(ax.patches) == 6 * 4
    assert len(as_png(drawing)) <= LARGEST_BYTES


def test_a_head_is_no_part_of_the_body():
    _, ax = figure()
    with pytest.raises(InputError, match="mlm_head"):
        draw_parameters(ax, {"tiny": count_parameters(BertConfig.from_preset("tiny"))})
