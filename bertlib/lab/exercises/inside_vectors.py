"""Exercises of *Looking inside*, second half: a word's vector, a probe by formula, and its selectivity.

Shapes: T positions, H hidden size, N examples, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

TOKENS = ["[CLS]", "my", "dog", "is", "cut", "##e", "[SEP]", "it", "like", "##s", "playing", "[SEP]"]
LONG = ["[CLS]", "un", "##believ", "##ably", "cut", "##e", "dog", "##s"]


def some_vectors(seed: int, rows: int, width: int) -> Tensor:
    """Return random vectors (rows, width)."""
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def word_vector(hidden: Tensor, tokens: list[str], start: int) -> Tensor:
    """Average the piece at ``start`` and the ## pieces that follow it without a gap, (H,)."""
    end = start + 1
    while end < len(tokens) and tokens[end].startswith("##"):
        end += 1
    return torch.stack([hidden[t] for t in range(start, end)]).mean(0)


def every_inner_piece(hidden: Tensor, tokens: list[str], start: int) -> Tensor:
    """Average the piece with all ## pieces to its right, of whatever word: a mistake."""
    inner = [t for t in range(start + 1, len(tokens)) if tokens[t].startswith("##")]
    return hidden[[start, *inner]].mean(0)


def size_of_word(tokens: list[str], start: int) -> int:
    """Return how many pieces the word at ``start`` has."""
    inner = [piece.startswith("##") for piece in tokens[start + 1 :]] + [False]
    return 1 + inner.index(False)


def word_case(label: str, tokens: list[str], start: int, because: str = "") -> Case:
    """Return a case with random vectors of width 3."""
    hidden = some_vectors(start, len(tokens), 3)
    return Case(label, {"hidden": hidden, "tokens": tokens, "start": start}, because=because)


WORD_VECTOR = Exercise(
    name="word-vector",
    difficulty="easy",
    minutes=10,
    hint="Walk to the right from start + 1 as long as there is a piece and it begins with ##. "
    "hidden[start:end].mean(0) is the rest.",
    praise="Words in, vectors out, however the tokeniser has cut them.",
    reference=word_vector,
    cases=lambda: [
        word_case("`cute`, which is cut in two", TOKENS, 4),
        word_case("`dog`, a whole piece", TOKENS, 2),
        word_case("a word of three pieces, more cut words behind it", LONG, 1),
        word_case(
            "`dogs` at the very end",
            LONG,
            6,
            because="The list may end inside a word: look at its length before you look at the next piece.",
        ),
    ],
    mistakes=(
        Mistake(
            "only the first piece was taken: `cut` is not yet `cute`.",
            lambda hidden, tokens, start: hidden[start],
        ),
        Mistake(
            "the pieces were added up. A word of three pieces would be three times as long as others: take "
            "the mean.",
            lambda hidden, tokens, start: word_vector(hidden, tokens, start) * size_of_word(tokens, start),
        ),
        Mistake(
            "every ## piece of the text was taken, those of later words too. Stop at the first piece "
            "without ##.",
            every_inner_piece,
        ),
        Mistake(
            "a word was taken to have two pieces at most.",
            lambda hidden, tokens, start: hidden[start : start + min(2, size_of_word(tokens, start))].mean(0),
        ),
    ),
)


def with_ones(vectors: Tensor) -> Tensor:
    """Append a column of ones: (N, H) to (N, H + 1)."""
    return torch.cat([vectors, torch.ones(len(vectors), 1, dtype=vectors.dtype)], dim=1)


def one_hot(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """Return one row of zeros and a one for each label, (N, K)."""
    return torch.eye(classes, dtype=like.dtype)[labels]


def linear_probe(vectors: Tensor, labels: Tensor, classes: int, strength: float) -> Tensor:
    """Solve ridge regression as plain least squares with sqrt(strength) I as extra rows, (H + 1, K)."""
    inputs, targets = with_ones(vectors), one_hot(labels, classes, vectors)
    width = inputs.shape[1]
    extra = strength**0.5 * torch.eye(width, dtype=vectors.dtype)
    rows = torch.cat([inputs, extra])
    wanted = torch.cat([targets, torch.zeros(width, classes, dtype=vectors.dtype)])
    return torch.linalg.lstsq(rows, wanted).solution


def wrong_probe(vectors: Tensor, labels: Tensor, classes: int, strength: float, *, flaw: str) -> Tensor:
    """Solve the system of equations that people write down instead."""
    inputs = vectors if flaw == "no ones" else with_ones(vectors)
    targets = labels[:, None].to(inputs.dtype) if flaw == "numbers" else one_hot(labels, classes, vectors)
    strength = {"unused": 0.0, "squared": strength**2}.get(flaw, strength)
    ridge = strength * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    if flaw == "free offset":
        ridge[-1, -1] = 0
    if flaw == "everywhere":
        ridge.fill_(strength)
    solution = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ targets)
    return solution.roll(1, 0) if flaw == "ones in front" else solution


