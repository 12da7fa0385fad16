"""Exercises of *Input embeddings*, second half: rows into vectors (add, one map, waves, the module)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed
from bertlib.lab.exercises.embedding_module import INPUT_EMBEDDING


def add_embeddings(ids: Tensor, segments: Tensor, tokens: Tensor, types: Tensor, positions: Tensor) -> Tensor:
    """Write every sum out, one text and one column after the other."""
    total = torch.zeros(*ids.shape, tokens.shape[1])
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            total[b, t] = tokens[ids[b, t]] + types[segments[b, t]] + positions[t]
    return total


def add_cases() -> list[Case]:
    """Return the ten columns, a batch, and a batch where B = T."""
    generator = torch.Generator().manual_seed(3)
    tables = {"tokens": toy.token_table(), "types": toy.segment_table(), "positions": toy.position_table()}
    batch = torch.randint(5, len(toy.VOCAB), (3, 6), generator=generator)
    square = torch.randint(5, len(toy.VOCAB), (4, 4), generator=generator)
    kinds = torch.tensor([0, 0, 0, 1, 1, 1]).repeat(3, 1)
    return [
        Case("our ten columns", {"ids": toy.ids()[None], "segments": toy.segments()[None], **tables}),
        Case("three texts of six pieces", {"ids": batch, "segments": kinds, **tables}),
        Case(
            "four texts of four pieces",
            {"ids": square, "segments": torch.ones_like(square), **tables},
            because="Four texts of length four: a position added along the wrong axis fits here too.",
        ),
    ]


def wrong_sum(
    ids: Tensor, segments: Tensor, tokens: Tensor, types: Tensor, positions: Tensor, *, flaw: str
) -> Tensor:
    """Put the three together in another way."""
    length = ids.shape[1]
    words, kinds, places = tokens[ids], types[segments], positions[:length]
    both = torch.stack([segments == 0, segments == 1]).long()  # (2, B, T)
    again = ((both.cumsum(dim=-1) - 1) * both).sum(dim=0)  # places, counted from 0 in each sentence
    return {
        "side by side": torch.cat([words, kinds, places.expand_as(words)], -1),
        "no positions": words + kinds,
        "no segments": words + places,
        "row of the batch": words + kinds + positions[: len(ids)][:, None],
        "again": words + kinds + positions[again],
        "mean": (words + kinds + places) / 3,
        "from 1": words + kinds + positions.roll(-1, 0)[:length],
    }[flaw]


ADD_EMBEDDINGS = Exercise(
    name="add-embeddings",
    difficulty="easy",
    minutes=8,
    hint="A table indexed with a tensor of ids gives a vector for every id: tokens[ids] has shape "
    "(B, T, H). Positions are the same for every text: the first T rows of their table.",
    praise="Three look-ups and two plus signs: this line is the bottom of every BERT there is.",
    reference=add_embeddings,
    cases=add_cases,
    mistakes=flawed(
        wrong_sum,
        {
            "side by side": "the three vectors were put side by side. They are added: the width stays H, "
            "not 3H.",
            "no positions": "the positions are missing; `dog bites man` would be `man bites dog`.",
            "no segments": "the segments are missing.",
            "row of the batch": "each text got the position of its row in the batch. Positions count along "
            "the text.",
            "again": "positions start again with the second sentence. They count through the whole row.",
            "mean": "the three vectors were averaged. They are added.",
            "from 1": "positions were counted from 1. [CLS] stands at position 0.",
        },
    ),
)


def one_hot_rows(ids: Tensor, segments: Tensor, sizes: Sequence[int], *, offsets: bool = True) -> Tensor:
    """Three ones in every row: which token, which segment, which place."""
    vocabulary, types, places = sizes
    rows = torch.zeros(len(ids), vocabulary + types + places)
    for t in range(len(ids)):
        rows[t, int(ids[t])] = 1
        rows[t, int(segments[t]) + vocabulary * offsets] = 1
        rows[t, t + (vocabulary + types) * offsets] = 1
    return rows


def run_rows(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Return the rows, and whether they can be multiplied with tables of floating-point numbers."""
    rows = reader(*arguments.values())
    return (rows, rows.is_floating_point()) if isinstance(rows, Tensor) else rows


