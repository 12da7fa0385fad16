"""Exercises of *Looking inside*, second half: a word's vector, a probe by formula, and its selectivity.

Shapes: T positions, H hidden size, N examples, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake

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


def without_ones(vectors: Tensor, labels: Tensor, classes: int, strength: float) -> Tensor:
    """Solve the same without a column of ones: a mistake."""
    square = vectors.T @ vectors + strength * torch.eye(vectors.shape[1], dtype=vectors.dtype)
    return torch.linalg.solve(square, vectors.T @ one_hot(labels, classes, vectors))


def free_offset(vectors: Tensor, labels: Tensor, classes: int, strength: float) -> Tensor:
    """Solve the same with no strength on the offset: a mistake."""
    inputs = with_ones(vectors)
    eye = torch.eye(inputs.shape[1], dtype=inputs.dtype)
    eye[-1, -1] = 0
    return torch.linalg.solve(
        inputs.T @ inputs + strength * eye, inputs.T @ one_hot(labels, classes, vectors)
    )


def labels_as_numbers(vectors: Tensor, labels: Tensor, classes: int, strength: float) -> Tensor:
    """Fit the numbers of the classes instead of one column a class: a mistake."""
    inputs = with_ones(vectors)
    square = inputs.T @ inputs + strength * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.linalg.solve(square, inputs.T @ labels.to(inputs.dtype)[:, None])


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
    mistakes=(
        Mistake(
            "the column of ones is missing: without it every line has to go through the origin, and the "
            "result has H rows where H + 1 were expected.",
            without_ones,
        ),
        Mistake(
            "the numbers are right and the rows are not: your column of ones stands in front. It goes to the "
            "right of the vectors, so the offset is the last row of W.",
            lambda vectors, labels, classes, strength: linear_probe(vectors, labels, classes, strength).roll(
                1, 0
            ),
        ),
        Mistake(
            "the strength spares the offset. Many libraries do so; the formula here adds it to the whole "
            "diagonal, the column of ones included.",
            free_offset,
        ),
        Mistake(
            "the strength is not used. Without it a direction that hardly varies gets an enormous weight.",
            lambda vectors, labels, classes, strength: linear_probe(vectors, labels, classes, 0.0),
        ),
        Mistake(
            "the strength was squared, or multiplied twice.",
            lambda vectors, labels, classes, strength: linear_probe(vectors, labels, classes, strength**2),
        ),
        Mistake(
            "the strength was added to every entry of the matrix. It belongs on the diagonal: strength * I.",
            lambda vectors, labels, classes, strength: torch.linalg.solve(
                with_ones(vectors).T @ with_ones(vectors) + strength,
                with_ones(vectors).T @ one_hot(labels, classes, vectors),
            ),
        ),
        Mistake(
            "the labels were fitted as numbers. Class 2 is not twice class 1: give each class a column of "
            "its own.",
            labels_as_numbers,
        ),
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
    mistakes=(
        Mistake(
            "this is the accuracy on the task alone. The price of memorising words has not been paid.",
            lambda ids, guesses, labels, control_guesses, control_table: share(guesses, labels),
        ),
        Mistake(
            "the other way round: task minus control.",
            lambda ids, guesses, labels, control_guesses, control_table: (
                -selectivity(ids, guesses, labels, control_guesses, control_table)
            ),
        ),
        Mistake(
            "the control guesses were compared with the labels of the task. Their right answers stand in "
            "control_table, a row for each id.",
            lambda ids, guesses, labels, control_guesses, control_table: (
                share(guesses, labels) - share(control_guesses, labels)
            ),
        ),
        Mistake(
            "the guesses for the task were marked against the coins. The control has guesses of its own.",
            lambda ids, guesses, labels, control_guesses, control_table: (
                share(guesses, labels) - share(guesses, control_table[ids])
            ),
        ),
        Mistake(
            "the control labels were read off by place in the list. A control label belongs to a word, "
            "wherever it stands.",
            lambda ids, guesses, labels, control_guesses, control_table: (
                share(guesses, labels) - share(control_guesses, control_table[: len(ids)])
            ),
        ),
    ),
)

EXERCISES = (WORD_VECTOR, LINEAR_PROBE, SELECTIVITY)
