"""The exercise *self-attention*: the second module of the reader's own BERT."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.attention_dropout import PARAMETERS, where_it_falls
from bertlib.lab.exercises.modules import SMALL, build, fill
from bertlib.model import padding_bias


def config_of(heads: int, *, drops: float = 0.5) -> BertConfig:
    """Return a small configuration with A heads of width 3; in training weights drop."""
    return SMALL.replace(hidden_size=heads * 3, num_attention_heads=heads, attention_probs_dropout_prob=drops)


class Reference(nn.Module):
    """One head after the other, without moving a box; words in ``flaw`` make the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        width = config.hidden_size
        self.query, self.key, self.value, self.output = (
            nn.Linear(width, width, bias="no vectors" not in self.flaw) for _ in range(4)
        )
        self.dropout = nn.Dropout(0.1 if "own p" in self.flaw else config.attention_probs_dropout_prob)

    def forward(
        self, hidden: Tensor, bias: Tensor | None = None, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(B, T, H) -> (B, T, H), and (B, A, T, T) or None."""
        q, k, v = (self.cut(layer(hidden)) for layer in (self.query, self.key, self.value))
        width = hidden.shape[-1]
        heads = [self.one_head(q[:, h], k[:, h], v[:, h], bias, width) for h in range(q.shape[1])]
        mixed = self.paste([head for head, _ in heads])
        weights = torch.stack([w for _, w in heads], dim=1)
        if "no output" not in self.flaw:
            mixed = self.output(mixed)
        mixed = self.dropped("drop output", mixed)
        return mixed, weights if need_weights or "always" in self.flaw else None

    def one_head(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, width: int
    ) -> tuple[Tensor, Tensor]:
        """Three times (B, T, d) -> (B, T, d) and (B, T, T)."""
        scale = 1.0 if "no scale" in self.flaw else width if "wide scale" in self.flaw else q.shape[-1]
        scores = torch.einsum("bid,bjd->bij", q, k) / math.sqrt(scale)
        if bias is not None and "no bias" not in self.flaw:
            scores = scores + bias[:, 0]
        scores = self.dropped("drop scores", scores)
        weights = scores.softmax(dim=1 if "queries" in self.flaw else 2)
        elsewhere = any(flaw in self.flaw for flaw in ("no dropout", "drop "))
        kept = weights if elsewhere else self.dropout(weights)
        return kept @ self.dropped("drop values", v), kept if "late" in self.flaw else weights

    def dropped(self, where: str, x: Tensor) -> Tensor:
        """Apply dropout in a place that is not its own, if that is the flaw."""
        return self.dropout(x) if where in self.flaw else x

    def cut(self, x: Tensor) -> Tensor:
        """(B, T, H) -> (B, A, T, d)."""
        size = x.shape[-1] // self.num_heads
        if "uncut" in self.flaw:
            return x.reshape(*x.shape[:2], self.num_heads, size)
        if "poured" in self.flaw:
            return x.reshape(x.shape[0], self.num_heads, x.shape[1], size)
        return torch.stack(x.split(size, dim=-1), dim=1)

    def paste(self, heads: list[Tensor]) -> Tensor:
        """A times (B, T, d) -> (B, T, H)."""
        if "uncut" in self.flaw:  # the way back has its transpose, and the reshape makes it fit
            together = torch.stack(heads, dim=1)  # (B, T, A, d)
            return together.transpose(1, 2).reshape(*together.shape[:2], -1)
        if "pasted" in self.flaw:
            return torch.stack(heads, dim=1).reshape(*heads[0].shape[:2], -1)
        return torch.cat(heads, dim=-1)


def dropout_of(module_class: Callable[..., Any], heads: int) -> str:
    """Build the module twice, with p = 0.5 and with p = 0, and say where its dropout falls."""
    half, none = (module_class(config_of(heads, drops=p)) for p in (0.5, 0.0))
    for module in (half, none):
        fill(module, key=lambda name, shape: name)
    return where_it_falls(half, none, heads)


def run(module_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Build the module, fill its parameters by their names, run it; then look where dropout falls."""
    module = build(module_class, arguments["config"])
    fill(module, key=lambda name, shape: name)
    inputs, need = (arguments["hidden"], arguments["bias"]), arguments["need_weights"]
    result = module.eval()(*inputs, need_weights=need)
    if result is None:
        return None
    mixed, weights = result
    names = {name for name, _ in module.named_parameters()}
    layers = sorted({name.partition(".")[0] for name in names})
    heads = arguments["config"].num_attention_heads
    falls = dropout_of(module_class, heads) if names == PARAMETERS else "not asked"
    return layers, mixed, weights, falls


def cases() -> list[Case]:
    """Return a batch, one with a bias whose weights are wanted, and one where T = A."""
    generator = torch.Generator().manual_seed(7)
    plain, padded, square = (
        torch.randn(shape, generator=generator) for shape in [(1, 4, 6), (2, 5, 6), (2, 3, 9)]
    )
    bias = padding_bias(torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]), torch.float32)

    def inputs(heads: int, hidden: Tensor, bias: Tensor | None, need_weights: bool) -> dict[str, Any]:
        return {"config": config_of(heads), "hidden": hidden, "bias": bias, "need_weights": need_weights}

    return [
        Case("one text, four columns, two heads", inputs(2, plain, None, False)),
        Case(
            "two texts, the second with two columns of filling; weights wanted", inputs(2, padded, bias, True)
        ),
        Case(
            "as many columns as heads",
            inputs(3, square, None, True),
            because="T = A: a forgotten transpose runs here without an error.",
        ),
    ]


