"""Exercises of *Pre-train a Mini*: baselines, perplexity, schedule, step, blanks, diagnosis."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed
from bertlib.lab.exercises.training_step import TRAIN_STEP


def bigram_guesses(words: Sequence[str], neighbours: Sequence[str], *, side: int = 1) -> list[str]:
    """Return the commonest word after (``side`` -1: before) each neighbour; unseen: the commonest of all."""
    followers: dict[str, Counter[str]] = {}
    for here, there in pairwise(words):
        left, right = (here, there) if side == 1 else (there, here)
        followers.setdefault(left, Counter())[right] += 1
    fallback = Counter(words).most_common(1)[0][0]
    return [followers[n].most_common(1)[0][0] if n in followers else fallback for n in neighbours]


def last_seen(words: Sequence[str], neighbours: Sequence[str]) -> list[str]:
    """Keep one follower a word, the last: a dict where a counter belongs."""
    follower = dict(pairwise(words))
    return [follower.get(n, Counter(words).most_common(1)[0][0]) for n in neighbours]


TEXT = ["the", "cat", "saw", "the", "dog", "and", "the", "dog", "saw", "the", "moon", "and", "the", "dog"]

BIGRAM = Exercise(
    name="bigram-guesses",
    difficulty="medium",
    minutes=10,
    hint="One Counter for each word: walk over zip(words, words[1:]) and count who follows whom. "
    "Counter.most_common(1)[0][0] is the favourite. A neighbour without a Counter gets the commonest "
    "word of the whole text.",
    praise="A language model of the nineteen-fifties. Now you know what a transformer has to beat.",
    reference=bigram_guesses,
    cases=lambda: [
        Case("neighbours that were seen", {"words": TEXT, "neighbours": ["the", "dog", "and"]}),
        Case(
            "a neighbour that was never seen, and one that only ends the text",
            {"words": [*TEXT, "fin"], "neighbours": ["zebra", "fin", "cat"]},
            because="Nothing follows them in the text. Then the best guess is the commonest word of all.",
        ),
    ],
    mistakes=(
        Mistake(
            "you counted who stands before a word, not who follows it.", partial(bigram_guesses, side=-1)
        ),
        Mistake("the last follower wins, where the most frequent one should.", last_seen),
        Mistake(
            "the neighbour is not used: that is the unigram baseline.",
            lambda words, neighbours: [Counter(words).most_common(1)[0][0]] * len(neighbours),
        ),
    ),
)


def perplexity(losses: Sequence[float], counts: Sequence[int]) -> float:
    """Exp of the mean loss of all words, each word once."""
    if sum(counts) == 0:
        raise ValueError("no word was masked")
    return math.exp(sum(x * n for x, n in zip(losses, counts, strict=True)) / sum(counts))


def wrong_perplexity(losses: Sequence[float], counts: Sequence[int], *, flaw: str) -> float:
    """Weigh otherwise, or take the exp of something else."""
    right = perplexity(losses, counts)
    return {
        "mean of means": math.exp(sum(losses) / len(losses)),
        "base 2": 2 ** math.log(right),
        "no exp": math.log(right),
        "exp first": sum(math.exp(x) * n for x, n in zip(losses, counts, strict=True)) / sum(counts),
    }[flaw]


PERPLEXITY = Exercise(
    name="perplexity",
    difficulty="easy",
    minutes=8,
    hint="A batch with 80 masked words counts eight times as much as one with 10: multiply each mean by its "
    "count before you add. Divide by the number of words, take exp. No words at all is a ValueError.",
    praise="Every masked word has one vote, whichever batch it came in.",
    reference=perplexity,
    cases=lambda: [
        Case("one batch", {"losses": [2.0], "counts": [10]}),
        Case(
            "a large batch and a small last one",
            {"losses": [1.0, 4.0], "counts": [90, 10]},
            because="The last batch of a corpus is small. A mean of the batch means lets its words "
            "speak louder than the others.",
        ),
        Case("a batch in which nothing was masked", {"losses": [1.5, 0.0, 2.5], "counts": [20, 0, 20]}),
        Case(
            "no masked word at all",
            {"losses": [], "counts": []},
            raises=ValueError,
            because="Nothing was measured, so nothing can be reported. A ZeroDivisionError tells nobody why.",
        ),
    ],
    mistakes=flawed(
        wrong_perplexity,
        {
            "mean of means": "you took the mean of the batch means. Weigh each batch by its number of words.",
            "base 2": "you used 2 to the power of the loss; our losses are in nats, so it is e.",
            "no exp": "the exp is missing: this is the loss itself.",
            "exp first": "exp came first and the mean second. Perplexity is the exp of the mean.",
        },
    ),
)


def rate(step: int, peak: float, warmup: int, total: int) -> float:
    """Up in a straight line, then down to nothing at ``total``."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (total - step) / (total - warmup)


def wrong_rate(step: int, peak: float, warmup: int, total: int, *, flaw: str) -> float:
    """Draw one of the two lines elsewhere."""
    if flaw == "flat":
        return peak * min(1.0, (step + 1) / max(warmup, 1))
    if step < warmup and flaw == "from 0":
        return peak * step / warmup
    if flaw == "no warm-up" or (step >= warmup and flaw == "early"):
        return peak * (total - step) / total
    return rate(step, peak, warmup, total)


