import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch

from bertlib.errors import InputError
from bertlib.viz import (
    COLOURS,
    draw_cloud,
    draw_lessons,
    draw_overlaps,
    draw_pairs,
    draw_probes,
    figure,
)

DOCUMENTS = [["a1", "a2"], ["b1", "b2", "b3"]]


def test_every_pair_is_an_arrow_in_the_colour_of_its_label():
    _, ax = figure()
    draw_pairs(ax, DOCUMENTS, [((0, 0), (0, 1), 0), ((1, 1), (0, 0), 1), ((0, 1), (1, 2), 1)])
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    colours = [arrow.get_edgecolor()[:3] for arrow in arrows]
    assert colours == [to_rgb(COLOURS[name]) for name in ("segment", "query", "query")]
    written = [text.get_text() for text in ax.texts]
    assert {"a1", "b3", "document 2"} <= set(written)


def test_an_arrow_needs_a_sentence_at_both_ends():
    _, ax = figure()
    with pytest.raises(InputError, match="no sentence 2 in document 0"):
        draw_pairs(ax, DOCUMENTS, [((0, 1), (0, 2), 0)])


def test_overlaps_are_shares_of_each_label():
    _, ax = figure()
    draw_overlaps(ax, [0, 0, 0.5, 0.5], [1, 1, 0, 0], names=("next", "not"), title="t")
    heights = [bar.get_height() for bar in ax.patches]
    assert sum(heights) == pytest.approx(200)
    assert max(heights) == pytest.approx(100)
    with pytest.raises(InputError, match="one label a score"):
        draw_overlaps(ax, [0, 1], [0], names=("next", "not"))


def test_lessons_show_every_seed_and_the_mean():
    _, ax = figure()
    draw_lessons(ax, {"NSP": [[0.5, 0.7], [0.5, 0.9]], "SOP": [[0.5, 0.6]]}, [0, 10])
    lines = [np.asarray(line.get_ydata()).tolist() for line in ax.lines]
    assert [50.0, 80.0] in [[round(value, 6) for value in line] for line in lines if len(line) == 2]
    assert len(lines) == 2 + 1 + 1 + 1 + 1
    with pytest.raises(InputError, match="3 points"):
        draw_lessons(ax, {"NSP": [[0.5, 0.7]]}, [0, 10, 20])


def test_probes_have_points_bars_and_numbers():
    _, ax = figure()
    draw_probes(ax, {"C": [0.7, 0.9], "mean": [0.9, 0.9]}, chance=0.6, colours=("query",))
    points = [bars.lines[0] for bars in ax.containers]
    assert [point.get_xdata()[0] for point in points] == pytest.approx([80, 90])
    assert [to_rgb(point.get_color()) for point in points] == [
        to_rgb(COLOURS[name]) for name in ("query", "token")
    ]
    assert [text.get_text() for text in ax.texts] == ["80", "90"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["C", "mean"]


def test_a_cloud_keeps_the_widest_direction():
    _, ax = figure()
    vectors = np.zeros((4, 5))
    vectors[:, 3] = [-2, -1, 1, 2]
    draw_cloud(ax, vectors, [0, 0, 1, 1], names=("low", "high"), title="t")
    first, second = (line.get_xdata() for line in ax.lines)
    assert sorted(np.concatenate([first, second]).tolist()) == pytest.approx([-2, -1, 1, 2])
    with pytest.raises(InputError, match="n of 3 or more"):
        draw_cloud(ax, vectors[:2], [0, 1], names=("low", "high"))
