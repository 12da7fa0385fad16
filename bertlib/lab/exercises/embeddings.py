"""Exercises of *Input embeddings*: pack, truncate, pad, add, one linear map, waves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake
from bertlib.lab.exercises.embedding_module import INPUT_EMBEDDING

CHAPTER = "input-embeddings"
A, B = list(toy.FIRST), list(toy.SECOND)
LONG = ["the", "very", "old", "dog", "of", "my", "aunt", "sleeps", "all", "day"]
Packed = tuple[list[str], list[int]]
Pair = tuple[list[str], list[str]]


def pack(first: Sequence[str], second: Sequence[str] | None = None) -> Packed:
    """[CLS] A [SEP] B [SEP], and which piece belongs to which sentence."""
    pieces, segments = ["[CLS]", *first, "[SEP]"], [0] * (len(first) + 2)
    if second is not None:
        pieces += [*second, "[SEP]"]
        segments += [1] * (len(second) + 1)
    return pieces, segments


def with_segments(first: list[str], second: list[str] | None, of_first: int, last: int) -> Packed:
    """Return the right pieces with wrong segment ids: ``of_first`` zeros, ``last`` at the end."""
    pieces, _ = pack(first, second)
    return pieces, [0] * of_first + [1] * (len(pieces) - of_first - 1) + [last]


PACK = Exercise(
    name="pack",
    chapter=CHAPTER,
    difficulty="easy",
    minutes=5,
    hint="Lists can be added: ['[CLS]'] + first + ['[SEP]'] is sentence A, all of it segment 0. "
    "What comes after it, the last [SEP] included, is segment 1. When second is None, stop early.",
    praise="Packed as BERT wants it: one row holds two sentences and knows which is which.",
    reference=pack,
    returns=("pieces", "segments"),
    cases=lambda: [
        Case("our pair", {"first": A, "second": B}),
        Case("a second sentence of one piece", {"first": B, "second": ["yes"]}),
        Case(
            "a single sentence",
            {"first": A, "second": None},
            because="A single sentence is [CLS] A [SEP]: one separator, and every segment id is 0.",
        ),
    ],
    mistakes=(
        Mistake(
            "the first [SEP] got segment 1. It closes sentence A, so it is 0.",
            lambda a, b: with_segments(a, b, of_first=len(a) + 1, last=1),
        ),
        Mistake(
            "the last [SEP] got segment 0. It closes sentence B, so it is 1.",
            lambda a, b: with_segments(a, b, of_first=len(a) + 2, last=0),
        ),
        Mistake(
            "the last [SEP] is missing. Every sentence is closed by one, the second too.",
            lambda a, b: tuple(part[:-1] for part in pack(a, b)),
        ),
        Mistake(
            "a single sentence was packed as a pair with an empty second half: one [SEP] too many.",
            lambda a, b: pack(a, b or []),
        ),
        Mistake(
            "your segments are called 1 and 2. They are rows of a table, so count from 0.",
            lambda a, b: (pack(a, b)[0], [segment + 1 for segment in pack(a, b)[1]]),
        ),
    ),
)


def truncate_pair(first: Sequence[str], second: Sequence[str], room: int, *, tie: int = 0) -> Pair:
    """Shorten the longer one from its end; at equal length the second (``tie`` 1: the first)."""
    a, b = len(first), len(second)
    while a + b > room:
        a, b = (a - 1, b) if a + tie > b else (a, b - 1)
    return list(first[:a]), list(second[:b])


TRUNCATE_PAIR = Exercise(
    name="truncate-pair",
    chapter=CHAPTER,
    difficulty="medium",
    minutes=10,
    hint="Copy both lists. While together they are longer than room, remove the last piece of the "
    "longer one; when they are equally long, of the second.",
    praise="Fair to both: the longer sentence pays first, and what is left is the beginning of each.",
    reference=truncate_pair,
    returns=("first", "second"),
    cases=lambda: [
        Case("everything fits", {"first": A, "second": B, "room": 7}),
        Case(
            "a long first sentence",
            {"first": LONG, "second": B, "room": 7},
            because="The second sentence is short already; cutting it would lose it for nothing.",
        ),
        Case("a long second sentence", {"first": B, "second": LONG, "room": 7}),
        Case(
            "equal lengths, one piece too many",
            {"first": A, "second": A[::-1], "room": 7},
            because="At equal length it is the second sentence that gives a piece.",
        ),
        Case("no room at all", {"first": A, "second": B, "room": 0}),
    ],
    mistakes=(
        Mistake(
            "a tie costs the first sentence a piece; in the released code it costs the second.",
            lambda a, b, room: truncate_pair(a, b, room, tie=1),
        ),
        Mistake(
            "only the second sentence is ever cut. A long first sentence pushes it out.",
            lambda a, b, room: (a, b[: max(room - len(a), 0)]),
        ),
        Mistake(
            "the two were joined and the tail cut off: that always costs the second sentence.",
            lambda a, b, room: ((a + b)[:room][: len(a)], (a + b)[:room][len(a) :]),
        ),
        Mistake(
            "each sentence got half of the room, even where the other did not need its half.",
            lambda a, b, room: (a[: room // 2], b[: room - room // 2]),
        ),
        Mistake(
            "pieces were taken from the beginning. Keep the beginning, drop the end.",
            lambda a, b, room: tuple(part[::-1] for part in truncate_pair(a[::-1], b[::-1], room)),
        ),
    ),
)


def pad_batch(rows: Sequence[Sequence[int]], pad_id: int = 0) -> tuple[Tensor, Tensor]:
    """Equal lengths by filling up on the right, and a mask that says what is filling."""
    longest = max(len(row) for row in rows)
    ids = [[*row, *[pad_id] * (longest - len(row))] for row in rows]
    mask = [[int(t < len(row)) for t in range(longest)] for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


PAD_BATCH = Exercise(
    name="pad-batch",
    chapter=CHAPTER,
    difficulty="easy",
    minutes=8,
    hint="Find the longest row. Fill every row up to it with pad_id, on the right. The mask is 1 where "
    "the row was and 0 where you filled; lengths tell you which, the ids need not.",
    praise="A rectangle at last, and a mask that remembers which cells are only filling.",
    reference=pad_batch,
    returns=("ids", "mask"),
    cases=lambda: [
        Case("three rows", {"rows": [[2, 5, 3], [2, 5, 6, 7, 3], [2, 9, 8, 3]], "pad_id": 0}),
        Case("equal lengths, nothing to fill", {"rows": [[2, 6, 3], [2, 9, 3]], "pad_id": 0}),
        Case(
            "another pad id",
            {"rows": [[0, 5, 2], [0, 2]], "pad_id": 1},
            because="Some models pad with another id (RoBERTa: 1), and there id 0 is a real token.",
        ),
    ],
    mistakes=(
        Mistake(
            "the mask is upside down: 1 means text, 0 means filling.",
            lambda rows, pad: (pad_batch(rows, pad)[0], 1 - pad_batch(rows, pad)[1]),
        ),
        Mistake(
            "the filling stands on the left. BERT pads on the right: [CLS] stays at position 0.",
            lambda rows, pad: tuple(x.flip(1) for x in pad_batch([row[::-1] for row in rows], pad)),
        ),
        Mistake("the filling is always 0, whatever pad_id says.", lambda rows, pad: pad_batch(rows, 0)),
        Mistake(
            "the mask asks whether an id is 0. Lengths decide, not ids.",
            lambda rows, pad: (pad_batch(rows, pad)[0], (pad_batch(rows, pad)[0] != 0).long()),
        ),
        Mistake(
            "the mask is 1 everywhere: nobody could tell the filling from text.",
            lambda rows, pad: (pad_batch(rows, pad)[0], torch.ones_like(pad_batch(rows, pad)[1])),
        ),
    ),
)


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


ADD_EMBEDDINGS = Exercise(
    name="add-embeddings",
    chapter=CHAPTER,
    difficulty="easy",
    minutes=8,
    hint="A table indexed with a tensor of ids gives a vector for every id: tokens[ids] has shape "
    "(B, T, H). Positions are the same for every text: the first T rows of their table.",
    praise="Three look-ups and two plus signs: this line is the bottom of every BERT there is.",
    reference=add_embeddings,
    cases=add_cases,
    mistakes=(
        Mistake(
            "the three vectors were put side by side. They are added: the width stays H, not 3H.",
            lambda i, s, e, a, p: torch.cat([e[i], a[s], p[: i.shape[1]].expand(*i.shape, -1)], -1),
        ),
        Mistake(
            "the positions are missing; `dog bites man` would be `man bites dog`.",
            lambda i, s, e, a, p: e[i] + a[s],
        ),
        Mistake("the segments are missing.", lambda i, s, e, a, p: e[i] + p[: i.shape[1]]),
        Mistake(
            "each text got the position of its row in the batch. Positions count along the text.",
            lambda i, s, e, a, p: e[i] + a[s] + p[: i.shape[0]][:, None],
        ),
        Mistake(
            "positions were counted from 1. [CLS] stands at position 0.",
            lambda i, s, e, a, p: e[i] + a[s] + p.roll(-1, 0)[: i.shape[1]],
        ),
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


ONE_HOT_ROWS = Exercise(
    name="one-hot-rows",
    chapter=CHAPTER,
    difficulty="medium",
    minutes=12,
    hint="Make three one-hot matrices with F.one_hot: of the ids (V wide), of the segments (2 wide), of "
    "the places 0 ... T-1 (as wide as the position table). Put them side by side with torch.cat.",
    praise="Three ones a row, and one matrix product does the rest. You have proved what the sum is.",
    reference=one_hot_rows,
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
            lambda i, s, sizes: one_hot_rows(i, s, sizes, offsets=False),
        ),
        Mistake(
            "the last block is as wide as the text. It is as wide as the position table.",
            lambda i, s, sizes: one_hot_rows(i, s, (*sizes[:2], len(i))),
        ),
        Mistake(
            "only the token block has ones.",
            lambda i, s, sizes: one_hot_rows(i, s, sizes) * (torch.arange(sum(sizes)) < sizes[0]),
        ),
    ),
)


def sinusoidal_positions(length: int, size: int, *, first: int = 0) -> Tensor:
    """Vaswani et al. 2017, section 3.5, one number at a time."""
    table = torch.zeros(length, size)
    for t in range(length):
        for i in range(size // 2):
            angle = (t + first) / 10_000 ** (2 * i / size)
            table[t, 2 * i], table[t, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


SINUSOIDAL_POSITIONS = Exercise(
    name="sinusoidal-positions",
    chapter=CHAPTER,
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
            "cosine comes before sine. Even columns are the sines.",
            lambda n, h: sinusoidal_positions(n, h).reshape(n, -1, 2).flip(2).reshape(n, h),
        ),
        Mistake(
            "places were counted from 1. The first place is 0, where every sine is 0.",
            lambda n, h: sinusoidal_positions(n, h, first=1),
        ),
    ),
)

EXERCISES = (
    PACK,
    TRUNCATE_PAIR,
    PAD_BATCH,
    ADD_EMBEDDINGS,
    ONE_HOT_ROWS,
    SINUSOIDAL_POSITIONS,
    INPUT_EMBEDDING,
)
