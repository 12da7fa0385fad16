"""The exercise *prediction-head*: the part of the reader's own BERT that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, Mistake

CONFIG = BertConfig(vocab_size=23, hidden_size=8, num_attention_heads=2, layer_norm_eps=0.3)
NAMES = "bias (23,); norm.bias (8,); norm.weight (8,); transform.bias (8,); transform.weight (8, 8)"


class Reference(nn.Module):
    """Linear, GELU, norm, a dot product with every row of the table, a bias; ``order`` makes wrong ones."""

    order = "transform gelu norm bias config"

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        eps = config.layer_norm_eps if "config" in self.order else 1e-12
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        if "untied" in self.order:
            self.decoder = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, hidden: Tensor, word_embeddings: Tensor) -> Tensor:
        """(..., H) and (V, H) -> (..., V)."""
        steps: dict[str, Callable[[Tensor], Tensor]] = {
            "transform": self.transform,
            "gelu": F.gelu,
            "relu": F.relu,
            "tanh": lambda x: F.gelu(x, approximate="tanh"),
            "norm": self.norm,
        }
        for step in self.order.split():
            hidden = steps[step](hidden) if step in steps else hidden
        if "untied" in self.order:
            return torch.as_tensor(self.decoder(hidden))
        table = word_embeddings.detach() if "detached" in self.order else word_embeddings
        scores = torch.einsum("...h,vh->...v", hidden, table)
        return scores + self.bias if "bias" in self.order else scores


def version(order: str) -> type[Reference]:
    """Return the reference with other steps."""
    return type("Version", (Reference,), {"order": order})


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the head, look at its weights, fill them, and ask it; does the table get a gradient?"""
    head = module_class(arguments["config"])
    if not isinstance(head, nn.Module):
        raise TypeError("the class must be an nn.Module: class PredictionHead(nn.Module)")
    weights = "; ".join(f"{name} {tuple(w.shape)}" for name, w in sorted(head.state_dict().items()))
    starts_at_zero = all(bool((w == 0).all()) for name, w in head.named_parameters() if name == "bias")
    fill(head)
    table = arguments["word_embeddings"].clone().requires_grad_()
    scores = head(arguments["hidden"], table)
    if scores is None or scores is Ellipsis:
        return scores
    scores = torch.as_tensor(scores)
    if scores.requires_grad:
        scores.square().sum().backward()
    return weights, starts_at_zero, scores.detach(), table.grad is not None


def fill(module: nn.Module) -> None:
    """Give every parameter numbers that depend only on its name."""
    for name, parameter in module.named_parameters():
        generator = torch.Generator().manual_seed(sum(map(ord, name)))
        parameter.data = torch.randn(parameter.shape, generator=generator)


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
    mistakes=(
        Mistake(
            "the head has an output matrix of its own. It is tied: the token table comes as an argument.",
            version("transform gelu norm bias config untied"),
        ),
        Mistake("the bias is there and is not added.", version("transform gelu norm config")),
        Mistake("the transform is not used: the vector goes straight to the table.", version("bias config")),
        Mistake("the norm is not used.", version("transform gelu bias config")),
        Mistake(
            "the bend is missing: a GELU stands between linear and norm.",
            version("transform norm bias config"),
        ),
        Mistake("the bend is a ReLU. BERT uses GELU.", version("transform relu norm bias config")),
        Mistake(
            "the GELU is the one approximated with tanh; this book takes the exact one, plain F.gelu.",
            version("transform tanh norm bias config"),
        ),
        Mistake(
            "the norm comes before the GELU; it comes after.", version("transform norm gelu bias config")
        ),
        Mistake(
            "the norm's eps is PyTorch's or a fixed one; the configuration has its own.",
            version("transform gelu norm bias"),
        ),
        Mistake(
            "the table was detached: it would learn as an input only, never as an output.",
            version("transform gelu norm bias config detached"),
        ),
    ),
)

EXERCISES = (PREDICTION_HEAD,)
