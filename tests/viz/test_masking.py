import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.lab import toy
from bertlib.viz import (
    draw_gradient,
    draw_mask_mix,
    draw_reach,
    draw_saving,
    draw_surprise,
    figure,
)
from bertlib.viz.figure import LARGEST_BYTES, as_png

MIX = {"[MASK]": 0.12, "another word": 0.015, "left alone": 0.015}


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_reach_marks_what_cannot_be_known():
    drawing, ax = figure(4, 4)
    draw_reach(ax, np.ones((3, 3)) - np.eye(3), ["a", "b", "c"], title="one round")
    assert words(ax) == ["0"] * 3
    assert len(ax.patches) == 3
    assert ax.get_title() == "one round"
    assert len(as_png(drawing)) <= LARGEST_BYTES


def test_reach_without_zeros_says_none():
    _, ax = figure(4, 4)
    draw_reach(ax, np.ones((10, 10)), toy.PIECES)
    assert words(ax) == []


@pytest.mark.parametrize("shape", [(3, 2), (2, 2), (3,)])
def test_reach_wants_a_square(shape):
    _, ax = figure()
    with pytest.raises(InputError, match="3 pieces"):
        draw_reach(ax, np.ones(shape), ["a", "b", "c"])


def test_the_mix_says_both_shares():
    drawing, ax = figure(7, 3)
    draw_mask_mix(ax, MIX)
    said = " ".join(words(ax))
    assert "80.0 %" in said
    assert "12.0 % of all" in said
    assert "85.0 %" in said
    assert len(as_png(drawing)) <= LARGEST_BYTES


@pytest.mark.parametrize("shares", [{"[MASK]": 0.1}, MIX | {"[MASK]": -0.1}, MIX | {"[MASK]": 1.2}])
def test_the_mix_wants_parts_of_one(shares):
    _, ax = figure()
    with pytest.raises(InputError, match="parts of one"):
        draw_mask_mix(ax, shares)


def test_surprise_draws_the_softmax_and_its_price():
    _, axes = figure(8, 3, columns=3)
    draw_surprise(axes, ["a", "b", "c"], [2.0, 1.0, 0.0], "c")
    assert [words(ax) for ax in axes] == [["0.00"], ["0.09"], ["2.41"]]
    shares = [bar.get_width() for bar in axes[1].patches]
    assert sum(shares) == pytest.approx(1)


def test_surprise_keeps_a_small_probability_readable():
    _, axes = figure(8, 3, columns=3)
    draw_surprise(axes, ["a", "b"], [8.0, 0.0], "b")
    assert words(axes[1]) == ["0.0003"]


@pytest.mark.parametrize(("scores", "answer"), [([1.0, 2.0], "a"), ([1.0, 2.0, 3.0], "z")])
def test_surprise_wants_a_score_a_word_and_a_known_answer(scores, answer):
    _, axes = figure(8, 3, columns=3)
    with pytest.raises(InputError, match="one score a word"):
        draw_surprise(axes, ["a", "b", "c"], scores, answer)


def test_gradient_has_a_bar_a_column_and_the_asked_one_differs():
    _, ax = figure()
    draw_gradient(ax, ["a", "b", "c"], [0.1, 0.004, 0.2], asked=1)
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[0] == colours[2] != colours[1]
    assert "0.004" in words(ax)


@pytest.mark.parametrize(("sizes", "asked"), [([1.0, 2.0], 0), ([1.0, 2.0, 3.0], 3)])
def test_gradient_wants_a_size_a_piece(sizes, asked):
    _, ax = figure()
    with pytest.raises(InputError, match="3 pieces"):
        draw_gradient(ax, ["a", "b", "c"], sizes, asked=asked)


def test_saving_stacks_output_on_blocks():
    _, ax = figure()
    draw_saving(ax, {"tiny": (1.0, 9.0), "base": (8.0, 2.0)}, {"tiny": (1.0, 1.5), "base": (8.0, 0.3)})
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert max(tops) == pytest.approx(1)
    assert any(top == pytest.approx(0.25) for top in tops)
    assert ax.get_legend().get_texts()[0].get_text() == "blocks"


def test_saving_wants_the_same_models_twice():
    _, ax = figure()
    with pytest.raises(InputError, match="the same ones"):
        draw_saving(ax, {"tiny": (1, 1)}, {"base": (1, 1)})
