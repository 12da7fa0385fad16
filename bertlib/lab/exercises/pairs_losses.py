"""Exercises of *Next sentence prediction*: the losses (nsp-loss, total-loss), without PyTorch's own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

NO_QUESTION = -100


def surprises(logits: Tensor, labels: Tensor) -> list[float]:
    """Return -ln p of the right answer for each row that has one, in plain Python."""
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return [log_sum_exp(row) - row[label] for row, label in rows if label != NO_QUESTION]


def log_sum_exp(row: list[float]) -> float:
    """Return ln of the sum of the exponentials, safe for large numbers."""
    largest = max(row)
    return largest + math.log(sum(math.exp(value - largest) for value in row))


def mean(values: list[float]) -> float:
    """Return the mean, 0 of nothing."""
    return sum(values) / max(len(values), 1)


def nsp_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Take the mean surprise over the pairs that were asked about."""
    return torch.tensor(mean(surprises(logits, labels)))


def some(*shape: int, seed: int, times: float = 2.0) -> Tensor:
    """Return a table of logits, the same every time."""
    return times * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pair_cases() -> list[Case]:
    """Return toy pairs, a batch, pairs without a question, sure ones, and no question at all."""
    toy = torch.tensor([[2.0, 0.0], [1.0, 1.0], [-1.0, 3.0]])
    none = torch.tensor([NO_QUESTION, 0, 1, NO_QUESTION])
    return [
        Case("three pairs", {"logits": toy, "labels": torch.tensor([0, 1, 0])}),
        Case("a batch of eight", {"logits": some(8, 2, seed=1), "labels": torch.arange(8) % 3 % 2}),
        Case(
            "two of four texts are single sentences (label -100)",
            {"logits": some(4, 2, seed=2), "labels": none},
            because="-100 means that no question was asked: that row adds nothing and is not counted.",
        ),
        Case(
            "a very sure model, once right and once wrong",
            {"logits": torch.tensor([[200.0, 0.0], [200.0, 0.0]]), "labels": torch.tensor([0, 1])},
            because="The exponential of 200 is too large for a float. torch.logsumexp, or log_softmax, "
            "subtracts the largest logit first.",
        ),
        Case(
            "nothing was asked",
            {"logits": some(2, 2, seed=3), "labels": torch.tensor([NO_QUESTION, NO_QUESTION])},
            because="A mean over nothing is 0 / 0. No question, no loss: return 0.",
        ),
    ]


NSP_LOSS = Exercise(
    name="nsp-loss",
    difficulty="medium",
    minutes=12,
    hint="Keep the rows whose label is not -100. For each: torch.logsumexp(row) minus the logit of the right "
    "answer. Add up, and divide by the number of rows kept, but at least by 1: max(count, 1).",
    praise="Two logits, one logarithm, one mean. The pooler can start to learn.",
    reference=nsp_loss,
    cases=pair_cases,
    mistakes=(
        Mistake(
            "column and label are crossed: logit 0 speaks for label 0, IsNext.",
            lambda logits, labels: nsp_loss(logits.flip(1), labels),
        ),
        Mistake(
            "this is the sum over the pairs. The loss is their mean.",
            lambda logits, labels: torch.tensor(sum(surprises(logits, labels))),
        ),
        Mistake(
            "the sign is missing: -ln p is positive, and small when the model is right.",
            lambda logits, labels: -nsp_loss(logits, labels),
        ),
        Mistake(
            "the logits were taken as they are. They need a softmax: two probabilities that add up to one.",
            lambda logits, labels: -logits.gather(1, labels[:, None]).mean(),
        ),
        Mistake(
            "the sum was divided by all texts, also by those without a question.",
            lambda logits, labels: torch.tensor(sum(surprises(logits, labels)) / len(labels)),
        ),
        Mistake(
            "a text without a question was counted as IsNext (or NotNext). Leave it out.",
            lambda logits, labels: nsp_loss(logits, labels.clamp(min=0)),
        ),
    ),
)


def total_loss(word_logits: Tensor, word_labels: Tensor, pair_logits: Tensor, pair_labels: Tensor) -> Tensor:
    """Add two means: one over the hidden words, one over the pairs."""
    return torch.tensor(mean(surprises(word_logits, word_labels)) + mean(surprises(pair_logits, pair_labels)))


def wrong_total(
    word_logits: Tensor, word_labels: Tensor, pair_logits: Tensor, pair_labels: Tensor, *, flaw: str
) -> Tensor:
    """Add up something else."""
    words, pairs = surprises(word_logits, word_labels), surprises(pair_logits, pair_labels)
    totals = {
        "one mean": mean(words + pairs),
        "halved": (mean(words) + mean(pairs)) / 2,
        "no words": mean(pairs),
        "no pairs": mean(words),
        "sums": sum(words) + sum(pairs),
    }
    return torch.tensor(totals[flaw])


def two_tasks(words: int, pairs: int, *, seed: int) -> dict[str, Tensor]:
    """Return the four arguments for so many hidden words (V = 11) and so many pairs."""
    dice = torch.Generator().manual_seed(seed)
    return {
        "word_logits": some(words, 11, seed=seed),
        "word_labels": torch.randint(11, (words,), generator=dice),
        "pair_logits": some(pairs, 2, seed=seed + 1, times=1.0),
        "pair_labels": torch.randint(2, (pairs,), generator=dice),
    }


TOTAL_LOSS = Exercise(
    name="total-loss",
    difficulty="easy",
    minutes=8,
    hint="F.cross_entropy(..., reduction='sum') / max(number of labels, 1) for the words, the same for the "
    "pairs, and a plus sign. No weights, no division by two.",
    praise="Two means and a plus sign: that number is what a million steps make smaller.",
    reference=total_loss,
    cases=lambda: [
        Case("twenty hidden words, four pairs", two_tasks(20, 4, seed=5)),
        Case("three hidden words, one pair", two_tasks(3, 1, seed=6)),
        Case(
            "no word was hidden",
            two_tasks(0, 2, seed=7),
            because="Without a hidden word the first part is 0, not 0 / 0: one NaN and the run is over.",
        ),
    ],
    mistakes=flawed(
        wrong_total,
        {
            "one mean": "all questions went into one mean. There are many words and few pairs: the pairs "
            "would hardly be heard. Each task has a mean of its own.",
            "halved": "the two were averaged. The paper adds them.",
            "no words": "the words are missing.",
            "no pairs": "the pairs are missing.",
            "sums": "these are sums, not means. Then a longer batch has a larger loss and takes larger "
            "steps.",
        },
    ),
)

EXERCISES = (NSP_LOSS, TOTAL_LOSS)
