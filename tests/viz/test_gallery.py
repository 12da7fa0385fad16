import numpy as np
import pytest

from bertlib import viz
from bertlib.errors import InputError


def run(level):
    return {
        "train": {"step": [1, 2, 3], "mlm_loss": [level, 2.0, 1.0]},
        "valid": {"step": [3], "mlm_loss": [1.5]},
    }


def test_each_run_has_its_letter_and_both_curves_on_one_scale():
    _, axes = viz.figure(4, 2, rows=1, columns=2)
    viz.draw_gallery(axes, [run(3.0), run(50.0)], unigram=2.5, highest=9.0)
    for ax, letter in zip(axes, "AB", strict=True):
        assert letter in [text.get_text() for text in ax.texts]
        assert ax.get_ylim() == (0, 9.0)
        line, train, valid = ax.lines
        assert set(line.get_ydata()) == {2.5}
        assert list(train.get_xdata()) == [1, 2, 3]
        assert list(valid.get_ydata()) == [1.5]
    assert max(axes[1].lines[1].get_ydata()) == 9.0
    assert ["▲" in [text.get_text() for text in ax.texts] for ax in axes] == [False, True]


def test_more_runs_than_axes():
    _, ax = viz.figure(4, 2)
    with pytest.raises(InputError, match="2 runs and 1 axes"):
        viz.draw_gallery(np.array([ax]), [run(3.0)] * 2, unigram=2.5)
