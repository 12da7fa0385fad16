"""Groups of vectors whose groups are known."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.search.clusters import agreement, group_texts

CORNERS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 0]]
NOISE = np.random.default_rng(0).normal(0, 0.05, (7, 3)).astype(np.float32)


def test_three_corners_are_three_groups():
    groups = group_texts(CORNERS + NOISE, 3)
    assert agreement(groups.numbers, [0, 1, 2, 0, 1, 2, 0]) == 1
    first = groups.numbers[0]
    assert groups.centres[first] == pytest.approx((CORNERS + NOISE)[[0, 3, 6]].mean(0), abs=1e-5)
    assert (group_texts(CORNERS + NOISE, 3).numbers == groups.numbers).all()


def test_typical_texts_are_nearest_to_the_centre():
    vectors = np.array([[0.0], [1.0], [5.0], [90.0]])
    groups = group_texts(vectors, 2)
    assert groups.typical(vectors, groups.numbers[0]) == [1, 0, 2]  # the centre is 2
    assert groups.typical(vectors, groups.numbers[3], top=1) == [3]


def test_agreement_by_hand():
    """Three pairs are together in the first, two in the second, one in both, of six in all.

    (1 - 3 * 2 / 6) / ((3 + 2) / 2 - 3 * 2 / 6) = 0: no better than chance.
    """
    assert agreement([0, 0, 0, 1], ["a", "a", "b", "b"]) == pytest.approx(0)
    assert agreement([0, 0, 1, 1], ["a", "a", "b", "c"]) == pytest.approx((1 - 2 / 6) / (1.5 - 2 / 6))


def test_wrong_input():
    for count in (0, 8):
        with pytest.raises(InputError, match=f"{count} groups for 7 texts; expected 1 to 7"):
            group_texts(CORNERS, count)
    with pytest.raises(InputError, match="2 predictions for 1 examples"):
        agreement([0, 1], ["a"])
