"""Exercises of *Data and recipe*, one step: AdamW, and what decays."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed

BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-6
State = tuple[Tensor, Tensor, Tensor]


def adamw_step(
    weight: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, rate: float, decay: float
) -> State:
    """Let PyTorch's optimiser take the step, from the memory that is given."""
    parameter = nn.Parameter(weight.clone())
    parameter.grad = gradient.clone()
    optimizer = torch.optim.AdamW([parameter], lr=rate, betas=(BETA_1, BETA_2), eps=EPS, weight_decay=decay)
    memory = {"step": torch.tensor(step - 1.0), "exp_avg": mean.clone(), "exp_avg_sq": square.clone()}
    optimizer.state[parameter] = memory
    optimizer.step()
    return parameter.detach(), memory["exp_avg"], memory["exp_avg_sq"]


def nearly_adamw(
    weight: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    rate: float,
    decay: float,
    *,
    flaw: str,
) -> State:
    """Take the step by its formula, with one flaw."""
    if flaw == "coupled":
        gradient, decay = gradient + decay * weight, 0.0
    new_mean = BETA_1 * mean + (1 - BETA_1) * gradient
    new_square = BETA_2 * square + (1 - BETA_2) * gradient**2
    corrected = (new_mean, new_square)
    if flaw != "uncorrected":
        corrected = (new_mean / (1 - BETA_1**step), new_square / (1 - BETA_2**step))
    size = corrected[1] if flaw == "no root" else corrected[1].sqrt()
    share = {"decay without rate": decay, "no decay": 0.0}.get(flaw, decay * rate)
    direction = gradient if flaw == "no momentum" else corrected[0]
    move = rate * direction / (size + EPS)
    moved = (weight - move) * (1 - share) if flaw == "decay last" else weight * (1 - share) - move
    return moved, new_mean, new_square


def numbers(*values: float) -> Tensor:
    """Return a vector."""
    return torch.tensor(values, dtype=torch.float32)


ADAMW_STEP = Exercise(
    name="adamw-step",
    difficulty="hard",
    minutes=20,
    hint="Four lines. The two running means: mean = 0.9 * mean + 0.1 * gradient, and the same with 0.999, "
    "0.001 and gradient ** 2. Divide each by 1 - beta ** step. Then the weight: first times (1 - rate "
    "* decay), then minus rate * corrected mean / (root of corrected square + 1e-6).",
    praise="Digit for digit what torch.optim.AdamW does. There is no magic left in it.",
    reference=adamw_step,
    returns=("weight", "mean", "square"),
    cases=lambda: [
        Case(
            "the very first step",
            {
                "weight": numbers(0.5, -1.0, 2.0),
                "gradient": numbers(0.2, -4.0, 0.001),
                "mean": numbers(0, 0, 0),
                "square": numbers(0, 0, 0),
                "step": 1,
                "rate": 0.1,
                "decay": 0.01,
            },
        ),
        Case(
            "step 12, with memories, and a decay that shows",
            {
                "weight": numbers(3.0, -2.0),
                "gradient": numbers(0.3, 0.3),
                "mean": numbers(0.1, -0.2),
                "square": numbers(0.002, 0.01),
                "step": 12,
                "rate": 0.05,
                "decay": 0.5,
            },
            because="The memories of the two weights differ, so the same gradient moves them differently.",
        ),
        Case(
            "a weight that gets no gradient, and one that gets hardly any",
            {
                "weight": numbers(1.0, 1.0),
                "gradient": numbers(0.0, 1e-6),
                "mean": numbers(0.0, 0.0),
                "square": numbers(0.0, 0.0),
                "step": 1,
                "rate": 0.1,
                "decay": 0.5,
            },
            because="0 divided by 0 is NaN. The small eps below the line is there for the first weight, "
            "which only decays. The second has a gradient as small as eps, 1e-6: it moves by half a rate.",
        ),
    ],
    mistakes=flawed(
        nearly_adamw,
        {
            "uncorrected": "the two means are not corrected for having started at 0. The released code of "
            "BERT leaves that out too, so you are in good company; but this is the Adam of the paper by "
            "Kingma and Ba.",
            "coupled": "decay went into the gradient, and so through the division. That is Adam with L2; "
            "the W in AdamW keeps it out of there.",
            "decay without rate": "the decay is not multiplied by the rate.",
            "no decay": "the weight does not decay.",
            "decay last": "the decay comes after the step, and so takes a share of it as well. The old "
            "weight decays.",
            "no root": "the root is missing below the line: a square was divided by.",
            "no momentum": "the step follows the newest gradient. It is the running mean that should be "
            "followed.",
        },
    ),
)