def probe_case(label: str, seed: int, rows: int, width: int, classes: int, strength: float) -> Case:
    """Return random vectors in double precision and random labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (rows,), generator=generator)
    vectors = some_vectors(seed, rows, width).double() + labels[:, None]
    return Case(label, {"vectors": vectors, "labels": labels, "classes": classes, "strength": strength})


LINEAR_PROBE = Exercise(
    name="linear-probe",
    difficulty="hard",
    minutes=20,
    hint="X: the vectors with a column of ones to their right. Y: one row a label, zeros and a single 1. "
    "Then torch.linalg.solve(X.T @ X + strength * I, X.T @ Y), with an I as wide as X.",
    praise="No steps, no learning rate, no luck: one system of equations, and the best line there is.",
    reference=linear_probe,
    cases=lambda: [
        probe_case("20 vectors of width 3, 2 classes, strength 1", 1, 20, 3, 2, 1.0),
        probe_case("30 vectors of width 4, 3 classes, strength 10", 2, 30, 4, 3, 10.0),
    ],
    mistakes=flawed(
        wrong_probe,
        {
            "no ones": "the column of ones is missing: without it every line has to go through the origin, "
            "and the result has H rows where H + 1 were expected.",
            "ones in front": "the numbers are right and the rows are not: your column of ones stands in "
            "front. It goes to the right of the vectors, so the offset is the last row of W.",
            "free offset": "the strength spares the offset. Many libraries do so; the formula here adds it "
            "to the whole diagonal, the column of ones included.",
            "unused": "the strength is not used. Without it a direction that hardly varies gets an enormous "
            "weight.",
            "squared": "the strength was squared, or multiplied twice.",
            "everywhere": "the strength was added to every entry of the matrix. It belongs on the diagonal: "
            "strength * I.",
            "numbers": "the labels were fitted as numbers. Class 2 is not twice class 1: give each class a "
            "column of its own.",
        },
    ),
)


def share(guesses: Tensor, labels: Tensor) -> float:
    """Return the share of guesses that are right."""
    return sum(g == y for g, y in zip(guesses.tolist(), labels.tolist(), strict=True)) / len(labels)


def selectivity(
    ids: Tensor, guesses: Tensor, labels: Tensor, control_guesses: Tensor, control_table: Tensor
) -> float:
    """Return accuracy on the task minus accuracy on the control task (Hewitt and Liang 2019)."""
    control_labels = torch.tensor([control_table[i] for i in ids.tolist()])
    return share(guesses, labels) - share(control_guesses, control_labels)


def wrong_selectivity(
    ids: Tensor, guesses: Tensor, labels: Tensor, control_guesses: Tensor, control_table: Tensor, *, flaw: str
) -> float:
    """Subtract something else."""
    task = share(guesses, labels)
    return {
        "free": task,
        "turned": share(control_guesses, control_table[ids]) - task,
        "task labels": task - share(control_guesses, labels),
        "task guesses": task - share(guesses, control_table[ids]),
        "by place": task - share(control_guesses, control_table[: len(ids)]),
    }[flaw]


def selectivity_cases() -> list[Case]:
    """Return a selective probe, and one that is better at the control task."""
    ids = torch.tensor([5, 7, 5, 6, 8, 6, 7, 5])
    table = torch.tensor([0, 0, 1, 1, 0, 1, 0, 0, 1, 0])
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 1, 0])
    control = table[ids]

    def case(label: str, wrong: list[int], control_wrong: list[int], because: str = "") -> Case:
        guesses, control_guesses = labels.clone(), control.clone()
        guesses[wrong] = 1 - guesses[wrong]
        control_guesses[control_wrong] = 1 - control_guesses[control_wrong]
        values = (ids, guesses, labels, control_guesses, table)
        names = ("ids", "guesses", "labels", "control_guesses", "control_table")
        return Case(label, dict(zip(names, values, strict=True)), because=because)

    return [
        case("seven of eight right, half of the control", [3], [0, 1, 4, 7]),
        case(
            "half right, all of the control",
            [0, 2, 4, 5],
            [],
            because="A probe that memorises words better than it answers has a selectivity below 0.",
        ),
    ]


SELECTIVITY = Exercise(
    name="selectivity",
    difficulty="easy",
    minutes=8,
    hint="The control label of a token depends on its id and on nothing else: control_table[ids]. Then two "
    "accuracies and a minus sign.",
    praise="What is left when memory has been paid for.",
    reference=selectivity,
    cases=selectivity_cases,
    mistakes=flawed(
        wrong_selectivity,
        {
            "free": "this is the accuracy on the task alone. The price of memorising words has not been "
            "paid.",
            "turned": "the other way round: task minus control.",
            "task labels": "the control guesses were compared with the labels of the task. Their right "
            "answers stand in control_table, a row for each id.",
            "task guesses": "the guesses for the task were marked against the coins. The control has "
            "guesses of its own.",
            "by place": "the control labels were read off by place in the list. A control label belongs to "
            "a word, wherever it stands.",
        },
    ),
)

EXERCISES = (WORD_VECTOR, LINEAR_PROBE, SELECTIVITY)
