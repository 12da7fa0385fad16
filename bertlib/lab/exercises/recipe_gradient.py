"""Exercises of *Data and recipe*, the gradient: pieces of a batch added up, and the leash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.lab.exercise import Case, Exercise, Mistake, flawed
from bertlib.lab.exercises.recipe_step import numbers

Pieces = list[tuple[Tensor, Tensor]]


def make_pieces(sizes: Sequence[int], seed: int) -> tuple[nn.Linear, Pieces]:
    """Return a small model and pieces of a batch, each of so many questions."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Linear(3, 4)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    inputs = [torch.randn(size, 3, generator=generator) for size in sizes]
    return model, [(x, torch.randint(4, (len(x),), generator=generator)) for x in inputs]


def run_pieces(reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Hand over model and pieces; return the loss and the gradient that the model has then."""
    model, pieces = make_pieces(**arguments)
    loss = reader(model, pieces)
    if loss is None or loss is Ellipsis:
        return None
    gradient = torch.zeros_like(model.weight) if model.weight.grad is None else model.weight.grad
    return float(torch.as_tensor(loss).detach()), gradient


def accumulate(model: nn.Module, pieces: Pieces) -> Tensor:
    """Join the pieces to the one batch they were cut from."""
    inputs, labels = (torch.cat(parts) for parts in zip(*pieces, strict=True))
    if not len(labels):
        raise ValueError("nothing is asked in any piece")
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    return loss


def piecewise(model: nn.Module, pieces: Pieces, *, flaw: str) -> Tensor:
    """Go piece by piece, each mean loss weighted in a wrong way, or with the gradient forgotten between."""
    total, questions = torch.zeros(()), sum(len(labels) for _, labels in pieces)
    for inputs, labels in pieces:
        if flaw == "reset":
            model.zero_grad()
        weight = {"mean of means": 1 / len(pieces), "undivided": 1.0}.get(
            flaw, len(labels) / max(questions, 1)
        )
        loss = F.cross_entropy(model(inputs), labels) * weight
        loss.backward()
        total = total + loss.detach()
    return total


def summed(model: nn.Module, pieces: Pieces) -> Tensor:
    """Add up the losses of all questions."""
    losses = [F.cross_entropy(model(x), y, reduction="sum") for x, y in pieces]
    torch.stack(losses).sum().backward()
    return torch.stack(losses).sum()


ACCUMULATE = Exercise(
    name="accumulate",
    difficulty="medium",
    minutes=15,
    hint="Count the labels of all pieces first. F.cross_entropy with reduction='sum', divided by that "
    "count, is a piece's contribution; backward() adds its gradient to what is there. Return the sum "
    "of the contributions.",
    praise="The gradient of the large batch, in the memory of the small one.",
    reference=accumulate,
    returns=("loss", "gradient"),
    run=run_pieces,
    cases=lambda: [
        Case("pieces with 8 and 2 questions", {"sizes": [8, 2], "seed": 1}),
        Case(
            "a piece in which nothing is asked",
            {"sizes": [5, 0, 3], "seed": 2},
            because="The mean over no questions is 0 divided by 0, and one NaN spoils the whole gradient. "
            "The sum over none is 0.",
        ),
        Case("one piece is a batch too", {"sizes": [6], "seed": 3}),
        Case(
            "nothing is asked anywhere",
            {"sizes": [0, 0], "seed": 4},
            raises=ValueError,
            because="There is nothing to learn from, and a division by zero tells nobody why.",
        ),
    ],
    mistakes=(
        *flawed(
            piecewise,
            {
                "mean of means": "this is the mean of the pieces' means. A question in the small piece "
                "counts more than one in the large: divide by all questions, not by the number of pieces.",
                "undivided": "the means are added up and never divided: twice the pieces, twice the "
                "gradient.",
                "reset": "the gradients are reset between the pieces, so only the last piece is learned "
                "from.",
            },
        ),
        Mistake("the sum is never divided by the number of questions.", summed),
    ),
)


def clip_gradient(gradients: Sequence[Tensor], largest: float) -> list[Tensor]:
    """Let PyTorch do it."""
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(parameters, largest)
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def wrong_clip(gradients: Sequence[Tensor], largest: float, *, flaw: str) -> list[Tensor]:
    """Shorten by something else."""
    if flaw == "each number":
        return [gradient.clamp(-largest, largest) for gradient in gradients]
    if flaw == "each tensor":
        return [gradient * min(1.0, largest / max(float(gradient.norm()), 1e-6)) for gradient in gradients]
    norm = float(torch.stack([gradient.norm() for gradient in gradients]).norm())
    factor = {
        "stretched": largest / (norm + 1e-6),
        "to one": 1 / norm if norm > largest else 1.0,
        "no root": min(1.0, largest / max(norm**2, 1e-6)),
    }[flaw]
    return [gradient * factor for gradient in gradients]


CLIP_GRADIENT = Exercise(
    name="clip-gradient",
    difficulty="easy",
    minutes=8,
    hint="One norm for all of them: the root of the sum of all squares, over all tensors. Multiply every "
    "tensor by largest / norm, but only if the norm is above largest.",
    praise="Shorter, and still pointing the same way.",
    reference=clip_gradient,
    cases=lambda: [
        Case("3, 4 and 12: a norm of 13", {"gradients": [numbers(3, 4), numbers(-12)], "largest": 1.0}),
        Case(
            "a gradient that is short already, for a leash of 2",
            {"gradients": [numbers(0.9, 1.2), numbers(0.3)], "largest": 2.0},
            because="Clipping is a leash, not an engine: what is short stays as it is.",
        ),
        Case(
            "a leash of 2",
            {"gradients": [numbers(6, 8), numbers(24)], "largest": 2.0},
            because="The norm may be as long as `largest`, which is 2 here and not 1.",
        ),
        Case(
            "no gradient at all",
            {"gradients": [numbers(0, 0), numbers(0)], "largest": 1.0},
            because="Whoever divides by the norm divides by 0 here.",
        ),
    ],
    mistakes=flawed(
        wrong_clip,
        {
            "each tensor": "each tensor has a leash of its own. That bends the direction; there is one norm "
            "for all of them.",
            "each number": "every single number was cut at the limit. That bends the direction too.",
            "stretched": "short gradients are stretched: every gradient ends at the limit.",
            "to one": "the gradient is shortened to 1, whatever `largest` says.",
            "no root": "the root is missing: you divided by the sum of the squares.",
        },
    ),
)

EXERCISES = (ACCUMULATE, CLIP_GRADIENT)
