import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Arc, Rectangle

from bertlib import viz
from bertlib.errors import InputError
from bertlib.viz.style import tint

WORDS = ["the", "dog", "it"]


def patches(ax, kind):
    return [patch for patch in ax.patches if isinstance(patch, kind)]


def test_the_thickest_arc_goes_to_the_largest_weight():
    _, ax = viz.figure(4, 2)
    viz.draw_arcs(ax, WORDS, 2, [0.1, 0.7, 0.2], title="it")
    arcs = patches(ax, Arc)
    assert len(arcs) == 3
    widest = max(arcs, key=lambda arc: arc.get_linewidth())
    assert widest.get_center()[0] == pytest.approx(1.5)  # halfway between `dog` and `it`
    bold = [text.get_text() for text in ax.texts if text.get_weight() == "bold"]
    assert bold == ["it"]


@pytest.mark.parametrize(("source", "weights"), [(3, [0.1, 0.7, 0.2]), (0, [0.5, 0.5])])
def test_arcs_want_a_weight_a_word(source, weights):
    _, ax = viz.figure(4, 2)
    with pytest.raises(InputError, match="3 words"):
        viz.draw_arcs(ax, WORDS, source, weights)


def test_lines_leave_out_what_hardly_counts():
    _, ax = viz.figure(4, 2)
    viz.draw_lines(ax, np.eye(3) * 0.98 + 0.005, WORDS)
    assert len(ax.lines) == 3
    assert [text.get_text() for text in ax.texts].count("dog") == 2


def test_a_number_keeps_the_colour_of_its_word():
    columns = np.arange(12).reshape(3, 4)
    right = columns.reshape(3, 2, 2).transpose(1, 0, 2)
    poured = columns.reshape(2, 3, 2)
    for heads, colours in ((right, [1, 1, 1]), (poured, [1, 1, 1])):
        _, axes = viz.figure(6, 2, columns=3)
        viz.draw_split(axes, columns, heads, WORDS)
        faces = [patch.get_facecolor()[:3] for patch in patches(axes[1], Rectangle)]
        assert [faces[2 * t] == faces[2 * t + 1] for t in range(3)] == [bool(c) for c in colours]
    words = [len({patch.get_facecolor() for patch in patches(axes[1], Rectangle)})]
    assert words == [2]  # three rows, but numbers of two words only


def test_split_wants_the_same_numbers():
    _, axes = viz.figure(6, 2, columns=3)
    with pytest.raises(InputError, match="the same numbers"):
        viz.draw_split(axes, np.arange(12).reshape(3, 4), np.zeros((2, 3, 2)), WORDS)


def test_visibility_fills_what_is_seen():
    _, ax = viz.figure(3, 3)
    viz.draw_visibility(ax, np.tri(3), WORDS)
    full = to_rgb(tint("key", 0.75))
    faces = [to_rgb(patch.get_facecolor()) for patch in patches(ax, Rectangle)]
    assert [np.allclose(face, full) for face in faces] == np.tri(3, dtype=bool).ravel().tolist()


def test_visibility_hatches_a_second_network():
    _, ax = viz.figure(3, 3)
    viz.draw_visibility(ax, np.tri(3), WORDS, other=np.tri(3).T)
    hatched = [patch.get_hatch() is not None for patch in ax.patches]
    assert np.array_equal(np.reshape(hatched, (3, 3)), np.tri(3).T == 1)


@pytest.mark.parametrize("draw", [viz.draw_visibility, viz.draw_lines])
def test_maps_are_square(draw):
    _, ax = viz.figure(3, 3)
    arguments = (np.eye(2), WORDS)
    with pytest.raises(InputError, match="for 3 words"):
        draw(ax, *arguments)


def test_growing_costs_are_lines_on_logarithmic_axes():
    _, ax = viz.figure(4, 3)
    viz.draw_growth(ax, [64, 128, 256], {"all": [1, 4, 16], "half": [1, 2, 4]}, unit="ms")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.lines] == ["all", "half"]
    with pytest.raises(InputError, match="2 numbers of 'short' for 3 lengths"):
        viz.draw_growth(ax, [1, 2, 3], {"short": [1, 2]})
