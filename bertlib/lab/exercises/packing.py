"""Exercises of *Input embeddings*, first half: text into rows (pack, truncate, pad)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

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


def by_word(first: list[str], second: list[str] | None) -> Packed:
    """Ask of each piece whether it occurs in the second sentence."""
    pieces, _ = pack(first, second)
    return pieces, [int(piece in (second or [])) for piece in pieces[:-1]] + [int(second is not None)]


def with_segments(first: list[str], second: list[str] | None, of_first: int, last: int) -> Packed:
    """Return the right pieces with wrong segment ids: ``of_first`` zeros, ``last`` at the end."""
    pieces, _ = pack(first, second)
    return pieces, [0] * of_first + [1] * (len(pieces) - of_first - 1) + [last]


PACK = Exercise(
    name="pack",
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
        Case(
            "a pair that shares two words",
            {"first": ["my", "dog"], "second": ["is", "my", "dog"]},
            because="A word may stand in both sentences. Its place decides, not the word.",
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
            "the segment was looked up by the word. A word may stand in both sentences: count places.",
            by_word,
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


def in_one_go(first: list[str], second: list[str], room: int) -> Pair:
    """Let the sentence that is longer at the start pay for everything."""
    if len(first) > len(second):
        first = first[: max(room - len(second), 0)]
    return first, second[: max(room - len(first), 0)]


TRUNCATE_PAIR = Exercise(
    name="truncate-pair",
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
        Case(
            "two long sentences",
            {"first": LONG, "second": A + B, "room": 7},
            because="Which one is the longer changes on the way: ask anew before every piece.",
        ),
        Case("no room at all", {"first": A, "second": B, "room": 0}),
    ],
    mistakes=(
        Mistake(
            "a tie costs the first sentence a piece; in the released code it costs the second.",
            partial(truncate_pair, tie=1),
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
            "the longer sentence paid for everything in one go. Ask anew before every piece which is longer.",
            in_one_go,
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


def wrong_padding(rows: Sequence[Sequence[int]], pad_id: int, *, flaw: str) -> tuple[Tensor, ...]:
    """Fill up elsewhere, or ask something else for the mask."""
    ids, mask = pad_batch(rows, pad_id)
    return {
        "upside down": (ids, 1 - mask),
        "left": tuple(x.flip(1) for x in pad_batch([row[::-1] for row in rows], pad_id)),
        "always 0": pad_batch(rows, 0),
        "by pad_id": (ids, (ids != pad_id).long()),
        "by 0": (ids, (ids != 0).long()),
        "ones": (ids, torch.ones_like(mask)),
    }[flaw]


PAD_BATCH = Exercise(
    name="pad-batch",
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
        Case(
            "a text that holds the pad id",
            {"rows": [[2, 0, 5, 3], [2, 3]], "pad_id": 0},
            because="Somebody's text says [PAD] in the middle. It is text there: lengths decide, not ids.",
        ),
    ],
    mistakes=flawed(
        wrong_padding,
        {
            "upside down": "the mask is upside down: 1 means text, 0 means filling.",
            "left": "the filling stands on the left. BERT pads on the right: [CLS] stays at position 0.",
            "always 0": "the filling is always 0, whatever pad_id says.",
            "by pad_id": "the mask asks whether an id is pad_id. A text may hold that id too. Lengths "
            "decide, not ids.",
            "by 0": "the mask asks whether an id is 0. Lengths decide, not ids.",
            "ones": "the mask is 1 everywhere: nobody could tell the filling from text.",
        },
    ),
)

EXERCISES = (PACK, TRUNCATE_PAIR, PAD_BATCH)