ONE_HOT_ROWS = Exercise(
    name="one-hot-rows",
    difficulty="medium",
    minutes=12,
    hint="Make three one-hot matrices with F.one_hot: of the ids (V wide), of the segments (2 wide), of "
    "the places 0 ... T-1 (as wide as the position table). Put them side by side with torch.cat.",
    praise="Three ones a row, and one matrix product does the rest. You have proved what the sum is.",
    reference=one_hot_rows,
    run=run_rows,
    returns=("rows", "floating-point"),
    cases=lambda: [
        Case(
            "three columns, tables of 4, 2 and 3 rows",
            {"ids": torch.tensor([3, 0, 2]), "segments": torch.tensor([0, 0, 1]), "sizes": (4, 2, 3)},
        ),
        Case(
            "two columns, a position table of five rows",
            {"ids": torch.tensor([1, 1]), "segments": torch.tensor([0, 1]), "sizes": (3, 2, 5)},
            because="A row is as wide as all tables together, also where the text is shorter.",
        ),
        Case("our ten columns", {"ids": toy.ids(), "segments": toy.segments(), "sizes": toy.SIZES}),
    ],
    mistakes=(
        Mistake(
            "all three ones fell into the token block: segments start at column V, places at V + 2.",
            partial(one_hot_rows, offsets=False),
        ),
        Mistake(
            "the last block is as wide as the text. It is as wide as the position table.",
            lambda i, s, sizes: one_hot_rows(i, s, (*sizes[:2], len(i))),
        ),
        Mistake(
            "the ones are whole numbers. `rows @ tables` refuses to mix them with floats: end with .float().",
            lambda i, s, sizes: one_hot_rows(i, s, sizes).long(),
        ),
        Mistake(
            "only the token block has ones.",
            lambda i, s, sizes: one_hot_rows(i, s, sizes) * (torch.arange(sum(sizes)) < sizes[0]),
        ),
    ),
)


def sinusoidal_positions(length: int, size: int, *, first: int = 0, twice: int = 2) -> Tensor:
    """Vaswani et al. 2017, section 3.5, one number at a time."""
    table = torch.zeros(length, size)
    for t in range(length):
        for i in range(size // 2):
            angle = (t + first) / 10_000 ** (twice * i / size)
            table[t, 2 * i], table[t, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


SINUSOIDAL_POSITIONS = Exercise(
    name="sinusoidal-positions",
    difficulty="medium",
    minutes=15,
    hint="Let t be a column of places and i = 0, 1, ..., H/2 - 1 a row: t / 10000 ** (2 * i / H) is a "
    "(T, H/2) table of angles. Its sines go to the even columns (table[:, 0::2]), its cosines to the odd.",
    praise="Clock hands of H/2 speeds: a table that goes on for ever, and nothing in it is learned.",
    reference=sinusoidal_positions,
    cases=lambda: [
        Case("5 places, width 4", {"length": 5, "size": 4}),
        Case("50 places, width 64", {"length": 50, "size": 64}),
    ],
    mistakes=(
        Mistake(
            "all sines stand in the left half and all cosines in the right. In the paper they take "
            "turns: even columns sine, odd columns cosine.",
            lambda n, h: torch.cat([sinusoidal_positions(n, h)[:, c::2] for c in (0, 1)], 1),
        ),
        Mistake(
            "the exponent is i / H. It is 2i / H, with i = 0 ... H/2 - 1.",
            lambda n, h: sinusoidal_positions(n, 2 * h)[:, :h],
        ),
        Mistake(
            "the exponent is 4i / H: arange(0, H, 2) counts in twos already, do not double it again.",
            partial(sinusoidal_positions, twice=4),
        ),
        Mistake(
            "cosine comes before sine. Even columns are the sines.",
            lambda n, h: sinusoidal_positions(n, h).reshape(n, -1, 2).flip(2).reshape(n, h),
        ),
        Mistake(
            "places were counted from 1. The first place is 0, where every sine is 0.",
            partial(sinusoidal_positions, first=1),
        ),
    ),
)

EXERCISES = (ADD_EMBEDDINGS, ONE_HOT_ROWS, SINUSOIDAL_POSITIONS, INPUT_EMBEDDING)
