"""n-grams: count how often a word followed the last few, and mix long memories with short ones.

Jelinek and Mercer 1980; in the recursive form of Chen and Goodman 1999, section 2.3::

    P_k(w | last k-1 words) = λ · count(those words, w) / count(those words) + (1 - λ) · P_{k-1}(w | last k-2)

down to P_0 = 1 / V. The weight λ depends on k and on how often the context was seen: a context that was met a
thousand times is to be trusted, one that was met once is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertlib.errors import ConfigError, TrainingError
from bertlib.history.corpus import Corpus, asked, check_corpus, check_ids

if TYPE_CHECKING:
    from typing_extensions import Self

BUCKETS = 16  # contexts seen once, 2-3 times, 4-7 times, and so on


class Level(NamedTuple):
    """All k-grams of a text, sorted; each is named by its place here, its context by that one level up."""

    keys: np.ndarray  # (N,) context * V + last word, rising
    counts: np.ndarray  # (N,) how often the last word was asked for there
    contexts: np.ndarray  # (N of the level above,) how often any word was asked for after that context


class Shares(NamedTuple):
    """What each k says about every id asked for, from k = 1 on: both (n, ids)."""

    relative: np.ndarray  # count(context, word) / count(context); 0 where the context is new
    buckets: np.ndarray  # 1 + how often the context was seen, as a power of two; 0 where it is new


class NGramModel:
    """An interpolated n-gram model.

    Args:
        vocab_size: V.
        n: words that are counted together: 3 looks back at two words, 1 at none, 0 knows nothing.
        weights: λ of k = 1 to n; None: found with EM on the last tenth of the rows, which the counts leave
            out for so long.

    Raises:
        ConfigError: n below 0, or weights that are not n shares.
    """

    def __init__(self, vocab_size: int, n: int = 3, *, weights: Sequence[float] | None = None) -> None:
        if n < 0 or (weights is not None and (len(weights) != n or not all(0 <= w <= 1 for w in weights))):
            raise ConfigError(f"n is {n} and weights are {weights}; expected n >= 0 and n shares in [0, 1]")
        self.vocab_size, self.n, self.given_weights = vocab_size, n, weights
        self.levels: list[Level] | None = None
        self.weights = np.zeros((n, BUCKETS + 1))  # λ by k and bucket; column 0, a new context, stays 0
        if weights is not None:
            self.weights[:, 1:] = np.array(weights)[:, None]

    @property
    def num_parameters(self) -> int:
        """The counts above 0, and the weights in use."""
        return sum(int((level.counts > 0).sum()) for level in self._levels()) + int((self.weights > 0).sum())

    def fit(self, corpus: Corpus, *, progress: bool = False) -> Self:
        """Count; it takes a second or two for a megabyte, so there is no bar.

        Raises:
            CorpusError: no rows, or one row only where the weights are to be found.
        """
        check_corpus(corpus, self.vocab_size)
        if self.given_weights is None and self.n:
            tenth = max(len(corpus) // 10, 1)
            check_corpus(corpus[:-tenth], self.vocab_size)
            self.levels = count(corpus[:-tenth], self.n, self.vocab_size)
            self.weights = find_weights(self._shares(corpus[-tenth:]), self.vocab_size)
        self.levels = count(corpus, self.n, self.vocab_size)
        return self

    def perplexity(self, corpus: Corpus) -> float:
        """Return exp of the mean surprise at every id but the first of each row."""
        self._levels()
        check_corpus(corpus, self.vocab_size)
        chances = interpolate(self._shares(corpus), self.weights, self.vocab_size)[-1]
        # Given weights can rule words out; the perplexity is then infinite.
        with np.errstate(divide="ignore"):
            return float(np.exp(-np.log(chances).sum() / asked(corpus)))

    def next_word(self, context: Sequence[int]) -> np.ndarray:
        """Return how likely each id is to follow ``context``: (V,)."""
        levels = self._levels()
        check_ids(context, self.vocab_size, least=1, name="the context")
        chances = np.full(self.vocab_size, 1 / self.vocab_size)
        for k, level in enumerate(levels, start=1):
            node = self._find(context[len(context) - k + 1 :]) if k <= len(context) + 1 else -1
            seen = level.contexts[node] if node >= 0 else 0
            if not seen:
                break
            first, last = np.searchsorted(level.keys, [node * self.vocab_size, (node + 1) * self.vocab_size])
            relative = np.zeros(self.vocab_size)
            relative[level.keys[first:last] % self.vocab_size] = level.counts[first:last] / seen
            weight = self.weights[k - 1, bucket(seen)]
            chances = weight * relative + (1 - weight) * chances
        return chances

    def _levels(self) -> list[Level]:
        if self.levels is None:
            raise TrainingError("this NGramModel has learned nothing yet; call fit first")
        return self.levels

    def _find(self, words: Sequence[int]) -> int:
        """Return the place of a k-gram on its level, -1 if it was never seen; the empty one has place 0."""
        node = 0
        for level, word in zip(self._levels(), words, strict=False):
            node = int(look_up(level.keys, np.array([node * self.vocab_size + word]))[0])
            if node < 0:
                break
        return node

    def _shares(self, corpus: Corpus) -> Shares:
        """Look every id asked for up on all levels."""
        words, places = stream(corpus)
        contexts = np.zeros(len(words), dtype=np.int64)  # before any word stands the empty context
        relative, buckets = [], []
        for k, level in enumerate(self._levels(), start=1):
            seen = np.where(contexts >= 0, level.contexts[contexts], 0)
            nodes = extend(contexts, words, level.keys, self.vocab_size)
            found = np.where(nodes >= 0, level.counts[nodes], 0)
            relative.append(found / np.maximum(seen, 1))
            buckets.append(np.where(seen > 0, bucket(seen), 0))
            contexts = shift(nodes, places, k)
        empty = np.zeros((0, len(words)))
        wanted = places > 0
        return Shares(
            np.array(relative or empty)[:, wanted], np.array(buckets or empty, dtype=int)[:, wanted]
        )


def stream(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Put all rows behind one another: the ids, and the place of each in its row."""
    words = np.concatenate(corpus).astype(np.int64)
    return words, np.concatenate([np.arange(len(row)) for row in corpus])