SELF_ATTENTION = Exercise(
    name="self-attention",
    difficulty="medium",
    minutes=15,
    hint="In __init__: num_heads, four nn.Linear(H, H) called query, key, value, output, one nn.Dropout. In "
    "forward: split what the first three make of hidden; scores, bias, softmax; dropout on the weights; "
    "weights times values; merge; output. Return the weights from before the dropout, or None.",
    praise="The heart of BERT, and it is yours: what this check accepts is kept for chapter 09.",
    reference=Reference,
    cases=cases,
    run=run,
    returns=("layers", "mixed", "weights", "dropout falls"),
    mistakes=flawed(
        Reference,
        {
            "no scale": "the scores are not divided by the square root of d.",
            "wide scale": "the divisor is the root of H. Each head has its own width, d = H / A.",
            "poured": "the numbers were poured into (B, A, T, d) at once: view as (B, T, A, d), then "
            "transpose.",
            "poured, pasted": "the numbers were poured in one go, on the way in and on the way out. The two "
            "do not cancel.",
            "uncut": "the transpose after the view is missing: heads are compared with one another, not "
            "columns.",
            "pasted": "on the way back a transpose is missing: columns are mixed up.",
            "queries": "the softmax runs over the questions instead of the columns looked at.",
            "no bias": "the bias is not used: filling gets attention.",
            "no output": "the output matrix is there but is not used.",
            "no vectors": "the four nn.Linear have no bias vectors. BERT's have.",
            "no dropout": "nothing is dropped in training: dropout on the weights is missing.",
            "own p": "the dropout has a probability of its own, 0.1 for instance. Take "
            "config.attention_probs_dropout_prob.",
            "late": "the weights came back from after the dropout, where rows no longer sum to one. Keep "
            "both: dropout(weights) goes to the values, weights are returned.",
            "drop output": "dropout falls on the output. It falls on the weights, between softmax and "
            "values; the output gets a dropout of its own in the block of chapter 05.",
            "drop scores": "dropout comes before the softmax, which shares everything out again: nobody is "
            "left unheard.",
            "drop values": "dropout falls on the values or on what was mixed of them. It falls on the "
            "weights.",
            "always": "the weights came though nobody asked. Return None in their place.",
        },
    ),
)
