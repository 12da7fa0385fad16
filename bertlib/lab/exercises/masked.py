"""Exercises of *The masked language model*, the text's side: select, corrupt, keep the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake

DRAWS = 100
OURS = toy.ids()[None]  # (1, 10)
WORDS = OURS > 4  # (1, 10): 0 to 4 are the marks of the toy


def select_positions(candidates: Tensor, share: float, generator: Generator, *, least: int = 1) -> Tensor:
    """Shuffle the words of each row and take the first of them."""
    selected = torch.zeros_like(candidates)
    for b, row in enumerate(candidates):
        places = row.nonzero()[:, 0]
        order = torch.randperm(len(places), generator=generator)
        selected[b, places[order[: max(least, round(share * len(places)))]]] = True
    return selected


def run_select(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Draw a hundred times and say which habits the selection has."""
    candidates, share = arguments["candidates"], arguments["share"]
    generator = torch.Generator().manual_seed(1)
    draws: list[Tensor] = []
    for _ in range(DRAWS):
        selected = reader(candidates, share, generator)
        if selected is None or selected is Ellipsis:
            return selected
        draws.append(torch.as_tensor(selected))
    again = torch.as_tensor(reader(candidates, share, torch.Generator().manual_seed(1)))
    taken = torch.stack(draws).bool()  # (draws, B, T)
    counts = [sorted(set(row)) for row in taken.sum(2).T.tolist()]
    return (
        f"{draws[0].dtype} of shape {tuple(draws[0].shape)}",
        int((taken & ~candidates).any(0).sum()),
        ", ".join(f"always {row[0]}" if len(row) == 1 else "now more, now fewer" for row in counts),
        int((candidates & ~taken.any(0)).sum()),
        bool((again == draws[0]).all()),
    )


def lowest(candidates: Tensor, wanted: Tensor | int, generator: Generator | None) -> Tensor:
    """Select the places with the lowest lots, marks and filling among them."""
    lots = torch.rand(candidates.shape, generator=generator)
    return lots.argsort(1).argsort(1) < wanted


SELECT_POSITIONS = Exercise(
    name="select-positions",
    difficulty="medium",
    minutes=12,
    hint="Give every position a random number (torch.rand with generator=generator), set those of marks "
    "and filling to something above 1, and take the lowest of each row: lots.argsort(1).argsort(1) is the "
    "rank of each position in its row.",
    praise="So many questions a row, never a mark, and nobody can tell beforehand which words.",
    reference=select_positions,
    run=run_select,
    returns=(
        "kind of tensor",
        "marks or filling ever selected",
        "selected in each row",
        "words never selected in 100 draws",
        "the same seed gives the same choice",
    ),
    cases=lambda: [
        Case(
            "our pair, seven words",
            {"candidates": WORDS, "share": 0.15},
            because="0.15 times seven words is 1.05: one word of this row, another one each time.",
        ),
        Case(
            "rows of 12, 7 and 2 words",
            {"candidates": torch.arange(14) % 13 > 13 - torch.tensor([[13], [8], [3]]), "share": 0.15},
            because="The number follows from the words of each row, marks and filling not counted; round "
            "it, and ask at least one question a row.",
        ),
        Case("half of the words", {"candidates": WORDS.expand(2, -1).clone(), "share": 0.5}),
    ],
    mistakes=(
        Mistake(
            "a coin was tossed for every word by itself. That gives 15 % on average, and some rows get no "
            "question at all.",
            lambda c, s, g: (torch.rand(c.shape, generator=g) < s) & c,
        ),
        Mistake(
            "marks and filling were selected too. Nobody learns anything from guessing [SEP].",
            lambda c, s, g: lowest(c, (c.sum(1, keepdim=True) * s).round().clamp(min=1), g),
        ),
        Mistake(
            "there are too many: count the words, not marks and filling, and round, do not round up.",
            lambda c, s, g: select_positions(c, s * c.shape[1] / float(c[0].sum()), g),
        ),
        Mistake(
            "a short row got no question. At least one word is selected.", partial(select_positions, least=0)
        ),
        Mistake(
            "the same words are selected every time. Which ones is for the generator to say. Mind that "
            "argsort once gives the order of the places; taken twice it gives the rank of each place.",
            lambda c, s, g: c & (c.cumsum(1) <= (c.sum(1, keepdim=True) * s).round().clamp(min=1)),
        ),
        Mistake(
            "the generator was not used: with the same seed there comes another choice.",
            lambda c, s, g: select_positions(
                c, s, torch.Generator().manual_seed(int(torch.randint(9**9, ())))
            ),
        ),
    ),
)


def corrupt(
    ids: Tensor,
    selected: Tensor,
    fate: Tensor,
    words: Tensor,
    mask_id: int,
    *,
    ends: tuple[float, float] = (0.8, 0.9),
) -> Tensor:
    """Walk through the selected positions and do to each what its number says."""
    inputs = ids.clone()
    for b, t in selected.nonzero().tolist():
        if fate[b, t] < ends[0]:
            inputs[b, t] = mask_id
        elif fate[b, t] < ends[1]:
            inputs[b, t] = words[b, t]
    return inputs


