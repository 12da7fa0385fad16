import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.viz import draw_head_scores, draw_probe_curves, draw_senses, figure
from bertlib.viz.inside import flattened

HEADS, MEASURES = ["0.0", "0.1"], ["previous", "next", "separator"]
SCORES, CHANCE = np.array([[0.9, 0.0, 0.1], [0.1, 0.8, 0.05]]), np.array([0.1, 0.1, 0.1])


def test_a_table_of_heads_shows_every_number_and_the_chance_row():
    _, ax = figure()
    draw_head_scores(ax, SCORES, HEADS, MEASURES, chance=CHANCE)
    written = [text.get_text() for text in ax.texts]
    assert {*HEADS, *MEASURES, "chance", "0.90", "0.80", "0.05"} <= set(written)
    assert written.count("0.10") == 2 + 3  # two heads at chance, and the row of chance itself
    assert len(ax.patches) == 9


def test_a_cell_is_darker_the_further_it_lies_above_chance():
    _, ax = figure()
    draw_head_scores(ax, SCORES, HEADS, MEASURES, chance=CHANCE)
    best, below, equal = (sum(ax.patches[n].get_facecolor()[:3]) for n in (0, 1, 2))
    assert best < below
    assert below == pytest.approx(equal)


@pytest.mark.parametrize("chance", [[0.1, 0.1], [0.1] * 4])
def test_a_table_of_heads_wants_names_that_fit(chance):
    _, ax = figure()
    with pytest.raises(InputError, match="2 heads and 3 measures"):
        draw_head_scores(ax, SCORES, HEADS, MEASURES, chance=chance)


def test_two_directions_keep_what_differs_and_always_the_same_side():
    generator = np.random.default_rng(0)
    flat = generator.normal(size=(8, 2)) * [5, 2]
    turned, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    wide = flat @ turned[:2] + 3
    found = flattened(wide)
    distances = lambda rows: np.linalg.norm(rows[:, None] - rows, axis=-1)  # noqa: E731
    assert np.allclose(distances(found), distances(flat))
    assert np.allclose(found, flattened(wide))
    assert (found[np.abs(found).argmax(0), [0, 1]] > 0).all()


def test_senses_have_a_shape_each():
    _, ax = figure()
    draw_senses(ax, np.eye(5), ["river", "money", "river", "money", "river"], title="block 1", legend=True)
    assert [len(points.get_offsets()) for points in ax.collections] == [3, 2]
    shapes = [len(points.get_paths()[0].vertices) for points in ax.collections]
    assert len(set(shapes)) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["river", "money"]


def test_senses_want_a_name_for_each_vector():
    _, ax = figure()
    with pytest.raises(InputError, match="3 vectors with 2 names"):
        draw_senses(ax, np.eye(3), ["a", "b"])
    with pytest.raises(InputError, match="at most 4 senses"):
        draw_senses(ax, np.eye(5), list("abcde"))


def test_probe_curves_are_solid_for_the_task_and_dashed_for_the_control():
    _, ax = figure()
    draw_probe_curves(ax, {"trained": [0.7, 0.9]}, {"trained": [0.9, 0.8]}, floor=0.6)
    task, control = ax.lines[:2]
    assert (task.get_linestyle(), control.get_linestyle()) == ("-", "--")
    assert list(task.get_ydata()) == [0.7, 0.9]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["embeddings", "block 0"]


def test_probe_curves_want_the_same_models_twice():
    _, ax = figure()
    with pytest.raises(InputError, match="the same models"):
        draw_probe_curves(ax, {"trained": [0.7]}, {"random": [0.9]}, floor=0.5)
    with pytest.raises(InputError, match="lengths \\[1, 2\\]"):
        draw_probe_curves(ax, {"trained": [0.7]}, {"trained": [0.9, 0.8]}, floor=0.5)
