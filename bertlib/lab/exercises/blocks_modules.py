"""Exercises of *Encoder blocks* that are small modules: the feed-forward layer, the pooler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.modules import BENDS, SMALL, build, fill

CONFIG = SMALL.replace(num_hidden_layers=3, intermediate_size=20, attention_probs_dropout_prob=0.0)
OTHER = CONFIG.replace(hidden_size=12, num_attention_heads=3, intermediate_size=48)
WIDTHS = "Sizes come from the configuration. 768 is the width of Base, and of nothing else."


def fill_parts(module: nn.Module) -> None:
    """Give every parameter numbers that follow from its part, its shape and being a bias or not.

    Names inside a part are the reader's own, except query, key, value and output, which have one shape.
    """

    def key(name: str, shape: torch.Size) -> tuple[str, torch.Size, bool]:
        part, *inside = name.split(".")
        named = name if part == "attention" else part if inside[1:] or "norm" in part else ""
        return named, shape, name.endswith("bias")

    fill(module, key)


def run_with(*layers: str) -> Callable[[Callable[..., Any], Mapping[str, Any]], Any]:
    """Return a runner for modules that have linear layers of these names."""

    def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Build the module, fill it, send one tensor through."""
        module = build(module_class, arguments["config"])
        if module.eval()(arguments["hidden"]) is None:
            return None
        absent = [layer for layer in layers if not isinstance(getattr(module, layer, None), nn.Linear)]
        if absent:
            raise TypeError(f"the module has no nn.Linear called {absent[0]}; under that name weights move")
        fill_parts(module)
        shapes = sorted(str(tuple(parameter.shape)) for parameter in module.parameters())
        return shapes, module(arguments["hidden"])

    return run


def hidden(*shape: int) -> Tensor:
    """Return the same random columns every time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(11))


class ReferenceFeedForward(nn.Module):
    """Two products with the bend between them; ``flaw`` makes the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) -> (B, T, H), with the matrices written out."""
        inner = BENDS.get(self.flaw, F.gelu)(hidden @ self.inner.weight.T + self.inner.bias)
        output = inner @ self.output.weight.T + self.output.bias
        return F.gelu(output) if self.flaw == "bent twice" else output


FEED_FORWARD = Exercise(
    name="feed-forward",
    difficulty="easy",
    minutes=8,
    hint="Two nn.Linear: hidden_size to intermediate_size, and back. Between them F.gelu. "
    "nn.Linear works on the last axis, so (B, T, H) needs no loop.",
    praise="Up, bend, down: each column thinks for itself, and most of BERT's weights sit here.",
    reference=ReferenceFeedForward,
    cases=lambda: [
        Case("two texts of five columns, H = 8, 20 inside", {"config": CONFIG, "hidden": hidden(2, 5, 8)}),
        Case("H = 12, 48 inside", {"config": OTHER, "hidden": hidden(1, 4, 12)}, because=WIDTHS),
    ],
    run=run_with("inner", "output"),
    returns=("shapes of the parameters", "output"),
    mistakes=flawed(
        ReferenceFeedForward,
        {
            "relu": "the bend is ReLU. The first Transformer had that; BERT has GELU.",
            "no bend": "there is no bend between the two. Then they are one linear map in two steps.",
            "bent twice": "the result is bent as well. GELU stands between the two maps only.",
            "tanh": "the bend is the formula with tanh. F.gelu(x), without `approximate`, is the exact one.",
        },
    ),
)


class ReferencePooler(nn.Module):
    """The first column through a linear layer and tanh; ``flaw`` makes the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)."""
        others = {"mean": hidden.mean(1), "last": hidden[:, -1], "first text": hidden[0]}
        pooled = others.get(self.flaw, hidden[:, 0]) @ self.dense.weight.T + self.dense.bias
        return pooled if self.flaw == "straight" else pooled.tanh()


POOLER = Exercise(
    name="pooler",
    difficulty="easy",
    minutes=5,
    hint="hidden[:, 0] is the first column of each text, (B, H). Then one nn.Linear called dense, and tanh.",
    praise="One vector for the whole row. What it says, pre-training has to decide.",
    reference=ReferencePooler,
    cases=lambda: [
        Case("two texts of five columns", {"config": CONFIG, "hidden": hidden(2, 5, 8)}),
        Case("three texts of three columns, H = 12", {"config": OTHER, "hidden": hidden(3, 3, 12)}),
    ],
    run=run_with("dense"),
    returns=("shapes of the parameters", "output"),
    mistakes=flawed(
        ReferencePooler,
        {
            "straight": "the tanh is missing.",
            "mean": "the columns were averaged. BERT's pooler reads one of them, [CLS].",
            "last": "the last column was read. [CLS] stands first.",
            "first text": "the first text was read. The first axis counts texts, the second columns: "
            "hidden[:, 0].",
        },
    ),
)

EXERCISES = (FEED_FORWARD, POOLER)
