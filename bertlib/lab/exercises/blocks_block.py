"""The exercise *encoder-block*: attention and feed-forward, each dropped out, added and normalised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bertlib.config import BertConfig
from bertlib.lab.exercise import Case, Exercise, flawed
from bertlib.lab.exercises.blocks_modules import (
    CONFIG,
    OTHER,
    WIDTHS,
    ReferenceFeedForward,
    fill_parts,
    hidden,
)
from bertlib.lab.exercises.modules import build, two
from bertlib.model import MultiHeadSelfAttention, padding_bias

DROP_ALL = 0.99998  # as near to 1 as sixteen random bits can tell
PARTS = ("attention", "attention_norm", "feed_forward", "feed_forward_norm")
VISIBLE_EPS = OTHER.replace(layer_norm_eps=0.5)


class Handed(MultiHeadSelfAttention):
    """The library's attention under another name: does the block make what it is handed?"""


class ReferenceBlock(nn.Module):
    """The block in the paper's order; words in ``flaw`` make the wrong versions."""

    flaw = ""

    def __init__(self, config: BertConfig, *, attention: Callable[..., Any] = MultiHeadSelfAttention) -> None:
        super().__init__()
        self.attention = attention(config)
        eps = 1e-5 if "eps" in self.flaw else config.layer_norm_eps
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=eps)
        self.feed_forward = ReferenceFeedForward(config)
        self.feed_forward.flaw = self.flaw
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=eps)
        if "one norm" in self.flaw:
            self.feed_forward_norm = self.attention_norm
        self.dropout = nn.Dropout(0.0 if "no dropout" in self.flaw else config.hidden_dropout_prob)

    def forward(
        self, hidden: Tensor, bias: Tensor | None = None, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(B, T, H) -> (B, T, H), and the weights (B, A, T, T)."""
        weights: list[Tensor | None] = []

        def attend(x: Tensor) -> Tensor:
            seen = None if "unmasked" in self.flaw else bias
            mixed, found = self.attention(x, seen, need_weights=need_weights and "mute" not in self.flaw)
            weights.append(found)
            return mixed

        hidden = self._step(hidden, attend, self.attention_norm)
        hidden = self._step(hidden, self.feed_forward, self.feed_forward_norm)
        return hidden, weights[0]

    def _step(self, x: Tensor, part: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        if "pre" in self.flaw:
            return x + self.dropout(part(norm(x)))
        if "inside" in self.flaw:
            return x + norm(self.dropout(part(x)))
        if "alone" in self.flaw:
            return norm(self.dropout(part(x)))
        if "drop last" in self.flaw:
            return self.dropout(norm(x + part(x)))
        if "drop sum" in self.flaw:
            return norm(self.dropout(x + part(x)))
        return norm(x + self.dropout(part(x)))


def run_block(block_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Run the block as it is, and with a dropout that drops (all but) everything.

    Raises:
        TypeError: a part has another name, the attention is not the one handed over, or dropout goes on
            in evaluation.
    """
    config, columns, bias = (arguments[name] for name in ("config", "hidden", "bias"))
    module = build(partial(block_class, attention=Handed), config)
    if module.eval()(columns, bias, need_weights=True) is None:
        return None
    absent = [part for part in PARTS if not isinstance(getattr(module, part, None), nn.Module)]
    if absent:
        raise TypeError(f"the block has no part called {absent[0]}; expected {', '.join(PARTS)}")
    if not isinstance(module.attention, Handed):
        raise TypeError("the attention handed over was not used; make it by attention(config)")
    fill_parts(module)
    output, weights = two(module(columns, bias, need_weights=True))
    if not torch.equal(output, two(module(columns, bias, need_weights=True))[0]):
        raise TypeError(
            "the same question got two answers after eval(): dropout goes on. nn.Dropout as a part of the "
            "module stops by itself; F.dropout does not"
        )
    dropping = build(block_class, config.replace(hidden_dropout_prob=DROP_ALL))
    fill_parts(dropping)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        dropped, _ = two(dropping.train()(columns, bias))
    return output, weights, dropped


def block_cases() -> list[Case]:
    """Return a batch, a batch with filling, another width, another eps."""
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    bias = padding_bias(mask, torch.float32)
    return [
        Case("two texts of five columns", {"config": CONFIG, "hidden": hidden(2, 5, 8), "bias": None}),
        Case(
            "the same, the second with two columns of filling",
            {"config": CONFIG, "hidden": hidden(2, 5, 8), "bias": bias},
        ),
        Case("H = 12", {"config": OTHER, "hidden": hidden(1, 4, 12), "bias": None}, because=WIDTHS),
        Case(
            "a layer_norm_eps so large that one sees it",
            {"config": VISIBLE_EPS, "hidden": hidden(1, 4, 12), "bias": None},
            because="nn.LayerNorm(size, eps=config.layer_norm_eps), for both norms.",
        ),
    ]


ENCODER_BLOCK = Exercise(
    name="encoder-block",
    difficulty="hard",
    minutes=20,
    hint="Two steps of one form: x = norm(x + dropout(part(x))). The first part is the attention (hand it "
    "bias and need_weights; it returns a pair), the second the feed-forward layer. Each has its own norm.",
    praise="A block of the encoder, in the paper's order. Twelve of these, and it is BERT-Base.",
    reference=ReferenceBlock,
    cases=block_cases,
    run=run_block,
    returns=("output", "weights", "dropped"),
    mistakes=flawed(
        ReferenceBlock,
        {
            "pre": "the norm comes first: x + f(norm(x)). That is pre-LN, the order of GPT-2. BERT's is "
            "norm(x + f(x)).",
            "alone": "the residual is missing: norm(f(x)), and the column forgets what it was.",
            "inside": "the sum is outside of the norm: x + norm(f(x)). The norm takes the sum.",
            "one norm": "both steps use one norm. Each has weights and biases of its own.",
            "drop last": "dropout comes after the norm. It belongs to what is added: norm(x + "
            "dropout(f(x))).",
            "drop sum": "dropout wipes out the residual too. Only what is added may get lost.",
            "no dropout": "nothing is ever dropped.",
            "eps": "the norms have PyTorch's own eps, 1e-5, not config.layer_norm_eps.",
            "relu": "the feed-forward layer bends with ReLU. BERT uses GELU.",
            "unmasked": "the argument `bias` does not reach the attention: the filling is looked at.",
            "mute": "the argument `need_weights` does not reach the attention: no weights came back.",
        },
    ),
)

EXERCISES = (ENCODER_BLOCK,)
