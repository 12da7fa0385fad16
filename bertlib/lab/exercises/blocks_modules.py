"""Exercises of *Encoder blocks* that are small modules: the feed-forward layer, the pooler."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, Mistake

CONFIG = BertConfig(
    vocab_size=23,
    hidden_size=8,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=20,
    max_position_embeddings=12,
    attention_probs_dropout_prob=0.0,
)
OTHER = CONFIG.replace(hidden_size=12, num_attention_heads=3, intermediate_size=48)
WIDTHS = "Sizes come from the configuration. 768 is the width of Base, and of nothing else."


def build(module_class: Callable[..., Any], config: BertConfig) -> nn.Module:
    """Make the reader's module.

    Raises:
        TypeError: it is no nn.Module.
    """
    module = module_class(config)
    if not isinstance(module, nn.Module):
        raise TypeError("the class must be an nn.Module: class Name(nn.Module)")
    return module


def fill(module: nn.Module) -> None:
    """Give every parameter numbers that follow from its part, its shape and being a bias or not.

    Names inside a part are the reader's own, except query, key, value and output, which have one shape.
    """
    for name, parameter in module.named_parameters():
        part, *inside = name.split(".")
        named = name if part == "attention" else part if inside[1:] or "norm" in part else ""
        key = f"{named} {tuple(parameter.shape)} {name.endswith('bias')}"
        generator = torch.Generator().manual_seed(zlib.crc32(key.encode()))
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)


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
        fill(module)
        shapes = sorted(str(tuple(parameter.shape)) for parameter in module.parameters())
        return shapes, module(arguments["hidden"])

    return run


def two(result: Any) -> tuple[Any, Any]:
    """Return the pair that a block or a model gives back.

    Raises:
        TypeError: something else came back.
    """
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(f"forward returned {type(result).__name__}; expected two values")
    return result[0], result[1]


def hidden(*shape: int) -> Tensor:
    """Return the same random columns every time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(11))


class ReferenceFeedForward(nn.Module):
    """Two products with the bend between them; ``bend`` makes the wrong versions."""

    bend: Callable[[Tensor], Tensor] = staticmethod(F.gelu)
    after: Callable[[Tensor], Tensor] = staticmethod(lambda x: x)

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) -> (B, T, H), with the matrices written out."""
        inner = type(self).bend(hidden @ self.inner.weight.T + self.inner.bias)
        return type(self).after(inner @ self.output.weight.T + self.output.bias)


def feed_forward_with(**parts: Callable[[Tensor], Tensor]) -> type[ReferenceFeedForward]:
    """Return the reference with another bend."""
    return type("Version", (ReferenceFeedForward,), {k: staticmethod(v) for k, v in parts.items()})


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
    mistakes=(
        Mistake(
            "the bend is ReLU. The first Transformer had that; BERT has GELU.", feed_forward_with(bend=F.relu)
        ),
        Mistake(
            "there is no bend between the two. Then they are one linear map in two steps.",
            feed_forward_with(bend=lambda x: x),
        ),
        Mistake(
            "the result is bent as well. GELU stands between the two maps only.",
            feed_forward_with(after=F.gelu),
        ),
        Mistake(
            "the bend is the formula with tanh. F.gelu(x), without `approximate`, is the exact one.",
            feed_forward_with(bend=lambda x: F.gelu(x, approximate="tanh")),
        ),
    ),
)


class ReferencePooler(nn.Module):
    """The first column through a linear layer and tanh; ``pick`` and ``bend`` make the wrong versions."""

    pick: Callable[[Tensor], Tensor] = staticmethod(lambda hidden: hidden[:, 0])
    bend: Callable[[Tensor], Tensor] = staticmethod(torch.tanh)

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)."""
        picked = type(self).pick(hidden)
        return type(self).bend(picked @ self.dense.weight.T + self.dense.bias)


def pooler_with(**parts: Callable[[Tensor], Tensor]) -> type[ReferencePooler]:
    """Return the reference with another pick or bend."""
    return type("Version", (ReferencePooler,), {k: staticmethod(v) for k, v in parts.items()})


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
    mistakes=(
        Mistake("the tanh is missing.", pooler_with(bend=lambda x: x)),
        Mistake(
            "the columns were averaged. BERT's pooler reads one of them, [CLS].",
            pooler_with(pick=lambda x: x.mean(1)),
        ),
        Mistake("the last column was read. [CLS] stands first.", pooler_with(pick=lambda x: x[:, -1])),
        Mistake(
            "the first text was read. The first axis counts texts, the second columns: hidden[:, 0].",
            pooler_with(pick=lambda x: x[0]),
        ),
    ),
)


EXERCISES = (FEED_FORWARD, POOLER)
