"""Not every layer has to move as far: a learning rate for each depth, and layers that do not move at all.

Low layers of a pre-trained BERT hold what most tasks share; a smaller rate there keeps it (Howard and Ruder
2018, section 3.2; Sun et al. 2019, section 5.3.4, for BERT; ELECTRA, Clark et al. 2020).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from torch import nn

from bertlib.errors import InputError
from bertlib.model import BertModel
from bertlib.train.optim import parameter_groups

BLOCK = re.compile(r"encoder\.blocks\.(\d+)\.")


class Trainable(NamedTuple):
    """How many numbers of a model may still change."""

    trainable: int
    total: int

    @property
    def share(self) -> float:
        """Return the part of all parameters that is trained, from 0 to 1."""
        return self.trainable / max(self.total, 1)

    def __str__(self) -> str:
        return f"{self.trainable:,} of {self.total:,} parameters are trained ({self.share:.1%})"


def trainable(model: nn.Module) -> Trainable:
    """Count the parameters of a model, and those that are trained."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return Trainable(sum(size for size, moves in sizes if moves), sum(size for size, _ in sizes))


def body_of(model: nn.Module) -> BertModel:
    """Return the body that a model stands on: its ``bert``, or the model itself.

    Raises:
        InputError: there is none.
    """
    body = getattr(model, "bert", model)
    if not isinstance(body, BertModel):
        raise InputError(
            f"{type(model).__name__} has no BertModel called bert; expected a body, or a head that keeps it"
        )
    return body


def depths(model: nn.Module) -> dict[str, int]:
    """Say of each parameter how far below the task it lies.

    Returns:
        Parameter name: 0 for the head (and the pooler, which nothing but a head reads), 1 for the highest of
        L blocks, L for the lowest, L + 1 for the embeddings.
    """
    body = body_of(model)
    blocks = len(body.encoder.blocks)
    prefix = "" if body is model else "bert."
    found: dict[str, int] = {}
    for name, _ in model.named_parameters():
        inside = name[len(prefix) :] if name.startswith(prefix) else ""
        block = BLOCK.match(inside)
        if block:
            found[name] = blocks - int(block[1])
        else:
            found[name] = blocks + 1 if inside.startswith("embedding.") else 0
    return found


def layer_groups(
    model: nn.Module, *, learning_rate: float, weight_decay: float, decay: float = 1.0
) -> list[dict[str, Any]]:
    """Split the trained parameters by depth, each depth with its own rate; biases and norms do not decay.

    Args:
        model: a head with its body, or a body.
        learning_rate: of the head, at its peak.
        weight_decay: of matrices and tables, as in :func:`bertlib.train.optim.parameter_groups`.
        decay: depth d learns with ``learning_rate * decay**d``; 1: all the same.

    Returns:
        Groups for an optimiser, the head's first, each with its ``lr``.

    Raises:
        InputError: ``decay`` outside (0, 1], or nothing is left to train.
    """
    if not 0 < decay <= 1:
        raise InputError(f"layer decay is {decay}; expected more than 0 and at most 1 (1: all the same)")
    weights, places = dict(model.named_parameters()), depths(model)
    groups: list[dict[str, Any]] = []
    for depth in sorted(set(places.values())):
        layer = nn.ParameterList(weights[name] for name, place in places.items() if place == depth)
        groups += [
            {**group, "lr": learning_rate * decay**depth}
            for group in parameter_groups(layer, weight_decay)
            if group["params"]
        ]
    if not groups:
        raise InputError("every parameter is frozen; nothing is left to train")
    return groups


def freeze(model: nn.Module, what: str | int) -> Trainable:
    """Keep the lower part of a body as it is (Lee et al. 2019: "What would Elsa do?").

    Args:
        model: a head with its body, or a body; its parameters are marked, nothing is copied.
        what: "": nothing; "embeddings"; a number k, also written as a word: the embeddings and the k lowest
            blocks; "body": all but the head.

    Returns:
        What is left to train.

    Raises:
        InputError: another word, or more blocks than there are.
    """
    body = body_of(model)
    blocks = body.encoder.blocks
    parts: dict[str, list[nn.Module]] = {"": [], "embeddings": [body.embedding], "body": [body]}
    parts |= {str(k): [body.embedding, *blocks[:k]] for k in range(len(blocks) + 1)}
    if str(what) not in parts:
        raise InputError(
            f"freeze {what!r}; expected 'embeddings', 'body', or a number of lowest blocks from 0 to "
            f"{len(blocks)}"
        )
    for part in parts[str(what)]:
        part.requires_grad_(False)
    return trainable(model)
