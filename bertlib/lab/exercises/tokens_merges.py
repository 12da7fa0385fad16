"""Exercises of *From text to tokens*, learning pieces: score the pairs, merge one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from bertlib.lab.exercise import Case, Exercise, Mistake

Pair = tuple[str, str]


def letters(word: str) -> list[str]:
    """Return a word as the pieces it starts from: its first letter, then ``##`` letters."""
    return [word[0], *("##" + letter for letter in word[1:])]


def pair_scores(
    words: Sequence[Sequence[str]], counts: Sequence[int], *, once: bool = False
) -> dict[Pair, float]:
    """Score every pair of neighbours: its count over the counts of its two pieces.

    Args:
        words: each word, cut into pieces.
        counts: how often each word occurs in the text.
        once: count every word once, whatever ``counts`` says (a wrong version).
    """
    single: Counter[str] = Counter()
    double: Counter[Pair] = Counter()
    for pieces, count in zip(words, counts, strict=True):
        for piece in pieces:
            single[piece] += 1 if once else count
        for pair in pairwise(pieces):
            double[pair] += 1 if once else count
    return {pair: n / (single[pair[0]] * single[pair[1]]) for pair, n in double.items()}


def pair_counts(words: Sequence[Sequence[str]], counts: Sequence[int]) -> dict[Pair, float]:
    """Count every pair of neighbours: what byte-pair encoding goes by."""
    double: Counter[Pair] = Counter()
    for pieces, count in zip(words, counts, strict=True):
        for pair in pairwise(pieces):
            double[pair] += count
    return dict(double)


def across_words(words: Sequence[Sequence[str]], counts: Sequence[int]) -> dict[Pair, float]:
    """Score all words in one row, so that the end of one touches the beginning of the next: wrong."""
    row = [piece for pieces, count in zip(words, counts, strict=True) for piece in [*pieces] * count]
    return pair_scores([row], [1])


def over_pairs(words: Sequence[Sequence[str]], counts: Sequence[int]) -> dict[Pair, float]:
    """Divide by the number of all pairs instead of the two pieces: wrong."""
    double = pair_counts(words, counts)
    return {pair: count / sum(double.values()) for pair, count in double.items()}


def as_rows(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call the reader's function; a dictionary becomes rows, sorted by the pieces, for the report."""
    scores = reader(*arguments.values())
    if not isinstance(scores, Mapping):
        return scores
    return [(*pair, float(score)) for pair, score in sorted(scores.items())]


PAIR_SCORES = Exercise(
    name="pair-scores",
    difficulty="medium",
    minutes=12,
    hint="Two Counters: one for pieces, one for pairs. For each word and its count, add the count (not 1) "
    "for each piece, and for each pair in zip(word, word[1:]). Then divide.",
    praise="Counted and divided: this is the number by which pieces find each other.",
    reference=pair_scores,
    run=as_rows,
    cases=lambda: [
        Case("two words", {"words": [letters("it"), letters("is")], "counts": [3, 2]}),
        Case(
            "a word that occurs five times",
            {"words": [letters("ha"), letters("aha")], "counts": [5, 1]},
            because="A word that occurs five times brings each of its pieces and pairs five times.",
        ),
        Case(
            "pieces of several letters",
            {"words": [["play"], ["play", "##ing"], ["s", "##ing"]], "counts": [5, 3, 2]},
            because="A word of one piece has no pair, but its piece counts.",
        ),
        Case("a pair that stands twice in a word", {"words": [letters("banana")], "counts": [1]}),
    ],
    mistakes=(
        Mistake("the pairs are counted but not divided: that is byte-pair encoding's score.", pair_counts),
        Mistake(
            "every word counted once. `counts` says how often it stands in the text.",
            partial(pair_scores, once=True),
        ),
        Mistake("pairs were made across the end of a word. A merge never leaves its word.", across_words),
        Mistake(
            "each count was divided by the number of all pairs, which ranks them like counts.", over_pairs
        ),
    ),
)


def merge_pair(word: Sequence[str], pair: Pair, *, marks: str = "##") -> list[str]:
    """Join the pair wherever it stands, from the left; ``marks`` is what the right piece loses."""
    merged, place = [], 0
    while place < len(word):
        if tuple(word[place : place + 2]) == tuple(pair):
            merged.append(pair[0] + (pair[1].removeprefix(marks) if marks else pair[1]))
            place += 2
        else:
            merged.append(word[place])
            place += 1
    return merged


def merge_first(word: Sequence[str], pair: Pair) -> list[str]:
    """Join the pair at its first place only: wrong."""
    for place in range(len(word) - 1):
        if (word[place], word[place + 1]) == tuple(pair):
            return [*word[:place], *merge_pair(word[place : place + 2], pair), *word[place + 2 :]]
    return list(word)


MERGE_PAIR = Exercise(
    name="merge-pair",
    difficulty="easy",
    minutes=8,
    hint="Walk along the word with a place that you move yourself: by two when the pair stands there, else "
    "by one. The right piece loses its ## when it is glued on: piece.removeprefix('##').",
    praise="Glued, and every other piece left alone.",
    reference=merge_pair,
    cases=lambda: [
        Case("inside a word", {"word": letters("playing"), "pair": ("##i", "##n")}),
        Case(
            "at the beginning of a word",
            {"word": letters("played"), "pair": ("p", "##l")},
            because="The piece that begins a word has no ##, and the merged piece has none either.",
        ),
        Case("twice in a word", {"word": letters("banana"), "pair": ("##a", "##n")}),
        Case(
            "three equal letters",
            {"word": letters("ahhh"), "pair": ("##h", "##h")},
            because="A letter can be glued once: from the left, the first two h meet, the third stays.",
        ),
        Case(
            "the pair i + ##t, in `visit`",
            {"word": letters("visit"), "pair": ("i", "##t")},
            because="i is a piece that begins a word, ##i one inside. In `visit` there is only ##i.",
        ),
        Case("nothing to glue", {"word": letters("dog"), "pair": ("##i", "##n")}),
    ],
    mistakes=(
        Mistake(
            "the ## stayed in the middle. The right piece loses it when it is glued on.",
            partial(merge_pair, marks=""),
        ),
        Mistake("only the first place was glued. A pair may stand in a word twice.", merge_first),
        Mistake(
            "a replacement on joined text also hits the end of another piece: i is not ##i.",
            lambda word, pair: " ".join(word).replace(" ".join(pair), pair[0] + pair[1][2:]).split(),
        ),
        Mistake(
            "the merged piece lost its own ##. It still stands inside a word.",
            lambda word, pair: [
                piece.removeprefix("##") if piece not in word else piece for piece in merge_pair(word, pair)
            ],
        ),
    ),
)

EXERCISES = (PAIR_SCORES, MERGE_PAIR)