def shift(nodes: np.ndarray, places: np.ndarray, k: int) -> np.ndarray:
    """Make k-grams that end at a place the contexts of the next; -1 where fewer than k words stand before."""
    contexts = np.concatenate(([-1], nodes[:-1]))
    contexts[places < k] = -1
    return contexts


def look_up(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the place of each wanted number in sorted ``keys``, -1 if it is not there."""
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def extend(contexts: np.ndarray, words: np.ndarray, keys: np.ndarray, vocab_size: int) -> np.ndarray:
    """Return the place of each context with its word added, -1 if that was never seen."""
    return np.where(contexts >= 0, look_up(keys, contexts * vocab_size + words), -1)


def bucket(seen: np.ndarray | int) -> np.ndarray:
    """Sort counts by powers of two: 1 gives 1, 2 and 3 give 2, 4 to 7 give 3, and so on."""
    return np.minimum(np.log2(np.maximum(seen, 1)).astype(int) + 1, BUCKETS)


def count(corpus: Corpus, n: int, vocab_size: int) -> list[Level]:
    """Count the k-grams of all rows for k = 1 to n."""
    words, places = stream(corpus)
    contexts, above, levels = np.zeros(len(words), dtype=np.int64), 1, []
    for k in range(1, n + 1):
        known = contexts >= 0
        keys = np.unique(contexts[known] * vocab_size + words[known])
        nodes = extend(contexts, words, keys, vocab_size)
        wanted = known & (places > 0)
        levels.append(
            Level(
                keys,
                np.bincount(nodes[wanted], minlength=len(keys)),
                np.bincount(contexts[wanted], minlength=above),
            )
        )
        contexts, above = shift(nodes, places, k), len(keys)
    return levels


def interpolate(shares: Shares, weights: np.ndarray, vocab_size: int) -> list[np.ndarray]:
    """Return what P_0, P_1 … P_n say about every id asked for, (ids,) each."""
    chances = [np.full(shares.relative.shape[1], 1 / vocab_size)]
    for relative, buckets, weight in zip(*shares, weights, strict=True):
        chances.append(weight[buckets] * relative + (1 - weight[buckets]) * chances[-1])
    return chances


def find_weights(shares: Shares, vocab_size: int, *, rounds: int = 20) -> np.ndarray:
    """Find the weights that make held-out text likeliest, with EM (Jelinek and Mercer 1980).

    Each round asks of every word, from the longest memory down, how likely it came from there and how likely
    from further down; the shares of a bucket become its λ. Each bucket is given one word more, half of it
    from here: a λ of 1, found where held-out text happens to bring no surprise, would rule out every word
    that is new after such a context.

    Returns:
        (n, BUCKETS + 1).
    """
    n = len(shares.relative)
    weights = np.full((n, BUCKETS + 1), 0.5)
    weights[:, 0] = 0.0
    for _ in range(rounds):
        chances = interpolate(shares, weights, vocab_size)
        reached = np.ones(shares.relative.shape[1])  # how likely the word came from level k or further down
        for k in reversed(range(n)):
            buckets = shares.buckets[k]
            here = reached * weights[k][buckets] * shares.relative[k] / chances[k + 1]
            total = np.bincount(buckets, reached, minlength=BUCKETS + 1)
            came = np.bincount(buckets, here, minlength=BUCKETS + 1)
            reached = reached - here
            weights[k] = (came + 0.5) / (total + 1)
        weights[:, 0] = 0.0
    return weights
