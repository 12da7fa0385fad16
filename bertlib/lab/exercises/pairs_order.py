"""Exercises of *Next sentence prediction*: another question, another judge (swap-order, word-overlap)."""

from __future__ import annotations

from collections.abc import Sequence

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed
from bertlib.lab.exercises.pairs import FARM, NOTE, SEA, Pair


def swap_order(document: Sequence[str], coins: Sequence[bool]) -> list[Pair]:
    """Turn the pairs around whose coin says so."""
    pairs: list[Pair] = []
    for place, turned in enumerate(coins):
        earlier, later = document[place], document[place + 1]
        pairs.append((later, earlier, 1) if turned else (earlier, later, 0))
    return pairs


def swap_for_good(document: Sequence[str], coins: Sequence[bool]) -> list[Pair]:
    """Exchange the sentences in a copy of the document and go on from there: what people write."""
    sentences, pairs = list(document), []
    for place, turned in enumerate(coins):
        if turned:
            sentences[place : place + 2] = sentences[place + 1], sentences[place]
        pairs.append((sentences[place], sentences[place + 1], int(turned)))
    return pairs


SWAP_ORDER = Exercise(
    name="swap-order",
    difficulty="easy",
    minutes=6,
    hint="zip(document, document[1:], coins) walks through neighbours and coins together. If the coin is "
    "True, append (second, first, 1), otherwise (first, second, 0).",
    praise="Same sentences, same topic, same words on both sides. Only the order is left to judge by.",
    reference=swap_order,
    cases=lambda: [
        Case("four sentences, the middle pair turned", {"document": SEA, "coins": [False, True, False]}),
        Case("every pair turned", {"document": FARM, "coins": [True, True]}),
        Case(
            "a document of one sentence",
            {"document": NOTE, "coins": []},
            because="One sentence has no order: an empty list.",
        ),
    ],
    mistakes=(
        Mistake(
            "the labels are upside down: 0 is in order, 1 is swapped, as IsNext was 0.",
            lambda document, coins: [(a, b, 1 - label) for a, b, label in swap_order(document, coins)],
        ),
        Mistake(
            "the sentences are turned, but every label is 0.",
            lambda document, coins: [(a, b, 0) for a, b, _ in swap_order(document, coins)],
        ),
        Mistake(
            "the labels change, but the sentences were never turned.",
            lambda document, coins: [
                (a, b, int(coin)) for a, b, coin in zip(document, document[1:], coins, strict=False)
            ],
        ),
        Mistake(
            "the sentences were exchanged in the document itself: the next pair begins with the wrong one. "
            "Turn the pair and leave the document as it is.",
            swap_for_good,
        ),
        Mistake(
            "each sentence was used once only. A sentence is the later one of a pair and the earlier one of "
            "the next.",
            lambda document, coins: [
                pair for place, pair in enumerate(swap_order(document, coins)) if place % 2 == 0
            ],
        ),
    ),
)


def word_overlap(first: Sequence[str], second: Sequence[str], common: Sequence[str]) -> float:
    """Divide the different words in both by the different words in either, without the common ones."""
    shared = {word for word in first if word in second and word not in common}
    together = {word for word in [*first, *second] if word not in common}
    return len(shared) / len(together) if together else 0.0


def wrong_overlap(first: Sequence[str], second: Sequence[str], common: Sequence[str], *, flaw: str) -> float:
    """Divide by something else."""
    one, other = set(first) - set(common), set(second) - set(common)
    below = {
        "common below": len({*first, *second}),
        "twice": len(one) + len(other),
        "first alone": len(one),
        "undivided": 1,
    }
    return len(one & other) / max(below[flaw], 1)


# `red` twice, and common words of which only one is shared: every mistake below gets a number of its own
A_WORDS = ["lily", "lost", "the", "red", "kite", "near", "the", "old", "red", "mill"]
B_WORDS = ["and", "she", "found", "the", "kite", "behind", "a", "mill"]
COMMON = ["the", "she", "a", "and"]

WORD_OVERLAP = Exercise(
    name="word-overlap",
    difficulty="medium",
    minutes=10,
    hint="Make a set of each side and take the common words out: set(first) - set(common). Shared words are "
    "one & other, all words one | other. Nothing left in either? Then 0.0, before anything is divided.",
    praise="One number, no network. Remember it when a network is proud of its accuracy.",
    reference=word_overlap,
    cases=lambda: [
        Case("two sentences about a kite", {"first": A_WORDS, "second": B_WORDS, "common": COMMON}),
        Case("nothing is common enough to ignore", {"first": A_WORDS, "second": B_WORDS, "common": []}),
        Case(
            "a word that comes three times",
            {"first": ["hen", "hen", "hen", "pond"], "second": ["hen", "hay"], "common": COMMON},
            because="Different words are counted: three times `hen` is one word.",
        ),
        Case(
            "nothing but common words",
            {"first": ["she", "and"], "second": ["the"], "common": COMMON},
            because="With no word left there is nothing to divide by. No evidence is an overlap of 0.",
        ),
    ],
    mistakes=(
        Mistake(
            "the common words are counted like the others: everybody shares `the`.",
            lambda first, second, common: word_overlap(first, second, ()),
        ),
        *flawed(
            wrong_overlap,
            {
                "common below": "the common words were left out above the line only. Leave them out below "
                "it, too.",
                "twice": "a shared word was counted twice below the line. Divide by the words in either: "
                "one | other.",
                "first alone": "the shared words were divided by the words of the first sentence. Divide by "
                "all of both.",
                "undivided": "this is how many words they share. A long text shares more words with "
                "anything: divide.",
            },
        ),
        Mistake(
            "a word was counted as often as it comes. Different words, please: make sets.",
            lambda first, second, common: (
                sum(word in second for word in first if word not in common)
                / max(sum(word not in common for word in [*first, *second]), 1)
            ),
        ),
    ),
)

EXERCISES = (SWAP_ORDER, WORD_OVERLAP)
