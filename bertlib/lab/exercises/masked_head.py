"""The exercise *prediction-head*: the part of the reader's own BERT that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.modules import BENDS, SMALL, build, fill

CONFIG = SMALL.replace(layer_norm_eps=0.3)
NAMES = "bias (23,); norm.bias (8,); norm.weight (8,); transform.bias (8,); transform.weight (8, 8)"


class Reference(nn.Module):
    """Linear, GELU, norm, a dot product with every row of the table, a bias; ``flaw`` makes wrong ones."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        eps = 1e-12 if self.flaw == "own eps" else config.layer_norm_eps
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        if self.flaw == "untied":
            self.decoder = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """(..., H) and (V, H) -> (..., V)."""
        bend, norm = BENDS.get(self.flaw, F.gelu), nn.Identity() if self.flaw == "no norm" else self.norm
        if self.flaw != "no transform":
            hidden = self.transform(hidden)
            hidden = bend(norm(hidden)) if self.flaw == "norm first" else norm(bend(hidden))
        if self.flaw == "untied":
            return torch.as_tensor(self.decoder(hidden))
        table = word_embeddings.detach() if self.flaw == "detached" else word_embeddings
        scores = torch.einsum("...h,vh->...v", hidden, table)
        return scores if self.flaw == "no bias" else scores + self.bias


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the head, look at its weights, fill them, and ask it; does the table get a gradient?"""
    head = build(module_class, arguments["config"])
    weights = "; ".join(f"{name} {tuple(w.shape)}" for name, w in sorted(head.state_dict().items()))
    starts_at_zero = all(bool((w == 0).all()) for name, w in head.named_parameters() if name == "bias")
    fill(head, key=lambda name, shape: name)
    table = arguments["word_embeddings"].clone().requires_grad_()
    scores = head(arguments["hidden"], table)
    if scores is None or scores is Ellipsis:
        return scores
    scores = torch.as_tensor(scores)
    if scores.requires_grad:
        scores.square().sum().backward()
    return weights, starts_at_zero, scores.detach(), table.grad is not None


def cases() -> list[Case]:
    """Return a whole batch, and selected positions only."""
    generator = torch.Generator().manual_seed(6)
    batch, picked = (torch.randn(*shape, 8, generator=generator) for shape in [(2, 3), (5,)])
    table = torch.randn(23, 8, generator=generator)
    return [
        Case(
            "every position of two texts",
            {"config": CONFIG, "hidden": batch, "word_embeddings": table},
            because=f"Linear, GELU, norm, a dot product with each row of the table, plus the bias. The "
            f"weights: {NAMES}. The bias is an nn.Parameter of zeros.",
        ),
        Case(
            "five selected positions",
            {"config": CONFIG, "hidden": picked, "word_embeddings": table},
            because="(N, H) must do as well as (B, T, H): only the last axis is yours.",
        ),
    ]


PREDICTION_HEAD = Exercise(
    name="prediction-head",
    difficulty="medium",
    minutes=15,
    hint="In __init__: self.transform = nn.Linear(H, H), self.norm = nn.LayerNorm(H, eps=...), self.bias = "
    "nn.Parameter(torch.zeros(V)). In forward: transform, F.gelu, norm, then F.linear(hidden, "
    "word_embeddings, self.bias).",
    praise="The part that answers. Its largest matrix is borrowed, and learns from both ends.",
    reference=Reference,
    cases=cases,
    run=run,
    returns=("weights", "bias starts at zero", "scores", "the table gets a gradient"),
    mistakes=flawed(
        Reference,
        {
            "untied": "the head has an output matrix of its own. It is tied: the token table comes as an "
            "argument.",
            "no bias": "the bias is there and is not added.",
            "no transform": "the transform is not used: the vector goes straight to the table.",
            "no norm": "the norm is not used.",
            "no bend": "the bend is missing: a GELU stands between linear and norm.",
            "relu": "the bend is a ReLU. BERT uses GELU.",
            "tanh": "the GELU is the one approximated with tanh; this book takes the exact one, plain "
            "F.gelu.",
            "norm first": "the norm comes before the GELU; it comes after.",
            "own eps": "the norm's eps is PyTorch's or a fixed one; the configuration has its own.",
            "detached": "the table was detached: it would learn as an input only, never as an output.",
        },
    ),
)

EXERCISES = (PREDICTION_HEAD,)
