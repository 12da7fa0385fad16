from itertools import pairwise

import numpy as np
import pytest

from bertlib.data.corruption import (
    document_rotation,
    infilling_lengths,
    mass_span,
    sentence_permutation,
    text_infilling,
    token_deletion,
    token_masking,
)
from bertlib.errors import InputError

MASK = 4
TEXT = np.arange(100, 140)  # every word once, so that order can be seen


def dice(seed=0):
    return np.random.default_rng(seed)


class Loaded:
    """A generator that draws what a test says."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def _next(self, *_, **__):
        return np.array(self.answers.pop(0))

    choice = poisson = permutation = integers = _next


def is_part(short, long):
    """Whether `short` is `long` with some elements left out."""
    rest = iter(long)
    return all(x in rest for x in short)


def test_figure_2_of_bart_worked_by_hand():
    """The text A B C . D E . of the paper's figure."""
    a, b, c, dot, d, e = 10, 11, 12, 13, 14, 15
    text = np.array([a, b, c, dot, d, e, dot])
    assert token_masking(text, mask_id=MASK, generator=Loaded([1, 4])).tolist() == [
        a,
        MASK,
        c,
        dot,
        MASK,
        e,
        dot,
    ]
    assert token_deletion(text, generator=Loaded([1, 4])).tolist() == [a, c, dot, e, dot]
    # B C becomes one [MASK], and a span of length 0 puts one before E; five tokens left, so gaps 0 to 5
    drawn = Loaded([0, 2, 9, 9, 9, 9, 9], [3, 1])
    filled = text_infilling(text, mask_id=MASK, generator=drawn, share=2 / 7)
    assert filled.tolist() == [a, MASK, dot, d, MASK, e, dot]
    assert sentence_permutation(text, [4, 7], generator=Loaded([1, 0])).tolist() == [d, e, dot, a, b, c, dot]
    assert document_rotation(text, generator=Loaded(2)).tolist() == [c, dot, d, e, dot, a, b]


def test_mass_worked_by_hand():
    """Song et al. 2019, figure 1: x3 to x6 of eight words are taken out."""
    made = mass_span(np.arange(1, 9) + 10, mask_id=MASK, generator=Loaded(2))
    assert made.encoder_ids.tolist() == [11, 12, MASK, MASK, MASK, MASK, 17, 18]
    assert made.decoder_ids.tolist() == [MASK, 13, 14, 15]
    assert made.target.tolist() == [13, 14, 15, 16]
    assert made.positions.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(20))
def test_masking_keeps_the_length_and_deletion_the_order(seed):
    masked = token_masking(TEXT, mask_id=MASK, generator=dice(seed))
    assert (masked == MASK).sum() == 6
    assert (masked[masked != MASK] == TEXT[masked != MASK]).all()
    left = token_deletion(TEXT, generator=dice(seed))
    assert len(left) == 34
    assert is_part(left, TEXT)


@pytest.mark.parametrize("seed", range(20))
def test_infilling_hides_its_share_behind_single_masks(seed):
    filled = text_infilling(TEXT, mask_id=MASK, generator=dice(seed))
    kept = filled[filled != MASK]
    assert len(kept) == 28
    assert is_part(kept, TEXT)
    assert not any(x == y == MASK for x, y in pairwise(filled))
    # words that are neighbours now were neighbours before: each hole has its [MASK]
    assert all(y - x == 1 for x, y in pairwise(filled) if MASK not in (x, y))


def test_infilling_shortens_a_text_on_the_whole_and_inserts_at_times():
    filled = [text_infilling(TEXT, mask_id=MASK, generator=dice(seed)) for seed in range(200)]
    assert np.mean([len(text) for text in filled]) == pytest.approx(28 + 12 / 3, abs=1)
    holes = [y - x for text in filled for x, m, y in zip(text, text[1:], text[2:], strict=False) if m == MASK]
    assert holes.count(1) > 10  # nothing is missing where this [MASK] stands


def test_the_last_length_is_cut_and_those_of_zero_before_it_count():
    drawn = [2, 0, 4, 1]
    assert infilling_lengths(5, most=7, mean_length=3, generator=Loaded(drawn)).tolist() == [2, 0, 3]
    # of six tokens five would be hidden, and one is not enough to part three spans
    assert infilling_lengths(5, most=6, mean_length=3, generator=Loaded(drawn)).tolist() == [2, 0]