def corrupt_cases() -> list[Case]:
    """Return our pair with chosen numbers, and batches with drawn ones."""
    generator = torch.Generator().manual_seed(7)
    fate = torch.tensor([[0.5, 0.1, 0.85, 0.86, 0.95, 0.2, 0.4, 0.6, 0.79, 0.05]])
    selected = torch.zeros(1, 10, dtype=torch.bool)
    selected[0, [1, 2, 4, 8]] = True
    large = (6, 12)
    return [
        Case(
            "our pair, four words selected",
            {"ids": OURS, "selected": selected, "fate": fate, "words": OURS.flip(1) * 0 + 14, "mask_id": 4},
            because="0.10 and 0.79 mean [MASK], 0.85 means the other word, 0.95 leaves the word alone. "
            "Places that are not selected have a fate too; it means nothing.",
        ),
        Case(
            "six rows, another [MASK]",
            {
                "ids": torch.randint(200, 999, large, generator=generator),
                "selected": torch.rand(large, generator=generator) < 0.6,
                "fate": torch.rand(large, generator=generator),
                "words": torch.randint(200, 999, large, generator=generator),
                "mask_id": 103,
            },
            because="Only selected positions change, and [MASK] has the id that you are given.",
        ),
    ]


CORRUPT = Exercise(
    name="corrupt",
    difficulty="easy",
    minutes=8,
    hint="torch.where(condition, this, that) picks cell by cell. One condition for [MASK]: selected and "
    "fate below 0.8. One for the other word: selected and fate from 0.8 to 0.9. Combine them with &.",
    praise="Eight become [MASK], one becomes another word, one stays: and nobody can see which was which.",
    reference=corrupt,
    cases=corrupt_cases,
    mistakes=(
        Mistake(
            "every selected word became [MASK]. That is only the fate of those below 0.8.",
            partial(corrupt, ends=(1.1, 1.2)),
        ),
        Mistake(
            "the fate was asked of all positions. Only selected ones may change.",
            lambda i, s, f, w, m: corrupt(i, torch.ones_like(s), f, w, m),
        ),
        Mistake(
            "the other word came also where nothing was selected: that condition needs its `selected &` too.",
            lambda i, s, f, w, m: torch.where(
                (f >= 0.8) & (f < 0.9), w, corrupt(i, s, f, w, m, ends=(0.8, 0.8))
            ),
        ),
        Mistake("nothing was left as it was: from 0.9 on the word stays.", partial(corrupt, ends=(0.8, 1.1))),
        Mistake(
            "the other words were taken from below 0.1, out of the [MASK] share: that is 70, 10 and 20.",
            lambda i, s, f, w, m: torch.where(s & (f < 0.1), w, i.masked_fill(s & (f < 0.8), m)),
        ),
        Mistake(
            "it is the wrong way round: below 0.8 comes [MASK], from 0.8 to 0.9 the other word.",
            lambda i, s, f, w, m: torch.where(s & (f < 0.8), w, i.masked_fill(s & (f >= 0.8) & (f < 0.9), m)),
        ),
    ),
)


def labels(original: Tensor, inputs: Tensor, selected: Tensor, *, other: int = -100) -> Tensor:
    """Write the answers down one by one; everywhere else stands ``other``."""
    sheet = torch.full_like(original, other)
    for b, t in selected.nonzero().tolist():
        sheet[b, t] = original[b, t]
    return sheet


def label_cases() -> list[Case]:
    """Return our pair with two [MASK], one other word and one that stays; a vocabulary without [PAD]."""
    selected = torch.zeros(1, 10, dtype=torch.bool)
    selected[0, [1, 2, 4, 8]] = True
    inputs = OURS.clone()
    inputs[0, [1, 2, 8]] = torch.tensor([4, 14, 4])
    original = torch.tensor([[0, 7, 3, 5], [6, 2, 0, 1]])
    chosen = torch.tensor([[True, False, True, False], [False, True, True, False]])
    return [
        Case(
            "our pair, four words selected, two of them [MASK]",
            {"original": OURS, "inputs": inputs, "selected": selected},
            because="The answer is the word that stood there, for all four: also where no [MASK] stands.",
        ),
        Case(
            "a vocabulary in which id 0 is a word",
            {"original": original, "inputs": original.masked_fill(chosen, 4), "selected": chosen},
            because="Any id can be a right answer, 0 as well. So `no question` needs a number that is none.",
        ),
    ]


LABELS = Exercise(
    name="labels",
    difficulty="easy",
    minutes=5,
    hint="tensor.masked_fill(condition, number) writes the number where the condition is true; ~selected "
    "is true where nobody asks.",
    praise="An answer for every question, and -100 where nobody asked.",
    reference=labels,
    cases=label_cases,
    mistakes=(
        Mistake(
            "where nothing is asked stands a 0. But 0 is an id like any other: the model is asked for it.",
            partial(labels, other=0),
        ),
        Mistake(
            "where nothing is asked stands a -1. PyTorch skips -100; at -1 it looks for word number -1.",
            partial(labels, other=-1),
        ),
        Mistake(
            "only places with [MASK] have an answer. The other fifth of the questions is lost: the words "
            "that were exchanged or left alone.",
            lambda o, i, s: labels(o, i, i == 4),
        ),
        Mistake(
            "the answers were read off the corrupted text: `[MASK]` would be the right answer.",
            lambda o, i, s: labels(i, i, s),
        ),
        Mistake(
            "it is upside down: the words that nobody took out have the labels.",
            lambda o, i, s: labels(o, i, ~s),
        ),
    ),
)

EXERCISES = (SELECT_POSITIONS, CORRUPT, LABELS)
