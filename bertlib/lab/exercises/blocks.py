"""Exercises of *Encoder blocks* that are functions: the norm, the bend, the count."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bertlib.config import PRESETS, BertConfig
from bertlib.lab.exercise import Case, Exercise, Mistake, flawed


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-12, *, flaw: str = "") -> Tensor:
    """Ba et al. 2016, one vector after the other; ``flaw`` names what a wrong answer does."""
    out = torch.empty_like(x)
    rows, results = x.reshape(-1, x.shape[-1]), out.view(-1, x.shape[-1])
    for row, result in zip(rows, results, strict=True):
        numbers = [float(number) for number in row]
        mean = 0.0 if flaw == "no mean" else sum(numbers) / len(numbers)
        count = len(numbers) - (flaw == "H - 1")
        variance = sum((number - mean) ** 2 for number in numbers) / count
        scale = math.sqrt(variance + eps)
        if flaw == "eps outside":
            scale = math.sqrt(variance) + eps
        if flaw == "no root":
            scale = variance + eps
        result.copy_(torch.tensor([(number - mean) / scale for number in numbers]))
    return out if flaw == "plain" else out * weight + bias


def norm_over_columns(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Take mean and variance along the text, not within a column."""
    mean, variance = x.mean(-2, keepdim=True), x.var(-2, correction=0, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def norm_over_everything(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Take one mean and one variance of all numbers."""
    return (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * weight + bias


def norm_cases() -> list[Case]:
    """Return one column, two texts with weights, a visible eps, a column of equal numbers."""
    generator = torch.Generator().manual_seed(5)
    weight, bias = torch.rand(4, generator=generator), torch.rand(4, generator=generator)
    texts = torch.randn(2, 3, 4, generator=generator)
    one, zero = torch.ones(4), torch.zeros(4)
    it = torch.tensor([[3.46, 0.33, 0.26, 1.13]])
    equal = torch.full((1, 4), 7.0)
    return [
        Case("the column `it` of chapter 03", {"x": it, "weight": one, "bias": zero, "eps": 1e-12}),
        Case("two texts of three columns", {"x": texts, "weight": weight, "bias": bias, "eps": 1e-12}),
        Case(
            "an eps so large that one sees it",
            {"x": it, "weight": one, "bias": zero, "eps": 0.5},
            because="eps stands under the root, beside the variance.",
        ),
        Case(
            "four equal numbers",
            {"x": equal, "weight": weight, "bias": bias, "eps": 1e-12},
            because="The variance is 0 here, and 0 / 0 is NaN. That is what eps is for.",
        ),
    ]


LAYER_NORM = Exercise(
    name="layer-norm",
    difficulty="easy",
    minutes=10,
    hint="mean and variance over the last axis, with keepdim=True so that they can be subtracted from x. "
    "The variance of a column divides by H (torch: correction=0). eps goes under the root.",
    praise="Mean 0, variance 1, column by column: the numbers stay in range, however deep the stack.",
    reference=layer_norm,
    cases=norm_cases,
    mistakes=(
        *flawed(
            layer_norm,
            {
                "H - 1": "the variance was divided by H - 1, as torch.var does if nobody tells it "
                "otherwise. The column is no sample: correction=0.",
                "no mean": "the mean was not subtracted.",
                "no root": "you divided by the variance. Its root brings the variance to 1.",
                "plain": "weight and bias are not used. They start at 1 and 0, and training moves them.",
                "eps outside": "eps was added after the root. It stands under it.",
            },
        ),
        Mistake(
            "the mean was taken over the columns of the text. Each column has a mean of its own, over its "
            "H numbers; otherwise the filling of a batch would change the words.",
            norm_over_columns,
        ),
        Mistake("one mean was taken of everything at once. Each column has its own.", norm_over_everything),
    ),
)


def gelu(x: Tensor) -> Tensor:
    """Hendrycks and Gimpel 2016: each number times the probability that chance stays below it."""
    return torch.tensor([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.flatten().tolist()]).view(
        x.shape
    )


GELU = Exercise(
    name="gelu",
    difficulty="easy",
    minutes=5,
    hint="The probability that a standard normal number lies below x is (1 + erf(x / √2)) / 2. "
    "PyTorch has torch.erf.",
    praise="A bend without a corner, and the only one in the whole block besides the softmax.",
    reference=gelu,
    cases=lambda: [
        Case("five numbers", {"x": torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])}),
        Case("two columns of three", {"x": torch.tensor([[0.5, -0.5, 3.0], [-3.0, 0.1, -0.1]])}),
        Case("a hundred numbers from -6 to 6", {"x": torch.linspace(-6, 6, 100)}),
    ],
    mistakes=(
        Mistake("this is ReLU: it cuts off what is below 0. GELU only bends it.", F.relu),
        Mistake(
            "this is the formula with tanh: close, but off by a few ten-thousandths. Asked for here is "
            "the exact one, with erf.",
            lambda x: F.gelu(x, approximate="tanh"),
        ),
        Mistake(
            "this is the formula with the sigmoid, coarser still.", lambda x: x * torch.sigmoid(1.702 * x)
        ),
        Mistake(
            "this is the probability alone. It says how much of x passes: multiply it by x.",
            lambda x: (1 + torch.erf(x / math.sqrt(2))) / 2,
        ),
        Mistake("x was not divided by √2 before erf.", lambda x: x * (1 + torch.erf(x)) / 2),
        Mistake("the half is missing.", lambda x: x * (1 + torch.erf(x / math.sqrt(2)))),
    ),
)


def count_parameters(
    vocab: int, positions: int, layers: int, hidden: int, inner: int, *, flaw: str = ""
) -> int:
    """List the shape of every weight, and multiply out; what has the word ``flaw`` is forgotten."""
    block: list[tuple[str, tuple[int, ...]]] = [("projection", (hidden, hidden))]
    block += [("attention", (hidden, hidden))] * 3
    block += [("feed-forward", (inner, hidden)), ("feed-forward", (hidden, inner))]
    block += [("projection bias", (hidden,))] + [("bias", (hidden,))] * 4 + [("bias inside", (inner,))]
    block += [(f"norm {which} {part}", (hidden,)) for which in ("one", "two") for part in ("gamma", "beta")]
    shapes: list[tuple[str, tuple[int, ...]]] = [
        ("words", (vocab, hidden)),
        ("places", (positions, hidden)),
        ("segments", (2, hidden)),
    ]
    shapes += [("first gamma", (hidden,)), ("first beta", (hidden,))]
    shapes += block * (1 if flaw == "blocks" else layers)
    shapes += [("pooler", (hidden, hidden)), ("pooler", (hidden,))]
    return sum(math.prod(shape) for name, shape in shapes if flaw not in name.split())


def count_cases() -> Sequence[Case]:
    """Return an odd size, in which no two parts are equal, two published sizes and the toy."""
    sizes = {"a feed-forward layer of 3H": (100, 21, 5, 12, 36)}
    for name in ("tiny", "base"):
        config = BertConfig.from_preset(name)
        layers, hidden, _ = PRESETS[name]
        sizes[f"BERT-{name.title()}"] = (config.vocab_size, 512, layers, hidden, 4 * hidden)
    sizes["the toy of this book"] = (15, 10, 1, 4, 16)
    names = ("vocab", "positions", "layers", "hidden", "inner")
    return [Case(label, dict(zip(names, values, strict=True))) for label, values in sizes.items()]


COUNT_PARAMETERS = Exercise(
    name="count-parameters",
    difficulty="medium",
    minutes=15,
    hint="Three tables and a norm; in each block four square matrices, two long ones, a bias for each "
    "of the six, two norms; at the end the pooler. A norm has 2H numbers. The heads add none.",
    praise="To the last number: nothing in BERT is unaccounted for.",
    reference=count_parameters,
    cases=count_cases,
    mistakes=flawed(
        count_parameters,
        {
            "bias": "the biases of the blocks are missing: five of H and one of 4H (here: `inner`).",
            "inside": "the bias inside the feed-forward layer is missing: 4H numbers.",
            "norm": "the norms of the blocks are missing: 4H a block.",
            "segments": "it lacks 2H numbers: the two segment vectors, or the norm after the embeddings.",
            "pooler": "the pooler is missing: H times H, and a bias.",
            "projection": "attention has query, key and value here. The output projection is missing.",
            "two": "there is one norm in a block here. Each half has its own.",
            "beta": "a norm has 2H numbers: weight and bias, H each.",
            "places": "the position table is missing.",
            "blocks": "there is one block only. They share nothing: times L.",
        },
    ),
)

EXERCISES = (LAYER_NORM, GELU, COUNT_PARAMETERS)