@pytest.mark.parametrize("seed", range(10))
def test_sentences_stay_whole_when_they_change_places(seed):
    ends = np.array([7, 8, 20, 40])
    moved = sentence_permutation(TEXT, ends, generator=dice(seed)).tolist()
    starts = sorted(
        moved.index(TEXT[end - length]) for end, length in zip(ends, np.diff(ends, prepend=0), strict=True)
    )
    assert sorted(moved) == TEXT.tolist()
    assert starts[0] == 0
    assert sum(y - x != 1 for x, y in pairwise(moved)) <= 3
    assert {*np.diff([*starts, 40]).tolist()} == {7, 1, 12, 20}


def test_all_orders_of_sentences_come():
    ends = [1, 2, 3]
    orders = {tuple(sentence_permutation(TEXT[:3], ends, generator=dice(seed))) for seed in range(60)}
    assert len(orders) == 6


@pytest.mark.parametrize("seed", range(10))
def test_rotation_is_a_cyclic_shift(seed):
    turned = document_rotation(TEXT, generator=dice(seed))
    assert (np.roll(turned, turned[0] - TEXT[0]) == TEXT).all()


def test_every_start_is_as_likely():
    starts = np.bincount([document_rotation(TEXT[:5], generator=dice(seed))[0] - 100 for seed in range(2000)])
    assert ((starts - 400) ** 2 / 400).sum() < 18.5  # 4 degrees of freedom, 0.1 %


@pytest.mark.parametrize("seed", range(10))
def test_what_the_encoder_lost_the_decoder_is_asked_for(seed):
    made = mass_span(TEXT, mask_id=MASK, generator=dice(seed))
    assert len(made.target) == 20
    restored = made.encoder_ids.copy()
    restored[made.positions] = made.target
    assert (restored == TEXT).all()
    assert (np.diff(made.positions) == 1).all()
    assert (made.encoder_ids[made.positions] == MASK).all()
    assert (made.decoder_ids[1:] == made.target[:-1]).all()


def test_one_token_is_berts_task_and_all_tokens_a_language_models():
    assert (mass_span(TEXT, mask_id=MASK, generator=dice(), share=0).encoder_ids == MASK).sum() == 1
    assert (mass_span(TEXT, mask_id=MASK, generator=dice(), share=1).encoder_ids == MASK).all()


def test_the_input_is_not_touched_and_empty_texts_stay_empty():
    before = TEXT.copy()
    empty = np.array([], dtype=np.int64)
    for spoil in (
        lambda ids: token_masking(ids, mask_id=MASK, generator=dice(), share=1),
        lambda ids: token_deletion(ids, generator=dice()),
        lambda ids: text_infilling(ids, mask_id=MASK, generator=dice(), share=0.7),
        lambda ids: document_rotation(ids, generator=dice()),
        lambda ids: sentence_permutation(ids, [len(ids)], generator=dice()),
    ):
        spoil(TEXT)
        assert (before == TEXT).all()
        assert len(spoil(empty)) == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("length", [1, 2, 3, 17])
def test_any_share_of_any_text_can_be_filled_in(share, length):
    for seed in range(20):
        filled = text_infilling(TEXT[:length], mask_id=MASK, generator=dice(seed), share=share)
        assert is_part(filled[filled != MASK], TEXT)


def test_requests_that_make_no_sense():
    with pytest.raises(InputError, match=r"share is 1\.2"):
        token_deletion(TEXT, generator=dice(), share=1.2)
    with pytest.raises(InputError, match="one text"):
        document_rotation(TEXT[None], generator=dice())
    with pytest.raises(InputError, match="does not cut up 40 tokens"):
        sentence_permutation(TEXT, [7, 39], generator=dice())
    with pytest.raises(InputError, match="no tokens"):
        mass_span(TEXT[:0], mask_id=MASK, generator=dice())
    with pytest.raises(InputError, match="mean_length"):
        text_infilling(TEXT, mask_id=MASK, generator=dice(), mean_length=0)