LEARNING_RATE = Exercise(
    name="learning-rate",
    difficulty="easy",
    minutes=8,
    hint="Two straight lines. Before `warmup`: the share (step + 1) / warmup of the peak. From there on: "
    "the share of the remaining steps, (total - step) / (total - warmup).",
    praise="Up gently while Adam still guesses at the size of things, then down to a soft landing.",
    reference=rate,
    cases=lambda: [
        Case(
            "the first step of a hundred",
            {"step": 0, "peak": 1e-2, "warmup": 10, "total": 100},
            because="Steps count from 0. A rate of 0 would waste the first batch.",
        ),
        Case("half-way up", {"step": 4, "peak": 1e-2, "warmup": 10, "total": 100}),
        Case("the top", {"step": 10, "peak": 1e-2, "warmup": 10, "total": 100}),
        Case("half-way down", {"step": 55, "peak": 1e-2, "warmup": 10, "total": 100}),
        Case("without a warm-up", {"step": 0, "peak": 1e-2, "warmup": 0, "total": 100}),
    ],
    mistakes=flawed(
        wrong_rate,
        {
            "from 0": "the first step has the rate 0, so its batch is read for nothing. Use step + 1 on the "
            "way up.",
            "early": "the way down begins at step 0 and not at the end of the warm-up: at the top it would "
            "jump.",
            "flat": "the rate never comes down.",
            "no warm-up": "there is no warm-up.",
        },
    ),
)


def best_words(logits: Tensor, words: Sequence[str], top: int) -> list[tuple[str, float]]:
    """Softmax over all words, then the best."""
    probabilities, places = logits.softmax(-1).topk(top)
    return [(words[i], p) for p, i in zip(probabilities.tolist(), places.tolist(), strict=True)]


def best_words_cases() -> list[Case]:
    """Return scores of eight words and of a hundred."""
    eight = torch.tensor([0.1, 2.0, -1.0, 0.5, 3.0, 0.0, 1.0, -2.0])
    generator = torch.Generator().manual_seed(5)
    return [
        Case("eight words, the best three", {"logits": eight, "words": list("abcdefgh"), "top": 3}),
        Case(
            "a hundred words, the best two",
            {
                "logits": 2 * torch.randn(100, generator=generator),
                "words": [f"w{i}" for i in range(100)],
                "top": 2,
            },
        ),
    ]


def renormalised(logits: Tensor, words: Sequence[str], top: int) -> list[tuple[str, float]]:
    """Softmax over the winners only: they add up to one among themselves."""
    scores, places = logits.topk(top)
    return [(words[i], p) for p, i in zip(scores.softmax(-1).tolist(), places.tolist(), strict=True)]


BEST_WORDS = Exercise(
    name="best-words",
    difficulty="easy",
    minutes=8,
    hint="softmax over the whole vocabulary first, then topk(top): it returns values and places, best first. "
    "The places are numbers of words.",
    praise="Words and probabilities: now the model can speak.",
    reference=best_words,
    cases=best_words_cases,
    mistakes=(
        Mistake(
            "softmax saw the best words only, so that their shares add up to 1. The others have a share too.",
            renormalised,
        ),
        Mistake(
            "these are scores, not probabilities: softmax is missing.",
            lambda logits, words, top: [
                (words[i], s) for s, i in zip(*(part.tolist() for part in logits.topk(top)), strict=True)
            ],
        ),
        Mistake(
            "the worst words came. topk has largest=True for a reason.",
            lambda logits, words, top: best_words(-logits, words, top),
        ),
        Mistake(
            "the best come last. Put them first.",
            lambda logits, words, top: best_words(logits, words, top)[::-1],
        ),
    ),
)


def diagnose(train: float, held_out: float, unigram: float, start: float) -> str:
    """Name the illness from four losses."""
    if train > start + 1:
        return "exploding"
    if held_out - train > 1:
        return "cheating" if held_out > unigram else "memorising"
    return "stuck" if held_out > unigram - 0.2 else "healthy"


def wrong_diagnosis(train: float, held_out: float, unigram: float, start: float, *, flaw: str) -> str:
    """Look at fewer numbers."""
    right = diagnose(train, held_out, unigram, start)
    return {
        "training alone": diagnose(train, train, unigram, start),
        "alike": "memorising" if right == "cheating" else right,
        "no level": diagnose(train, held_out, start, start),
    }[flaw]


PATIENTS = {
    "a run that learns": (3.1, 3.3, 5.5, 7.6),
    "a run on the level of the commonest word": (5.5, 5.5, 5.5, 7.6),
    "wonderful in training, hopeless on held-out text": (0.4, 8.9, 5.5, 7.6),
    "much better in training than on held-out text, which still beats the unigram": (1.2, 4.4, 5.5, 7.6),
    "a loss above that of knowing nothing": (48.0, 49.0, 5.5, 7.6),
}

DIAGNOSE = Exercise(
    name="diagnose",
    difficulty="medium",
    minutes=12,
    hint="Ask in this order. Is the training loss more than 1 above the start? Then it is exploding. Is "
    "held-out text more than 1 above training? Then cheating if it is above the unigram, else memorising. "
    "Is held-out text above the unigram minus 0.2? Stuck. Otherwise: healthy.",
    praise="Four numbers, five verdicts. You will look at them before you look at anything else.",
    reference=diagnose,
    cases=lambda: [
        Case(label, dict(zip(("train", "held_out", "unigram", "start"), losses, strict=True)))
        for label, losses in PATIENTS.items()
    ],
    mistakes=flawed(
        wrong_diagnosis,
        {
            "training alone": "only the training loss was looked at. It is the one number that lies.",
            "alike": "cheating and memorising are the same to you. Someone who learns by heart still knows "
            "something; someone who was shown the answers knows nothing.",
            "no level": "a run that only knows the commonest word passed as healthy.",
        },
    ),
)

EXERCISES = (BIGRAM, PERPLEXITY, LEARNING_RATE, TRAIN_STEP, BEST_WORDS, DIAGNOSE)
