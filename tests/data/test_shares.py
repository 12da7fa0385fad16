"""Every share that a paper names, tested by chi-square on a large sample; and each test shown to fail.

A fixed seed makes the verdicts repeatable. ALARM is small enough for some twenty tests to pass by rights.
"""

import numpy as np
import pytest
import torch

from bertlib.data.masking import corrupt, mask_tokens, select_positions
from bertlib.data.pairs import make_nsp_pairs, make_sop_pairs
from bertlib.data.spans import mask_spans, select_spans, span_lengths
from bertlib.data.whole_words import mask_words

ALARM = 1e-3
V, MASK, FIRST_WORD = 45, 4, 5
NOTHING_CONTINUES, SOME_CONTINUE = torch.zeros(V, dtype=torch.bool), torch.arange(V) >= 35


def doubt(counts, shares):
    """The chance of counts as odd as these if the shares were true (Pearson's chi-square test)."""
    counts, shares = torch.as_tensor(counts).double(), torch.as_tensor(shares).double()
    expected = counts.sum() * shares / shares.sum()
    statistic = ((counts - expected) ** 2 / expected).sum()
    return torch.special.gammaincc(torch.tensor((len(counts) - 1) / 2).double(), statistic / 2).item()


@pytest.mark.parametrize(("freedom", "critical"), [(1, 10.828), (2, 13.816), (9, 27.877), (39, 72.055)])
def test_the_chi_square_function_agrees_with_the_table_at_one_in_a_thousand(freedom, critical):
    """A statistic of `critical` by hand: the first two counts off by the same, all others as expected."""
    cells, each = freedom + 1, 1e6
    off = (critical * each / 2) ** 0.5
    counts = [each + off, each - off] + [each] * (cells - 2)
    assert doubt(counts, [1.0] * cells) == pytest.approx(1e-3, rel=2e-3)


