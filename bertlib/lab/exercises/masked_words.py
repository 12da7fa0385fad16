"""Exercises of *The masked language model*: whole words, and all of masking in one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from bertlib.lab import toy
from bertlib.lab.exercise import Case, Exercise, Mistake

MARKS = ("[CLS]", "[SEP]", "[PAD]")
MAN = ["[CLS]", "his", "basket", "on", "phil", "##am", "##mon", "'", "s", "head", "[SEP]"]
CUT = ["[CLS]", "##mon", "slept", "[SEP]", "##ing", "dog", "##s", "[SEP]", "[PAD]", "[PAD]"]


def word_groups(pieces: Sequence[str], *, across: bool = False) -> list[list[int]]:
    """Go from piece to piece; a word ends where a piece begins that does not continue it."""
    groups: list[list[int]] = []
    is_open = False
    for place, piece in enumerate(pieces):
        if piece in MARKS:
            is_open = across and is_open
        elif piece.startswith("##") and is_open:
            groups[-1].append(place)
        else:
            groups.append([place])
            is_open = True
    return groups


WORD_GROUPS = Exercise(
    name="word-groups",
    difficulty="easy",
    minutes=10,
    hint="Go through enumerate(pieces) with a list of groups. A mark closes the open word. A piece with ## "
    "joins the open word if there is one; every other piece opens a new one.",
    praise="Whole words. Now they can be taken out whole.",
    reference=word_groups,
    cases=lambda: [
        Case("a man and his basket", {"pieces": MAN}),
        Case("our pair, no word in pieces", {"pieces": list(toy.PIECES)}),
        Case(
            "a text that was cut inside a word, twice",
            {"pieces": CUT},
            because="Texts are cut anywhere. A ## piece behind a mark has lost its beginning: a new word.",
        ),
        Case(
            "no marks around it",
            {"pieces": ["phil", "##am", "[MASK]", "[UNK]", "cat", "##s"]},
            because="[MASK] and [UNK] stand for words, and the last word counts though nothing closes it.",
        ),
        Case("nothing at all", {"pieces": []}),
    ],
    mistakes=(
        Mistake(
            "the marks are among the words. [CLS], [SEP] and [PAD] are never masked.",
            lambda pieces: word_groups(["x" if piece in MARKS else piece for piece in pieces]),
        ),
        Mistake(
            "every piece is a word of its own. A piece with ## belongs to the one before it.",
            lambda pieces: [[t] for t, piece in enumerate(pieces) if piece not in MARKS],
        ),
        Mistake(
            "the pieces came back; their places are needed.",
            lambda pieces: [[pieces[t] for t in group] for group in word_groups(pieces)],
        ),
        Mistake("a word reaches across a mark.", partial(word_groups, across=True)),
        Mistake(
            "the places are counted without the marks. [CLS] stands at place 0.",
            lambda pieces: word_groups([piece for piece in pieces if piece not in MARKS]),
        ),
    ),
)


def mask_tokens(
    input_ids: Tensor,
    candidates: Tensor,
    generator: Generator,
    vocab_size: int,
    mask_id: int,
    *,
    shares: tuple[float, float, float] = (0.15, 0.8, 0.9),
    words: tuple[int, int] = (5, 0),
) -> tuple[Tensor, Tensor, Tensor]:
    """Row by row and word by word, as the released code does it."""
    inputs, selected = input_ids.clone(), torch.zeros_like(candidates)
    for b, row in enumerate(candidates):
        places = row.nonzero()[:, 0]
        order = torch.randperm(len(places), generator=generator)
        for t in places[order[: max(1, round(shares[0] * len(places)))]].tolist():
            selected[b, t] = True
            lot = float(torch.rand((), generator=generator))
            if lot < shares[1]:
                inputs[b, t] = mask_id
            elif lot < shares[2]:
                inputs[b, t] = torch.randint(words[0], vocab_size + words[1], (), generator=generator)
    return inputs, selected, input_ids


def run_mask(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Mask twice with one seed and once with another, and measure what happened."""
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    rest = arguments["vocab_size"], arguments["mask_id"]
    answers = [reader(arguments["input_ids"], arguments["candidates"], seed, *rest) for seed in seeds]
    if answers[0] is None or answers[0] is Ellipsis:
        return answers[0]
    if not isinstance(answers[0], tuple | list) or len(answers[0]) != 3:
        raise TypeError("three tensors should come back: inputs, selected, original")
    first, again, other = ([torch.as_tensor(part) for part in answer] for answer in answers)
    return (*measured(arguments, *first), repeats(first[0], again[0], other[0]))


