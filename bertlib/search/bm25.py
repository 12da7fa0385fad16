"""Search by words: BM25, what there was before vectors and what vectors have to beat.

It knows no synonyms and no word order, needs no training, and is hard to beat for names and rare words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bertlib.errors import InputError

# A word, or one Chinese character: Chinese has no blanks to tell words by.
WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Example:
        >>> words_of("It's 5 o'clock: 走吧")
        ['it', 's', '5', 'o', 'clock', '走', '吧']
    """
    return WORD.findall(text.lower())


class Found(NamedTuple):
    """The best texts for each of Q questions, best first."""

    scores: np.ndarray  # (Q, K)
    numbers: np.ndarray  # (Q, K), counted from 0


class BM25:
    """An index from each word to the texts that hold it (Robertson and Zaragoza 2009, section 3).

    The score of text d for a question q is a sum over the words of q::

        idf(w) * n (k1 + 1) / (n + k1 (1 - b + b |d| / mean |d|)),   n = times w stands in d
        idf(w) = ln(1 + (N - N_w + 0.5) / (N_w + 0.5)),              N_w = of the N texts, those with w

    The 1 in the logarithm, as in Lucene, keeps a word that more than half of the texts hold from counting
    against them.

    Args:
        texts: N of them.
        k1: how soon more of the same word stops to matter; 0: at once.
        b: how much long texts are marked down; 0: not at all, 1: in full.

    Raises:
        InputError: no texts, ``k1`` below 0 or ``b`` outside [0, 1].
    """

    def __init__(self, texts: Sequence[str], *, k1: float = 1.2, b: float = 0.75) -> None:
        if not len(texts):
            raise InputError("there are no texts to search; expected at least one")
        if k1 < 0 or not 0 <= b <= 1:
            raise InputError(f"k1 is {k1} and b {b}; expected k1 of at least 0 and b from 0 to 1")
        self.numbers: dict[str, int] = {}  # of each word, in the order in which they come
        rows = [[self.numbers.setdefault(w, len(self.numbers)) for w in words_of(text)] for text in texts]
        lengths = np.array([len(row) for row in rows])
        texts_of = np.repeat(np.arange(len(rows)), lengths)
        words = np.array([word for row in rows for word in row], np.int64)
        # each (word, text) once, sorted by word, with its count: the postings of a word lie together
        keys, counts = np.unique(words * len(rows) + texts_of, return_counts=True)
        self.texts = keys % len(rows)  # (postings,)
        self.starts = np.searchsorted(keys // len(rows), np.arange(len(self.numbers) + 1))
        share = lengths[self.texts] / max(lengths.mean(), 1e-9)
        self.weights = counts * (k1 + 1) / (counts + k1 * (1 - b + b * share))
        self.size = len(rows)

    def frequency(self, word: str) -> int:
        """Return the number of texts that hold a word."""
        number = self.numbers.get(word)
        return 0 if number is None else int(self.starts[number + 1] - self.starts[number])

    def idf(self, word: str) -> float:
        """Return how much a word tells: near 0 if every text has it."""
        frequency = self.frequency(word)
        return float(np.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5)))

    def scores(self, question: str) -> np.ndarray:
        """Return the score of each text, (N,); 0 for those that share no word with the question."""
        scores = np.zeros(self.size)
        for word in words_of(question):
            if word in self.numbers:
                place = slice(*self.starts[self.numbers[word] : self.numbers[word] + 2])
                scores[self.texts[place]] += self.idf(word) * self.weights[place]
        return scores

    def search(self, questions: Sequence[str], *, top: int) -> Found:
        """Return the ``top`` texts for each question; at a tie the earlier text comes first."""
        top = min(top, self.size)
        scores, numbers = np.zeros((len(questions), top)), np.zeros((len(questions), top), np.int64)
        for row, question in enumerate(questions):
            all_scores = self.scores(question)
            numbers[row] = np.argsort(-all_scores, kind="stable")[:top]
            scores[row] = all_scores[numbers[row]]
        return Found(scores, numbers)
