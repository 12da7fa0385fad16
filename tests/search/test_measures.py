"""Measures beside numbers worked out by hand."""

from __future__ import annotations

import pytest

from bertlib.errors import InputError
from bertlib.search.measures import blend, fuse, mean_reciprocal_rank, ranks, recall_at


def test_three_questions_by_hand():
    """Right passages stand at places 1, 3 and nowhere."""
    places = ranks([[4, 2, 9], [1, 7, 5], [3, 8, 6]], [{4}, {5, 99}, {0}])
    assert places == [1, 3, None]
    assert [recall_at(k, places) for k in (1, 2, 3)] == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert mean_reciprocal_rank(places) == pytest.approx((1 + 1 / 3) / 3)


def test_the_first_right_passage_counts():
    assert ranks([[4, 2, 9]], [{9, 2}]) == [2]


def test_fusion_by_hand():
    """7 is second and first; 5 only first; 8 only second: 1/62 + 1/61, 1/61, 1/62."""
    assert fuse([[5, 7], [7, 8]]) == [
        (7, pytest.approx(1 / 62 + 1 / 61)),
        (5, pytest.approx(1 / 61)),
        (8, pytest.approx(1 / 62)),
    ]


def test_one_ranking_fused_is_itself():
    assert [number for number, _ in fuse([[3, 1, 2]])] == [3, 1, 2]
    assert fuse([[], []]) == []


def test_other_questions():
    with pytest.raises(InputError, match="1 rankings for 2 questions"):
        ranks([[1]], [{1}, {2}])
    with pytest.raises(InputError, match="0 rankings for 0 questions"):
        ranks([], [])


def test_blended_scores_weigh_the_same_whatever_their_scale():
    """Spreads: 10 * sqrt(2/3) and 0.1 * sqrt(2); the second list puts the last passage far ahead."""
    far = blend([10, 20, 30], [0.0, 0.0, 0.3])
    assert far == pytest.approx([-(1.5**0.5) - 0.5**0.5, -(0.5**0.5), 1.5**0.5 + 2**0.5])
    assert blend([1, 2, 3], [0, 0, 30]) == pytest.approx(far)
    assert blend([7, 7], [1, 2]) == pytest.approx([-1, 1])  # the same for all: it tells nothing