def text(rows=3000, length=101, seed=0):
    """Rows of 100 words each after a [CLS]: 15 % are 15 words."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(FIRST_WORD, V, (rows, length), generator=generator)
    ids[:, 0] = 2
    return ids, ids >= FIRST_WORD, generator


def fates(ids, corrupted, selected):
    """Counts of [MASK], another word, the same word."""
    hidden, same = corrupted[selected] == MASK, corrupted[selected] == ids[selected]
    return [int(hidden.sum()), int((~hidden & ~same).sum()), int(same.sum())]


WORDS = V - FIRST_WORD
SHARES = [0.8, 0.1 * (WORDS - 1) / WORDS, 0.1 + 0.1 / WORDS]  # a random word may be the same one


@pytest.mark.parametrize("kind", ["tokens", "words", "words of pieces"])
def test_of_the_selected_80_10_10_become_mask_random_or_stay(kind):
    ids, candidates, generator = text()
    options = {"vocab_size": V, "mask_id": MASK, "generator": generator}
    if kind == "tokens":
        found = mask_tokens(ids, candidates, **options)
    else:
        table = SOME_CONTINUE if "pieces" in kind else NOTHING_CONTINUES
        found = mask_words(ids, candidates, table, **options)
    assert doubt(fates(ids, *found), SHARES) > ALARM


def test_of_the_spans_80_10_10_become_mask_random_or_stay():
    ids, candidates, _ = text()
    corrupted, selected = mask_spans(
        ids,
        candidates,
        NOTHING_CONTINUES,
        vocab_size=V,
        mask_id=MASK,
        generator=torch.Generator().manual_seed(5),
    )
    span = select_spans(
        ids, candidates, NOTHING_CONTINUES, share=0.15, generator=torch.Generator().manual_seed(5)
    ).span
    first = selected & torch.nn.functional.pad(~selected, (1, 0), value=True)[:, :-1]  # of each span
    assert first.sum() == sum(len(row.unique()) for row in (span + 1) * selected) - len(ids)
    assert doubt(fates(ids, corrupted, first), SHARES) > ALARM


def test_two_independent_draws_would_be_found_out():
    """A known slip: first 80 % [MASK], then half of *all* selected random, gives other shares."""
    ids, candidates, generator = text()
    selected = select_positions(candidates, share=0.15, generator=generator)
    words = torch.randint(FIRST_WORD, V, ids.shape, generator=generator)
    hidden = torch.rand(ids.shape, generator=generator) < 0.8
    swapped = ~hidden & (torch.rand(ids.shape, generator=generator) < 0.1)
    wrong = ids.where(~selected, torch.where(hidden, MASK, torch.where(swapped, words, ids)))
    assert doubt(fates(ids, wrong, selected), SHARES) < ALARM


@pytest.mark.parametrize("shares", [(0.85, 0.10), (0.80, 0.09), (0.81, 0.10), (0.78, 0.11)])
def test_other_shares_would_be_found_out(shares):
    ids, candidates, generator = text()
    selected = select_positions(candidates, share=0.15, generator=generator)
    fate = torch.rand(ids.shape, generator=generator)
    words = torch.randint(FIRST_WORD, V, ids.shape, generator=generator)
    found = corrupt(ids, selected, fate, words, mask_id=MASK, mask_share=shares[0], random_share=shares[1])
    assert doubt(fates(ids, *found), SHARES) < ALARM


def selections():
    """How each kind selects, where every word is one piece."""
    ids, candidates, generator = text()
    options = {"vocab_size": V, "mask_id": MASK, "generator": generator}
    yield "tokens", candidates, mask_tokens(ids, candidates, **options).selected
    yield "words", candidates, mask_words(ids, candidates, NOTHING_CONTINUES, **options).selected
    yield "spans", candidates, mask_spans(ids, candidates, NOTHING_CONTINUES, **options).selected


def test_15_percent_are_selected_by_every_kind():
    for _, candidates, selected in selections():
        count = int(selected.sum())
        assert doubt([count, int(candidates.sum()) - count], [0.15, 0.85]) > ALARM
        assert (selected.sum(1) == 15).all()


def test_each_coin_its_own_would_not_keep_the_number():
    """Selecting each word by a coin of its own (as some code does) gives 15 % only on average."""
    _, candidates, generator = text()
    selected = candidates & (torch.rand(candidates.shape, generator=generator) < 0.15)
    assert (selected.sum(1) != 15).float().mean() > 0.8
    wrong = candidates & (torch.rand(candidates.shape, generator=generator) < 0.155)
    count = int(wrong.sum())
    assert doubt([count, int(candidates.sum()) - count], [0.15, 0.85]) < ALARM


def by_place(selected):
    """Counts for each of the 100 places of a row."""
    return selected[:, 1:].sum(0)


def test_tokens_and_words_are_selected_everywhere_alike_and_spans_less_at_the_ends():
    found = {name: by_place(selected) for name, _, selected in selections()}
    assert doubt(found["tokens"], [1.0] * 100) > ALARM
    assert doubt(found["words"], [1.0] * 100) > ALARM
    assert doubt(found["spans"], [1.0] * 100) < ALARM  # fewer spans reach the first word


def test_random_words_are_any_word_alike():
    ids, candidates, generator = text()
    for mask, table in ((mask_tokens, ()), (mask_words, (SOME_CONTINUE,)), (mask_spans, (SOME_CONTINUE,))):
        corrupted, selected = mask(
            ids,
            candidates,
            *table,
            vocab_size=V,
            mask_id=MASK,
            mask_share=0.0,
            random_share=1.0,
            generator=generator,
        )
        counts = torch.bincount(corrupted[selected], minlength=V)
        assert counts[:FIRST_WORD].sum() == 0
        assert doubt(counts[FIRST_WORD:], [1.0] * WORDS) > ALARM


def test_a_range_that_is_off_by_one_would_be_found_out():
    words = torch.randint(FIRST_WORD + 1, V, (20_000,), generator=torch.Generator().manual_seed(0))
    assert doubt(torch.bincount(words, minlength=V)[FIRST_WORD:], [1.0] * WORDS) < ALARM


def geometric(p=0.2, longest=10):
    return np.array([p * (1 - p) ** (k - 1) for k in range(1, longest + 1)])


def test_span_lengths_are_geometric_up_to_ten():
    lengths = span_lengths(torch.rand(100_000, generator=torch.Generator().manual_seed(2)))
    assert doubt(torch.bincount(lengths, minlength=11)[1:], geometric()) > ALARM


@pytest.mark.parametrize("wrong", ["clipped", "another p", "uniform"])
def test_other_lengths_would_be_found_out(wrong):
    generator = torch.Generator().manual_seed(2)
    lots = torch.rand(100_000, generator=generator)
    lengths = {
        "clipped": span_lengths(lots, longest=1000).clamp(max=10),
        "another p": span_lengths(lots, p=0.22),
        "uniform": torch.randint(1, 11, (100_000,), generator=generator),
    }[wrong]
    assert doubt(torch.bincount(lengths, minlength=11)[1:], geometric()) < ALARM


def renewal(total, chances):
    """Expected number of spans of each length if lengths are drawn until `total`, the last one cut."""
    begins = np.zeros(total + 1)  # chance that a span begins after this many words
    begins[0] = 1
    counts = np.zeros(len(chances) + 1)
    for at in range(total):
        for length, chance in enumerate(chances, start=1):
            counts[min(length, total - at)] += begins[at] * chance
            begins[min(at + length, total)] += begins[at] * chance
    return counts[1:]


def test_the_spans_in_a_text_have_the_lengths_that_were_drawn():
    _, _, selected = next(found for found in selections() if found[0] == "spans")
    edges = torch.diff(torch.nn.functional.pad(selected.int(), (1, 1)), dim=1)
    lengths = (edges == -1).nonzero()[:, 1] - (edges == 1).nonzero()[:, 1]
    counts = torch.bincount(lengths, minlength=11)[1:]
    chances = geometric() / geometric().sum()
    assert doubt(counts, renewal(15, chances)) > ALARM
    assert doubt(counts, renewal(15, np.ones(10) / 10)) < ALARM
    assert counts.sum().item() == pytest.approx(len(selected) * renewal(15, chances).sum(), rel=0.02)


def corpus(one_sentence=0):
    """Documents of 2 to 12 sentences, and some of one."""
    rng = np.random.default_rng(0)
    sizes = np.concatenate([rng.integers(2, 13, 3000), np.ones(one_sentence, dtype=np.int64)])
    return np.cumsum(rng.integers(1, 21, sizes.sum())), np.cumsum(sizes)


@pytest.mark.parametrize("lonely", [0, 1500])
def test_half_of_the_pairs_follow(lonely):
    pairs = make_nsp_pairs(*corpus(lonely), max_tokens=60, generator=np.random.default_rng(3))
    assert doubt(np.bincount(pairs.label), [0.5, 0.5]) > ALARM


def test_half_of_the_pairs_are_swapped():
    labels = make_sop_pairs(*corpus(1500), max_tokens=60, generator=np.random.default_rng(3)).label
    assert doubt(np.bincount(labels[labels >= 0]), [0.5, 0.5]) > ALARM


def test_another_coin_would_be_found_out():
    """Without the allowance for documents of one sentence, which never follow, half would not be half."""
    ends = corpus(1500)
    labels = make_nsp_pairs(*ends, max_tokens=60, generator=np.random.default_rng(3)).label
    coin = np.random.default_rng(4).random(len(labels)) < 0.5
    naive = np.where(coin & (np.arange(len(labels)) < len(labels) - 1500), 0, 1)
    assert doubt(np.bincount(naive), [0.5, 0.5]) < ALARM
