"""The exercises *padding-bias* and *causal-bias*: what is added to scores so that columns vanish."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bertlib.lab.exercise import Case, Exercise, Mistake

HIDDEN = -1e30  # finite, and far below any score
LOUD = 300.0  # scores of wide and untidy queries come to several hundred
TOO_SMALL = (
    "the number is not negative enough. -100 hides a column from scores near 0 only: here its score "
    f"is {LOUD:.0f} above the others. Take -10000 or lower; torch.finfo(torch.float32).min is safe."
)
NAN = (
    "the bias is NaN where it should be 0: (1 - m) * -inf is 0 times infinity there, which is not a number, "
    "and it poisons exactly what is not hidden."
)

Effect = tuple[str, Tensor | None, bool | None]


def effect(bias: Tensor | None, shape: tuple[int, ...], scores: Tensor, rows: Tensor) -> Effect | None:
    """Say what a bias does to scores (B, A, T, T), whatever large number it is made of.

    Returns:
        Its shape; and if that is right, head 0's weights, where ``rows`` (B, T, 1) says that there is
        something to look at; and whether all weights are numbers.
    """
    if bias is None:
        return None
    if tuple(bias.shape) != shape:
        return str(tuple(bias.shape)), None, None
    weights = (scores + bias).softmax(dim=-1)[:, 0]  # (B, T, T)
    shown = weights.masked_fill(~rows, 0.0)
    return str(tuple(bias.shape)), shown[:, 0] if len(shown) > 1 else shown[0], bool(weights.isfinite().all())


def run_padding(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Add the reader's bias to fixed scores and return what the first column then looks at.

    ``scores_of_filling``: how much higher the scores of the filling are, before anything is added to them.
    """
    mask = arguments["attention_mask"]
    batch, length = mask.shape
    scores = torch.randn(batch, length, length, length, generator=torch.Generator().manual_seed(6))
    scores = scores + arguments.get("scores_of_filling", 0.0) * (1 - mask[:, None, None, :])
    something = (mask.sum(dim=1) > 0)[:, None, None]
    return effect(reader(mask), (batch, 1, 1, length), scores, something)


def padding_bias(attention_mask: Tensor, *, hidden: float = HIDDEN) -> Tensor:
    """Write it cell by cell."""
    bias = torch.zeros(attention_mask.shape[0], 1, 1, attention_mask.shape[1])
    for b, row in enumerate(attention_mask.tolist()):
        for t, kept in enumerate(row):
            bias[b, 0, 0, t] = 0.0 if kept else hidden
    return bias


