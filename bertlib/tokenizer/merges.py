"""Which two pieces to merge next, and the bookkeeping that makes the answer quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from bertlib.tokenizer.pieces import INNER

Score = Literal["frequency", "likelihood", "ratio"]
Pair = tuple[int, int]


def pair_score(
    f_ab: np.ndarray, f_a: np.ndarray, f_b: np.ndarray, total: float, *, kind: Score = "frequency"
) -> np.ndarray:
    """Say how much each pair of neighbouring pieces deserves to be merged; the highest goes first.

    Args:
        f_ab: (P,) how often the two stand side by side.
        f_a: (P,) how often the left piece stands anywhere.
        f_b: (P,) the same for the right piece.
        total: number of pieces in the whole corpus.
        kind: one of

            - ``ratio``: ``f_ab / (f_a f_b)``, as WordPiece is commonly described. It adores rare pieces.
            - ``likelihood``: ``f_ab log(f_ab total / (f_a f_b))``, about the gain in log-likelihood of the
              corpus under a unigram model of pieces: the ratio's logarithm, counted as often as it occurs
              (Schuster and Nakajima 2012 merge what raises the likelihood most).
            - ``frequency``: ``f_ab``, as byte-pair encoding does (Sennrich et al. 2016) and as the
              trainer in the ``tokenizers`` library does under the name of WordPiece.

    Returns:
        (P,) scores.

    Example:
        >>> pair_score(np.array([6.0, 2.0]), np.array([9.0, 2.0]), np.array([8.0, 2.0]), 40, kind="ratio")
        array([0.08333333, 0.5       ])
    """
    if kind == "frequency":
        return f_ab
    ratio = f_ab / (f_a * f_b)
    return ratio if kind == "ratio" else f_ab * np.log(ratio * total)


class PairTable:
    """All words as lists of pieces, with the count of every pair of neighbours kept up to date.

    A merge touches only the words that hold the pair, and one pass of numpy over all pairs finds the next.
    Pieces are numbers, ``pieces[number]`` is the text. Row r of ``left``, ``right`` and ``count`` is one
    pair, ``places[r]`` the words where it was seen (possibly in the past).

    Args:
        words: how often each word occurs; all its characters must be in ``start``.
        start: the first pieces: special tokens and the alphabet, plain and with ``##``.
    """

    def __init__(self, words: Mapping[str, int], start: Sequence[str]) -> None:
        self.pieces = list(start)
        self.number = {piece: n for n, piece in enumerate(start)}
        self.words = [[self.number[INNER * (i > 0) + c] for i, c in enumerate(word)] for word in words]
        self.weights = list(words.values())
        self.frequency = np.zeros(len(start))
        self.rows: dict[Pair, int] = {}
        self.places: list[set[int]] = []
        self.left = self.right = np.zeros(0, dtype=np.int64)
        self.count = np.zeros(0)
        changes: dict[Pair, int] = defaultdict(int)
        for index, (word, weight) in enumerate(zip(self.words, self.weights, strict=True)):
            np.add.at(self.frequency, word, weight)
            self._note(index, word, changes)
        self._apply(changes)

    def best(self, *, score: Score, min_frequency: int) -> Pair | None:
        """Return the pair to merge next, among equals that of the oldest pieces; None when none is left."""
        rows = np.flatnonzero(self.count >= min_frequency)
        if not len(rows):
            return None
        left, right = self.left[rows], self.right[rows]
        f_a, f_b = self.frequency[left], self.frequency[right]
        scores = pair_score(self.count[rows], f_a, f_b, self.frequency.sum(), kind=score)
        top = scores.max()
        # The tolerance keeps equals equal on processors whose logarithm differs in the last digit.
        equals = np.flatnonzero(scores >= top - 1e-12 * abs(top))
        return min((int(left[i]), int(right[i])) for i in equals)

    def merge(self, pair: Pair) -> None:
        """Join the pair wherever it stands."""
        merged = self._number_of(self.pieces[pair[0]] + self.pieces[pair[1]].removeprefix(INNER))
        changes: dict[Pair, int] = defaultdict(int)
        places, self.places[self.rows[pair]] = self.places[self.rows[pair]], set()
        joined = 0
        for index in sorted(places):
            old = self.words[index]
            new = self.words[index] = join(old, pair, merged)
            joined += self.weights[index] * (len(old) - len(new))
            for neighbours in pairwise(old):
                changes[neighbours] -= self.weights[index]
            self._note(index, new, changes)
        self.frequency[pair[0]] -= joined
        self.frequency[pair[1]] -= joined
        self.frequency[merged] += joined
        self._apply(changes)

    def _number_of(self, piece: str) -> int:
        """Return the number of a piece; "a" + "##bc" may exist already, as "ab" + "##c"."""
        if piece not in self.number:
            self.number[piece] = len(self.pieces)
            self.pieces.append(piece)
            self.frequency = np.append(self.frequency, 0.0)
        return self.number[piece]

    def _note(self, index: int, word: list[int], changes: dict[Pair, int]) -> None:
        """Add the pairs of one word to ``changes`` and remember the word at each of them."""
        for neighbours in pairwise(word):
            changes[neighbours] += self.weights[index]
            row = self.rows.setdefault(neighbours, len(self.rows))
            if row == len(self.places):
                self.places.append(set())
            self.places[row].add(index)

    def _apply(self, changes: dict[Pair, int]) -> None:
        """Give new pairs their rows, then change the counts."""
        new = [pair for pair in changes if self.rows[pair] >= len(self.count)]
        columns = np.array(new, dtype=np.int64).reshape(-1, 2)
        self.left = np.append(self.left, columns[:, 0])
        self.right = np.append(self.right, columns[:, 1])
        self.count = np.append(self.count, np.zeros(len(new)))
        self.count[[self.rows[pair] for pair in changes]] += list(changes.values())


def join(word: list[int], pair: Pair, merged: int) -> list[int]:
    """Return the word with the pair, read from the left, replaced by ``merged``.

    Example:
        >>> join([5, 7, 7, 7], (7, 7), 9)
        [5, 9, 7]
    """
    joined: list[int] = []
    for piece in word:
        if joined and (joined[-1], piece) == pair:
            joined[-1] = merged
        else:
            joined.append(piece)
    return joined
