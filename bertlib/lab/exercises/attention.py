"""Exercises of *Self-attention*: weights from queries and keys; the others stand in the files beside it."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from bertlib.lab import toy_attention
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.attention_bias import CAUSAL_BIAS, HIDDEN, PADDING_BIAS
from bertlib.lab.exercises.attention_heads import MERGE_HEADS, SPLIT_HEADS
from bertlib.lab.exercises.attention_module import SELF_ATTENTION
from bertlib.lab.exercises.attention_visibility import VISIBILITY_TEST


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Vaswani et al. 2017, equation 1, in plain sums: one query, one key, one number at a time."""
    weights = torch.zeros(*q.shape[:-1], k.shape[-2])
    mixed = torch.zeros(*q.shape[:-1], v.shape[-1])
    extra = torch.zeros(weights.shape) if bias is None else bias.expand(weights.shape)
    for place in itertools.product(*map(range, q.shape[:-1])):
        text = place[:-1]  # which text and head; the last one is the query's position
        powers = []
        for other, key in enumerate(k[text].tolist()):
            score = sum(a * b for a, b in zip(q[place].tolist(), key, strict=True)) / math.sqrt(len(key))
            powers.append(math.exp(score + float(extra[(*place, other)])))
        for other, power in enumerate(powers):
            weights[(*place, other)] = power / sum(powers)
            mixed[place] += power / sum(powers) * v[(*text, other)]
    return mixed, weights


def wrong_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, *, flaw: str
) -> tuple[Tensor, Tensor]:
    """Do what people do instead."""
    divisors = {"undivided": 1.0, "by d": q.shape[-1], "by columns": math.sqrt(q.shape[-2])}
    divisor = divisors.get(flaw, math.sqrt(q.shape[-1]))
    scores = q @ k.transpose(-2, -1) / divisor
    if bias is not None and flaw == "as a mask":
        scores = scores.masked_fill(bias < 0, HIDDEN)
    elif bias is not None and flaw not in ("late bias", "no bias"):
        scores = scores + (bias / divisor if flaw == "divided bias" else bias)
    weights = scores.softmax(dim=-2 if flaw == "axis" else -1)
    weights = weights + bias if bias is not None and flaw == "late bias" else weights
    return weights @ (k if flaw == "keys" else v), weights


def attention_cases() -> list[Case]:
    """Return a part of the toy's head 0, other keys than queries, four dimensions, and two biases."""
    generator = torch.Generator().manual_seed(5)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    five = [2, 4, 6, 7, 8]
    parts = toy_attention.queries(), toy_attention.keys(), toy_attention.values()
    toys = {name: part[0, five] for name, part in zip("qkv", parts, strict=True)}
    deep = {name: drawn(2, 3, 4, 5) for name in "qkv"}
    square = {name: drawn(2, 3, 4, 4) for name in "qkv"}
    bias = torch.tensor([[0.0] * 4, [0.0, 0.0, HIDDEN, HIDDEN]])[:, None, None]
    nudge = torch.zeros(3, 5)
    nudge[1, 2] = 0.5
    return [
        Case("head 0 of the toy: dog, cute, it, likes, playing", toys),
        Case("three questions, five labels", {"q": drawn(3, 4), "k": drawn(5, 4), "v": drawn(5, 2)}),
        Case(
            "two texts, three heads, four columns",
            deep,
            because="Swap the last two axes only: k.transpose(-2, -1). Texts and heads stay where they are.",
        ),
        Case(
            "the same with a bias that hides two columns",
            {**square, "bias": bias},
            because="The bias is added to the scores, before the softmax.",
        ),
        Case(
            "a small bias: 0.5 more for one pair",
            {"q": drawn(3, 4), "k": drawn(5, 4), "v": drawn(5, 2), "bias": nudge},
            because="A bias need not hide: here it is 0.5 in one place. It is added as it stands, after the "
            "scores have been divided.",
        ),
    ]


ATTENTION = Exercise(
    name="attention",
    difficulty="easy",
    minutes=8,
    hint="Four lines: scores = q @ k.transpose(-2, -1) / math.sqrt(...); add the bias if there is one; "
    "softmax along the axis of the keys, which is the last; weights @ v. Return both.",
    praise="Equation 1 of “Attention is all you need”, in your own hand.",
    reference=attention,
    cases=attention_cases,
    returns=("mixed", "weights"),
    mistakes=flawed(
        wrong_attention,
        {
            "undivided": "the scores are not divided by the square root of d.",
            "by d": "the scores are divided by d. It is the square root of d.",
            "by columns": "the divisor is the square root of the number of columns. It is that of d, the "
            "width of a query.",
            "axis": "the softmax runs over the wrong axis: columns add up to one instead of rows. Each "
            "question shares out its own attention.",
            "keys": "the keys were mixed. Keys only decide; what is handed over are values.",
            "late bias": "the bias came after the softmax. It belongs to the scores.",
            "as a mask": "the bias was read as a mask: below zero means hidden. It is more than that: add "
            "it.",
            "no bias": "the bias is not used.",
            "divided bias": "the bias was divided by the root of d with the scores. Divide first, then add "
            "the bias.",
        },
    ),
)

EXERCISES = (ATTENTION, PADDING_BIAS, CAUSAL_BIAS, SPLIT_HEADS, MERGE_HEADS, SELF_ATTENTION, VISIBILITY_TEST)
