import pytest
import torch

from bertlib.data.masking import budget
from bertlib.data.whole_words import continues_word, find_words, mask_words, select_words, within_budget
from bertlib.errors import InputError

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "phil", "##am", "##mon", "sang", "well", "##"]
CONTINUES = continues_word(VOCAB)
#                  [CLS] phil ##am ##mon sang [SEP] ##am well [SEP] [PAD]
TEXT = torch.tensor([[2, 5, 6, 7, 8, 3, 6, 9, 3, 0]])


def texts(rows=500, length=128, seed=0):
    """Rows of 40 pieces, half of which continue a word, after [CLS], and padding of any length."""
    generator = torch.Generator().manual_seed(seed)
    continues = torch.arange(45) >= 25
    ids = torch.randint(5, 45, (rows, length), generator=generator)
    ids[:, 0], ids[:, length // 2] = 2, 3
    ends = torch.randint(length // 2, length + 1, (rows, 1), generator=generator)
    ids = ids.masked_fill(torch.arange(length) >= ends, 0)
    return ids, ids >= 5, continues, generator


def words_of(ids, candidates, continues):
    """Lists of positions, found one by one."""
    words = []
    for position in range(len(ids)):
        if not candidates[position]:
            continue
        if position and candidates[position - 1] and continues[ids[position]]:
            words[-1].append(position)
        else:
            words.append([position])
    return words


def test_the_vocabulary_says_what_continues_a_word():
    assert CONTINUES.tolist() == [False] * 6 + [True, True, False, False, False]


def test_words_are_counted_by_hand():
    words = find_words(TEXT, TEXT >= 5, CONTINUES)
    assert words.number[0, [1, 2, 3, 4]].tolist() == [0, 0, 0, 1]
    assert words.number[0, [6, 7]].tolist() == [2, 3]  # ##am after [SEP] has lost the front of its word
    assert words.size[0, :5].tolist() == [3, 1, 1, 1, 0]


def test_the_word_that_crosses_the_budget_must_lie_half_within():
    sizes = torch.tensor([[2, 3, 1], [2, 1, 3], [5, 1, 1], [1, 3, 1], [1, 2, 1], [1, 2, 1]])
    coin = torch.tensor([[True], [True], [True], [True], [True], [False]])
    taken = within_budget(sizes, torch.tensor([[3], [3], [2], [3], [2], [2]]), coin)
    yes, no = True, False
    assert taken.tolist() == [
        [yes, no, no], [yes, yes, no], [yes, no, no], [yes, yes, no], [yes, yes, no], [yes, no, no]
    ]  # fmt: skip


def test_a_word_is_selected_as_a_whole_or_not_at_all():
    ids, candidates, continues, generator = texts()
    selected = select_words(ids, candidates, continues, share=0.15, generator=generator)
    for row in range(50):
        for word in words_of(ids[row], candidates[row], continues):
            assert len(set(selected[row, word].tolist())) == 1
    assert not selected[~candidates].any()


def test_the_budget_is_missed_by_half_a_word_at_most_and_not_at_all_on_average():
    ids, candidates, continues, generator = texts(rows=4000)
    selected = select_words(ids, candidates, continues, share=0.15, generator=generator)
    over = selected.sum(1, keepdim=True) - budget(candidates, 0.15)
    longest = find_words(ids, candidates, continues).size.max(1, keepdim=True).values
    assert (2 * over.abs() <= longest).all()
    assert over.float().mean().item() == pytest.approx(0, abs=4 * over.float().std().item() / 4000**0.5)


def test_words_of_one_length_are_equally_likely_and_long_ones_not_forgotten():
    row = torch.tensor([2] + [5] + [5, 6] + [5, 6, 7] + [5, 6, 7, 7] + [5] * 10 + [3])
    ids = row.repeat(20_000, 1)
    selected = select_words(ids, ids >= 5, CONTINUES, share=0.15, generator=torch.Generator().manual_seed(0))
    chance = selected.float().mean(0)
    assert chance[1].item() == pytest.approx(chance[15].item(), abs=0.015)
    assert chance[7].item() > 0.5 * chance[1].item()  # four pieces where the budget is three


def test_without_inner_pieces_exactly_the_budget_is_selected():
    ids, candidates, _, generator = texts()
    nothing = torch.zeros(45, dtype=torch.bool)
    selected = select_words(ids, candidates, nothing, share=0.15, generator=generator)
    assert torch.equal(selected.sum(1, keepdim=True), budget(candidates, 0.15))


def test_at_least_one_word_even_if_it_is_long_and_none_where_there_is_none():
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 3, 0, 0, 0]])
    assert select_words(ids, ids >= 5, CONTINUES, share=0.15).sum(1).tolist() == [3, 0]


def test_what_was_not_selected_stays_and_pieces_have_fates_of_their_own():
    ids, candidates, continues, generator = texts()
    before = ids.clone()
    corrupted, selected = mask_words(
        ids, candidates, continues, vocab_size=45, mask_id=4, generator=generator
    )
    assert torch.equal(ids, before)
    assert (corrupted[~selected] == ids[~selected]).all()
    number = find_words(ids, candidates, continues).number
    neighbours = selected[:, 1:] & selected[:, :-1] & (number[:, 1:] == number[:, :-1])
    hidden = corrupted == 4
    mixed = (hidden[:, 1:] != hidden[:, :-1])[neighbours].float().mean().item()
    assert mixed == pytest.approx(2 * 0.8 * 0.2, abs=0.03)


def test_shares_that_cannot_be():
    with pytest.raises(InputError, match="at most 1"):
        mask_words(TEXT, TEXT >= 5, CONTINUES, vocab_size=11, mask_id=4, random_share=0.3)