PADDING_BIAS = Exercise(
    name="padding-bias",
    difficulty="easy",
    minutes=8,
    hint="Where the mask is 1 add 0, where it is 0 add a huge negative number that is still a number, for "
    "instance torch.finfo(torch.float32).min. Make room for heads and questions: mask[:, None, None, :].",
    praise="Nobody looks at filling any more, and no text can turn the batch into NaN.",
    reference=padding_bias,
    run=run_padding,
    cases=lambda: [
        Case(
            "two texts, the second with two columns of filling",
            {"attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])},
            because="The filling gets nothing, and the text shares out all of it.",
        ),
        Case(
            "three texts of three columns",
            {"attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]])},
            because="With as many texts or heads as columns, a bias of another shape fits without an error.",
        ),
        Case(
            "a text of filling alone",
            {"attention_mask": torch.tensor([[1, 1, 1], [0, 0, 0]])},
            because="A row of minus infinities has no softmax: 0 / 0 is NaN. A finite number is enough.",
        ),
        Case(
            "filling with loud scores",
            {"attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]), "scores_of_filling": LOUD},
            because=f"The scores of the filling are {LOUD:.0f} above the others. It still gets nothing.",
        ),
    ],
    returns=("shape", "what column 0 looks at", "all weights are numbers"),
    mistakes=(  # TOO_SMALL differs in the last case only, where others would look like it
        Mistake(TOO_SMALL, partial(padding_bias, hidden=-100.0)),
        Mistake(
            "the mask is upside down: the text is hidden and the filling is seen.",
            lambda mask: padding_bias(1 - mask),
        ),
        Mistake(
            "the mask itself was returned. Added to the scores, a 1 and a 0 hide nothing.",
            lambda mask: mask[:, None, None, :].float(),
        ),
        Mistake(
            "the bias is minus infinity. A text of filling alone then has nothing left to share out: NaN.",
            lambda mask: torch.zeros(mask[:, None, None].shape).masked_fill(
                mask[:, None, None] == 0, -math.inf
            ),
        ),
        Mistake(NAN, lambda mask: (1 - mask[:, None, None].float()) * -math.inf),
        Mistake(
            "the axes for heads and questions are missing. (B, T) would meet (question, key) of the scores.",
            lambda mask: padding_bias(mask)[:, 0, 0],
        ),
        Mistake(
            "the mask stands along the axis of the heads. With T = A that would hide heads, in silence.",
            lambda mask: padding_bias(mask).transpose(1, 3),
        ),
        Mistake(
            "the mask stands along the questions: filling may not ask, but everybody still looks at it.",
            lambda mask: padding_bias(mask).transpose(2, 3),
        ),
    ),
)


def run_causal(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Add the reader's bias to scores of zero: each row is then shared out evenly.

    ``scores_of_future``: how much higher the scores to the right of the diagonal are.
    """
    length = arguments["length"]
    everywhere = torch.ones(1, length, 1, dtype=torch.bool)
    scores = arguments.get("scores_of_future", 0.0) * torch.ones(1, 1, length, length).triu(1)
    return effect(reader(length), (1, 1, length, length), scores, everywhere)


def causal_bias(
    length: int, *, sees: Callable[[int, int], bool] = lambda i, j: j <= i, hidden: float = HIDDEN
) -> Tensor:
    """Ask for each pair whether question i may see column j."""
    rows = [[0.0 if sees(i, j) else hidden for j in range(length)] for i in range(length)]
    return torch.tensor(rows)[None, None]


CAUSAL_BIAS = Exercise(
    name="causal-bias",
    difficulty="easy",
    minutes=6,
    hint="Question i may see columns 0 ... i. torch.ones(T, T).tril() has its ones there. The zeros of it "
    "become the huge negative number, the ones become 0; two axes of length 1 in front.",
    praise="A triangle: all that separates this attention from the one in GPT.",
    reference=causal_bias,
    run=run_causal,
    cases=lambda: [
        Case(
            "four columns",
            {"length": 4},
            because="Scores of zero: question i should share its attention evenly among columns 0 to i.",
        ),
        Case("one column", {"length": 1}, because="A lonely column sees itself."),
        Case("seven columns", {"length": 7}),
        Case(
            "four columns, the future with loud scores",
            {"length": 4, "scores_of_future": LOUD},
            because=f"The scores of the future are {LOUD:.0f} above the others. It still gets nothing.",
        ),
    ],
    returns=("shape", "weights", "all weights are numbers"),
    mistakes=(  # TOO_SMALL differs in the last case only, where others would look like it
        Mistake(TOO_SMALL, partial(causal_bias, hidden=-100.0)),
        Mistake(
            "each column hides itself as well. It may see itself, and the first sees nothing else.",
            partial(causal_bias, sees=lambda i, j: j < i),
        ),
        Mistake(
            "the triangle is upside down: each column sees the future and not the past.",
            partial(causal_bias, sees=lambda i, j: j >= i),
        ),
        Mistake(
            "the triangle of ones and zeros was returned itself. Added to scores, it hides nothing.",
            lambda length: torch.ones(length, length).tril()[None, None],
        ),
        Mistake("nothing is hidden at all.", partial(causal_bias, sees=lambda i, j: True)),
        Mistake(NAN, lambda length: (1 - torch.ones(length, length).tril()[None, None]) * -math.inf),
    ),
)
