import pytest
import torch

from bertlib.data.masking import budget
from bertlib.data.spans import LONGEST_SPAN, mask_spans, place_spans, select_spans, span_lengths
from bertlib.data.whole_words import find_words
from bertlib.errors import InputError

NOTHING_CONTINUES = torch.zeros(300, dtype=torch.bool)


def texts(rows=500, length=128, seed=0):
    generator = torch.Generator().manual_seed(seed)
    continues = torch.arange(300) >= 220
    ids = torch.randint(5, 300, (rows, length), generator=generator)
    ids[:, 0] = 2
    ends = torch.randint(length // 3, length, (rows, 1), generator=generator)
    ids = ids.masked_fill(torch.arange(length) == ends, 3).masked_fill(torch.arange(length) > ends, 0)
    return ids, ids >= 5, continues, generator


def runs(row):
    """Lengths of runs of True."""
    edges = torch.diff(row.int(), prepend=torch.tensor([0]), append=torch.tensor([0]))
    return ((edges == -1).nonzero() - (edges == 1).nonzero())[:, 0].tolist()


def test_lengths_follow_from_lots_by_hand():
    """Of the chances 0.5, 0.25, 0.125 (p = 1/2, up to 3) each is divided by their sum, 0.875."""
    lots = torch.tensor([0.0, 0.57, 0.58, 0.85, 0.86, 0.999])
    assert span_lengths(lots, p=0.5, longest=3).tolist() == [1, 1, 2, 2, 3, 3]


def test_the_mean_length_is_the_papers():
    lengths = span_lengths(torch.rand(200_000, generator=torch.Generator().manual_seed(0)))
    assert lengths.float().mean().item() == pytest.approx(3.797, abs=0.03)
    assert (lengths.min().item(), lengths.max().item()) == (1, LONGEST_SPAN)


def test_spans_are_put_into_gaps_by_hand():
    """Seven words, spans of 2 and 1: four words are left, so five gaps; the lots choose gap 3, then gap 0."""
    start = place_spans(
        torch.tensor([[2, 1]]), torch.tensor([[7]]), torch.tensor([[0.2, 0.9, 0.5, 0.1, 0.8, 0.0]])
    )
    assert start.tolist() == [[4, 0]]  # . X X ... : the single one first, then 1 + 3 words on


def test_all_ways_to_place_spans_are_equally_likely():
    """Two spans of 1 in four words with a word between: 02, 03, 13, each in two orders."""
    lots = torch.rand(60_000, 4, generator=torch.Generator().manual_seed(0))
    start = place_spans(torch.ones(60_000, 2, dtype=torch.long), torch.full((60_000, 1), 4), lots)
    counts = torch.bincount(start[:, 0] * 4 + start[:, 1], minlength=16)
    ways = [0 * 4 + 2, 2 * 4 + 0, 0 * 4 + 3, 3 * 4 + 0, 1 * 4 + 3, 3 * 4 + 1]
    assert counts.sum() == counts[ways].sum()
    assert ((counts[ways] - 10_000) ** 2 / 10_000).sum().item() < 20.5  # 5 degrees of freedom, 0.1 %


def test_spans_are_whole_words_and_never_touch():
    ids, candidates, continues, generator = texts()
    selected, span = select_spans(ids, candidates, continues, share=0.15, generator=generator)
    assert not selected[~candidates].any()
    same_word = candidates[:, 1:] & candidates[:, :-1] & continues[ids[:, 1:]]
    assert (selected[:, 1:] == selected[:, :-1])[same_word].all()
    both = selected[:, 1:] & selected[:, :-1]
    assert (span[:, 1:] == span[:, :-1])[both].all()
    for row in range(100):  # and one number is one run
        assert len(runs(selected[row])) == len(span[row][selected[row]].unique())


def test_no_span_is_longer_than_ten_words():
    ids, candidates, _, generator = texts()
    selected = select_spans(ids, candidates, NOTHING_CONTINUES, share=0.15, generator=generator).selected
    longest = max(max(runs(row)) for row in selected)
    assert longest == LONGEST_SPAN


def test_the_budget_is_missed_by_half_a_word_at_most_and_not_at_all_on_average():
    ids, candidates, continues, generator = texts(rows=4000)
    selected = select_spans(ids, candidates, continues, share=0.15, generator=generator).selected
    over = selected.sum(1, keepdim=True) - budget(candidates, 0.15)
    longest = find_words(ids, candidates, continues).size.max(1, keepdim=True).values
    assert (2 * over.abs() <= longest).all()
    assert over.float().mean().item() == pytest.approx(0, abs=4 * over.float().std().item() / 4000**0.5)
    alone = select_spans(ids, candidates, NOTHING_CONTINUES, share=0.15, generator=generator).selected
    assert torch.equal(alone.sum(1, keepdim=True), budget(candidates, 0.15))


@pytest.mark.parametrize("share", [0.01, 0.15, 0.5, 0.9, 1.0])
def test_any_share_gives_a_selection(share):
    ids, candidates, continues, generator = texts(rows=50)
    selected = select_spans(ids, candidates, continues, share=share, generator=generator).selected
    assert selected.any(1).all()
    assert (selected.sum(1, keepdim=True) <= budget(candidates, share) + 10).all()


def test_short_rows_give_one_and_empty_rows_none():
    ids = torch.tensor([[2, 5, 3, 0], [2, 3, 0, 0]])
    assert select_spans(ids, ids >= 5, NOTHING_CONTINUES, share=0.15).selected.sum(1).tolist() == [1, 0]


def test_all_parts_of_a_text_are_masked():
    """Whatever goes beyond the budget must not always be missing at the end."""
    ids = torch.randint(5, 300, (20_000, 60), generator=torch.Generator().manual_seed(0))
    continues = torch.arange(300) >= 100  # long words: many more pieces than the words that were placed
    selected = select_spans(
        ids, ids >= 5, continues, share=0.15, generator=torch.Generator().manual_seed(1)
    ).selected.float()
    left, middle, right = (part.mean().item() for part in selected.split(20, dim=1))
    assert left == pytest.approx(right, abs=0.006)
    assert left > 0.7 * middle  # fewer spans cover what lies at an end


def test_one_lot_decides_for_all_of_a_span():
    ids, candidates, continues, _ = texts()
    options = {"vocab_size": 300, "mask_id": 4}
    corrupted, selected = mask_spans(
        ids, candidates, continues, generator=torch.Generator().manual_seed(3), **options
    )
    found = select_spans(ids, candidates, continues, share=0.15, generator=torch.Generator().manual_seed(3))
    assert torch.equal(selected, found.selected)
    assert (corrupted[~selected] == ids[~selected]).all()
    fates = set()
    for row in range(100):
        for number in found.span[row][selected[row]].unique():
            here = selected[row] & (found.span[row] == number)
            hidden = (corrupted[row][here] == 4).tolist()
            assert len(set(hidden)) == 1
            fates.add(hidden[0])
    assert fates == {True, False}


def test_shares_that_cannot_be():
    ids, candidates, continues, _ = texts(rows=2)
    with pytest.raises(InputError, match="at most 1"):
        mask_spans(ids, candidates, continues, vocab_size=300, mask_id=4, random_share=0.3)
