"""The exercises *split-heads* and *merge-heads*: boxes that move, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from bertlib.errors import InputError
from bertlib.lab.exercise import Case, Exercise, Mistake


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut every column into A stretches, head by head and column by column."""
    batch, length, width = x.shape
    if width % heads:
        raise InputError(f"{width} numbers cannot be shared out evenly among {heads} heads")
    size = width // heads
    result = torch.empty(batch, heads, length, size, dtype=x.dtype)
    for head in range(heads):
        for t in range(length):
            result[:, head, t] = x[:, t, head * size : (head + 1) * size]
    return result


def merge_heads(x: Tensor) -> Tensor:
    """Lay the heads of every column side by side."""
    columns = [torch.cat([x[:, head, t] for head in range(x.shape[1])], dim=-1) for t in range(x.shape[2])]
    return torch.stack(columns, dim=1)


def labelled(batch: int, length: int, width: int) -> Tensor:
    """Return (B, T, H) of readable numbers: 31 is column 3, number 1; the second text starts at 100."""
    first, middle, last = torch.arange(batch), torch.arange(length), torch.arange(width)
    return 100 * first[:, None, None] + 10 * middle[:, None] + last


def run_split(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Return shape and heads apart, so that a report can show each head as a table."""
    result = reader(*arguments.values())
    if not isinstance(result, Tensor) or result.dim() != 4:
        return result
    return str(tuple(result.shape)), [*result.flatten(0, 1)]


def dropping(x: Tensor, heads: int) -> Tensor:
    """Round d down and forget what is left over."""
    return split_heads(x[..., : x.shape[-1] // heads * heads], heads)


SPLIT_HEADS = Exercise(
    name="split-heads",
    difficulty="medium",
    minutes=10,
    hint="Two steps: view the last axis H as (A, d), which gives (B, T, A, d); then exchange axes 1 and 2. "
    "Before that, compare H % A with 0.",
    praise="Every head has its own T columns of d numbers, and no column was cut across.",
    reference=split_heads,
    run=run_split,
    cases=lambda: [
        Case("one text, three columns of four numbers, two heads", {"x": labelled(1, 3, 4), "heads": 2}),
        Case(
            "two texts with as many columns as heads",
            {"x": labelled(2, 3, 6), "heads": 3},
            because="T = A: here a forgotten transpose has the right shape and the wrong numbers.",
        ),
        Case("one head", {"x": labelled(2, 4, 3), "heads": 1}),
        Case(
            "ten numbers, three heads",
            {"x": labelled(1, 2, 10), "heads": 3},
            raises=ValueError,
            because="10 = 3 x 3 + 1. Say so in words (raise ValueError); rounding d down would drop the last "
            "number of every column, and nobody would notice.",
        ),
    ],
    returns=("shape", "heads"),
    mistakes=(
        Mistake(
            "the numbers were poured into (B, A, T, d) in one go. A head then holds pieces of a few columns "
            "instead of a piece of every column: view as (B, T, A, d) first, then exchange two axes.",
            lambda x, heads: x.reshape(x.shape[0], heads, x.shape[1], -1),
        ),
        Mistake(
            "the transpose is missing: (B, T, A, d) is in the order columns, heads. The attention that "
            "follows would compare heads with one another, not columns.",
            lambda x, heads: split_heads(x, heads).transpose(1, 2),
        ),
        Mistake(
            "head 0 got every A-th number. The first d numbers of a column belong to head 0, the next d to "
            "head 1: that is how everybody's weights are stored.",
            lambda x, heads: x.reshape(*x.shape[:2], -1, heads).permute(0, 3, 1, 2),
        ),
        Mistake("d was rounded down, and the last numbers of every column are lost.", dropping),
    ),
)


def headed(batch: int, heads: int, length: int, size: int) -> Tensor:
    """Return (B, A, T, d) of readable numbers: 231 is head 2, column 3, number 1."""
    text, head, place, number = (torch.arange(n) for n in (batch, heads, length, size))
    columns = 100 * head[:, None, None] + 10 * place[:, None] + number
    return 1000 * text[:, None, None, None] + columns


MERGE_HEADS = Exercise(
    name="merge-heads",
    difficulty="easy",
    minutes=8,
    hint="The way back: exchange axes 1 and 2, which gives (B, T, A, d); then melt the last two axes with "
    ".flatten(2).",
    praise="Every column has its heads side by side again, and split followed by merge changes nothing.",
    reference=merge_heads,
    cases=lambda: [
        Case("two heads, three columns, two numbers each", {"x": headed(1, 2, 3, 2)}),
        Case(
            "two texts with as many columns as heads",
            {"x": headed(2, 3, 3, 2)},
            because="T = A: the shapes cannot tell heads from columns here. You must.",
        ),
        Case("two texts, four heads, five columns", {"x": headed(2, 4, 5, 3)}),
    ],
    mistakes=(
        Mistake(
            "there was a reshape and no transpose: a column now holds one head of several columns.",
            lambda x: x.reshape(x.shape[0], x.shape[2], -1),
        ),
        Mistake(
            "the heads are interleaved: number 0 of all heads, then number 1. They stand side by side.",
            lambda x: x.permute(0, 2, 3, 1).flatten(2),
        ),
        Mistake(
            "the heads were averaged. They are laid side by side: H = A times d.", lambda x: x.float().mean(1)
        ),
        Mistake("the axes were not exchanged: heads are where columns should be.", lambda x: x.flatten(2)),
    ),
)
