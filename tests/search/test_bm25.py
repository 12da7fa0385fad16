"""Robertson's formula beside an example worked out by hand and a plain loop over all texts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.search.bm25 import BM25, words_of


def test_scores_by_hand():
    """Three texts of 2, 4 and 3 words, mean 3. "cat" is in two of them, "ran" in one, "dog" in none."""
    index = BM25(["cat sat", "cat ran cat home", "the sun shone"], k1=1.0, b=0.5)
    cat, ran = math.log(1 + 1.5 / 2.5), math.log(1 + 2.5 / 1.5)
    assert index.idf("cat") == pytest.approx(cat)
    first = cat * 1 * 2 / (1 + 1 * (0.5 + 0.5 * 2 / 3))
    second = cat * 2 * 2 / (2 + 1 * (0.5 + 0.5 * 4 / 3)) + ran * 1 * 2 / (1 + 1 * (0.5 + 0.5 * 4 / 3))
    np.testing.assert_allclose(index.scores("Cat ran, dog!"), [first, second, 0])


def test_settings_at_their_ends():
    texts = ["cat cat cat", "cat", "sun"]
    np.testing.assert_allclose(np.diff(BM25(texts, k1=0).scores("cat")[:2]), 0)  # counts do not matter
    long = BM25(["cat " + "sun " * 9, "cat"], b=0).scores("cat")  # lengths do not
    assert long[0] == pytest.approx(long[1])
    long = BM25(["cat " + "sun " * 9, "cat"], b=1).scores("cat")
    assert long[0] < long[1]


def slow_score(texts, question, number, k1=1.2, b=0.75):
    rows = [words_of(text) for text in texts]
    mean, total = sum(map(len, rows)) / len(rows), 0.0
    for word in words_of(question):
        n, frequency = rows[number].count(word), sum(word in row for row in rows)
        idf = math.log(1 + (len(rows) - frequency + 0.5) / (frequency + 0.5))
        total += idf * n * (k1 + 1) / (n + k1 * (1 - b + b * len(rows[number]) / mean))
    return total


def test_the_index_equals_a_plain_loop():
    generator = np.random.default_rng(0)
    words = [f"w{n}" for n in range(30)]
    texts = [" ".join(generator.choice(words, generator.integers(0, 12))) for _ in range(40)]
    question = "w1 w2 w3 w3 w29 unknown"
    expected = [slow_score(texts, question, number) for number in range(40)]
    np.testing.assert_allclose(BM25(texts).scores(question), expected)


def test_the_best_come_first_and_ties_in_their_order():
    index = BM25(["sun", "cat", "cat", "cat cat"])
    found = index.search(["cat", "moon"], top=3)
    assert found.numbers[0].tolist() == [3, 1, 2]
    assert found.numbers[1].tolist() == [0, 1, 2]
    assert found.scores[1].tolist() == [0, 0, 0]
    assert index.search(["cat"], top=9).numbers.shape == (1, 4)


def test_frequencies_and_empty_texts():
    index = BM25(["cat cat", "", "cat sun"])
    assert [index.frequency(word) for word in ("cat", "sun", "dog")] == [2, 1, 0]
    assert BM25(["", ""]).scores("cat").tolist() == [0, 0]


def test_wrong_input():
    with pytest.raises(InputError, match="no texts to search"):
        BM25([])
    with pytest.raises(InputError, match=r"k1 is -1 and b 0\.75; expected k1 of at least 0"):
        BM25(["cat"], k1=-1)
    with pytest.raises(InputError, match="b 2; expected"):
        BM25(["cat"], b=2)