def measured(
    arguments: Mapping[str, Any], inputs: Tensor, selected: Tensor, original: Tensor
) -> tuple[Any, ...]:
    """Return what :data:`MASK_TOKENS` lists, without the last."""
    ids, candidates, mask_id = arguments["input_ids"], arguments["candidates"], arguments["mask_id"]
    selected = selected.bool()
    hidden = selected & (inputs == mask_id)
    kept = selected & (inputs == ids)
    return (
        "as given" if torch.equal(original, ids) else "not the ids that were given",
        percent(selected & candidates, candidates, 0.15, 0.01),
        int((selected & ~candidates).sum()),
        int(((inputs != ids) & ~selected).sum()),
        percent(hidden, selected, 0.8, 0.04),
        percent(selected & ~hidden & ~kept, selected, 0.1, 0.04),
        percent(kept, selected, 0.1, 0.04),
        kind_of(inputs[selected & ~hidden & ~kept], arguments["vocab_size"]),
    )


def percent(some: Tensor, of: Tensor, expected: float, tolerance: float) -> str:
    """Return a share as text; one within the tolerance of what is expected counts as that."""
    share = float(some.sum()) / max(float(of.sum()), 1.0)
    return f"about {expected if abs(share - expected) <= tolerance else share:.0%}"


def kind_of(words: Tensor, vocab_size: int) -> str:
    """Say what the random words are like."""
    if len(words) and int(words.max()) >= vocab_size:
        return "an id beyond the vocabulary is among them"
    if len(words) and int(words.min()) < 5:
        return "marks are among them"
    return "many different words" if len(words.unique()) > 20 else "the same few words again and again"


def repeats(first: Tensor, again: Tensor, other: Tensor) -> str:
    """Say whether the generator decides, and nothing else."""
    if not torch.equal(first, again):
        return "differs with one and the same seed"
    return "is the same with every seed" if torch.equal(first, other) else "follows from the seed"


def mask_cases() -> list[Case]:
    """Return long rows with filling, in two vocabularies."""
    generator = torch.Generator().manual_seed(8)
    ends = torch.randint(50, 100, (120, 1), generator=generator)
    place = torch.arange(100)
    candidates = (place > 0) & (place < ends) & (place != 25)  # [CLS], a [SEP] inside, the last [SEP]
    marks = torch.where(place > ends, 0, 3).masked_fill(place == 0, 2)
    cases = []
    for vocab_size, mask_id, label in (
        (150, 4, "120 rows, a vocabulary of 150"),
        (170, 103, "another vocabulary, another [MASK]"),
    ):
        words = torch.randint(110, vocab_size, (120, 100), generator=generator)
        ids = torch.where(candidates, words, marks)
        given = {"input_ids": ids, "candidates": candidates, "vocab_size": vocab_size, "mask_id": mask_id}
        cases.append(Case(label, given, because="All of these follow from 15 %, and of them 80, 10, 10."))
    return cases


MASK_TOKENS = Exercise(
    name="mask-tokens",
    difficulty="hard",
    minutes=20,
    hint="Your first answer, the dice, your second answer: select_positions; torch.rand and torch.randint of "
    "the ids' shape, both with generator=generator; corrupt. The original goes back as it came. Random "
    "words begin at id 5.",
    praise="The exam paper for any text: inputs, questions, answers. Pre-training may begin.",
    reference=mask_tokens,
    cases=mask_cases,
    run=run_mask,
    returns=(
        "original",
        "selected words",
        "marks or filling selected",
        "changed without being selected",
        "selected that became [MASK]",
        "selected that became another word",
        "selected that stayed",
        "the other words",
        "the result",
    ),
    mistakes=(
        Mistake("all selected words became [MASK].", partial(mask_tokens, shares=(0.15, 1.1, 1.2))),
        Mistake(
            "of all words 15 % became [MASK]. It is 80 % of 15 %, which is 12 %.",
            partial(mask_tokens, shares=(0.15 / 0.8, 0.8, 0.9)),
        ),
        Mistake(
            "marks and filling were selected as well.",
            lambda i, c, g, v, m: mask_tokens(i, torch.ones_like(c), g, v, m),
        ),
        Mistake(
            "the random words begin at id 0: [PAD] or [CLS] may turn up in the middle of a sentence.",
            partial(mask_tokens, words=(0, 0)),
        ),
        Mistake(
            "a random word has an id that is not in the table: the last id is vocab_size - 1.",
            lambda i, c, g, v, m: mask_tokens(i, c, g, v, m, words=(v - 5, 200)),
        ),
        Mistake(
            "your `selected` says where a [MASK] stands. Words exchanged or left alone are questions too.",
            lambda i, c, g, v, m: (mask_tokens(i, c, g, v, m)[0], mask_tokens(i, c, g, v, m)[0] == m, i),
        ),
        Mistake(
            "the third tensor is not the original. It comes back as it was given: not corrupted, and without "
            "-100 in it.",
            lambda i, c, g, v, m: (*mask_tokens(i, c, g, v, m)[:2], mask_tokens(i, c, g, v, m)[0] * 0 + m),
        ),
        Mistake(
            "the generator is not used, or seeded anew inside: every batch gets the same mask.",
            lambda i, c, g, v, m: mask_tokens(i, c, torch.Generator().manual_seed(0), v, m),
        ),
    ),
)

EXERCISES = (WORD_GROUPS, MASK_TOKENS)
