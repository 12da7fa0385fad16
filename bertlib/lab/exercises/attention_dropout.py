"""Where does the dropout of a reader's attention fall? Found by values that give it away."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertlib.lab.exercises.modules import missing_dropout

LAYERS = ("key", "output", "query", "value")
PARAMETERS = {f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")}
ON_WEIGHTS = "on the weights, p from config"
SHIFT = 7.0  # the bias of the output: an exact 0 in the result was dropped after it


def where_it_falls(half: nn.Module, none: nn.Module, heads: int) -> str:
    """Say where dropout falls: :data:`ON_WEIGHTS`, or a few words that tell what was found instead.

    Args:
        half: a module with a dropout of 0.5, and with the :data:`PARAMETERS` of the four layers.
        none: the same with a dropout of 0.
        heads: their number of heads, A.

    Raises:
        ValueError: two calls in eval() give two results.
    """
    width = half.get_parameter("query.weight").shape[1]
    hidden = torch.randn(4, 6, width, generator=torch.Generator().manual_seed(12))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return missing_dropout(half, none, lambda module: module(hidden)[0]) or _place(half, hidden, heads)


def _place(module: nn.Module, hidden: Tensor, heads: int) -> str:
    """Let all values be 1 and the output change nothing (but add a shift), and see what varies."""
    show_the_sums(module)
    calm, calm_weights = module.eval()(hidden, need_weights=True)
    shaken, weights = module.train()(hidden, need_weights=True)
    if (shaken == 0).any():
        return "on the output"
    if torch.allclose(calm, shaken, atol=1e-5):
        return "before the softmax"
    parts = shaken.unflatten(-1, (heads, -1))  # (B, T, A, d): one sum of weights, d times over
    if not torch.allclose(parts, parts[..., :1].expand_as(parts), atol=1e-5):
        return "on the values or what was mixed of them"
    if isinstance(weights, Tensor) and not torch.allclose(weights, calm_weights, atol=1e-5):
        return "on the weights, also on those returned"
    return ON_WEIGHTS


def show_the_sums(module: nn.Module) -> None:
    """Set value and output such that each head's result is the sum of a row of weights, plus a shift."""
    parameters = dict(module.named_parameters())
    parameters["value.weight"].zero_()
    parameters["value.bias"].fill_(1.0)
    parameters["output.weight"].copy_(torch.eye(len(parameters["output.weight"])))
    parameters["output.bias"].fill_(SHIFT)
