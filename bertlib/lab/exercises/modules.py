"""What the checks of modules share: a small configuration, known weights, and a look at what came."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig

SMALL = BertConfig(
    vocab_size=23,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=12,
)
STILL = SMALL.replace(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)  # nothing is dropped
# By the name of a flaw what stands in the place of GELU.
BENDS: dict[str, Callable[[Tensor], Tensor]] = {
    "no bend": nn.Identity(),
    "relu": F.relu,
    "tanh": nn.GELU("tanh"),
}


def build(module_class: Callable[..., Any], config: BertConfig) -> nn.Module:
    """Make the reader's module.

    Raises:
        TypeError: it is no nn.Module.
    """
    module = module_class(config)
    if not isinstance(module, nn.Module):
        name = getattr(module_class, "__name__", "Name")
        raise TypeError(f"the class must be an nn.Module: class {name}(nn.Module)")
    return module


def fill(module: nn.Module, key: Callable[[str, torch.Size], Any]) -> None:
    """Give every parameter numbers that follow from a key, made of its name and shape."""
    for name, parameter in module.named_parameters():
        generator = torch.Generator().manual_seed(zlib.crc32(repr(key(name, parameter.shape)).encode()))
        parameter.data = torch.randn(parameter.shape, generator=generator) / 2


def missing_dropout(half: nn.Module, none: nn.Module, call: Callable[[nn.Module], Tensor]) -> str:
    """Say so if nothing is dropped, or not with the p of the configuration; "" if all that is well.

    Args:
        half: a module with a dropout of 0.5.
        none: the same with a dropout of 0.
        call: sends numbers through a module.

    Raises:
        ValueError: two calls in eval() give two results.
    """
    calm = call(half.eval())
    if not torch.allclose(calm, call(half), atol=1e-5):
        raise ValueError("two calls in eval() gave two results: dropout must rest there (self.training)")
    if torch.allclose(calm, call(half.train()), atol=1e-5):
        return "nowhere"
    rests = torch.allclose(call(none.eval()), call(none.train()), atol=1e-5)
    return "" if rests else "somewhere with a p of its own"


def two(result: Any) -> tuple[Any, Any]:
    """Return the pair that a block or a model gives back.

    Raises:
        TypeError: something else came back.
    """
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(f"forward returned {type(result).__name__}; expected two values")
    return result[0], result[1]
