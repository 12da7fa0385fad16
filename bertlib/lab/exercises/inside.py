"""Exercises of *Looking inside*, first half: the scores that give a head its name.

Shapes: A heads, T positions. ``weights[a, i, j]`` says how much position i looks at position j in head a.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

SEP_ID = 3


def some_weights(seed: int, heads: int, length: int) -> Tensor:
    """Return random attention weights (A, T, T); each row adds up to one."""
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(heads, length, length, generator=generator)).softmax(-1)


def sharp_weights(length: int) -> Tensor:
    """Return one head (1, T, T) in which each position looks at its left neighbour, the first at itself."""
    weights = torch.zeros(1, length, length)
    for i in range(length):
        weights[0, i, max(i - 1, 0)] = 1
    return weights


def attention_entropy(weights: Tensor) -> Tensor:
    """Add up -p ln p along each row, one number at a time; the mean over rows, (A,)."""
    entropies = []
    for head in weights.tolist():
        rows = [-sum(p * math.log(p) for p in row if p > 0) for row in head]
        entropies.append(sum(rows) / len(rows))
    return torch.tensor(entropies)


def wrong_entropy(weights: Tensor, *, flaw: str) -> Tensor:
    """Forget a limit, an order, a sign, a unit."""
    right = attention_entropy(weights)
    return {
        "nan": -(weights * weights.log()).sum(-1).mean(-1),
        "rows first": attention_entropy(weights.mean(1, keepdim=True)),
        "no sign": -right,
        "all cells": right / weights.shape[-1],
        "bits": right / math.log(2),
    }[flaw]


ATTENTION_ENTROPY = Exercise(
    name="attention-entropy",
    difficulty="easy",
    minutes=8,
    hint="Along the last axis: minus the sum of p ln p, then the mean over the rows. A weight may be exactly "
    "0, and ln 0 is minus infinity: torch.special.entr(p) is -p ln p with 0 at 0, or lift the weights "
    "a hair above 0 with clamp_min before the logarithm.",
    praise="0 for a head that looks at one place, ln T for one that looks everywhere alike.",
    reference=attention_entropy,
    cases=lambda: [
        Case("two heads, five positions", {"weights": some_weights(1, 2, 5)}),
        Case("a head that looks everywhere alike", {"weights": torch.full((1, 4, 4), 0.25)}),
        Case(
            "a head that looks at one place only",
            {"weights": sharp_weights(4)},
            because="Such a head has weights that are exactly 0, and 0 times the logarithm of 0 is NaN. The "
            "limit of p ln p is 0.",
        ),
    ],
    mistakes=flawed(
        wrong_entropy,
        {
            "nan": "a weight of 0 gave NaN: 0 times minus infinity. The limit of p ln p is 0, so lift the "
            "weights a hair above 0 before the logarithm.",
            "rows first": "the rows were averaged first, and then came the entropy. Rows sharp in different "
            "places have a broad mean: take each row's entropy, then the mean.",
            "no sign": "the sign is missing: the logarithm of a weight is negative, an entropy is not.",
            "all cells": "the mean was taken over all cells. Add up along a row, then take the mean of the "
            "rows.",
            "bits": "these are bits. The chapter counts in nats: the natural logarithm.",
        },
    ),
)


def previous_token_score(weights: Tensor, *, step: int = 1) -> Tensor:
    """Collect the weight from each position to the one ``step`` to its left; the mean, (A,)."""
    places = range(weights.shape[1])
    pairs = [(i, i - step) for i in places if i - step in places]
    return torch.stack([weights[:, i, j] for i, j in pairs]).mean(0)


PREVIOUS_TOKEN_SCORE = Exercise(
    name="previous-token-score",
    difficulty="easy",
    minutes=6,
    hint="The weights from i to i - 1 lie on the diagonal just below the main one: "
    "weights.diagonal(offset, dim1, dim2), with the offset counted to the right. Or a loop from 1 on.",
    praise="One diagonal, one mean. With offset 1 the same line finds the heads that look ahead.",
    reference=previous_token_score,
    cases=lambda: [
        Case("two heads, five positions", {"weights": some_weights(2, 2, 5)}),
        Case(
            "a head that always looks at its left neighbour",
            {"weights": sharp_weights(4)},
            because="Every position that has a left neighbour looks at it alone, so the score is 1. The "
            "first position has none and must not count.",
        ),
    ],
    mistakes=(
        Mistake(
            "your head looks ahead: you took the diagonal above the main one. Row i looks, column i - 1 is "
            "looked at.",
            partial(previous_token_score, step=-1),
        ),
        Mistake(
            "this is how much each position looks at itself: the main diagonal.",
            partial(previous_token_score, step=0),
        ),
        Mistake(
            "you divided by T. The first position has no left neighbour, so there are T - 1 pairs.",
            lambda weights: previous_token_score(weights) * (1 - 1 / weights.shape[-1]),
        ),
        Mistake(
            "the sum is missing its mean: divide by the number of pairs, T - 1.",
            lambda weights: previous_token_score(weights) * (weights.shape[-1] - 1),
        ),
        Mistake(
            "the first row counted as well, and its left neighbour became the last column: index -1 is "
            "the end.",
            lambda weights: weights.roll(1, -1).diagonal(0, 1, 2).mean(-1),
        ),
    ),
)


def separator_score(weights: Tensor, ids: Tensor, sep_id: int) -> Tensor:
    """Add up what each position gives to every separator; the mean over positions, (A,)."""
    places = [j for j, piece in enumerate(ids.tolist()) if piece == sep_id]
    return torch.stack([weights[:, :, j] for j in places]).sum(0).mean(-1)


def wrong_separator_score(weights: Tensor, ids: Tensor, sep_id: int, *, flaw: str) -> Tensor:
    """Look elsewhere, or sum up in another way."""
    marks = ids == sep_id
    looked_at = weights[:, :, marks]  # (A, T, separators)
    return {
        "rows": weights[:, marks].sum(-1).mean(-1),
        "cells of rows": weights[:, marks].mean((1, 2)),
        "without own rows": looked_at[:, ~marks].sum(-1).mean(-1),
        "mean of separators": looked_at.mean((1, 2)),
        "last one": looked_at[..., -1].mean(-1),
        "sum of rows": looked_at.sum((1, 2)),
        "always 3": separator_score(weights, ids, SEP_ID),
    }[flaw]


SEPARATOR_SCORE = Exercise(
    name="separator-score",
    difficulty="easy",
    minutes=8,
    hint="`ids == sep_id` says which columns are separators: weights[:, :, those] has one column for each. "
    "Add them up, then take the mean over the rows.",
    praise="A column is what is looked at. Now the [SEP] can no longer sleep unnoticed.",
    reference=separator_score,
    cases=lambda: [
        Case(
            "a pair: two separators",
            {"weights": some_weights(3, 2, 6), "ids": torch.tensor([2, 9, 3, 8, 7, 3]), "sep_id": SEP_ID},
        ),
        Case(
            "a single text: one separator, another id for it",
            {"weights": some_weights(4, 3, 4), "ids": torch.tensor([2, 9, 3, 102]), "sep_id": 102},
            because="The id of [SEP] is an argument: 3 in our vocabulary, 102 in the released ones.",
        ),
    ],
    mistakes=flawed(
        wrong_separator_score,
        {
            "rows": "this is what the separators themselves do: you picked rows. What is looked at is a "
            "column.",
            "cells of rows": "you picked the rows of the separators, and took the mean of all their cells. "
            "Who looks is a row, what is looked at is a column: weights[:, :, ids == sep_id].",
            "without own rows": "the separators' own rows were left out. All T rows count.",
            "mean of separators": "you averaged over the separators. A row that gives half to each of two "
            "gives all of its gaze to separators: add them up.",
            "last one": "only the last separator was counted.",
            "sum of rows": "the sum over the rows is missing its mean: divide by T.",
            "always 3": "the id of the separator was taken to be 3. It is an argument.",
        },
    ),
)


def same_word_score(
    weights: Tensor, ids: Tensor, words: Tensor, *, itself: bool = False, marks: bool = False
) -> Tensor:
    """Let each repeated word add up its weight on the other places; the mean over those words, (A,)."""
    pieces, counted = ids.tolist(), [True] * len(ids) if marks else words.tolist()
    rows = []
    for i, piece in enumerate(pieces):
        others = [j for j, other in enumerate(pieces) if other == piece and counted[j] and (itself or j != i)]
        if counted[i] and others:
            rows.append(weights[:, i, others].sum(-1))
    return torch.stack(rows).mean(0) if rows else torch.zeros(len(weights))


def wrong_same_word_score(weights: Tensor, ids: Tensor, words: Tensor, *, flaw: str) -> Tensor:
    """Count other pairs, or sum up in another way."""
    same = ids[:, None] == ids
    doubles = same & words & ~torch.eye(len(ids), dtype=torch.bool)
    right = same_word_score(weights, ids, words)
    return {
        "every piece": (weights * same).sum(-1).mean(-1),
        "itself": same_word_score(weights, ids, words, itself=True),
        "marks": same_word_score(weights, ids, words, marks=True),
        "all rows": (weights * doubles).sum(-1).mean(-1),
        "mean of doubles": weights[:, doubles].mean(-1) if doubles.any() else right,
        "none": right if right.any() else torch.full_like(right, math.nan),
    }[flaw]


def same_word_cases() -> list[Case]:
    """Return a pair with two repeated words, one with a word thrice, and one with none repeated."""

    def case(label: str, seed: int, pieces: list[int], **more: Any) -> Case:
        ids = torch.tensor(pieces)
        weights = some_weights(seed, 2, len(pieces))
        return Case(label, {"weights": weights, "ids": ids, "words": ids >= 5}, **more)

    return [
        case("two words that come twice, between two [SEP]", 5, [2, 7, 8, 3, 8, 9, 7, 3]),
        case("one word three times", 6, [2, 6, 9, 6, 8, 6, 3]),
        case(
            "no word comes twice",
            7,
            [2, 6, 7, 3, 8, 3],
            because="There is nothing to look at, and a mean over no rows is NaN. Return zeros.",
        ),
    ]


SAME_WORD_SCORE = Exercise(
    name="same-word-score",
    difficulty="medium",
    minutes=15,
    hint="same = (ids[:, None] == ids) & words is (T, T): True where column j holds row i's piece and is a "
    "word. Take the diagonal out. Rows with no True left do not count; if no row is left, return zeros.",
    praise="A head that looks at its own kind would show here, and nothing else would.",
    reference=same_word_score,
    cases=same_word_cases,
    mistakes=flawed(
        wrong_same_word_score,
        {
            "every piece": "every piece was counted as its own double, and the marks as words. Take the "
            "diagonal out, keep to words, and let only the rows count that have something to find.",
            "itself": "each word was counted as its own double. Every head that looks at its own place "
            "would pass: take the diagonal out.",
            "marks": "the marks were counted: two [SEP] are always the same piece, and a head that rests on "
            "[SEP] would pass for one that finds words.",
            "all rows": "the mean was taken over all rows. Words that stand once have nothing to find and "
            "must not count.",
            "mean of doubles": "the doubles of a word were averaged. A word that stands three times has two "
            "doubles: add up what it lays on both, then take the mean over the rows.",
            "none": "a text without repeated words gave NaN: the mean of nothing. Return zeros.",
        },
    ),
)

EXERCISES = (ATTENTION_ENTROPY, PREVIOUS_TOKEN_SCORE, SEPARATOR_SCORE, SAME_WORD_SCORE)
