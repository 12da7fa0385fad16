"""Exercises of *The masked language model*, the price: one word's loss, and a batch's."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed


def surprise(vector: Tensor, table: Tensor, bias: Tensor, answer: int) -> Tensor:
    """One word after the other: its score, its share, and minus the logarithm of the answer's share."""
    scores = [
        sum(float(a) * float(b) for a, b in zip(vector, row, strict=True)) + float(extra)
        for row, extra in zip(table, bias, strict=True)
    ]
    total = sum(math.exp(score) for score in scores)
    return torch.tensor(-math.log(math.exp(scores[answer]) / total))


def surprise_cases() -> list[Case]:
    """Return three words with scores 2, 1 and 0, the toy's fifteen, and the same with a bias."""
    table, vector = toy.token_table(), torch.tensor([1.2, -0.4, 0.6, -1.4])
    none, some = torch.zeros(15), torch.linspace(-1, 1, 15)
    scores = torch.tensor([[2.0], [1.0], [0.0]])
    return [
        Case(
            "three words with scores 2, 1, 0",
            {"vector": torch.ones(1), "table": scores, "bias": torch.zeros(3), "answer": 2},
        ),
        Case("fifteen words", {"vector": vector, "table": table, "bias": none, "answer": 6}),
        Case(
            "a bias for every word",
            {"vector": vector, "table": table, "bias": some, "answer": 13},
            because="The bias is added to the scores, before the softmax.",
        ),
    ]


SURPRISE = Exercise(
    name="surprise",
    difficulty="easy",
    minutes=8,
    hint="A matrix times a vector is a dot product a row: table @ vector. Probabilities are the "
    "exponentials of the scores, divided by their sum. The answer's place in them is `answer`.",
    praise="Scores, shares, surprise: the whole price list of a language model.",
    reference=surprise,
    cases=surprise_cases,
    mistakes=(
        Mistake(
            "the minus is missing: the logarithm of a probability is negative, a price is not.",
            lambda v, t, b, a: -surprise(v, t, b, a),
        ),
        Mistake(
            "the probability came back, not its logarithm.", lambda v, t, b, a: (-surprise(v, t, b, a)).exp()
        ),
        Mistake("the bias is missing.", lambda v, t, b, a: surprise(v, t, torch.zeros_like(b), a)),
        Mistake(
            "the logarithm has base 2. Nats use the natural one, torch.log.",
            lambda v, t, b, a: surprise(v, t, b, a) / math.log(2),
        ),
        Mistake(
            "the scores were divided by their sum without taking exponentials first.",
            lambda v, t, b, a: -((t @ v + b) / (t @ v + b).sum())[a].log(),
        ),
        Mistake(
            "each word got a yes or no of its own (a sigmoid). The words compete: their shares sum to one.",
            lambda v, t, b, a: -F.logsigmoid(t @ v + b)[a],
        ),
    ),
)


def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Add up the prices position by position, in double precision; divide by the number of questions."""
    prices = [
        (torch.logsumexp(row, 0) - row[answer])
        for row, answer in zip(logits.double().flatten(0, -2), labels.flatten().tolist(), strict=True)
        if answer != -100
    ]
    return torch.stack(prices).mean().float() if prices else torch.tensor(0.0)


def prices(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the price at every position (B, T), 0 where nothing was asked."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)


def wrong_loss(logits: Tensor, labels: Tensor, *, flaw: str) -> Tensor:
    """Ask others, or divide by something else."""
    asked, price = labels != -100, prices(logits, labels)
    scores, answers = logits[asked], labels[asked]
    right = logits.gather(-1, labels.clamp(min=0)[..., None])[..., 0]  # (B, T)
    return {
        "no question": F.cross_entropy(logits.flatten(0, 1), labels.flatten()),
        "all positions": price.mean(),
        "sum": price.sum(),
        "row by row": (price.sum(1) / asked.sum(1)).mean(),
        "all answers": (torch.logsumexp(scores, 1) - scores[:, answers]).sum() / max(len(answers), 1),
        "-100 is word 0": prices(logits, labels.clamp(min=0)).mean(),
        "without word 0": price[labels > 0].mean(),
        "overflow": (logits.exp().sum(-1).log() - right)[asked].mean(),
    }[flaw]


def loss_cases() -> list[Case]:
    """Return a batch with unequal rows, scores too large for exp, and no question at all."""
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(2, 6, 7, generator=generator)
    labels = torch.full((2, 6), -100)
    labels[0, 2], labels[1, 1:5] = 0, torch.tensor([3, 6, 0, 2])
    return [
        Case(
            "two rows, one question and four",
            {"logits": logits, "labels": labels},
            because="The mean is over the five questions: not over twelve positions, nor row by row.",
        ),
        Case(
            "scores up to a few hundred",
            {"logits": 150 * logits, "labels": labels},
            because="exp(100) is more than 32 bits can hold. Subtract each row's largest score first, or "
            "take torch.logsumexp or log_softmax, which do that.",
        ),
        Case(
            "nothing is selected",
            {"logits": logits, "labels": torch.full((2, 6), -100)},
            because="0 / 0 is NaN, and one NaN makes all weights NaN. No question, no price: return 0.",
        ),
    ]


MASKED_LM_LOSS = Exercise(
    name="masked-lm-loss",
    difficulty="medium",
    minutes=15,
    hint="asked = labels != -100 picks the questions: logits[asked] is (N, V), labels[asked] is (N). The "
    "price of each is logsumexp of its scores minus the score of its answer. Divide the sum by max(N, 1).",
    praise="Surprise where somebody asked, nothing elsewhere: this number is what pre-training lowers.",
    reference=masked_lm_loss,
    cases=loss_cases,
    mistakes=flawed(
        wrong_loss,
        {
            "no question": "nothing was selected, and 0 / 0 became NaN. Divide by at least 1.",
            "all positions": "the sum was divided by all positions. Only selected ones were asked.",
            "sum": "the prices were added up, not averaged.",
            "row by row": "each row was averaged first, and then the rows: a word alone in its row counts "
            "four times.",
            "all answers": "every question was charged for the answers of all: scores[:, answers] is (N, "
            "N). gather picks one each.",
            "-100 is word 0": "all positions were asked, as if -100 meant word 0.",
            "without word 0": "questions whose answer is word 0 were left out. -100 means `not asked`, 0 is "
            "a word.",
            "overflow": "an exponential overflowed, or a probability became 0 and its logarithm infinite. "
            "Take torch.logsumexp or log_softmax: they subtract the largest score first.",
        },
    ),
)

EXERCISES = (SURPRISE, MASKED_LM_LOSS)
