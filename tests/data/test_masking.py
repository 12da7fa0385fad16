import pytest
import torch

from bertlib.data.masking import mask_tokens, select_positions
from bertlib.errors import InputError


def masked(rows=400, length=128, **changes):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 1000, (rows, length), generator=generator)
    ids[:, 0] = 2
    options = {"vocab_size": 1000, "mask_id": 4, "generator": generator} | changes
    return ids, mask_tokens(ids, ids >= 5, **options)


def test_the_shares_are_those_of_the_paper():
    ids, (corrupted, selected) = masked()
    count = selected.sum().item()
    assert (selected.sum(1) == 19).all()  # 15 % of 127, rounded
    became_mask = (corrupted[selected] == 4).float().mean().item()
    unchanged = (corrupted[selected] == ids[selected]).float().mean().item()
    spread = 4 * (0.8 * 0.2 / count) ** 0.5  # four standard deviations
    assert became_mask == pytest.approx(0.8, abs=spread)
    assert unchanged == pytest.approx(0.1 + 0.1 / 995, abs=spread)


def test_what_was_not_selected_stays_and_the_input_is_not_touched():
    ids, (corrupted, selected) = masked()
    before = ids.clone()
    assert (corrupted[~selected] == ids[~selected]).all()
    assert not selected[:, 0].any()
    assert torch.equal(ids, before)


def test_the_generator_decides_everything():
    assert torch.equal(masked()[1].input_ids, masked()[1].input_ids)


def test_short_rows_give_one_and_empty_rows_none():
    candidates = torch.tensor([[True, False, False], [False, False, False]])
    assert select_positions(candidates, share=0.15).sum(1).tolist() == [1, 0]


def test_every_position_is_as_likely():
    generator = torch.Generator().manual_seed(0)
    picks = select_positions(torch.ones(20_000, 20, dtype=torch.bool), share=0.15, generator=generator)
    expected = 20_000 * 3 / 20
    chi_square = ((picks.sum(0) - expected) ** 2 / (expected * 0.85)).sum().item()
    assert chi_square < 43.8  # 19 degrees of freedom, one in a thousand


def test_random_words_are_words():
    _, (corrupted, selected) = masked(mask_share=0.0, random_share=1.0)
    assert corrupted[selected].min() >= 5


def test_shares_that_cannot_be():
    with pytest.raises(InputError, match="at most 1"):
        masked(mask_share=0.8, random_share=0.3)
