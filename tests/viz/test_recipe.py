import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.viz import draw_cost, draw_pipeline, draw_rows, figure
from bertlib.viz.recipe import CELLS

ROWS = np.array([[1, 2, 2, 1, 3, 1], [1, 2, 4, 1, 0, 0]])


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_rows_show_every_cell():
    _, ax = figure()
    draw_rows(ax, ROWS, title="two rows")
    assert ax.images[0].get_array().tolist() == ROWS.tolist()
    assert ax.images[0].get_extent() == [0, 6, 2, 0]
    assert ax.get_title(loc="left") == "two rows"


@pytest.mark.parametrize("cells", [[1, 2], [[len(CELLS)]], [[-1]], np.zeros((0, 3))])
def test_cells_without_a_meaning_are_refused(cells):
    _, ax = figure()
    with pytest.raises(InputError, match=r"expected \(B, T\) with 0 filling, 1 mark"):
        draw_rows(ax, cells)


def pipeline(ax, captions=("a", "b", "c", "d")):
    return draw_pipeline(
        ax,
        text=["My dog is cute.", "It likes playing in the garden of my aunt."],
        lengths=[[4, 3], [5]],
        ids=range(100, 130),
        cells=ROWS,
        captions=captions,
    )


def test_the_pipeline_shows_what_it_was_given():
    _, ax = figure(9, 3)
    pipeline(ax)
    written = words(ax)
    assert {"txt", "token arrays", "a batch", "a", "d", "My dog is cute.", "100", "119"} <= set(written)
    assert "120" not in written  # four rows of five
    assert any(line.endswith("…") for line in written)
    assert ax.images[0].get_array().tolist() == ROWS.tolist()


def test_no_bar_of_the_pipeline_leaves_its_box():
    _, ax = figure(9, 3)
    pipeline(ax)
    low = [patch.get_bbox() for patch in ax.patches if hasattr(patch, "get_width")]
    assert all(box.y0 >= 0 and box.y1 <= 6.001 for box in low)


def test_the_pipeline_wants_four_captions():
    _, ax = figure()
    with pytest.raises(InputError, match="3 captions; expected one for each of: txt"):
        pipeline(ax, captions=("a", "b", "c"))


def test_each_bar_of_the_cost_is_whole():
    _, ax = figure()
    draw_cost(ax, {"Tiny": {"blocks": 1e6, "output": 3e6}, "Base": {"blocks": 500e6, "output": 45e6}})
    widths = [bar.get_width() for bars in ax.containers for bar in bars]
    assert sum(widths) == pytest.approx(2)
    assert {"4 M", "545 M"} == set(words(ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Tiny", "Base"]


def test_costs_want_the_same_parts():
    _, ax = figure()
    with pytest.raises(InputError, match="expected the same for all of Tiny, Base"):
        draw_cost(ax, {"Tiny": {"blocks": 1.0}, "Base": {"output": 1.0}})
    with pytest.raises(InputError, match="parts none"):
        draw_cost(ax, {})