class Small(nn.Module):
    """A word table, a norm and a matrix: one of each kind of parameter."""

    def __init__(self, *, norm: str, frozen: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(6, 4).requires_grad_(not frozen)
        self.add_module(norm, nn.LayerNorm(4))
        self.query = nn.Linear(4, 4)


def decay_groups(model: nn.Module) -> tuple[list[str], list[str]]:
    """Ask each trainable parameter for its number of dimensions."""
    sizes = {name: p.dim() for name, p in model.named_parameters() if p.requires_grad}
    return [n for n, size in sizes.items() if size > 1], [n for n, size in sizes.items() if size < 2]


def by_name(*words: str) -> Callable[[nn.Module], tuple[list[str], list[str]]]:
    """Return a rule that spares every parameter in whose name one of the words stands."""

    def split(model: nn.Module) -> tuple[list[str], list[str]]:
        names = [name for name, p in model.named_parameters() if p.requires_grad]
        spared = [name for name in names if any(word in name for word in words)]
        return [name for name in names if name not in spared], spared

    return split


def all_parameters(model: nn.Module) -> tuple[list[str], list[str]]:
    """Forget that some do not learn."""
    sizes = {name: p.dim() for name, p in model.named_parameters()}
    return [n for n, size in sizes.items() if size > 1], [n for n, size in sizes.items() if size < 2]


DECAY_GROUPS = Exercise(
    name="decay-groups",
    difficulty="medium",
    minutes=12,
    hint="model.named_parameters() gives names and parameters. A bias and the two vectors of a norm have one "
    "dimension; matrices and tables have two. Leave out what has requires_grad False.",
    praise="Matrices and tables shrink, biases and norms are left in peace, whatever they are called.",
    reference=decay_groups,
    returns=("decayed", "spared"),
    run=lambda reader, arguments: reader(Small(**arguments)),
    cases=lambda: [
        Case("a table, a norm and a matrix", {"norm": "LayerNorm", "frozen": False}),
        Case(
            "the same with a frozen table",
            {"norm": "norm", "frozen": True},
            because="What does not learn belongs to no group: the optimiser should not touch it, decay "
            "included.",
        ),
        Case(
            "a norm that somebody else has named",
            {"norm": "ln_1", "frozen": False},
            because="Names are opinions. The weight of a norm has one dimension, whatever it is called.",
        ),
    ],
    mistakes=(
        Mistake("everything decays, biases and norms too.", by_name("no such name")),
        Mistake(
            "you went by names, as the released code does. Here the norm has another one; its dimensions "
            "would tell.",
            by_name("bias", "LayerNorm"),
        ),
        Mistake(
            "only the biases are spared. The weight of a norm decays, and it wants to stay near 1.",
            by_name("bias"),
        ),
        Mistake(
            "the word table is spared as well. It is a matrix like the others.",
            by_name("bias", "Norm", "norm", "words"),
        ),
        Mistake("a frozen parameter stands in a group.", all_parameters),
        Mistake("the two groups are swapped.", lambda model: decay_groups(model)[::-1]),
    ),
)

EXERCISES = (ADAMW_STEP, DECAY_GROUPS)
