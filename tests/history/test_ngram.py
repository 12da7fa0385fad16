"""Counts and mixtures that were worked out on paper, and a slow n-gram model of dicts beside the fast one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bertlib.errors import ConfigError, CorpusError
from bertlib.history import NGramModel
from bertlib.history.ngram import BUCKETS, Shares, bucket, find_weights, interpolate

# begin 0, end 1, a 2, b 3: "a b", "a b", "b a"
SENTENCES = [np.array(row) for row in ([0, 2, 3, 1], [0, 2, 3, 1], [0, 3, 2, 1])]


def test_a_bigram_by_hand():
    """a, b and end were asked for three times each: P1 = 1/2 · 1/3 + 1/2 · 1/6 = 1/4 (V = 6), the others 1/12.

    After the beginning came a twice and b once: P2(a) = 1/2 · 2/3 + 1/2 · 1/4 = 11/24, P2(b) = 7/24.
    """
    model = NGramModel(6, 2, weights=[0.5, 0.5]).fit(SENTENCES)
    assert model.next_word([0]) == pytest.approx([1 / 24, 1 / 8, 11 / 24, 7 / 24, 1 / 24, 1 / 24])
    assert model.next_word([0, 2]) == pytest.approx([1 / 24, 7 / 24, 1 / 8, 11 / 24, 1 / 24, 1 / 24])
    assert model.perplexity(SENTENCES[:1]) == pytest.approx(24 / 11)
    assert model.perplexity(SENTENCES[2:]) == pytest.approx(24 / 7)
    assert model.perplexity(SENTENCES) == pytest.approx((24 / 11) ** (2 / 3) * (24 / 7) ** (1 / 3))


def test_a_trigram_by_hand():
    """After begin, a came b both times: P3 = 1/2 · 1 + 1/2 · 11/24 = 35/48. At the beginning the bigram decides."""
    model = NGramModel(6, 3, weights=[0.5, 0.5, 0.5]).fit(SENTENCES)
    assert model.next_word([0, 2])[3] == pytest.approx(35 / 48)
    assert model.next_word([0])[2] == pytest.approx(11 / 24)
    assert model.perplexity(SENTENCES[:1]) == pytest.approx((11 / 24 * 35 / 48 * 35 / 48) ** (-1 / 3))


def test_a_context_that_was_never_seen_leaves_it_to_the_shorter_one():
    model = NGramModel(6, 2, weights=[0.5, 0.5]).fit(SENTENCES)
    assert model.next_word([0, 5]) == pytest.approx([1 / 12, 1 / 4, 1 / 4, 1 / 4, 1 / 12, 1 / 12])
    assert model.perplexity([np.array([5, 2])]) == pytest.approx(4)


def test_knowing_nothing_is_a_perplexity_of_v():
    model = NGramModel(6, 0).fit(SENTENCES)
    assert model.perplexity(SENTENCES) == pytest.approx(6)
    assert model.next_word([0]) == pytest.approx([1 / 6] * 6)


def test_what_is_ruled_out_has_no_perplexity():
    model = NGramModel(6, 1, weights=[1.0]).fit(SENTENCES)
    assert model.perplexity([np.array([0, 4, 1])]) == float("inf")


def test_parameters_are_counts_and_weights():
    """Three words; bigrams 0a 0b ab a1 b1 ba: six. Two weights in each of the buckets."""
    assert NGramModel(6, 2, weights=[0.5, 0.5]).fit(SENTENCES).num_parameters == 3 + 6 + 2 * BUCKETS


def plain(corpus, vocab_size, weights, context):
    """The same model from a Counter and a loop."""
    n = len(weights)
    grams: Counter[tuple[int, ...]] = Counter()
    for row in corpus:
        for end in range(1, len(row)):
            for k in range(1, min(n, end + 1) + 1):
                grams[tuple(row[end - k + 1 : end + 1].tolist())] += 1
    chances = np.full(vocab_size, 1 / vocab_size)
    for k in range(1, min(n, len(context) + 1) + 1):
        before = tuple(context[len(context) - k + 1 :])
        counts = np.array([grams[(*before, word)] for word in range(vocab_size)])
        if counts.sum():
            weight = weights[k - 1][bucket(counts.sum())]
            chances = weight * counts / counts.sum() + (1 - weight) * chances
    return chances


def test_fast_and_slow_agree():
    rng = np.random.default_rng(0)
    corpus = [np.array([0, *rng.integers(2, 5, rng.integers(0, 7)), 1]) for _ in range(30)]
    model = NGramModel(6, 4).fit(corpus)
    for context in ([0], [0, 2], [0, 3, 4], [0, 2, 2, 3, 4], [0, 5, 3], [4, 3, 2]):
        expected = plain(corpus, 6, model.weights, context)
        assert model.next_word(context) == pytest.approx(expected)
    assert len(np.unique(model.weights)) > 4  # they were found, not left where they began


def test_counts_by_powers_of_two():
    assert bucket(np.array([1, 2, 3, 4, 7, 8, 2**40])).tolist() == [1, 2, 2, 3, 3, 4, BUCKETS]


def test_em_finds_the_likeliest_weights():
    """Against a search over all pairs of weights in steps of 0.02."""
    rng = np.random.default_rng(1)
    relative = rng.random((2, 200)) * (rng.random((2, 200)) < [[0.9], [0.5]])
    shares = Shares(relative, np.ones((2, 200), dtype=int))

    def likelihood(weights):
        """Of the held-out words, and of one word more for each λ, half of it from either side."""
        lambdas = np.asarray(weights)[:, 1]
        known = np.log(interpolate(shares, weights, 5)[-1]).sum()
        return known + 0.5 * np.log(lambdas * (1 - lambdas)).sum()

    found = find_weights(shares, 5, rounds=200)
    grid = np.arange(0.02, 1, 0.02)
    others = [(likelihood(np.array([[0, a], [0, b]])), a, b) for a in grid for b in grid]
    best, a, b = max(others)
    assert likelihood(found) >= best
    assert found[:, 1] == pytest.approx([a, b], abs=0.02)
    assert (find_weights(shares, 5)[:, 2:] == 0.5).all()  # nobody asked these


def test_text_without_surprises_makes_no_weight_of_one():
    """Held-out text in which b always follows a: a c that comes later must stay possible."""
    rows = [np.array([0, *[2, 3] * 10, 1])] * 20
    model = NGramModel(6, 3).fit(rows)
    assert 0.9 < model.weights[:, 1:].max() < 1
    assert 10 < model.perplexity([np.array([0, 2, 4])]) < float("inf")
    assert model.perplexity(rows) < 1.2


def test_longer_memories_help_on_stories_and_em_never_lets_them_hurt(corpus, held_out):
    found = [NGramModel(29, n).fit(corpus).perplexity(held_out) for n in range(4)]
    assert found[0] > found[1] > 5 * found[2]
    assert found[3] < 1.05 * found[2]  # a bigram knows all there is to know here


def test_n_that_is_none_and_too_little_to_tune():
    with pytest.raises(ConfigError, match="n is -1"):
        NGramModel(6, -1)
    with pytest.raises(ConfigError, match="expected n >= 0 and n shares"):
        NGramModel(6, 2, weights=[0.5])
    with pytest.raises(CorpusError, match="the corpus is empty"):
        NGramModel(6, 2).fit(SENTENCES[:1])
